"""A log replays to the bit; what is damaged, changed or foreign is named in one line."""

from __future__ import annotations

import dataclasses
import errno
import math
from pathlib import Path
from typing import Any

import pytest

import vla_ros.safety.audit.record as record_module
from test.unit.safety.audit.logs import Direct, recorded, rewritten
from vla_ros.lab.bench.filter_rig import FilterRig, far_obstacles, full_configuration, sine_motion
from vla_ros.safety.audit.log import AuditLog
from vla_ros.safety.audit.record import FORMAT, ORIGIN, Kind, Reader, files, framed, pack
from vla_ros.safety.audit.recorder import Recorder
from vla_ros.safety.audit.replay import replay
from vla_ros.safety.audit.writer import LogSizes, LogWriter
from vla_ros.safety.geometry.obstacle_shape import Obstacle


def test_a_log_replays_to_the_bit(log: Path) -> None:
    report = replay(log)
    assert report.same
    assert (report.damaged, report.difference, report.gaps, report.cut) == ("", "", [], [])
    assert report.ticks > 500
    assert report.calls > 600
    assert report.seconds == pytest.approx(report.ticks * 0.004 + 0.2, rel=0.01), (
        "the arm has settled before it was armed"
    )
    assert not report.other_code


def test_a_changed_decision_is_found(log: Path) -> None:
    """Somebody with the format at hand changes one number and makes the chain anew; the replay still sees it."""
    (path,) = files(log)
    last, parts, changed = ORIGIN, [], 0
    begin = next(iter(Reader(path))).offset  # the preface is left out
    for record in Reader(path):
        payload = pack(record.values)
        if record.kind is Kind.TICK and record.values[1][1] and not changed and record.offset > 50_000:
            now_ns, (state, positions, *rest) = record.values
            positions[0] = math.nextafter(positions[0], 9.0)
            payload = pack([now_ns, [state, positions, *rest]])
            changed = record.offset - begin
        part, last = framed(last, record.kind, payload)
        parts.append(part)
    path.write_bytes(b"".join(parts))
    report = replay(log)
    assert not report.same
    assert f"tick at byte {changed} of {path.name}" in report.difference


def test_a_log_of_another_format_is_one_line(log: Path) -> None:
    (path,) = files(log)
    rewritten(path, lambda kind, values: {**values, "format": FORMAT - 1} if kind is Kind.HEADER else values)
    damaged = replay(log).damaged
    assert f"format {FORMAT - 1} and was not replayed; this version replays {FORMAT} only" in damaged
    assert "\n" not in damaged


def test_a_log_whose_snapshot_is_a_pickle_is_refused_and_not_unpickled(log: Path) -> None:
    (path,) = files(log)
    rewritten(path, lambda kind, values: b"\x80\x04." if kind is Kind.SNAPSHOT else values)
    assert "the snapshot cannot be read by this version" in replay(log).damaged


def test_parameters_of_the_header_that_the_filter_did_not_have_are_named(log: Path) -> None:
    (path,) = files(log)

    def slower(kind: Kind, values: Any) -> Any:
        if kind is not Kind.HEADER:
            return values
        override = {**values["parameters"]["override"], "speed_scale": 0.5}
        return {**values, "parameters": {**values["parameters"], "override": override}}

    rewritten(path, slower)
    damaged = replay(log).damaged
    assert "the header has override.speed_scale = 0.5, the snapshot 0.25" in damaged
    rewritten(path, lambda kind, values: {**values, "parameters": None} if kind is Kind.HEADER else values)
    assert "the header holds no parameters" in replay(log).damaged


def test_a_call_that_the_filter_does_not_have_is_refused(log: Path) -> None:
    (path,) = files(log)
    rewritten(path, lambda kind, values: ["restore", [None], None] if kind is Kind.CALL else values)
    assert "holds 'restore', no call of the filter" in replay(log).damaged


