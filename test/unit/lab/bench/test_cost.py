"""Every call into the filter is timed, and only calls that were made count."""

from __future__ import annotations

import numpy as np

from vla_ros.lab.bench.cost import REFERENCE, REFERENCE_TICKS, WHOLE, measure_costs, measure_whole_tick
from vla_ros.lab.bench.cost import _cost as cost_of
from vla_ros.lab.bench.filter_rig import FilterRig, full_configuration, without_rules


def rig() -> FilterRig:
    parameters, urdf = full_configuration()
    return FilterRig(without_rules(parameters, "environment", "self_collision", "effort", "obstacle"), urdf)


def test_stages_that_never_run_are_left_out() -> None:
    costs = {each.stage: each for each in measure_costs(rig(), 100)}
    assert "obstacles" not in costs
    assert costs[WHOLE].count == costs["tick"].count == costs["joint_state"].count == 100
    assert costs["command"].count == 40
    assert costs[REFERENCE].count == 100 // REFERENCE_TICKS
    assert costs[WHOLE].median_us >= costs["tick"].median_us


def test_a_whole_tick_is_one_of_the_stages() -> None:
    assert measure_whole_tick(rig(), 20).stage == WHOLE


def test_percentiles_are_of_the_calls_that_were_made() -> None:
    cost = cost_of("tick", np.array([0, 1000, 0, 3000, 2000]))
    assert cost is not None
    assert (cost.count, cost.median_us, cost.largest_us) == (3, 2.0, 3.0)
    assert cost_of("tick", np.zeros(4, np.int64)) is None
