"""Whether a policy heeds its instruction is told by its motions, not by what it says."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.lab.evaluation.language_check import Asked, language_effect
from vla_ros.perception.frames import CameraView, Frames
from vla_ros.policies.contract import Chunk, Instruction, JointState, Plan, PlanState

Q = np.zeros(3)


def scene(brightness: int) -> Asked:
    frames = Frames(10**9, {"front": CameraView(np.full((4, 4, 3), brightness, np.uint8))})
    return Asked(frames, JointState(10**9, Q, Q), "pick up the red cube", "pick up the blue ball")


class Looks:
    """Moves by the brightness of the picture, and by `heeds` for each letter of the instruction."""

    checkpoint, dt_s = "", 0.02

    def __init__(self, heeds: float, holds: int = 0, refuses: str = "nothing") -> None:
        self.heeds, self.holds, self.refuses = heeds, holds, refuses

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        if self.refuses in instruction.text:
            return Plan(frames.stamp_ns, instruction, PlanState.REFUSED)
        if frames.stamp_ns < 10**9 + self.holds * 10**8:
            return Plan(frames.stamp_ns, instruction, PlanState.HOLD)
        shade = float(frames.views["front"].image.mean()) / 100
        data = np.full(3, shade + self.heeds * len(instruction.text))
        return Plan(frames.stamp_ns, instruction, PlanState.ACTIVE, data=data)

    def chunk(self, plan: Plan, joint_state: JointState, previous: Chunk, prefix_length: int, start_ns: int) -> Chunk:
        rows = np.linspace(0, 1, 5)[:, None] * plan.data
        return Chunk(joint_state.q + rows, 0.02, start_ns)


def test_an_instruction_that_changes_nothing_is_called_ignored() -> None:
    effect = language_effect(Looks(0.0), Looks(0.0), [scene(10), scene(60), scene(110)])
    assert effect.of_instruction == 0.0
    assert effect.of_scene == pytest.approx(0.5)
    assert effect.ignored
    assert "IGNORED" in effect.text()


def test_an_instruction_that_steers_matters() -> None:
    effect = language_effect(Looks(0.2, holds=5), Looks(0.2), [scene(10), scene(60)])
    assert effect.of_instruction == pytest.approx(0.2 * (len("pick up the blue ball") - len("pick up the red cube")))
    assert not effect.ignored
    assert effect.share == pytest.approx(0.4)


def test_nothing_is_told_of_a_policy_that_does_not_move() -> None:
    effect = language_effect(Looks(1.0, refuses="blue"), Looks(1.0), [scene(10), scene(60)])
    assert (effect.scenes, effect.refused) == (0, 2)
    assert "not told" in effect.text()
    assert language_effect(Looks(1.0, holds=1000), Looks(1.0), [scene(10)]).refused == 1
