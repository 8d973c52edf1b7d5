"""The scripts complete commands, options and values; they are those of the command line as it is; a TAB starts no Python."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vla_ros.cli import completion
from vla_ros.cli.main import COMMANDS, main
from vla_ros.resources import share

FOLDER = share() / "completion"
BASH = """
set -eu
. "$1"; shift
cd /
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
_vla_ros_complete || [ $? = 124 ]
complete -p vla-ros | sed 's/.*-F \\([^ ]*\\).*/\\1/' | { read -r name; set +eu; $name; printf '%s\\n' "${COMPREPLY[@]}"; }
"""
"""What bash does at a TAB: the hook says with 124 that the script is there now, and the script is asked."""


def completed(*words: str, env: dict[str, str] | None = None) -> list[str]:
    command = ["bash", "--norc", "-c", BASH, "bash", str(FOLDER / "hook.bash"), "vla-ros", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("st",), ["status"]),
        (("eval", "--thr"), ["--through-graph"]),
        (("up", "--policy", "cl"), ["classical"]),
        (("bench", "sa"), ["safety"]),
        (("data", "g"), ["generate"]),
        (("completion", ""), ["bash", "zsh"]),
    ],
)
def test_bash_completes_commands_options_and_values_without_python(words: tuple[str, ...], offered: list[str]) -> None:
    # No program but what bash itself needs here: neither python nor vla-ros could be started.
    sed = shutil.which("sed")
    assert sed
    assert completed(*words, env={"PATH": str(Path(sed).parent)}) == offered


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh here")
@pytest.mark.parametrize("first", ["hook", "compinit"])
def test_zsh_finds_the_function_whether_the_hook_or_compinit_comes_first(first: str, tmp_path: Path) -> None:
    steps = [f". {FOLDER / 'hook.zsh'}", "autoload -Uz compinit && compinit -u -D"]
    lines = steps if first == "hook" else steps[::-1]
    code = "\n".join([*lines, "print -r -- $_comps[vla-ros]", f"zsh -n {FOLDER / '_vla-ros'}"])
    done = subprocess.run(["zsh", "-f", "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("_vla-ros\n", "")


@pytest.mark.parametrize("shell", completion.FILES)
def test_the_command_prints_the_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["completion", shell])
    assert ended.value.code == 0
    assert capsys.readouterr().out == (FOLDER / completion.FILES[shell]).read_text()


def test_the_scripts_are_of_the_command_line_as_it_is() -> None:
    pytest.importorskip("shtab")
    # In a process of its own: tests register policies that nobody else has.
    code = "from completion_scripts import FILES, script\nfor shell in FILES: print(script(shell))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=share())
    files = [(FOLDER / name).read_text() for name in completion.FILES.values()]
    assert done.stdout.splitlines() == "\n".join([*files, ""]).splitlines(), "python completion_scripts.py"


def test_no_command_is_missing() -> None:
    (line,) = re.findall(r"(?m)^_shtab_vla_ros_subparsers=\((.*)\)$", (FOLDER / "vla-ros.bash").read_text())
    assert line.split() == list(COMMANDS)
