"""`vla-ros check-recording` on the filter's own log: what was sent, by the limits that the log names."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from test.unit.oracle.recordings.written import check
from vla_ros.lab.bench.filter_rig import BEGIN_NS, START, FilterRig, full_configuration, sine_motion
from vla_ros.safety.audit.log import AuditLog
from vla_ros.safety.audit.record import ORIGIN, Kind, framed, pack
from vla_ros.safety.audit.recorder import Recorder
from vla_ros.safety.safety_parameters import AuditParameters
from vla_ros.sim.arm_description import HOME, JOINT_NAMES

PERIOD_NS = 4_000_000


def about(**limits: Any) -> dict[str, Any]:
    parameters, urdf = full_configuration()
    parameters = dataclasses.replace(parameters, limits=dataclasses.replace(parameters.limits, **limits))
    return {"parameters": dataclasses.asdict(parameters), "urdf": urdf}


Entry = tuple[int | str, float | None]
"""(tick, position of joint 1 relative to home; None: nothing sent), ("at", measured position) or ("arm", None)."""


def written(path: Path, entries: Sequence[Entry], lost: int = 0, link: bytes = ORIGIN, **limits: Any) -> bytes:
    """A file of one header and these; the last link."""
    header = {**about(**limits), "continues": link.hex(), "lost": lost}
    data, link = framed(link, Kind.HEADER, pack(header))
    names: list[str] | None = ["wheel", *reversed(JOINT_NAMES)]
    for what, offset in entries:
        positions = None if offset is None else [HOME[0] + offset, *HOME[1:].tolist()]
        if what == "arm":
            part, link = framed(link, Kind.CALL, pack(["arm", [10**15], [True, "armed"]]))
        elif what == "at":
            measured = [0.0, *reversed(positions or [])]
            part, link = framed(link, Kind.JOINT_STATE, pack([[10**15, names, measured, [0.0] * 9, []], None]))
            names = None
        else:
            now_ns = 10**15 + int(what) * PERIOD_NS
            part, link = framed(link, Kind.TICK, pack([now_ns, [2, positions, (), "policy", None]]))
        data += part
    path.write_bytes(data)
    return link


def steps(first: int, count: int, offset: float = 0.0) -> list[Entry]:
    return [(first + i, offset) for i in range(count)]


def test_a_log_of_the_filter_is_within_its_limits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parameters, urdf = full_configuration()
    rig = FilterRig(parameters, urdf)
    log = AuditLog(AuditParameters(str(tmp_path)), about())
    rig.filter = Recorder(rig.filter, log)  # type: ignore[arg-type]
    for _ in range(500):
        for at_s in rig.advance():
            rig.send_setpoint(at_s, sine_motion(at_s))
        rig.send_joint_state()
        rig.send_obstacles()
        rig.tick()
    log.close()
    code, out, err = check(capsys, str(tmp_path))
    assert code == 0, out + err
    assert out.startswith("499 samples of 8 joints, 1 stretches, 1.992 s")  # the first tick is in the snapshot
    assert "obstacles are not judged" in out


def test_a_filter_with_a_mesh_is_judged_but_for_the_mesh(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its own log, from the first output after arming on, which here is a step already."""
    corners = ("0 0 0", "0.05 0 0", "0 0.05 0", "0 0 0.05")
    faces = ((0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3))
    loops = ["outer loop " + " ".join(f"vertex {corners[i]}" for i in face) + " endloop" for face in faces]
    mesh = tmp_path / "base.stl"
    mesh.write_text("solid s\n" + "".join(f"facet normal 0 0 0 {loop} endfacet\n" for loop in loops) + "endsolid s\n")
    parameters, urdf = full_configuration()
    base, shape = '<link name="base">', f'<collision><geometry><mesh filename="{mesh}"/></geometry></collision>'
    urdf = urdf.replace(base, base + shape)
    rig = FilterRig(parameters, urdf)
    rig.filter.disarm()
    log = AuditLog(AuditParameters(str(tmp_path)), {"parameters": dataclasses.asdict(parameters), "urdf": urdf})
    rig.filter = Recorder(rig.filter, log)  # type: ignore[arg-type]
    for i in range(100):
        list(rig.advance())
        rig.send_joint_state()
        rig.send_obstacles()
        if i == 50:
            assert rig.filter.arm(rig.now_ns)[0]
            rig.send_setpoint((rig.now_ns - BEGIN_NS) / 1e9 - 0.05, [START[0] + 0.1, *START[1:].tolist()])
        decision = rig.tick()
        assert i != 50 or decision.positions != tuple(START), "the first output is no step"
    log.close()
    code, out, err = check(capsys, str(tmp_path))
    assert code == 0, out + err
    assert "clearances of the meshes of base are not judged" in out
    assert "50 samples of 8 joints, 1 stretches" in out


