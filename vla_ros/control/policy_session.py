"""Both halves of a policy for a robot that plays the chunks elsewhere: frames, joints and words become rows of positions.

Time is the client's: the stamps of its frames. So a chunk goes on from the one before as it was meant to be played, whatever
the way to the client costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.control.action_expert import ActionExpert
from vla_ros.guard import Guard, GuardAction, Prompt
from vla_ros.perception.frames import Frames
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState, System1, System2
from vla_ros.time import NS_PER_S

HELD_ROWS = 10
"""Rows of an answer that holds the arm."""
LARGEST_STEP_S = 1.0
"""Frames that come later than this after the ones before, or earlier, begin a new path from rest."""


class PolicySession:
    """Serves one client.

    Args:
        system2, system1: the halves.
        guard: judges instructions before the policy reads them.
        prompt: words them for the policy.
        arm: mask (n,) of the joints that are no gripper.
        rate_hz: rows of an answer per second.
        anchor_distance: a chunk begins at the measured arm when that is so far from the path, rad.
    """

    def __init__(
        self,
        system2: System2,
        system1: System1,
        guard: Guard,
        prompt: Prompt,
        arm: NDArray[np.bool_],
        rate_hz: float,
        anchor_distance: float,
    ) -> None:
        self.checkpoint = system2.checkpoint
        self._system2, self._system1 = system2, system1
        self._guard, self._prompt, self._rate_hz = guard, prompt, rate_hz
        self._expert = ActionExpert("real_time", 1.0, anchor_distance, arm)
        self._plans = 0
        self._instruction = Instruction(0, "")
        self._episode: object = None
        self._stamp_ns = 0

    def instruct(self, text: str, episode: object) -> None:
        """Take the client's words: a new instruction where they, or the episode, are others than before."""
        if (text, episode) != (self._instruction.text, self._episode) or not self._instruction.id:
            self._instruction, self._episode = Instruction(self._instruction.id + 1, text), episode

    def forget(self) -> None:
        """The next client, or the next request after a fault, begins anew."""
        self._expert.clear()
        self._episode, self._instruction = None, Instruction(self._instruction.id, "")

    def answer(self, frames: Frames, joint_state: JointState) -> tuple[Plan, Array]:
        """Return the plan for these frames, and the way of the arm.

        Args:
            frames: what the cameras show. joint_state: of the same moment.

        Returns:
            the plan, and (T, n) joint positions, rad or m: row k is for frames.stamp_ns + k / rate_hz. A plan that is not
            ACTIVE holds the arm where it is.
        """
        plan = self._plan(frames, joint_state)
        self._plans += 1
        plan = replace(plan, plan_id=self._plans, checkpoint=self.checkpoint)
        if not 0 <= frames.stamp_ns - self._stamp_ns <= LARGEST_STEP_S * NS_PER_S:
            self._expert.clear()
        self._stamp_ns = frames.stamp_ns
        if plan.state is not PlanState.ACTIVE:
            self._expert.clear()
            return plan, np.repeat(joint_state.q[None, :], HELD_ROWS, axis=0)
        return plan, self._way(plan, joint_state, frames.stamp_ns)

    def _plan(self, frames: Frames, joint_state: JointState) -> Plan:
        told = self._instruction
        decision = self._guard.check(told.text)
        if told.text.strip() and decision.action is GuardAction.REFUSE:
            return Plan(frames.stamp_ns, told, PlanState.REFUSED, reasoning=decision.reason)
        if told.text.strip() and decision.action is GuardAction.STOP:
            return Plan(frames.stamp_ns, told, PlanState.DONE, reasoning=decision.reason)
        asked = Instruction(told.id, self._prompt.render(told.text) if told.text.strip() else "")
        return self._system2.plan(frames, asked, joint_state)

    def _way(self, plan: Plan, joint_state: JointState, stamp_ns: int) -> Array:
        """Return (T, n): the chunk that System 1 makes of the plan, from `stamp_ns` to its end."""
        expert = self._expert
        expert.follow(plan)
        chunk = self._system1.chunk(*expert.request(joint_state, None, stamp_ns, stamp_ns, stamp_ns))
        expert.accept(chunk, stamp_ns, stamp_ns)
        rows: list[Array] = []
        step_ns = NS_PER_S / self._rate_hz
        while (row := expert.player.setpoint(stamp_ns + round(len(rows) * step_ns))) is not None:
            rows.append(row)
        return np.stack(rows) if rows else np.repeat(joint_state.q[None, :], HELD_ROWS, axis=0)


def arm_mask(joint_names: Sequence[str], gripper_joint: str) -> NDArray[np.bool_]:
    """Return (n,) which joints are no gripper."""
    return np.array([name != gripper_joint for name in joint_names])
