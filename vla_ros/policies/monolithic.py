"""System 2 over a model that emits whole chunks of actions: it binds them to the robot, and System 1 plays them.

`lerobot`, `openvla` and `remote` are a `ChunkModel` each, and nothing else of a policy.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import numpy as np

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError
from vla_ros.perception.frames import Frames
from vla_ros.policies.action_player import ROW_S, sample
from vla_ros.policies.binding.action_mapping import ActionFault
from vla_ros.policies.binding.binding import Binding
from vla_ros.policies.binding.camera_slots import CameraFault
from vla_ros.policies.chunk_model import ChunkModel, ModelUnavailable, Observation
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState
from vla_ros.time import NS_PER_S
from vla_ros.transforms import pose

__all__ = ["ChunkModel", "ModelUnavailable", "MonolithicSystem2", "Observation", "one_line", "resampled"]

PATH_ROWS = 5
"""Between the tool poses of a plan's path: 0.1 s."""
DELAYS = 10
"""The longest of so many inferences is what the next one is expected to take."""
FIRST_DELAY_S = 0.1
"""Expected before the first inference."""
FOLLOWS_RAD = 0.08
"""An arm that is nearer to its plan, now or up to LAG_S ago, follows it; as `ActionExpertParameters.anchor_distance`."""
LAG_S = 0.3
TEXT_LENGTH = 300
"""Characters of a model's error that people are told."""


