"""Before each case all faults are removed and the arm is brought to where the case begins."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from test.unit.lab.faults.fake_rig import CASES, FakeRig
from vla_ros.lab.faults import preparation
from vla_ros.lab.faults.reaction import ObservedReaction
from vla_ros.lab.faults.rig import CaseAborted


class PreparedRig(FakeRig):
    """A rig whose filter answers each service with the next of its answers."""

    def __init__(self, graph: str, *answers: tuple[bool, str, str]) -> None:
        super().__init__()
        self.graph, self.state, self.speed, self.lines = graph, "DISARMED", 0.0, ["last words"]
        self._answers = iter(answers)

    def call_filter(self, service: str) -> tuple[bool, str]:
        done, why, self.state = next(self._answers)
        self.calls.append(("call_filter", service))
        return done, why

    def begin_case(self) -> ObservedReaction:
        return ObservedReaction(speed=1.0)


def test_every_fault_is_removed_before_the_next_case() -> None:
    rig = PreparedRig("raising")
    rig.alter_setpoint = rig.alter_joint_state = lambda *_: None
    rig.policy_active, rig.heartbeat_active, rig.deadman_held, rig.obstacles = True, False, False, None
    rig.enabling, rig.controller_silent, rig.controller_scaling = 2, True, 0.5
    preparation.restore(rig)  # type: ignore[arg-type]
    assert (rig.enabling, rig.controller_silent, rig.controller_scaling) == (1, False, 1.0)
    assert rig.alter_setpoint is None and rig.alter_joint_state is None
    assert (rig.policy_active, rig.heartbeat_active, rig.deadman_held, rig.obstacles) == (False, True, True, ())
    assert rig.overrides == [None]
    for call in (
        ("set_extra_publishers", 0, False),
        ("set_controller_active", True),
        ("set_stranger", ""),
        ("set_flood", 0),
        ("set_cpu_load", 0),
        ("raise_in_rule", ""),
        ("set_estop", False),
        ("set_speed_scale", 1.0),
        ("reset_scene",),
    ):
        assert call in rig.calls


def test_a_filter_that_does_not_run_is_started_again() -> None:
    rig = PreparedRig("filter")
    rig.state = "-"
    rig.restart = lambda name: setattr(rig, "state", "DISARMED")  # type: ignore[attr-defined]
    preparation.restore(rig)  # type: ignore[arg-type]
    assert rig.state == "DISARMED"


def test_a_filter_without_a_status_aborts_the_case_with_its_last_words() -> None:
    rig = PreparedRig("filter")
    rig.state = ""
    with pytest.raises(CaseAborted, match="no status of the filter; last words"):
        preparation.restore(rig)  # type: ignore[arg-type]


def test_a_latched_filter_is_reset_and_a_moving_one_is_disarmed() -> None:
    rig = PreparedRig("filter", (True, "", "DISARMED"))
    rig.state = "ESTOP"
    preparation.disarm(rig)  # type: ignore[arg-type]
    assert rig.named("call_filter") == [("call_filter", "reset")]
    rig = PreparedRig("filter", (True, "", "DISARMED"))
    rig.state = "HOLDING"
    preparation.disarm(rig)  # type: ignore[arg-type]
    assert rig.named("call_filter") == [("call_filter", "disarm")]


@pytest.mark.parametrize(
    ("step", "why"), [(preparation.arm, "no joint state"), (preparation.disarm, "not disarmed: no")]
)
def test_a_filter_that_refuses_for_too_long_aborts_the_case(
    monkeypatch: pytest.MonkeyPatch, step: Callable[[object], None], why: str
) -> None:
    monkeypatch.setattr(preparation, "ARM_TIMEOUT_S", 0.0)
    monkeypatch.setattr(preparation, "DISARM_TIMEOUT_S", 0.0)
    rig = PreparedRig("filter", *[(False, "no joint state", "HOLDING")] * 9)
    rig.state = "HOLDING"
    with pytest.raises(CaseAborted, match=why):
        step(rig)


def test_the_filter_is_armed_as_soon_as_it_accepts() -> None:
    rig = PreparedRig("filter", (False, "no joint state", "DISARMED"), (True, "", "HOLDING"))
    preparation.arm(rig)  # type: ignore[arg-type]
    assert rig.state == "HOLDING" and len(rig.named("call_filter")) == 2


def test_a_case_that_begins_disarmed_is_not_armed() -> None:
    rig = PreparedRig("filter")
    preparation.prepare_once(rig, CASES["start-moving"])  # type: ignore[arg-type]
    assert rig.named("call_filter", "start_swing") == [] and rig.calls[-1] == ("mark_fault",)


def test_a_case_without_a_graph_needs_no_preparation() -> None:
    rig = PreparedRig("none")
    preparation.prepare(rig, CASES["limits-nan"])  # type: ignore[arg-type]
    assert rig.calls == []


def test_only_a_case_in_motion_on_a_graph_can_be_too_slow() -> None:
    slow = ObservedReaction(speed=math.nan)
    assert preparation.too_slow(CASES["nan"], slow)
    assert not preparation.too_slow(CASES["nan"], ObservedReaction(speed=1.0))
    assert not preparation.too_slow(CASES["start-moving"], slow)
    assert not preparation.too_slow(CASES["limits-nan"], slow)


def test_the_task_begins_with_all_nodes_active() -> None:
    rig = PreparedRig("whole")
    rig.all_active = lambda: False  # type: ignore[attr-defined]
    with pytest.raises(CaseAborted, match="planner, action_expert or camera is not active"):
        preparation.prepare_task(rig)  # type: ignore[arg-type]
    assert not rig.camera_frozen
