"""Plans survive the message, with their bytes in it or in shared memory."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.latents import LatentLost, LatentWriter
from vla_ros.nodes.convert import plan_from, plan_message
from vla_ros.policies.contract import Instruction, Plan, PlanState

PLAN = Plan(
    frame_stamp_ns=1_500_000_001,
    instruction=Instruction(7, "pick up the red cube"),
    state=PlanState.ACTIVE,
    kind="features",
    data=np.arange(12, dtype=np.float16).reshape(3, 4),
    path=np.array([[0.5, 0.0, 0.1, 1.0, 0.0, 0.0, 0.0]]),
    plan_id=3,
    checkpoint="abc",
)


@pytest.mark.parametrize("through_memory", [False, True])
def test_a_plan_survives(through_memory: bool) -> None:
    ring = LatentWriter("vla_ros_test_convert", 64) if through_memory else None
    try:
        message = plan_message(PLAN, "compact", "base", 0.1, ring)
        assert bool(message.shm_name) is through_memory
        assert (len(message.data) == 0) is through_memory
        again = plan_from(message)
    finally:
        if ring is not None:
            ring.close()
    assert (again.frame_stamp_ns, again.instruction, again.state) == (PLAN.frame_stamp_ns, PLAN.instruction, PLAN.state)
    assert (again.plan_id, again.checkpoint, again.kind) == (3, "abc", "features")
    assert again.data.dtype == np.float16
    assert (again.data == PLAN.data).all()
    if through_memory:
        with pytest.raises(LatentLost):
            plan_from(message)
