"""A source whose setpoints are refused says so and why, for as long as they are."""

from __future__ import annotations

from vla_ros.control.refusals import MEMORY_NS, SENDING_NS, SILENCE_NS, Refusals
from vla_ros.safety.rules import RuleCode

MS = 1_000_000
CLOCKS = "the stamp lies 0.050 s ahead; compare the clocks"


def test_refused_setpoints_are_told_with_the_filters_reason() -> None:
    refusals = Refusals()
    for k in range(400):  # 4 s, with a clock 50 ms ahead
        refusals.on_sent(k * 10 * MS)
        if k % 4 == 0:
            refusals.on_status(k * 10 * MS, k, RuleCode.FRESHNESS, CLOCKS)
        assert (CLOCKS in refusals.explanation(k * 10 * MS)) == (k >= 4)
    end_ns = 400 * 10 * MS
    assert refusals.explanation(end_ns)
    for k in range(30):
        refusals.on_status(end_ns + k * 40 * MS, 396, 0, "")
    assert refusals.explanation(end_ns + MEMORY_NS) == "", "nothing is refused any more"


def test_what_others_are_refused_is_not_this_sources_matter() -> None:
    refusals = Refusals()
    refusals.on_status(0, 5, RuleCode.SCHEMA, "no")
    refusals.on_status(40 * MS, 9, RuleCode.SCHEMA, "no")
    assert refusals.explanation(40 * MS) == "", "it sends nothing"
    refusals.on_sent(50 * MS)
    refusals.on_status(50 * MS + SENDING_NS + 1, 12, RuleCode.SCHEMA, "no")
    assert refusals.explanation(50 * MS + SENDING_NS + 1) == ""
    refusals.on_sent(10**9)
    refusals.on_status(10**9, 3, 0, "")
    assert refusals.explanation(10**9) == "", "the filter was started again"


def test_a_reason_that_another_rule_hides_is_remembered() -> None:
    refusals = Refusals()
    refusals.on_sent(0)
    refusals.on_status(0, 0, 0, "")
    refusals.on_status(40 * MS, 4, RuleCode.OPEN_LOOP, "no setpoint from policy for 0.1 s")
    assert refusals.explanation(40 * MS).endswith("see vla/safety_status")
    refusals.on_status(80 * MS, 8, RuleCode.FRESHNESS, CLOCKS)
    refusals.on_status(120 * MS, 12, RuleCode.OPEN_LOOP, "no setpoint")
    assert refusals.explanation(120 * MS).endswith(CLOCKS)


def test_a_stream_that_the_filter_takes_for_an_old_one_falls_silent_and_begins_anew() -> None:
    refusals = Refusals()
    refusals.on_sent(0)
    refusals.on_status(0, 0, 0, "")
    assert not refusals.silence_due(0)
    refusals.on_status(40 * MS, 4, RuleCode.RESUMPTION, "the arm was stopped")
    assert refusals.silence_due(40 * MS) and refusals.silence_due(39 * MS + SILENCE_NS)
    assert not refusals.silence_due(41 * MS + SILENCE_NS)
