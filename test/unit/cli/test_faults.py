"""Faults are listed with what is expected; a name that there is not is refused."""

from __future__ import annotations

import argparse

import pytest

from vla_ros.cli import faults


def parsed(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    faults.arguments(parser)
    return parser.parse_args(options)


def test_the_list_names_each_fault_with_its_expectation(capsys: pytest.CaptureFixture[str]) -> None:
    assert faults.run(parsed("--list")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 50
    assert any(line.startswith("planner-killed") for line in lines)
    assert all(": " in line for line in lines)


@pytest.mark.parametrize(
    ("options", "text"),
    [(("no-such-fault",), "no fault 'no-such-fault'; see --list"), (("planner-killed", "--docs"), "--docs needs all")],
)
def test_what_cannot_be_provoked_is_refused(
    options: tuple[str, ...], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert faults.run(parsed(*options)) == 2
    assert text in capsys.readouterr().err
