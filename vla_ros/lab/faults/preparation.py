"""Brings the graph and the arm to where a case begins."""

from __future__ import annotations

import contextlib
import time

from vla_ros.lab.faults.case import FaultCase
from vla_ros.lab.faults.controller_log import BEFORE_S
from vla_ros.lab.faults.process_faults import START_S
from vla_ros.lab.faults.reaction import LATCHED, MOVING, NO_FILTER, PROTECTIVE, ObservedReaction
from vla_ros.lab.faults.rig import CaseAborted, FaultRig
from vla_ros.lab.faults.swing import FULL_SPEED_S
from vla_ros.oracle.live.live_judge import LET_GO_S
from vla_ros.safety.command.enabling import PRESSED, RELEASED

MIN_SPEED = 0.25
"""rad/s: a quarter of the swing's full speed. A slower arm shows nothing of a stop."""
TRIES = 3
"""Tries to bring the arm to where a case begins."""
ARM_TIMEOUT_S = 30.0
DISARM_TIMEOUT_S = 5.0
SCENE_SETTLE_S = 1.2
"""After this time the planner has frames of the new scene."""


def prepare(rig: FaultRig, case: FaultCase) -> None:
    """Remove all faults, bring the arm to where the case begins, and mark that moment. Try again where that fails.

    Raises:
        CaseAborted: the last try failed.
    """
    for _ in range(TRIES - 1):
        with contextlib.suppress(CaseAborted):
            prepare_once(rig, case)
            return
    prepare_once(rig, case)


def prepare_once(rig: FaultRig, case: FaultCase) -> None:
    """Do one try.

    Raises:
        CaseAborted: the start cannot be reached, or the arm does not move.
    """
    if case.graph == "none":
        return
    if case.graph == "whole":
        prepare_task(rig)
    else:
        restore(rig)
        if case.start != "disarmed":
            arm(rig)
        if case.start == "moving":
            rig.start_swing()
            rig.run_for(FULL_SPEED_S)
    observed = rig.begin_case()
    rig.mark_fault()
    if too_slow(case, observed) or (case.start == "moving" and rig.state not in MOVING):
        raise CaseAborted(f"the arm does not move: {observed.speed:.3f} rad/s, {rig.state} {rig.rule}")


def too_slow(case: FaultCase, observed: ObservedReaction) -> bool:
    """Whether the case needs a moving arm and the arm was slower than MIN_SPEED at the mark."""
    return case.graph != "none" and case.start == "moving" and not observed.speed >= MIN_SPEED


def arm(rig: FaultRig) -> None:
    """Arm; the filter may need a moment to receive all inputs.

    Raises:
        CaseAborted: it still refuses after ARM_TIMEOUT_S.
    """
    end_s = time.monotonic() + ARM_TIMEOUT_S
    while True:
        done, why = rig.call_filter("arm")
        if done:
            # Setpoints count once the arm's controller has been entered.
            rig.run_for(ARM_TIMEOUT_S, lambda: rig.state not in ("", "DISARMED", "ENTERING"))
            return
        if time.monotonic() > end_s:
            raise CaseAborted(why)
        rig.run_for(0.1)


def restore(rig: FaultRig) -> None:
    """Remove all faults, bring the arm home, disarm the filter.

    Raises:
        CaseAborted: that is not possible.
    """
    _remove_faults(rig)
    if rig.state == NO_FILTER:
        rig.restart("safety_filter")
    if not rig.run_for(START_S, lambda: bool(rig.state)):
        raise CaseAborted(f"no status of the filter; {'; '.join(rig.lines[-2:])}")
    if rig.graph == "raising":
        rig.raise_in_rule("")
    rig.set_estop(False)
    rig.run_for(3.0, lambda: rig.speed == 0.0 and rig.state in ("HOLDING", "DISARMED", *LATCHED))
    disarm(rig)
    rig.set_speed_scale(1.0)
    rig.reset_scene()
    rig.enabling = PRESSED
    rig.run_for(0.2)


def _remove_faults(rig: FaultRig) -> None:
    rig.alter_setpoint = rig.alter_joint_state = None
    rig.policy_active = rig.controller_silent = False
    rig.controller_scaling = 1.0
    rig.set_controller_active(True)
    rig.heartbeat_active = rig.deadman_held = True
    rig.enabling = RELEASED  # what was pressed through must be released
    rig.obstacles = ()
    rig.set_override(None)
    rig.set_extra_publishers(0, False)
    rig.set_stranger("")
    rig.set_flood(0)
    rig.set_input_flood("")
    rig.set_cpu_load(0)


def disarm(rig: FaultRig) -> None:
    """Disarm; reset first where a state is latched.

    Raises:
        CaseAborted: it still refuses after DISARM_TIMEOUT_S.
    """
    end_s = time.monotonic() + DISARM_TIMEOUT_S
    why, driven = "", rig.state != "DISARMED"
    while rig.state != "DISARMED":
        _, why = rig.call_filter("reset" if rig.state in LATCHED else "disarm")
        rig.run_for(0.1, lambda: rig.state == "DISARMED")
        if time.monotonic() > end_s:
            raise CaseAborted(f"not disarmed: {why}")
    if driven:
        rig.run_for(LET_GO_S)


def prepare_task(rig: FaultRig) -> None:
    """Bring the whole graph to the middle of a task.

    Raises:
        CaseAborted: that is not possible.
    """
    rig.camera_frozen = False
    rig.clear_diagnostics()
    if not rig.run_for(90.0, rig.all_active):
        raise CaseAborted("planner, action_expert or camera is not active")
    rig.send_instruction("")
    rig.run_for(5.0, lambda: rig.speed == 0.0 and rig.state in ("HOLDING", "DISARMED", *PROTECTIVE))
    disarm(rig)
    rig.reset_scene()
    rig.run_for(SCENE_SETTLE_S)
    arm(rig)
    rig.send_instruction("put the red cube in the bowl")
    if not rig.run_for(40.0, lambda: rig.speed > 0.4):
        raise CaseAborted("the task did not begin")
    rig.run_for(BEFORE_S)