class MonolithicSystem2:
    """System 2 over a `ChunkModel`. Its plans are "actions": joint positions, `ROW_S` apart.

    An empty instruction, an unhealthy camera and a model that cannot answer now hold the arm; it goes on by itself. An
    error of the model, and actions that cannot be used, fail the instruction; the next one begins anew.

    Args:
        model: it.
        binding: of its contract to the robot.
        checkpoint: what System 1 knows its plans by; `registry.parameters_hash` where System 1 has no weights.
        clock: seconds, for the time that the model takes.

    Attributes:
        checkpoint: as given.
    """

    def __init__(
        self, model: ChunkModel, binding: Binding, checkpoint: str, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.checkpoint = checkpoint
        self._model, self._binding, self._clock = model, binding, clock
        self._delays_s: deque[float] = deque(maxlen=DELAYS)
        self._warm = False  # the first inference takes longer: compilation, memory
        self._instruction: int | None = None
        self._failed = ""  # why the present instruction is over
        self._rows: Array | None = None  # of the plan before
        self._rows_ns = 0  # its frames
        self._steps = np.zeros((0, 0))  # its rows as far apart as the model's

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        """Return the chunk for now; see `contract.System2`."""
        if not instruction.text.strip():
            self._instruction = None
            return Plan(frames.stamp_ns, instruction, PlanState.HOLD)
        if instruction.id != self._instruction:
            self._instruction, self._failed, self._rows = instruction.id, "", None
            if reason := self._guarded(self._model.reset):
                self._failed = reason
        if self._failed:
            return Plan(frames.stamp_ns, instruction, PlanState.FAILED, reasoning=self._failed)
        try:
            return self._active(frames, instruction, joint_state)
        except (CameraFault, ModelUnavailable) as error:
            return Plan(frames.stamp_ns, instruction, PlanState.HOLD, reasoning=one_line(error))
        except (ActionFault, ParameterError) as error:
            self._failed = one_line(error)
        except Exception as error:
            self._failed = f"the model failed: {type(error).__name__}: {one_line(error)}"
        return Plan(frames.stamp_ns, instruction, PlanState.FAILED, reasoning=self._failed)

    @property
    def inference_delay_s(self) -> float:
        """What the next inference is expected to take."""
        return max(self._delays_s, default=FIRST_DELAY_S)

    def _active(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        images = self._binding.images(frames)
        state = None if self._binding.contract.state is None else self._binding.state(joint_state)
        observation = Observation(images, state, instruction.text, frames.stamp_ns, self.inference_delay_s)
        began_s = self._clock()
        actions = self._model.infer(observation)
        took_s = self._clock() - began_s
        if self._warm:
            self._delays_s.append(took_s)
        self._warm = True
        base = self._base(frames.stamp_ns, joint_state)
        positions = self._binding.positions(actions, base)
        if self._binding.begins_later:
            positions = np.vstack([base, positions])
        joints = self._binding.joints
        rows = np.clip(resampled(positions, self._binding.rate_hz), joints.lower, joints.upper)
        self._rows, self._rows_ns, self._steps = rows, frames.stamp_ns, positions
        return Plan(
            frames.stamp_ns,
            instruction,
            PlanState.ACTIVE,
            subtask=instruction.text,
            kind="actions",
            data=rows,
            path=self._path(rows),
        )

    def _base(self, stamp_ns: int, joint_state: JointState) -> Array:
        """Return (n,) what the actions are relative to: the measured joints, unless they are steps.

        A step goes on from where the steps before it led, as long as the arm follows. From the measured arm, which is behind
        and swings, each plan would take over the swing of the one before: the loop oscillates with the arm's lag.
        """
        q = joint_state.q
        if self._binding.parameters.action_kind != "step" or self._rows is None or not joint_state.may_move:
            return q
        kinematics, base = self._binding.joints.kinematics, q.copy()
        at_s = (stamp_ns - self._rows_ns) / NS_PER_S
        past = np.array([sample(self._rows, at_s - lag_s) for lag_s in np.arange(0.0, LAG_S, ROW_S)])
        if np.abs(past - q)[:, kinematics.arm].max(axis=1).min() >= FOLLOWS_RAD:
            return q
        base[kinematics.arm] = past[0, kinematics.arm]
        if self._binding.parameters.action_space == "cartesian":
            # Joints that go evenly leave the tool's line by a hair, and hairs of many plans would add up.
            row = min(int(at_s * self._binding.rate_hz), len(self._steps) - 2)
            begin, end = (kinematics.forward(self._steps[max(row, 0) + k])[:3, 3] for k in (0, 1))
            base = kinematics.follow(on_line(kinematics.forward(base), begin, end), base)
        return base

    def _path(self, rows: Array) -> Array:
        """Return (m, 7) tool poses along the rows."""
        forward = self._binding.joints.kinematics.forward
        return np.array([pose(forward(row)) for row in [*rows[:-1:PATH_ROWS], rows[-1]]])

    @staticmethod
    def _guarded(call: Callable[[], None]) -> str:
        """Call it; return why it failed, in one line; empty: it did not."""
        try:
            call()
        except ModelUnavailable:  # it is asked again, and holds until then
            return ""
        except Exception as error:
            return f"the model failed: {type(error).__name__}: {one_line(error)}"
        return ""


def on_line(T: Array, begin: Array, end: Array) -> Array:
    """Return the pose T (4, 4) moved onto the nearest point of the line from `begin` to `end`, (3,) each, m."""
    moved, along = T.copy(), end - begin
    length2 = float(along @ along)
    share = float((T[:3, 3] - begin) @ along) / length2 if length2 > 0 else 0.0
    moved[:3, 3] = begin + min(max(share, 0.0), 1.0) * along
    return moved


def resampled(positions: Array, rate_hz: float) -> Array:
    """Return (T', n) rows `ROW_S` apart of rows (T, n) 1 / rate_hz apart, from the first up to the last."""
    duration_s = (len(positions) - 1) / rate_hz
    count = int(duration_s / ROW_S + 1e-6) + 1
    return np.array([sample(positions, row * ROW_S, 1.0 / rate_hz) for row in range(count)])


def one_line(error: BaseException) -> str:
    """Return an error's text as one line, not too long."""
    text = " ".join(str(error).split())
    return text if len(text) <= TEXT_LENGTH else f"{text[: TEXT_LENGTH - 3]}..."
