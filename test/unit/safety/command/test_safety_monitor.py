"""The second channel: not armed without it, stopped when it is silent, deaf or of other limits, latched by what it finds."""

from __future__ import annotations

import dataclasses

import pytest

from test.unit.safety.simulated_arm import Arm, forward, parameters
from vla_ros.parameters import ParameterError
from vla_ros.safety.command.safety_monitor import SafetyMonitor
from vla_ros.safety.rules import RuleCode
from vla_ros.safety.states import State
from vla_ros.sim.arm_description import HOME

TIMEOUT_S = 0.4


class MonitoredArm(Arm):
    """An arm with a second channel whose reports are as told: silent, broken, deaf, limits."""

    def __init__(self) -> None:
        super().__init__(**{"safety_monitor.timeout_s": TIMEOUT_S})
        self.silent = self.deaf = self.blind = False
        self.violation = ""
        (rule,) = (each for each in self.filter._setup.active if isinstance(each, SafetyMonitor))
        self.limits = rule._limits

    def measure(self) -> None:
        super().measure()
        if not self.silent:
            self.filter.monitor(self.now_ns, self.violation, not self.deaf, not self.blind, self.limits)


@pytest.fixture
def arm() -> MonitoredArm:
    return MonitoredArm()


def refusal(arm: MonitoredArm) -> str:
    arm.tick(60)  # joint states are consistent
    done, why = arm.filter.arm(arm.now_ns)
    assert not done
    return why


def test_it_is_not_armed_before_the_monitor_is_heard(arm: MonitoredArm) -> None:
    arm.silent = True
    assert "no report of the safety monitor yet on vla/safety_monitor" in refusal(arm)
    arm.silent = False
    arm.armed()


def test_other_limits_refuse_arming_and_are_named(arm: MonitoredArm) -> None:
    arm.limits = arm.limits.replace("joint1 velocity: 2.175", "joint1 velocity: 2")
    why = refusal(arm)
    assert "other limits" in why
    assert "'joint1 velocity: 2', this filter 'joint1 velocity: 2.175'" in why


def test_a_monitor_that_has_told_no_limits_is_not_trusted(arm: MonitoredArm) -> None:
    arm.limits = ""
    assert "it has told none" in refusal(arm)


def test_a_monitor_that_hears_no_joint_states_refuses_arming(arm: MonitoredArm) -> None:
    arm.blind = True
    assert "does not hear every joint" in refusal(arm)


@pytest.mark.parametrize("what", ["silent", "deaf"])
def test_a_monitor_that_falls_silent_or_deaf_stops_the_arm_in_time(arm: MonitoredArm, what: str) -> None:
    arm.armed()
    arm.towards(forward(HOME.tolist(), 0.5), 60)
    assert arm.filter.state in (State.TRACKING, State.LIMITING)
    setattr(arm, what, True)
    begin_ns = arm.now_ns
    while arm.filter.state is not State.STOPPING:
        arm.towards(forward(HOME.tolist(), 0.5), 1)
        assert arm.now_ns - begin_ns < (TIMEOUT_S + 0.01) * 1e9
    arm.tick(200)
    decision = arm.decisions[-1]
    assert arm.filter.state is State.HOLDING
    assert decision.verdict is not None
    assert arm.filter.code(decision.verdict) == RuleCode.SAFETY_MONITOR == 62
    setattr(arm, what, False)
    arm.towards(forward(HOME.tolist(), 0.5), 60)
    assert arm.filter.state in (State.TRACKING, State.LIMITING), "it goes on when the monitor is back"


def test_what_the_monitor_finds_broken_latches_and_a_reset_is_not_held_by_it(arm: MonitoredArm) -> None:
    arm.armed()
    arm.towards(forward(HOME.tolist(), 0.5), 60)
    arm.violation = "table: hand – table, sent: -0.0100 m apart, 0.0020 m are kept"
    arm.tick(200)
    assert arm.filter.state is State.ESTOP
    assert arm.filter.values.latched_by is not None
    assert arm.filter.values.latched_by.rule == "safety_monitor"
    assert "hand – table" in arm.filter.values.latched_by.reason
    assert arm.filter.reset(arm.now_ns)[0]
    arm.tick(5)
    assert arm.filter.state is State.DISARMED, "while nothing is sent nothing is pressed"
    assert "hand – table" in refusal(arm)
    arm.violation = ""
    arm.armed()


def test_a_timeout_below_two_reports_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"timeout_s: 0.1 is less than 0.2"):
        parameters(**{"safety_monitor.timeout_s": 0.1})


def test_without_monitor_is_the_same_but_for_the_monitor() -> None:
    made = parameters(**{"safety_monitor.timeout_s": 1.0})
    alone = made.without_monitor()
    assert alone.safety_monitor.timeout_s == 0.0
    assert dataclasses.replace(alone, safety_monitor=made.safety_monitor) == made
