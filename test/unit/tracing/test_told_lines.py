"""Two lines that alternate are told once each; what stays is told."""

from __future__ import annotations

from vla_ros.tracing.told_lines import STEADY_S, ToldLines


def told(lines: list[tuple[float, str]]) -> list[str]:
    those = ToldLines()
    return [line for now_s, line in lines if those.worth_telling(line, now_s)]


def test_two_lines_that_alternate_for_ever_are_told_once_each() -> None:
    stream = [(k / 10, ("reach", f"no frames for {k / 10:.1f} s")[k % 2]) for k in range(100)]
    assert told([(0.0, ""), *stream]) == ["reach", "no frames for 0.1 s"]


def test_a_line_that_comes_back_to_stay_is_told_again() -> None:
    back = [(1.0 + k / 10, "reach") for k in range(60)]
    assert told([(0.0, "reach"), (0.5, "no frames"), *back]) == ["reach", "no frames", "reach"]
    assert told([(0.0, "reach"), (0.5, "no frames"), (1.0, "reach"), (1.0 + STEADY_S / 2, "reach")])[2:] == []
    assert told([(k / 10, line) for k, line in enumerate("abcdefa")]) == list("abcdefa"), "of old ones nothing is kept"
