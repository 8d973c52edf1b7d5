"""A policy of your own: two halves, a dataclass of options, one `Policy`. It waves one joint, whatever it is told."""

from dataclasses import dataclass

import numpy as np

from vla_ros.parameters import parameter
from vla_ros.policies import Chunk, Frames, Instruction, JointState, Plan, PlanState, Policy, Robot
from vla_ros.policies.continuation import around, to_rest
from vla_ros.policies.registry import joint_index, parameters_hash

DT_S, ROWS, RETURN_LIMITS = 0.02, 36, (0.2, 0.5, 5.0)  # rad/s, rad/s^2, rad/s^3 of the way onto the wave


@dataclass(frozen=True)
class WaveParameters:
    joint: str = parameter("joint4", description="joint that waves")
    amplitude_rad: float = parameter(0.1, description="half of the way", unit="rad", above=0.0, maximum=0.3)
    period_s: float = parameter(4.0, description="time of one wave", unit="s", minimum=2.0)
    waves: int = parameter(2, description="how many", minimum=1)


class WaveSystem2:
    def __init__(self, robot: Robot, parameters: WaveParameters) -> None:
        self.checkpoint = parameters_hash("wave", robot, parameters)  # the same for both halves
        self._duration_s, self._instruction = parameters.waves * parameters.period_s, Instruction(0, "")

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        if instruction != self._instruction:
            self._instruction, self._start_ns, self._q0 = instruction, frames.stamp_ns, joint_state.q.copy()
        elapsed_s = (frames.stamp_ns - self._start_ns) / 1e9
        state = PlanState.ACTIVE if elapsed_s < self._duration_s else PlanState.DONE
        return Plan(frames.stamp_ns, instruction, state, "wave", kind="wave", data=np.array([elapsed_s, *self._q0]))


class WaveSystem1:
    dt_s = DT_S

    def __init__(self, robot: Robot, parameters: WaveParameters) -> None:
        self.checkpoint, self._parameters = parameters_hash("wave", robot, parameters), parameters
        self._joint = joint_index(robot, parameters.joint, "wave.joint")

    def chunk(self, plan: Plan, joint_state: JointState, previous: Chunk, prefix_length: int, start_ns: int) -> Chunk:
        elapsed_s = float(plan.data[0]) + (start_ns - plan.frame_stamp_ns) / 1e9
        first = max(prefix_length, 1) - 1  # the last row that is taken over; the wave is joined from there
        wave = np.stack([self._at(plan.data[1:], elapsed_s + row * DT_S) for row in range(-1, ROWS + 1)])
        offset = around(previous.positions, first) - wave[first : first + 3]
        back = to_rest(offset, DT_S, 0 * offset[1], *([limit] * len(offset[1]) for limit in RETURN_LIMITS))
        rest = [wave[row + 1] + back.at_time((row - first) * DT_S)[0] for row in range(first + 1, ROWS)]
        positions = np.vstack([previous.positions[: first + 1], *rest])
        return Chunk(positions, DT_S, start_ns, plan.plan_id, plan.frame_stamp_ns, prefix_length=prefix_length)

    def _at(self, q0: np.ndarray, t_s: float) -> np.ndarray:
        p, q = self._parameters, np.array(q0, np.float64)
        q[self._joint] += p.amplitude_rad * (1.0 - np.cos(2 * np.pi * min(max(t_s / p.period_s, 0.0), p.waves)))
        return q


POLICY = Policy("wave_policy:WaveSystem2", "wave_policy:WaveSystem1", WaveParameters)
