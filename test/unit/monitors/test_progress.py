"""Progress: time without any, and what of it counts."""

from __future__ import annotations

from test.unit.monitors.watching import JOINTS, S, monitors, plan


def test_no_progress_is_told_and_time_without_permission_does_not_count() -> None:
    watching = monitors(progress={"seconds": 20.0})
    for i in range(60):
        watching.on_motion(i * S, i >= 30, JOINTS, [])
        watching.on_plan(i * S, plan(progress=0.4))
        assert ("progress" in watching.warnings()) == (i >= 49)
    watching.on_plan(61 * S, plan(progress=0.42))
    assert watching.warnings() == {}
    for i in range(62, 90):
        watching.on_plan(i * S, plan(progress=0.42 + 0.0001 * (i - 62)))
    assert "no progress for 28 s: grasp" in watching.warnings()["progress"]
    watching.on_plan(91 * S, plan(subtask="lift", progress=0.42))
    assert watching.warnings() == {}


def test_time_without_plans_is_no_time_without_progress() -> None:
    watching = monitors(progress={"seconds": 20.0})
    watching.on_motion(0, True, JOINTS, [])
    for now_s in (0, 1, 100, 101, 200):  # twice, the camera was away
        watching.on_plan(now_s * S, plan(progress=0.4))
        assert watching.warnings() == {}
    for now_s in range(201, 217):
        watching.on_plan(now_s * S, plan(progress=0.4))
    assert "no progress for 20 s" in watching.warnings()["progress"]


def test_a_policy_that_does_not_estimate_progress_is_not_told_that_it_makes_none() -> None:
    watching = monitors()
    for i in range(60):
        watching.on_motion(i * S, True, JOINTS, [])
        watching.on_plan(i * S, plan(subtask=""))
    assert watching.warnings() == {}
