"""The command line: every command has a module, only the one that is given is imported, errors are one line."""

from __future__ import annotations

import subprocess
import sys

import pytest

from vla_ros.cli import main
from vla_ros.parameters import ParameterError


@pytest.mark.parametrize("name", [*main.COMMANDS, *main.ALIASES])
def test_each_command_declares_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main([name, "--help"])
    assert ended.value.code == 0
    assert f"usage: vla-ros {name}" in capsys.readouterr().out


def test_help_lists_every_command_once_and_no_old_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main.main(["--help"])
    listed = [
        line.split()[0] for line in capsys.readouterr().out.splitlines() if line[:4] == "    " and line[4:5].strip()
    ]
    assert listed == list(main.COMMANDS)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "usage: vla-ros"),
        (["help"], "usage: vla-ros"),
        (["help", "say"], "usage: vla-ros say"),
        (["--version"], "vla-ros 0."),
    ],
)
def test_help_and_version_need_no_command(given: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(given)
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(said)


def test_bytes_that_are_no_text_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(["say", "caf\udce9"])
    assert ended.value.code == main.REFUSED
    assert capsys.readouterr().err == "vla-ros: 'caf\\\\xe9' is no UTF-8: type it in a terminal that speaks UTF-8\n"


def test_an_unknown_command_is_refused_with_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(["sing"])
    assert ended.value.code == main.REFUSED
    assert "sing" in capsys.readouterr().err


def test_one_command_imports_no_other() -> None:
    code = (
        "import sys\nfrom vla_ros.cli.main import main\ntry: main(['say', '--help'])\nexcept SystemExit: pass\n"
        "print(*[name for name in sys.modules if name.startswith('vla_ros.')], sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = [line for line in done.stdout.splitlines() if line.startswith("vla_ros.")]
    assert sorted(modules) == [
        "vla_ros.cli",
        "vla_ros.cli.main",
        "vla_ros.cli.say",
        "vla_ros.lazy_names",
        "vla_ros.parameters",
    ]


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (ParameterError("robot: there is no 'hal'"), 2, "vla-ros: robot: there is no 'hal'"),
        (FileNotFoundError(2, "No such file or directory", "mine.yaml"), 2, "vla-ros: mine.yaml: No such file"),
        (ImportError("", name="rclpy"), 2, "vla-ros: rclpy is not installed: make setup"),
        (ModuleNotFoundError("", name="pyarrow"), 2, "vla-ros: pyarrow is not installed: pip install"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_what_goes_wrong_is_one_line_and_an_exit_code(
    error: BaseException, code: int, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from vla_ros.cli import doctor

    def run(_: object) -> int:
        raise error

    monkeypatch.setattr(doctor, "run", run)
    with pytest.raises(SystemExit) as ended:
        main.main(["doctor"])
    printed = capsys.readouterr().err
    assert ended.value.code == code
    assert printed.startswith(text)
    assert len(printed.splitlines()) == (1 if text else 0)


def test_a_bad_namespace_is_refused_before_ros_is_started(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(["estop", "--namespace", "2left"])
    assert ended.value.code == main.REFUSED
    assert "namespace '2left'" in capsys.readouterr().err


def test_the_package_runs_as_a_program() -> None:
    done = subprocess.run([sys.executable, "-m", "vla_ros.cli", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "vla-ros estop" in done.stdout
