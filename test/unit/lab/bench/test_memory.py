"""Memory is read before and after the ticks, and refused setpoints are counted."""

from __future__ import annotations

from vla_ros.lab.bench.filter_rig import FilterRig, full_configuration, with_unlimited_steps, without_rules
from vla_ros.lab.bench.memory import MemoryGrowth, measure_memory


def test_the_growth_is_the_difference_of_both_readings() -> None:
    assert MemoryGrowth(10, 1000, 1012, 5, 1).growth_kib == 12


def test_the_adversary_is_accepted_and_refused_and_the_memory_stays_flat() -> None:
    parameters, urdf = full_configuration()
    rig = FilterRig(with_unlimited_steps(without_rules(parameters, "environment", "self_collision", "obstacle")), urdf)
    growth = measure_memory(rig, 1000, seed=1)
    assert growth.accepted > 300 and growth.rejected > 0
    assert growth.accepted + growth.rejected == 400
    assert growth.growth_kib < 2000
