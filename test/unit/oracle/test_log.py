"""`vla-ros audit` on the filter's own log: what was sent, by the limits that the log names."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from vla_ros import cli
from vla_ros.bench.rig import Rig, wave, whole
from vla_ros.robot.description import HOME
from vla_ros.safety.audit.log import AuditLog
from vla_ros.safety.audit.record import ORIGIN, Kind, framed, pack
from vla_ros.safety.audit.recorder import Recorder
from vla_ros.safety.parameters import Audit

PERIOD_NS = 4_000_000


def audit(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["audit", *arguments])
    assert isinstance(stopped.value.code, int)
    out, err = capsys.readouterr()
    return stopped.value.code, out, err


def about(**limits: Any) -> dict[str, Any]:
    parameters, urdf = whole()
    parameters = dataclasses.replace(parameters, limits=dataclasses.replace(parameters.limits, **limits))
    return {"parameters": dataclasses.asdict(parameters), "urdf": urdf}


def written(
    path: Path, sent: list[tuple[int, float | None]], lost: int = 0, link: bytes = ORIGIN, **limits: Any
) -> bytes:
    """A file of one header and (tick, position of joint 1 relative to home; None: nothing sent); the last link."""
    header = {**about(**limits), "continues": link.hex(), "lost": lost}
    data, link = framed(link, Kind.HEADER, pack(header))
    for tick, offset in sent:
        positions = None if offset is None else [HOME[0] + offset, *HOME[1:].tolist()]
        part, link = framed(link, Kind.TICK, pack([10**15 + tick * PERIOD_NS, [2, positions, (), "policy", None]]))
        data += part
    path.write_bytes(data)
    return link


def steps(first: int, count: int, offset: float = 0.0) -> list[tuple[int, float | None]]:
    return [(first + i, offset) for i in range(count)]


def test_a_log_of_the_filter_is_within_its_limits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parameters, urdf = whole()
    rig = Rig(parameters, urdf)
    log = AuditLog(Audit(str(tmp_path)), about())
    rig.filter = Recorder(rig.filter, log)  # type: ignore[arg-type]
    for _ in range(500):
        for at_s in rig.due():
            rig.command(at_s, wave(at_s))
        rig.measure()
        rig.hear()
        rig.tick()
    log.close()
    code, out, err = audit(capsys, str(tmp_path))
    assert code == 0, out + err
    assert out.startswith("499 samples of 8 joints, 1 stretches, 1.992 s")  # the first tick is in the snapshot
    assert "obstacles are not judged" in out


def test_the_limits_are_those_of_the_log_unless_others_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "audit.vlalog"
    velocity = [0.1] * 8
    written(path, [(i, 0.2 * 0.004 * i) for i in range(100)], velocity=velocity)
    code, out, _ = audit(capsys, str(path))
    assert code == 1
    assert out.splitlines()[2].split()[:5] == ["!", "velocity", "joint1", "0.2", "0.1"]
    assert audit(capsys, str(path), "--robot", "sim")[0] == 0


def test_nothing_is_judged_across_what_was_not_sent_or_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, third = (tmp_path / f"audit-{i}.vlalog" for i in range(3))
    pause = [*steps(0, 10), (10, None), *steps(11, 10, 0.5)]
    link = written(first, pause)
    link = written(second, steps(21, 10, 0.5), 0, link)
    written(third, steps(40, 10, 1.0), 7, link)
    code, out, err = audit(capsys, str(tmp_path))
    assert code == 0, out + err
    assert out.startswith("40 samples of 8 joints, 3 stretches")
    assert "records are missing before audit-2.vlalog" in out
    written(third, steps(31, 10, 1.0), 0, link)
    assert audit(capsys, str(tmp_path))[0] == 1


def test_every_run_is_judged_by_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two filters that wrote into one folder at the same time, and one with other limits."""
    files = [tmp_path / f"audit-{i}.vlalog" for i in range(4)]
    ends = [written(files[i], steps(0, 10, 0.5 * i)) for i in range(2)]
    for i in range(2):
        written(files[2 + i], steps(10, 10, 0.5 * i), 0, ends[i])
    code, out, err = audit(capsys, str(tmp_path))
    assert code == 0, out + err
    assert [line for line in out.splitlines() if line.endswith("s")].count(
        "20 samples of 8 joints, 1 stretches, 0.076 s"
    ) == 2
    written(files[1], steps(0, 10), velocity=[0.1] * 8)
    code, out, err = audit(capsys, str(tmp_path))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "audit-1.vlalog: made with other parameters" in err


def test_missed_ticks_count_as_one_period(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "audit.vlalog"
    slow = [(i + (20 if i > 50 else 0), 0.004 * i) for i in range(100)]
    written(path, slow)
    code, out, _ = audit(capsys, str(path))
    assert code == 0, out
    assert "20 ticks were missed" in out


def test_a_cut_log_is_judged_up_to_the_cut_and_a_damaged_one_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "audit.vlalog"
    written(path, steps(0, 20))
    whole_log = path.read_bytes()
    path.write_bytes(whole_log[:-1])
    code, out, _ = audit(capsys, str(path))
    assert code == 0
    assert out.startswith("19 samples")
    assert "audit.vlalog ends in a record that is cut off" in out
    flipped = bytearray(whole_log)
    flipped[-100] ^= 1
    for data, arguments, said in (
        (bytes(flipped), (), "has been damaged"),
        (whole_log, ("--signal", "measured"), "--signal measured"),
        (b"", (), "the log is empty"),
    ):
        path.write_bytes(data)
        code, out, err = audit(capsys, str(path), *arguments)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert said in err
    written(path, [(0, None)])
    code, _, err = audit(capsys, str(path))
    assert code == 2
    assert "nothing was sent" in err
