"""Long messages are recorded by their beginning; the log still replays, and nothing that moves the arm is taken over."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from test.unit.safety.audit.logs import NAN, recorded, rewritten
from test.unit.safety.conftest import JOINTS
from vla_ros.safety.audit import cut
from vla_ros.safety.audit.record import Kind, Reader, files
from vla_ros.safety.audit.replay import replay
from vla_ros.safety.audit.snapshot import SnapshotError, value_of
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.state import FilterState

MANY = 200_000


def test_refused_messages_of_megabytes_take_kilobytes_and_replay(make_bench: Any, tmp_path: Path) -> None:
    bench = make_bench()
    direct = recorded(bench, tmp_path)
    bench.armed().tick(5)
    names = [f"a joint that nobody has {i}" for i in range(MANY)]
    for i in range(8):
        assert bench.command([0.1] * MANY, joint_names=[f"{i}", *names]).rule == "schema"
        assert bench.filter.joint_state(bench.now_ns, [*JOINTS, *names], [0.1] * MANY, [], []) is not None
        bench.tick(2)
    assert bench.command(list(bench.q), source="x" * 5_000_000).rule in ("authority", "schema")
    many = [Obstacle(f"{i}", "base", "sphere", (0.1,), (1.0, 1.0, 1.0)) for i in range(5000)]
    bench.filter.obstacles(bench.now_ns, many)
    bench.filter.publishers("policy", [f"/node_{i} (01)" for i in range(10_000)])
    bench.stream(lambda t: list(bench.q), 0.3)
    direct.close()
    (path,) = files(tmp_path)
    assert bench.filter.log.lost == 0
    assert path.stat().st_size < 1_000_000, "of 150 MB; the names of the publishers are the state"
    report = replay(tmp_path)
    assert report.same, report
    assert report.cut_messages >= 18
    cuts = [record.values for record in Reader(path) if record.kind is Kind.CUT]
    name, arguments, size, changes, verdict = cuts[0]
    assert name == "command" and size > 1_000_000 and verdict[0] == "schema"
    assert "a joint that nobody has 0" in arguments[0][6] and "200001 in all" in arguments[0][6][-1]
    assert {names[0] for names, _ in changes} <= {"received_ns", "offered", "rejected", "rejection", "rejection_ns"}


def test_an_accepted_joint_state_with_many_foreign_joints_replays(make_bench: Any, tmp_path: Path) -> None:
    bench = make_bench()
    direct = recorded(bench, tmp_path)
    names = [*JOINTS, *(f"wheel {i}" for i in range(20_000))]
    rest = [0.0] * len(names)
    for _ in range(51):
        bench.now_ns += 4_000_000
        bench.filter.joint_state(bench.now_ns, names, [*bench.q, *rest[len(JOINTS) :]], rest)
        bench.filter.tick(bench.now_ns)
    assert bench.filter.arm(bench.now_ns)[0]
    bench.stream(lambda t: [bench.q[0] + 0.001, *bench.q[1:]], 0.3)
    direct.close()
    assert sum(path.stat().st_size for path in files(tmp_path)) < 500_000
    report = replay(tmp_path)
    assert report.same, report
    assert report.cut_messages


def test_many_messages_of_a_few_kilobytes_are_cut_when_the_room_is_used_up(make_bench: Any, tmp_path: Path) -> None:
    bench = make_bench()
    direct = recorded(bench, tmp_path)
    bench.armed()
    for _ in range(100):
        for _ in range(10):
            bench.command([NAN] * 400, joint_names=[f"joint {i}" for i in range(400)])
        bench.tick(1)
    direct.close()
    assert sum(path.stat().st_size for path in files(tmp_path)) < 1_500_000, "of 6.6 MB"
    assert replay(tmp_path).same


def test_nonsense_of_every_kind_and_length_replays(make_bench: Any, tmp_path: Path) -> None:
    bench, draw = make_bench(), random.Random(7)
    direct = recorded(bench, tmp_path)
    bench.armed()
    for i in range(300):
        length = draw.choice((0, 1, 8, 300, 3000, 30_000))
        names = draw.choice((JOINTS, JOINTS[::-1], [f"j{k}" for k in range(length)], [*JOINTS, *("x" * length,)]))
        values = [draw.choice((0.0, NAN, 1e300, draw.uniform(-1, 1)))] * draw.choice((len(names), length))
        what = draw.randrange(4)
        if what == 0:
            bench.command(values, joint_names=names, source=draw.choice(("policy", "override", "y" * length)))
        elif what == 1:
            bench.filter.joint_state(bench.now_ns, names, values, draw.choice(([], values)), values)
        elif what == 2:
            bench.filter.publishers(draw.choice(("policy", "gripper")), names)
        else:
            bench.filter.obstacles(
                bench.now_ns, [Obstacle("o" * length, "base", "box", (1.0,) * 3, (0.0,) * 3)] * (i % 3)
            )
        bench.tick(draw.randrange(1, 4))
        if i % 60 == 59:
            bench.filter.estop("test")
            bench.tick(100)
            bench.filter.publishers("policy", [])
            bench.filter.publishers("gripper", [])
            bench.filter.reset(bench.now_ns)
            bench.settle()
            bench.filter.arm(bench.now_ns)
    direct.close()
    report = replay(tmp_path)
    assert report.same, report
    assert report.cut_messages and report.lost == 0


def test_a_fault_with_a_text_of_megabytes_is_cut_in_the_verdict(make_bench: Any, tmp_path: Path) -> None:
    bench = make_bench()
    direct = recorded(bench, tmp_path)
    bench.armed()
    bench.filter.fault("x" * 3_000_000)
    bench.tick(100)
    assert len(bench.decisions[-1].verdict.reason) < 600
    direct.close()
    assert replay(tmp_path).same


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ([[["joints"], []]], "it changes what the filter sends"),
        ([[["obstacles", "active"], {}]], "it changes what the filter sends"),
        ([[["nothing"], 1]], "nothing is no field"),
        ([[["measured", "q", "__class__"], 1]], "is no field of the state"),
        ([[["rejection", "rule"], "x"]], "is no field of the state"),
        ([[["rejected"], "many"]], "rejected: 'many' is no int"),
        ([[[], 1]], "it changes"),
        ("x", "it changes"),
    ],
)
def test_a_record_that_changes_anything_else_is_refused(log: Path, changes: Any, text: str) -> None:
    (path,) = files(log)
    done: list[Kind] = []

    def forged(kind: Kind, values: Any) -> Any:
        return ["command", [], 5000, changes, None] if kind is Kind.CUT else values

    def as_cut(kind: Kind) -> Kind:
        if kind is Kind.COMMAND and not done:
            done.append(kind)
            return Kind.CUT
        return kind

    rewritten(path, forged, as_cut)
    assert text in replay(log).damaged


def test_changes_are_taken_over_field_by_field() -> None:
    state, other = FilterState(), FilterState()
    before = cut.copied(state)
    state.rejected, state.measured.refused, state.publishers = 3, "why", {"policy": ("one", "two")}
    found = cut.changes(before, state)
    assert sorted(".".join(names) for names, _ in found) == ["measured.refused", "publishers", "rejected"]
    cut.apply(other, found)
    assert other == state
    with pytest.raises(SnapshotError):
        value_of(int, "1", "here")


def test_values_are_shortened_for_people() -> None:
    assert cut.shortened("x" * 81) == "x" * 80 + "... (81 characters)"
    assert cut.shortened([1] * 9) == [1] * 8 + ["... (9 in all)"]
    assert cut.shortened([[1.5, None], "a"]) == [[1.5, None], "a"]
    assert cut.size_of([0.5] * 10) == 90
    assert cut.size_of(["ab", "c"]) == 3
