"""Disagreement: plans that contradict the previous plans."""

from __future__ import annotations

from test.unit.monitors.watching import S, monitors, plan


def test_paths_that_jump_disagree_and_paths_that_creep_do_not() -> None:
    watching = monitors()
    for i in range(30):
        watching.on_plan(i * S // 10, plan(end=0.5 + 0.01 * i))
        assert watching.warnings() == {}
    for i in range(30, 40):
        watching.on_plan(i * S // 10, plan(end=0.3 if i % 2 else 0.7))
    assert "ends 0.40 m away" in watching.warnings()["disagreement"]
    watching.on_instruction()
    assert watching.warnings() == {}


def test_a_subtask_that_flips_disagrees() -> None:
    watching = monitors(failure={"repeats": 100})
    for i in range(10):
        watching.on_plan(i * S // 10, plan(subtask="grasp" if i % 2 else "lift"))
    assert "changed 9 times" in watching.warnings()["disagreement"]
