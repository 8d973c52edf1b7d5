"""Runs the policy of examples/02_policy without ROS: what it does with the joints and the tool of the simulated arm.

    python examples/02_policy.py

To run it on an arm: `pip install --no-build-isolation examples/02_policy`, then `vla-ros up --policy wave`.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent / "02_policy"))

from wave_policy import WaveParameters, WaveSystem1, WaveSystem2

from vla_ros.parameters import from_mapping
from vla_ros.policies import Chunk, Frames, Instruction, JointState, PlanState, Robot
from vla_ros.robot.kinematics import Kinematics
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf

PERIOD_NS = 100_000_000  # of plans
PLAYED = 5  # rows of a chunk until the next one: 0.1 s
PREFIX_LENGTH = 3  # rows of the chunk before that the next one begins with


def main() -> None:
    """Plan and move until the policy reports that it is done, as planner and action expert would."""
    robot = Robot(urdf(), JOINT_NAMES)
    parameters = from_mapping(WaveParameters, {"joint": "joint6"}, "wave.")
    system2, system1 = WaveSystem2(robot, parameters), WaveSystem1(robot, parameters)
    now_ns, played = 0, [HOME.copy()]
    chunk = Chunk.rest(HOME, 0)
    plan = system2.plan(Frames(now_ns, {}), Instruction(1, "wave"), JointState(now_ns, HOME, np.zeros(len(HOME))))
    while plan.state is PlanState.ACTIVE:
        state = JointState(now_ns, played[-1], np.zeros(len(HOME)))
        chunk = system1.chunk(plan, state, chunk, PREFIX_LENGTH, now_ns)
        played += list(chunk.positions[1 : PLAYED + 1])
        now_ns += PERIOD_NS
        chunk = Chunk(chunk.positions[PLAYED:], chunk.dt_s, now_ns, chunk_id=1)
        plan = system2.plan(Frames(now_ns, {}), Instruction(1, "wave"), JointState(now_ns, played[-1], np.zeros(8)))

    q = np.array(played)
    kinematics = Kinematics(robot.urdf, robot.joint_names, robot.tool_frame)
    tool = np.array([kinematics.forward(row)[:3, 3] for row in q])
    dq = np.diff(q, axis=0) / system1.dt_s
    ddq = np.diff(dq, axis=0) / system1.dt_s
    print(f"{plan.state.name} after {now_ns / 1e9:.1f} s")
    for name, column in zip(JOINT_NAMES, range(q.shape[1]), strict=True):
        if np.ptp(q[:, column]) > 1e-6:
            print(f"{name} moved over {np.ptp(q[:, column]):.3f} rad, at most {np.abs(dq[:, column]).max():.3f} rad/s")
            print(f"  of {kinematics.velocity[column]:.3f} rad/s, and {np.abs(ddq[:, column]).max():.3f} rad/s^2")
    print(f"the tool moved by up to {np.linalg.norm(tool - tool[0], axis=1).max():.3f} m")
    print(f"it ended {np.abs(q[-1] - q[0]).max():.4f} rad from where it began")


if __name__ == "__main__":
    main()
