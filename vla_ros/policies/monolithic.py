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
from vla_ros.transforms import pose

__all__ = ["ChunkModel", "ModelUnavailable", "MonolithicSystem2", "Observation", "one_line", "resampled"]

PATH_ROWS = 5
"""Between the tool poses of a plan's path: 0.1 s."""
DELAYS = 10
"""The longest of so many inferences is what the next one is expected to take."""
FIRST_DELAY_S = 0.1
"""Expected before the first inference."""
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

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        """Return the chunk for now; see `contract.System2`."""
        if not instruction.text.strip():
            self._instruction = None
            return Plan(frames.stamp_ns, instruction, PlanState.HOLD)
        if instruction.id != self._instruction:
            self._instruction, self._failed = instruction.id, ""
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
        positions = self._binding.positions(actions, joint_state.q)
        if self._binding.begins_later:
            positions = np.vstack([joint_state.q, positions])
        joints = self._binding.joints
        rows = np.clip(resampled(positions, self._binding.rate_hz), joints.lower, joints.upper)
        return Plan(
            frames.stamp_ns,
            instruction,
            PlanState.ACTIVE,
            subtask=instruction.text,
            kind="actions",
            data=rows,
            path=self._path(rows),
        )

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


def resampled(positions: Array, rate_hz: float) -> Array:
    """Return (T', n) rows `ROW_S` apart of rows (T, n) 1 / rate_hz apart, from the first up to the last."""
    duration_s = (len(positions) - 1) / rate_hz
    count = int(duration_s / ROW_S + 1e-6) + 1
    return np.array([sample(positions, row * ROW_S, 1.0 / rate_hz) for row in range(count)])


def one_line(error: BaseException) -> str:
    """Return an error's text as one line, not too long."""
    text = " ".join(str(error).split())
    return text if len(text) <= TEXT_LENGTH else f"{text[: TEXT_LENGTH - 3]}..."