@pytest.fixture
def arm_log(tmp_path: Path) -> Path:
    """A folder with one file of the simulated arm's filter, with its URDF and obstacles."""
    parameters, urdf = full_configuration()
    rig = FilterRig(parameters, urdf, far_obstacles())
    header = {"parameters": dataclasses.asdict(parameters), "urdf": urdf}
    direct = Direct(LogWriter(tmp_path / "log", LogSizes(10**8, 10**9, 4)))
    rig.filter = Recorder(rig.filter, AuditLog(parameters.audit, header, direct))  # type: ignore[arg-type]
    for i in range(60):
        for at_s in rig.advance():
            rig.send_setpoint(at_s, sine_motion(at_s))
        rig.send_joint_state()
        rig.filter.obstacles(rig.now_ns, far_obstacles() * (1 if i % 3 else 100))
        rig.tick()
    direct.close()
    return tmp_path / "log"


def test_a_log_with_obstacles_replays_and_endless_lists_of_them_are_cut(arm_log: Path) -> None:
    report = replay(arm_log)
    assert report.same, report
    assert report.cut_messages >= 18


def test_limits_that_are_not_those_of_the_urdf_are_found(arm_log: Path) -> None:
    (path,) = files(arm_log)

    def looser(kind: Kind, values: Any) -> Any:
        if kind is Kind.SNAPSHOT:
            values["limits"][0]["velocity"] *= 2
        return values

    rewritten(path, looser)
    assert "the limits in the snapshot are not those of the header's URDF" in replay(arm_log).damaged


def test_logs_of_another_format_beside_those_of_this_one_are_named(log: Path, make_bench: Any) -> None:
    (path,) = files(log)
    rewritten(path, lambda kind, values: {**values, "format": FORMAT - 1} if kind is Kind.HEADER else values)
    bench = make_bench()
    direct = recorded(bench, log)
    bench.armed().tick(20)
    direct.close()
    report = replay(log)
    other = f"format {FORMAT - 1} and was not replayed; this version replays {FORMAT} only"
    assert report.other_formats == [f"{path.name} has {other}"]
    assert (report.damaged, report.ticks) == ("", 20)
    assert report.same, "what could be replayed"


def test_what_cannot_be_opened_is_named_and_the_rest_is_replayed(
    log: Path, make_bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = files(log)
    bench = make_bench()
    direct = recorded(bench, log)
    bench.armed().tick(20)
    direct.close()
    opened = record_module.open_regular

    def denied(at: Path) -> Any:
        if at.name == path.name:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(at)

    monkeypatch.setattr(record_module, "open_regular", denied)
    report = replay(log)
    assert report.skipped == [f"{path.name} cannot be read (Permission denied) and was skipped"]
    assert report.ticks == 20 and not report.same
    with pytest.raises(PermissionError):
        replay(path)


def test_no_log_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no audit log here"):
        replay(tmp_path)


def test_the_inputs_of_the_safety_functions_replay(tmp_path: Path) -> None:
    parameters, urdf = full_configuration()
    parameters = dataclasses.replace(
        parameters,
        reduced_mode=dataclasses.replace(parameters.reduced_mode, input=True),
        separation=dataclasses.replace(parameters.separation, check=True, intrusion_m=0.1),
        enabling=dataclasses.replace(parameters.enabling, timeout_s=0.2),
    )
    rig = FilterRig(parameters, urdf)
    direct = Direct(LogWriter(tmp_path, LogSizes(10**8, 10**9, 4)))
    header = {"parameters": dataclasses.asdict(parameters), "urdf": urdf}
    rig.filter = Recorder(rig.filter, AuditLog(parameters.audit, header, direct))  # type: ignore[arg-type]
    states = set()
    for tick in range(400):
        for at_s in rig.advance():
            rig.send_setpoint(at_s, sine_motion(at_s))
        rig.send_joint_state()
        speed = (0.0, -1.0 if tick < 200 else 0.5, 0.0)
        rig.obstacles = [Obstacle("h", "base", "sphere", (0.2,), (0.5, 1.2, 0.5), kind="human", velocity=speed)]
        rig.send_obstacles()
        rig.filter.reduced(rig.now_ns, tick % 200 > 100)
        rig.filter.enabling(rig.now_ns, 2 if tick == 300 else 1)
        states.add(rig.tick().state)
    direct.close()
    report = replay(tmp_path)
    assert report.same and report.ticks >= 399, report
    assert len(states) > 2
