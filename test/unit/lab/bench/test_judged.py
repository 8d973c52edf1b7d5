"""The whole filter under the adversary among obstacles; the oracle, which shares nothing with it, judges every output."""

from __future__ import annotations

import numpy as np

from vla_ros.lab.bench.adversary import Adversary
from vla_ros.lab.bench.filter_rig import RADIUS_M, START, Rig, anywhere, near_obstacles, whole
from vla_ros.oracle.clearances import ball
from vla_ros.oracle.oracle import Oracle
from vla_ros.oracle.stream import Stream
from vla_ros.safety.states import LATCHED
from vla_ros.sim.arm_description import JOINT_NAMES


def test_no_output_breaks_a_limit_or_a_margin() -> None:
    seed = 2
    parameters, urdf = whole()
    parameters = anywhere(parameters)
    oracle = Oracle(urdf, parameters)
    obstacles = near_obstacles(parameters, urdf, seed)
    rig = Rig(parameters, urdf, obstacles)
    adversary = Adversary(list(oracle.bounds.values()), seed)
    sent = [START]
    for _ in range(1500):
        for at_s in rig.due():
            rig.command(at_s, adversary.target(at_s))
        rig.measure()
        rig.hear()
        decision = rig.tick()
        assert decision.state not in LATCHED, decision.verdict
        assert decision.positions is not None
        sent.append(np.array(decision.positions))
    stream = Stream.evenly_spaced(JOINT_NAMES, np.array(sent), parameters.period_s)
    report = oracle.judge(stream, [ball(each.xyz, RADIUS_M) for each in obstacles])
    assert not report.broken, report.text()
    assert {"fence", "table", "self_collision", "obstacle"} <= {each.quantity for each in report.findings}
    obstacle = report.worst("obstacle")
    assert obstacle.value < obstacle.limit + 0.02, "the adversary did not reach an obstacle"
