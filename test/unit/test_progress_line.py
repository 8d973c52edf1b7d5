"""A terminal sees one line that is rewritten, a file sees a line now and then; both are told how much time is left."""

from __future__ import annotations

import io
import re
import sys

import pytest

from vla_ros.progress_line import PERCENT, ProgressLine, duration, main, show_program


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time_s = 100.0

    def __call__(self) -> float:
        return self.time_s


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def steps(stream: io.StringIO, count: int, each_s: float, total: int = 10) -> str:
    clock = Clock()
    with ProgressLine("eval", total, stream, clock) as progress:
        for i in range(count):
            clock.time_s += each_s
            progress.advance(f"{i} good")
    return stream.getvalue()


def test_a_file_gets_a_line_every_half_minute_and_one_at_the_end() -> None:
    assert steps(io.StringIO(), 10, 8.0).splitlines() == [
        "eval: 4 of 10, 3 good, 48 s left",
        "eval: 8 of 10, 7 good, 16 s left",
        "eval: 10 of 10, 9 good in 80 s",
    ]


def test_a_terminal_gets_one_line_that_is_rewritten() -> None:
    written = steps(Terminal(), 3, 60.0)
    assert written.count("\n") == 1 and written.endswith(
        "\reval: 3 of 10, 2 good in 3 min\n".replace("\r", "\r\x1b[2K")
    )
    assert "\r\x1b[2Keval: 2 of 10, 1 good, 8 min left" in written


def test_a_dumb_terminal_is_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert "\r" not in steps(Terminal(), 3, 60.0)


def test_what_a_resumed_work_had_done_took_no_time() -> None:
    clock, progress = Clock(), None
    progress = ProgressLine("train", 1000, io.StringIO(), clock)
    clock.time_s += 5.0
    progress.update(901)
    assert progress.left_s() is None, "nothing is known yet"
    clock.time_s += 1.0
    progress.update(911)
    assert progress.left_s() == pytest.approx(8.9)
    progress.update(3)  # the next part of it
    assert progress.left_s() is None
    progress.update(1000)
    assert progress.left_s() is None, "it is done"


def test_a_line_of_its_own_stands_above() -> None:
    stream, other = Terminal(), io.StringIO()
    progress = ProgressLine("faults", 3, stream, Clock())
    progress.print("case 1: wrong")
    progress.print("case 2: right", other)
    assert stream.getvalue().startswith("\r\x1b[2Kcase 1: wrong\n\r\x1b[2Kfaults: 0 of 3")
    assert other.getvalue() == "case 2: right\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 s"), (89.4, "89 s"), (90.0, "2 min"), (5000.0, "83 min"), (7500.0, "2 h 05 min"), (9e4, "25 h 00 min")],
)
def test_times_are_as_exact_as_matters(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_program_is_shown_by_its_lines_and_its_end_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    code = "print('Collecting rich'); print('Collecting viser'); print('no such wheel'); raise SystemExit(3)"
    ended = main(["--total", "9", "--matching", r"^Collecting (\S+)", "installing", "--", sys.executable, "-c", code])
    assert ended == 3
    lines = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"installing: 2 of 9, viser in \d+ s", lines[0])
    assert lines[-1] == "no such wheel"


def test_percentages_of_make_are_steps() -> None:
    stream = io.StringIO()
    program = "print('[ 50%] Building C object'); print('[100%] Built target')"
    assert show_program(ProgressLine("compiling", 100, stream), PERCENT, [sys.executable, "-c", program]) == 0
    assert stream.getvalue().startswith("compiling: 100 of 100 in ")
