"""Faults of the audit log, of processes and of the configuration: what comes of them is recorded."""

from __future__ import annotations

import dataclasses
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from vla_ros.lab.bench.filter_rig import FilterRig, full_configuration, without_rules
from vla_ros.lab.faults import process_faults
from vla_ros.lab.faults.graphs import AUDIT, REMOVED
from vla_ros.lab.faults.process_faults import REFUSAL
from vla_ros.safety.audit.log import AuditLog
from vla_ros.safety.audit.recorder import Recorder
from vla_ros.safety.safety_parameters import AuditParameters


class LoggedFilter(process_faults.ProcessFaults):
    """A filter of joint limits in this process, which ticks and is logged as long as it runs."""

    def __init__(self, folder: Path) -> None:
        super().__init__((), folder)
        parameters, urdf = full_configuration()
        parameters = without_rules(parameters, "environment", "self_collision", "effort", "speed", "obstacle")
        about = {"parameters": dataclasses.asdict(parameters), "urdf": urdf}
        self.log = AuditLog(AuditParameters(str(folder / AUDIT)), about)
        self.rig = FilterRig(parameters, urdf)
        self.rig.filter = Recorder(self.rig.filter, self.log)  # type: ignore[arg-type]
        self.answers: list[str] = []

    def record_answer(self, answer: str) -> None:
        self.answers.append(answer)

    def run_for(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s and not until():
            list(self.rig.advance())
            self.rig.send_joint_state()
            self.rig.tick()
            time.sleep(0.004)
        return until()


@pytest.fixture
def logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoggedFilter]:
    monkeypatch.setattr(process_faults, "AUDITED_S", 0.2)
    made = LoggedFilter(tmp_path)
    made.run_for(60.0, lambda: any(tmp_path.glob(f"{AUDIT}/*")))
    made.run_for(0.5)
    yield made
    made.log.close()
    made.close()


def test_a_log_that_was_taken_away_goes_on_each_time(logged: LoggedFilter, tmp_path: Path) -> None:
    for times in (1, 2):
        logged.remove_audit_log()
        logged.replay_audit_log()
        assert len(logged.answers) == times
        assert "the audit log goes on after" in logged.answers[-1], logged.answers
        assert "came out the same to the bit" in logged.answers[-1]
    assert len(list(tmp_path.glob(f"{REMOVED}*"))) == 2


def test_a_log_that_does_not_go_on_is_seen(logged: LoggedFilter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_faults, "LOG_RETRY_S", 0.1)
    logged.log.close()
    logged.remove_audit_log()
    logged.replay_audit_log()
    assert logged.answers == ["the audit log does not go on"]


class Bare(process_faults.ProcessFaults):
    """No process, no graph."""

    def __init__(self, folder: Path) -> None:
        super().__init__((), folder)
        self.answers: list[str] = []

    def record_answer(self, answer: str) -> None:
        self.answers.append(answer)

    def run_for(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        return until()


@pytest.mark.parametrize(
    ("returncode", "stderr", "answer"),
    [
        (2, f"{REFUSAL}limits.jerk: missing\n", f"{REFUSAL}limits.jerk: missing"),
        (2, f"{REFUSAL}a\n{REFUSAL}b\n{REFUSAL}c\n", f"{REFUSAL}a (and 2 lines more)"),
        (2, f"{REFUSAL}a\nTraceback\n", "exit code 2 and 2 lines"),
        (2, "", "exit code 2 and 0 lines"),
        (1, "Traceback\nValueError\n", "exit code 1 and 2 lines"),
        (0, "", "exit code 0 and 0 lines"),
    ],
)
def test_a_refusal_is_a_line_for_each_fault_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, returncode: int, stderr: str, answer: str
) -> None:
    started: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        started.append(command)
        return subprocess.CompletedProcess(command, returncode, "", stderr)

    monkeypatch.setattr(process_faults.subprocess, "run", run)
    bare = Bare(tmp_path)
    bare.start_filter({"limits.jerk": None, "tool.link": "hand"}, lambda urdf: urdf + "<!-- edited -->")
    given = yaml.safe_load((tmp_path / "filter.yaml").read_text())["/**"]["ros__parameters"]
    assert "jerk" not in given["limits"] and given["tool"]["link"] == "hand"
    assert (tmp_path / "arm.urdf").read_text().endswith("<!-- edited -->")
    assert started[0][1:3] == ["-m", "vla_ros.nodes.safety_filter"]
    assert bare.answers == [answer]


def test_a_flood_starts_so_many_processes_and_ends_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def start(command: list[str]) -> subprocess.Popen[bytes]:
        assert command[1:3] == ["-m", "vla_ros.ros.dds_flood"]
        started.append(popen([command[0], "-c", "import time; time.sleep(60)"]))
        return started[-1]

    bare = Bare(tmp_path)
    monkeypatch.setattr(process_faults.subprocess, "Popen", start)
    bare.set_flood(2)
    assert [process.poll() for process in started] == [None, None]
    bare.set_flood(0)
    assert len(started) == 2 and all(process.poll() is not None for process in started)


def test_a_flood_of_an_input_is_waited_for_and_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def start(command: list[str], stdout: int) -> subprocess.Popen[bytes]:
        assert command[1:] == ["-m", "vla_ros.ros.input_flood", "markers"]
        started.append(popen([command[0], "-c", "print('flooding', flush=True); input()"], stdin=-1, stdout=stdout))
        return started[-1]

    bare = Bare(tmp_path)
    monkeypatch.setattr(process_faults.subprocess, "Popen", start)
    bare.set_input_flood("markers")
    assert started[0].poll() is None
    bare.set_input_flood("")
    assert len(started) == 1 and started[0].poll() is not None
