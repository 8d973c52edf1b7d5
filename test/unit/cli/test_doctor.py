"""The doctor's exit code says whether something needed is missing; a remedy is printed where there is something to mend."""

from __future__ import annotations

import argparse

import pytest

from vla_ros.cli import doctor
from vla_ros.ros.installation import InstallationFinding


@pytest.mark.parametrize(("level", "code"), [("ok", 0), ("warn", 0), ("fail", 1)])
def test_only_a_failure_fails(
    level: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = InstallationFinding(level, "clock", "hpet", "tsc is faster")
    monkeypatch.setattr(doctor, "examine", lambda: [found])
    assert doctor.run(argparse.Namespace()) == code
    line = capsys.readouterr().out
    assert line.split()[:3] == [level, "clock", "hpet"]
    assert ("→ tsc is faster" in line) is (level != "ok")


def test_this_machine_is_examined_whole() -> None:
    found = list(doctor._machine())
    assert [finding.what for finding in found if finding.what != "governor"] == [
        "cores",
        "memory",
        "clock",
        "/dev/shm",
        "real time",
    ]
    assert all(bool(finding.remedy) is (finding.level == "warn") for finding in found)
