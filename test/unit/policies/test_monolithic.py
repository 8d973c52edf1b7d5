"""System 2 over a model that emits chunks: what it is given, what becomes of its actions, and when the arm holds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from test.unit.policies.binding.contracts import HOME, ROBOT, act, openvla
from vla_ros.arrays import Array
from vla_ros.parameters import from_mapping
from vla_ros.perception.frames import CameraHealth, CameraView, Frames
from vla_ros.policies.binding.binding import Binding
from vla_ros.policies.binding.binding_parameters import BindingParameters
from vla_ros.policies.binding.checkpoint_contract import CheckpointContract
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState
from vla_ros.policies.monolithic import (
    FIRST_DELAY_S,
    ModelUnavailable,
    MonolithicSystem2,
    Observation,
    one_line,
    resampled,
)
from vla_ros.robot.kinematics import Kinematics
from vla_ros.sim.arm_description import JOINT_NAMES, urdf

STATE = JointState(0, HOME, np.zeros(8))


class FakeModel:
    """Answers with `answer`, or raises it; remembers what it was asked."""

    checkpoint = "weights"

    def __init__(self, answer: Array | Exception | None = None, contract: CheckpointContract | None = None) -> None:
        self.contract = contract or act()
        self.answer: Array | Exception = np.tile(HOME, (50, 1)) if answer is None else answer
        self.observations: list[Observation] = []
        self.resets = 0
        self.on_reset: Exception | None = None

    def reset(self) -> None:
        self.resets += 1
        if self.on_reset is not None:
            raise self.on_reset

    def infer(self, observation: Observation) -> Array:
        self.observations.append(observation)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def system2(model: FakeModel, clock: Callable[[], float] = lambda: 0.0, **options: object) -> MonolithicSystem2:
    binding = Binding(model.contract, ROBOT, from_mapping(BindingParameters, options), ROBOT.cameras)
    return MonolithicSystem2(model, binding, "hash", clock)


def frames(stamp_ns: int = 0, health: CameraHealth = CameraHealth.OK) -> Frames:
    return Frames(stamp_ns, {"front": CameraView(np.full((4, 4, 3), 7, np.uint8), health)})


def ask(planner: MonolithicSystem2, text: str = "pick", number: int = 1, **options: object) -> Plan:
    return planner.plan(frames(**options), Instruction(number, text), STATE)  # type: ignore[arg-type]


def test_a_chunk_becomes_rows_of_joint_positions_and_a_path() -> None:
    chunk = np.linspace(HOME, HOME + np.array([0.1] * 7 + [0.0]), 51)
    model = FakeModel(chunk)
    plan = ask(system2(model), stamp_ns=5)
    assert (plan.state, plan.kind, plan.frame_stamp_ns, plan.subtask) == (PlanState.ACTIVE, "actions", 5, "pick")
    assert plan.data.shape == (51, 8) and plan.data.dtype == np.float64
    assert plan.data == pytest.approx(chunk, abs=1e-9)
    assert plan.path.shape == (11, 7)
    (seen,) = model.observations
    assert (seen.instruction, seen.stamp_ns) == ("pick", 5)
    assert seen.state == pytest.approx(HOME)
    assert {name: int(image.mean()) for name, image in seen.images.items()} == {"observation.images.front": 7}


def test_rows_of_another_rate_are_resampled() -> None:
    chunk = np.linspace(HOME, HOME + np.array([0.2] * 7 + [0.0]), 5)
    plan = ask(system2(FakeModel(chunk), rate_hz=10.0))
    assert plan.data.shape == (21, 8)
    assert plan.data[::5] == pytest.approx(chunk)
    assert resampled(chunk[:1], 10.0) == pytest.approx(chunk[:1])
    assert len(resampled(chunk, 100.0)) == 3


def test_rows_between_those_of_the_model_stay_inside_the_limits_too() -> None:
    chunk = np.tile(HOME, (8, 1))
    chunk[:, 7] = [0.04, 0.04, 0.04, 0.0, 0.0, 0.0, 0.04, 0.04]
    rows = ask(system2(FakeModel(chunk), rate_hz=5.0)).data
    assert rows[:, 7].min() >= 0.0 and rows[:, 7].max() <= 0.04


def test_steps_begin_at_the_arm() -> None:
    model = FakeModel(np.array([[0.02, 0, 0, 0, 0, 0, 1.0]]), openvla())
    options = {"action_space": "cartesian", "action_kind": "step", "rate_hz": 5.0, "gripper_joint": "finger_joint"}
    plan = ask(system2(model, **options, cameras=["image=front"]))
    assert plan.data[0] == pytest.approx(HOME) and len(plan.data) == 11
    assert plan.path[-1, 0] - plan.path[0, 0] == pytest.approx(0.02, abs=1e-4)
    assert model.observations[0].state is None


def test_steps_go_on_from_where_they_led_and_not_from_an_arm_that_lags() -> None:
    model = FakeModel(np.array([[0.02, 0, 0, 0, 0, 0, 1.0]]), openvla())
    options = {"action_space": "cartesian", "action_kind": "step", "rate_hz": 5.0, "gripper_joint": "finger_joint"}
    planner = system2(model, **options, cameras=["image=front"])

    def plan_at(tick: int, q: Array) -> Plan:
        return planner.plan(frames(tick * 10**8), Instruction(1, "pick"), JointState(0, q, np.zeros(8)))

    forward = Kinematics(urdf(), JOINT_NAMES).forward
    start, plan = forward(HOME), plan_at(0, HOME)
    for tick in range(1, 11):
        behind = HOME if tick == 1 else plan.data[0]  # where it was told to be a tenth of a second ago
        plan = plan_at(tick, behind)
        assert plan.path[0, 1:3] == pytest.approx(start[1:3, 3], abs=1e-6), "on the line"
        assert plan.path[0, :3] == pytest.approx(start[:3, 3] + [0.01 * tick, 0, 0], abs=1e-3)
    pushed = plan.data[0] + np.array([0.0, 0.2, 0, 0, 0, 0, 0, 0])
    assert plan_at(11, pushed).data[0] == pytest.approx(pushed), "an arm that does not follow begins where it is"


def test_a_fast_arm_that_lags_on_its_way_still_follows() -> None:
    model = FakeModel(np.array([[0.1, 0, 0, 0, 0, 0, 1.0]]), openvla())
    options = {"action_space": "cartesian", "action_kind": "step", "rate_hz": 5.0, "gripper_joint": "finger_joint"}
    planner = system2(model, **options, cameras=["image=front"])
    first = planner.plan(frames(0), Instruction(1, "pick"), STATE)
    assert np.abs(first.data[5] - HOME).max() > 0.08
    second = planner.plan(frames(10**8), Instruction(1, "pick"), STATE)
    assert second.path[0, 0] - first.path[0, 0] == pytest.approx(0.05, abs=5e-3)


def test_a_chunk_may_begin_one_row_after_its_frames() -> None:
    plan = ask(system2(FakeModel(np.tile(HOME + 0.01, (3, 1)))))
    later = ask(system2(FakeModel(np.tile(HOME + 0.01, (3, 1))), first_row=1))
    assert len(later.data) == len(plan.data) + 1
    assert later.data[0] == pytest.approx(HOME) and later.data[1:] == pytest.approx(plan.data)


def test_the_model_is_reset_at_each_new_instruction() -> None:
    model = FakeModel()
    planner = system2(model)
    for number in (1, 1, 2):
        ask(planner, number=number)
    assert model.resets == 2
    ask(planner, "", number=2)
    ask(planner, number=2)
    assert model.resets == 3, "what was held begins anew"


def test_no_words_hold_and_the_model_is_not_asked() -> None:
    model = FakeModel()
    assert ask(system2(model), "  ").state is PlanState.HOLD
    assert model.observations == [] and model.resets == 0


def test_an_unhealthy_camera_holds_and_recovers_by_itself() -> None:
    model = FakeModel()
    planner = system2(model)
    plan = ask(planner, health=CameraHealth.DARK)
    assert plan.state is PlanState.HOLD and "camera front is dark" in plan.reasoning and model.observations == []
    assert ask(planner).state is PlanState.ACTIVE


def test_a_model_that_is_away_holds_and_is_asked_again() -> None:
    model = FakeModel(ModelUnavailable("no server at\nlocalhost:8000"))
    planner = system2(model)
    plan = ask(planner)
    assert (plan.state, plan.reasoning) == (PlanState.HOLD, "no server at localhost:8000")
    model.answer = np.tile(HOME, (9, 1))
    assert ask(planner).state is PlanState.ACTIVE


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (
            RuntimeError("CUDA out of memory.\n  Tried to\tallocate"),
            "RuntimeError: CUDA out of memory. Tried to allocate",
        ),
        (np.zeros((5, 7)), "expected rows of 8 values, got shape (5, 7)"),
        (np.full((5, 8), np.nan), "value 0 (joint1) is nan"),
        (np.tile(HOME, (5, 1)) + 300.0, "times beyond what the statistics say"),
    ],
)
def test_a_model_that_fails_ends_the_instruction_in_one_line(answer: Array | Exception, text: str) -> None:
    model = FakeModel(answer)
    planner = system2(model)
    plan = ask(planner)
    assert plan.state is PlanState.FAILED and text in plan.reasoning and "\n" not in plan.reasoning
    assert ask(planner).reasoning == plan.reasoning and len(model.observations) == 1, "it is not asked again"
    model.answer = np.tile(HOME, (9, 1))
    assert ask(planner, number=2).state is PlanState.ACTIVE


def test_a_reset_that_fails_is_a_model_that_fails() -> None:
    model = FakeModel()
    model.on_reset = OSError("broken pipe")
    assert ask(system2(model)).reasoning == "the model failed: OSError: broken pipe"
    model.on_reset = ModelUnavailable("no server")
    assert ask(system2(model)).state is PlanState.ACTIVE


def test_the_expected_delay_is_the_longest_of_late_and_not_that_of_the_first_inference() -> None:
    times = iter([0.0, 5.0, 10.0, 10.2, 20.0, 20.1, 30.0, 30.1])
    model = FakeModel()
    planner = system2(model, lambda: next(times))
    for _ in range(4):
        ask(planner)
    expected = [FIRST_DELAY_S, FIRST_DELAY_S, 0.2, 0.2]
    assert [seen.inference_delay_s for seen in model.observations] == pytest.approx(expected)


def test_an_error_is_one_line_and_not_too_long() -> None:
    assert one_line(ValueError("a\n\n b\r\nc")) == "a b c"
    assert len(one_line(ValueError("x" * 10_000))) == 300
