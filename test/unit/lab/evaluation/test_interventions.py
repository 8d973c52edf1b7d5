"""How often the filter acted, and by which rule."""

from __future__ import annotations

from vla_ros.lab.evaluation.interventions import InterventionCounter


def test_ticks_of_one_rule_in_a_row_are_one_intervention() -> None:
    interventions = InterventionCounter()
    for now_ns in (*range(0, 40_000_000, 4_000_000), *range(500_000_000, 520_000_000, 4_000_000)):
        interventions.add("jerk_limit", now_ns)
    assert interventions.ticks == {"jerk_limit": 15}
    assert interventions.begun == {"jerk_limit": 2}


def test_rules_are_counted_apart() -> None:
    interventions = InterventionCounter()
    interventions.add("jerk_limit", 0, ticks=3)
    interventions.add("fence", 4_000_000)
    assert interventions.ticks == {"jerk_limit": 3, "fence": 1}
    assert interventions.begun == {"jerk_limit": 1, "fence": 1}
