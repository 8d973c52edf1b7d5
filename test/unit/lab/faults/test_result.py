"""The result of all outputs, in one line."""

from __future__ import annotations

from vla_ros.lab.faults.result import OutputResult


def test_the_line_names_what_is_past_a_limit() -> None:
    result = OutputResult("filter", 5000, {"jerk": 1.5}, ["jerk of joint1 1500, limit 1000"])
    assert result.text() == (
        "graph 'filter': 5000 outputs; largest shares: jerk 1.500000000; jerk of joint1 1500, limit 1000"
    )


def test_outputs_within_every_limit_are_called_so() -> None:
    assert OutputResult("clock", 10, {"jerk": 0.5}, []).text().endswith("within every limit")
