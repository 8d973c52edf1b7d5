"""The second channel on the running graph: it stops an arm whose filter lets everything through, and is missed itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("vla_ros.msg")

from vla_ros.lab.faults.campaign import run_case
from vla_ros.lab.faults.case import FaultCase
from vla_ros.lab.faults.cases import all_cases
from vla_ros.lab.faults.cases.setpoints import push
from vla_ros.lab.faults.graph_rig import GraphRig, started
from vla_ros.lab.faults.graphs import bounds
from vla_ros.lab.faults.preparation import prepare
from vla_ros.lab.faults.reaction import ExpectedReaction
from vla_ros.robot.kinematics import Kinematics
from vla_ros.sim.arm_description import JOINT_NAMES, urdf

NAMES = ("monitor-killed",)
"""The others need more time or a machine that does not stall: they are left to the campaign."""
CASES = [case for case in all_cases(bounds()) if case.name in NAMES]
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphRig]:
    folder: Path = tmp_path_factory.mktemp("raising")
    with started("raising", folder) as made:
        yield made


def let_through(rig: GraphRig) -> None:
    """Nothing of the filter objects to a distance; the policy drives the hand down."""
    rig.raise_in_rule("clearance off")
    push(rig, joint2=1.0)


def test_with_clearance_switched_off_in_memory_the_arm_is_stopped_at_the_table(rig: GraphRig) -> None:
    prepare(rig, FaultCase("clearance-off", "", ExpectedReaction(), let_through, "raising"))
    let_through(rig)
    assert rig.run_for(PATIENCE_S, lambda: rig.state == "ESTOP"), f"{rig.state} {rig.rule}"
    assert rig.run_for(PATIENCE_S, lambda: rig.speed == 0.0)
    assert rig.rule in ("safety_monitor", "estop")
    q = [rig.joint_state.position(joint) for joint in JOINT_NAMES[:7]]
    tool_z = Kinematics(urdf(), JOINT_NAMES[:7]).forward(np.array(q))[2, 3]
    print(f"\nthe tool came to rest at z = {tool_z:.3f} m")
    assert tool_z > -0.1, "it objected when the arm was far below"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_second_channel_that_fails_is_missed(rig: GraphRig, case: FaultCase) -> None:
    result = run_case(rig, case)
    assert not result.wrong, "; ".join(result.wrong)