J = 48e-6
"""The jerk limit of joint1, rad per tick to the third."""
ARMED: list[Entry] = [("at", 0.0), (0, None), ("at", 1e-3), ("arm", None), ("at", 0.5)]


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([*ARMED, (1, 1e-3 + J), (2, 1e-3 + 4 * J), (3, 1e-3 + 9 * J)], 0),
        ([*ARMED, (1, 1e-3 + J + 1e-6), (2, 1e-3 + 2 * J), (3, 1e-3 + 3 * J)], 1),
        ([*ARMED, (1, 1e-3), (2, 1e-3 + J + 1e-6), (3, 1e-3 + 2 * J)], 1),
        ([*ARMED, (1, 1e-3), (2, 1e-3), (3, None), ("at", 1e-3), (4, 1e-3 + 2 * J)], 1),
        ([*ARMED, (1, 1e-3), (2, None), ("at", 2e-3), (3, 2e-3 + J), (4, 2e-3 + 3 * J)], 0),
        ([("at", 1e-3), (1, 1e-3 + 9 * J), (2, 1e-3 + 20 * J)], 0),
        ([*ARMED[:2], ("at", 3.0), ("arm", None), (1, 2.8973), (2, 2.8973)], 0),
    ],
    ids=["from rest", "a step", "a step later", "after a stall", "from rest again", "not from the start", "to a limit"],
)
def test_every_output_since_arming_is_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], entries: list[Entry], code: int
) -> None:
    written(tmp_path / "audit.vlalog", entries)
    found, out, err = check(capsys, str(tmp_path / "audit.vlalog"))
    assert found == code, out + err


def test_the_limits_are_those_of_the_log_unless_others_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "audit.vlalog"
    velocity = [0.1] * 8
    written(path, [(i, 0.2 * 0.004 * i) for i in range(100)], velocity=velocity)
    code, out, _ = check(capsys, str(path))
    assert code == 1
    assert out.splitlines()[2].split()[:5] == ["!", "velocity", "joint1", "0.2", "0.1"]
    assert check(capsys, str(path), "--robot", "sim")[0] == 0


def test_nothing_is_judged_across_what_was_not_sent_or_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, third = (tmp_path / f"audit-{i}.vlalog" for i in range(3))
    pause = [*steps(0, 10), (10, None), *steps(11, 10, 0.5)]
    link = written(first, pause)
    link = written(second, steps(21, 10, 0.5), 0, link)
    written(third, steps(40, 10, 1.0), 7, link)
    code, out, err = check(capsys, str(tmp_path))
    assert code == 0, out + err
    assert out.startswith("40 samples of 8 joints, 3 stretches")
    assert "records are missing before audit-2.vlalog" in out
    written(third, steps(31, 10, 1.0), 0, link)
    assert check(capsys, str(tmp_path))[0] == 1


def test_every_run_is_judged_by_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two filters that wrote into one folder at the same time, and one with other limits."""
    files = [tmp_path / f"audit-{i}.vlalog" for i in range(4)]
    ends = [written(files[i], steps(0, 10, 0.5 * i)) for i in range(2)]
    for i in range(2):
        written(files[2 + i], steps(10, 10, 0.5 * i), 0, ends[i])
    code, out, err = check(capsys, str(tmp_path))
    assert code == 0, out + err
    assert [line for line in out.splitlines() if line.endswith("s")].count(
        "20 samples of 8 joints, 1 stretches, 0.076 s"
    ) == 2
    written(files[1], steps(0, 10), velocity=[0.1] * 8)
    code, out, err = check(capsys, str(tmp_path))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "audit-1.vlalog: made with other parameters" in err


def test_missed_ticks_count_as_one_period(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "audit.vlalog"
    slow = [(i + (20 if i > 50 else 0), 0.004 * i) for i in range(100)]
    written(path, slow)
    code, out, _ = check(capsys, str(path))
    assert code == 0, out
    assert "20 ticks were missed" in out


def test_a_cut_log_is_judged_up_to_the_cut_and_a_damaged_one_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "audit.vlalog"
    written(path, steps(0, 20))
    whole_log = path.read_bytes()
    path.write_bytes(whole_log[:-1])
    code, out, _ = check(capsys, str(path))
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
        code, out, err = check(capsys, str(path), *arguments)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert said in err
    written(path, [(0, None)])
    code, _, err = check(capsys, str(path))
    assert code == 2
    assert "nothing was sent" in err


class TwoDrivers(FilterRig):
    """The arm and its gripper have a driver each."""

    def send_joint_state(self) -> None:
        for publisher, joints in (("arm", slice(0, -1)), ("gripper", slice(-1, None))):
            self.filter.joint_state(
                self.now_ns, JOINT_NAMES[joints], self.q[joints], [], (), self.now_ns + 10**18, publisher
            )


def test_where_an_arm_with_two_drivers_rested_is_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parameters, urdf = full_configuration()
    rig = TwoDrivers(parameters, urdf)
    rig.filter.disarm()
    log = AuditLog(AuditParameters(str(tmp_path)), {"parameters": dataclasses.asdict(parameters), "urdf": urdf})
    rig.filter = Recorder(rig.filter, log)  # type: ignore[arg-type]
    for i in range(100):
        list(rig.advance())
        rig.send_joint_state()
        rig.send_obstacles()
        if i == 60:
            assert rig.filter.arm(rig.now_ns)[0]
        rig.tick()
    log.close()
    code, out, err = check(capsys, str(tmp_path))
    assert code == 0, out + err
    assert out.startswith("40 samples of 8 joints, 1 stretches"), "from rest, so that the first differences are judged"
