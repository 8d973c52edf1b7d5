"""The results in words: lines for the screen, and docs/faults.md."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from vla_ros.lab.faults.case import FaultCase
from vla_ros.lab.faults.reaction import ExpectedReaction, ObservedReaction, differences
from vla_ros.lab.faults.report import HEAD, document, page, result_line, summary, table_row, without_alternation
from vla_ros.lab.faults.result import FaultResult, OutputResult

GOOD = ObservedReaction(
    states=["TRACKING", "STOPPING", "HOLDING"], rules=["schema"], rest_s=0.2, velocity=0.5, acceleration=0.5
)
EXPECTED = ExpectedReaction(("schema",), rest_s=0.3)
CASE = FaultCase("nan", "NaN in one joint", EXPECTED, lambda rig: None)


def test_the_page_has_a_row_for_each_fault_and_names_what_failed() -> None:
    bad = dataclasses.replace(GOOD, rest_s=0.5)
    results = [
        FaultResult(CASE, GOOD, [], 1.5),
        FaultResult(dataclasses.replace(CASE, name="late"), bad, differences(EXPECTED, bad), 2.5),
    ]
    outputs = [OutputResult("filter", 5000, {"jerk": 1.5}, ["jerk of joint1 1500, limit 1000"])]
    text = "\n".join(page(results, outputs, 12.0))
    assert "2 faults, 1 as expected, in 12 s. Load average 1.5 to 2.5" in text
    assert "| `nan`: NaN in one joint |" in text and "| 200 | 0.50 | 0.50 | 0 | passed |" in text
    assert "- `late`: at rest after 0.500 s; 0.300 s are allowed" in text
    assert "graph 'filter': 5000 outputs; largest shares: jerk 1.500000000; jerk of joint1 1500, limit 1000" in text
    assert "2 failed: late, outputs of graph 'filter'" in summary(results, outputs, 12.0)
    assert result_line(results[1]).startswith("FAIL late")


def test_a_try_after_a_stall_is_said_on_the_screen_and_on_the_page() -> None:
    again = FaultResult(CASE, GOOD, [], 1.0, stalls=("stood still for 50 ms", "delayed 35 ticks"))
    assert "(try 3)" in result_line(again)
    assert "passed at try 3: the machine stood still for 50 ms, delayed 35 ticks" in table_row(again)
    assert "try" not in result_line(FaultResult(CASE, GOOD, [], 1.0))


def test_when_all_is_as_expected_the_last_line_says_so() -> None:
    last = summary([FaultResult(CASE, GOOD, [], 1.0)], [], 3.0)
    assert last == "1 faults in 3 s, load average up to 1.0: all as expected"


def test_the_document_has_the_head_of_the_published_page() -> None:
    text = document([FaultResult(CASE, GOOD, [], 1.0)], [], 3.0)
    published = Path(__file__).parents[4] / "docs" / "faults.md"
    assert text.startswith(HEAD) and published.read_text().startswith(HEAD)


def test_back_and_forth_between_tracking_and_limiting_is_said_once() -> None:
    states = ["TRACKING", "LIMITING", "TRACKING", "LIMITING", "STOPPING", "HOLDING"]
    assert without_alternation(states) == ["TRACKING", "LIMITING", "STOPPING", "HOLDING"]
