"""What an operating system can do to the audit log: that it goes on afterwards is seen, and that it does not."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vla_ros.lab.bench.filter_rig import Rig, whole
from vla_ros.lab.faults import machine
from vla_ros.lab.faults.graphs import AUDIT, REMOVED
from vla_ros.safety.audit.log import AuditLog
from vla_ros.safety.audit.recorder import Recorder
from vla_ros.safety.safety_parameters import AuditParameters


class Logged(machine.Machine):
    """A filter in this process, which ticks and is logged as long as it plays."""

    def __init__(self, folder: Path) -> None:
        super().__init__((), folder)
        parameters, urdf = whole()
        about = {"parameters": dataclasses.asdict(parameters), "urdf": urdf}
        self.log = AuditLog(AuditParameters(str(folder / AUDIT)), about)
        self.rig = Rig(parameters, urdf)
        self.rig.filter = Recorder(self.rig.filter, self.log)  # type: ignore[arg-type]
        self.answers: list[str] = []

    def note(self, answer: str) -> None:
        self.answers.append(answer)

    def play(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s and not until():
            list(self.rig.due())
            self.rig.measure()
            self.rig.tick()
            time.sleep(0.004)
        return until()


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[Logged]:
    made = Logged(tmp_path)
    made.play(60.0, lambda: any(tmp_path.glob(f"{AUDIT}/*")))
    made.play(2.0)
    yield made
    made.log.close()
    made.close()


def test_a_log_that_was_taken_away_goes_on_each_time(logged: Logged, tmp_path: Path) -> None:
    for times in (1, 2):
        logged.remove_log()
        logged.replay_log()
        assert len(logged.answers) == times
        assert "the audit log goes on after" in logged.answers[-1], logged.answers
        assert "came out the same to the bit" in logged.answers[-1]
    assert len(list(tmp_path.glob(f"{REMOVED}*"))) == 2


def test_a_log_that_does_not_go_on_is_seen(logged: Logged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "AGAIN_S", 0.1)
    logged.log.close()
    logged.remove_log()
    logged.replay_log()
    assert logged.answers == ["the audit log does not go on"]
