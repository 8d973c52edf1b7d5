"""--json - leaves standard output to JSON alone, whoever prints; what JSON lacks is null; a bad file is refused at once."""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vla_ros.cli import main
from vla_ros.lab.json_output import add_json_option, json_alone, write_json
from vla_ros.parameters import ParameterError

WITH_JSON = (
    *("bench", "check", "check-recording", "data", "doctor", "eval", "faults", "policies", "replay", "status", "trace"),
    "words",
)
"""Commands that have results."""


def target(*given: str) -> str | None:
    parser = argparse.ArgumentParser()
    add_json_option(parser, "the findings")
    found: str | None = parser.parse_args(given).json
    return found


def test_the_option_takes_a_file_standard_output_or_is_left_out(tmp_path: Path) -> None:
    assert (target(), target("--json"), target("--json", "-")) == (None, "-", "-")
    assert target("--json", str(tmp_path / "it")) == str(tmp_path / "it")


@pytest.mark.parametrize("name", WITH_JSON)
def test_every_command_that_has_results_has_it(name: str) -> None:
    parser = argparse.ArgumentParser()
    main.module(name).arguments(parser)
    actions = [*parser._actions]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            actions += [each for inner in action.choices.values() for each in inner._actions]
    (found,) = [action for action in actions if "--json" in action.option_strings]
    assert found.const == "-"


def test_no_other_command_writes_json_in_a_way_of_its_own() -> None:
    for name in main.COMMANDS.keys() - set(WITH_JSON):
        parser = argparse.ArgumentParser()
        main.module(name).arguments(parser)
        assert "--json" not in parser.format_help(), name


def test_values_that_json_lacks_are_null(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    value = {"a": math.nan, 1: [math.inf, np.float32(0.5), np.array([1.0, math.nan])], "p": tmp_path, "t": (1, None)}
    write_json("-", value)
    read = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert read == {"a": None, "1": [None, 0.5, [1.0, None]], "p": str(tmp_path), "t": [1, None]}
    write_json(None, value)
    assert capsys.readouterr().out == ""


def test_a_full_disk_is_one_line() -> None:
    with pytest.raises(ParameterError, match="--json /dev/full: No space left on device"):
        write_json("/dev/full", {"a": 1})


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(ParameterError, match="--json: no file is named"), json_alone(""):
        pass


def test_prints_of_libraries_and_child_processes_do_not_reach_standard_output(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with json_alone("-"):
        print("a table")
        os.write(1, b"a library\n")
        subprocess.run([sys.executable, "-c", "print('a child')"], check=True)
        write_json("-", {"ok": True})
    print("afterwards")
    printed = capfd.readouterr()
    assert printed.out == '{\n  "ok": true\n}\nafterwards\n'
    assert {"a table", "a library", "a child"} <= set(printed.err.splitlines())


@pytest.mark.parametrize(
    ("command", "before"), [("bench controller", "bench controller --quick"), ("policies", "policies")]
)
def test_a_file_that_cannot_be_written_is_one_line_before_the_work(
    command: str, before: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        main.module(command.split(maxsplit=1)[0]), "run", lambda chosen: pytest.fail("it began to work")
    )
    with pytest.raises(SystemExit) as ended:
        main.main([*before.split(), "--json", "/nowhere/it.json"])
    assert (ended.value.code, capsys.readouterr().err) == (2, "vla-ros: /nowhere/it.json: No such file or directory\n")
