"""What one filter is made of: rules, limits and periods. Nothing in it changes; what changes is in `FilterState`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from vla_ros.parameters import Faults
from vla_ros.robot.urdf import urdf_joints, urdf_root
from vla_ros.safety.arm_motion import ArmMotion
from vla_ros.safety.command.authority import no_publishers
from vla_ros.safety.command.continuity import Continuity
from vla_ros.safety.command.deadman import Deadman
from vla_ros.safety.command.enabling import Enabling
from vla_ros.safety.command.estop import EStop
from vla_ros.safety.command.open_loop import OpenLoop
from vla_ros.safety.command.safety_monitor import SafetyMonitor
from vla_ros.safety.geometry.collision_constraints import CollisionConstraints, arm_model, configured_rules
from vla_ros.safety.geometry.obstacle import ObstacleFeed
from vla_ros.safety.joint.continuous_joint import ContinuousJoints
from vla_ros.safety.joint.joint_limits import NANO, JointLimits, joint_limits
from vla_ros.safety.measured.controller_state import ControllerState
from vla_ros.safety.measured.joint_source import JointSource
from vla_ros.safety.measured.joint_state import (
    JointStateAtRest,
    JointStateFresh,
    JointStateInRange,
    JointStateSettled,
)
from vla_ros.safety.measured.joint_state_reader import JointStateReader
from vla_ros.safety.measured.measured_clearance import MeasuredClearance
from vla_ros.safety.measured.safe_home import SafeHome
from vla_ros.safety.measured.speed_scaling import SpeedScaling
from vla_ros.safety.measured.standstill import Standstill
from vla_ros.safety.rules import SafetyRule, Scope, SetpointRule, StepRule, TickRule, check_extra, configured_of
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState
from vla_ros.safety.trajectory import entry_ticks
from vla_ros.safety.unchecked import check_unchecked


@dataclass(frozen=True, slots=True)
class RuleOrder:
    """The rules of this package in the order in which they are asked; see the tuples of `filter.py`."""

    setpoint: Sequence[type[SetpointRule]]
    measured: Sequence[type[TickRule]]
    tick: Sequence[type[TickRule]]
    step: Sequence[type[StepRule]]


@dataclass(frozen=True, slots=True)
class FilterSetup:
    """Rules, limits and periods of one filter.

    extra: rules from outside this package. motion: limits of the arm. constraints: its distances; None: none are kept.
    setpoint_rules: asked for a setpoint on arrival. measured_rules: for a joint state on arrival. always, active, following:
    in a tick, by their `Scope`. reader: of joint states. continuous: joints without end. continuity, estop, deadman,
    enabling, open_loop, in_range: rules that are also asked outside their list. fresh, at_rest: must accept the measured arm
    before the output is placed there; settled, one_source: before it is armed. standstill: whether a latched arm is where it
    was sent. feed: the rule of the obstacles' feed, or nothing; controllers: those of the controllers' states and speed;
    monitor: that of the second channel, or nothing. home: the safe home position.
    period_ns: of a tick. entry_ticks: see `trajectory`; 0: what is sent needs no entry. rest_ticks: until the arm rests by
    the newest message, from any state. delay_ns: of the playback, by source. setpoint_period_ns: of the setpoints.
    """

    extra: tuple[SafetyRule, ...]
    motion: ArmMotion
    constraints: CollisionConstraints | None
    setpoint_rules: list[SetpointRule]
    measured_rules: list[TickRule]
    always: list[TickRule]
    active: list[TickRule]
    following: list[TickRule]
    reader: JointStateReader
    continuous: ContinuousJoints
    continuity: Continuity
    estop: EStop
    deadman: Deadman
    enabling: Enabling
    open_loop: OpenLoop
    in_range: JointStateInRange
    fresh: JointStateFresh
    at_rest: JointStateAtRest
    settled: JointStateSettled
    one_source: JointSource
    standstill: Standstill
    feed: list[ObstacleFeed]
    home: SafeHome
    controllers: list[TickRule]
    monitor: list[SafetyMonitor]
    period_ns: int
    entry_ticks: int
    rest_ticks: int
    delay_ns: dict[str, int]
    setpoint_period_ns: int


def filter_setup(
    order: RuleOrder,
    parameters: SafetyFilterParameters,
    limits: Sequence[JointLimits],
    urdf: str = "",
    extra_rules: Sequence[SafetyRule] = (),
    srdf: Sequence[tuple[str, str]] | None = None,
) -> FilterSetup:
    """Make what one filter is made of.

    Args:
        order: kinds of rules of this package.
        parameters, limits, urdf, extra_rules, srdf: see `SafetyFilter`.

    Raises:
        ParameterError: a limit is nothing within one tick, or the URDF does not do for what is configured.
        ValueError: an extra rule could be mistaken for another one.
    """
    check_extra(extra_rules)
    faults = Faults()
    with faults.collected():
        check_unchecked(parameters)
    period_ns = round(parameters.period_s * NANO)
    extra_steps = [rule for rule in extra_rules if isinstance(rule, StepRule)]
    with faults.collected():
        motion = ArmMotion(parameters, limits, urdf, order.step, extra_steps, srdf)
    faults.refuse()
    constraints = motion.constraints
    arm = None if constraints is None else constraints.arm
    setpoint_rules: list[SetpointRule] = configured_of(order.setpoint, parameters, limits, arm)
    setpoint_rules += [rule for rule in extra_rules if isinstance(rule, SetpointRule)]
    ticked: list[TickRule] = configured_of(order.tick, parameters, limits, arm)
    for rule in ticked:
        if isinstance(rule, MeasuredClearance):
            rule.constraints = constraints
    ticked += [rule for rule in extra_rules if isinstance(rule, TickRule)]
    measured = parameters.measured
    return FilterSetup(
        extra=tuple(extra_rules),
        motion=motion,
        constraints=constraints,
        setpoint_rules=setpoint_rules,
        measured_rules=configured_of(order.measured, parameters, limits, arm),
        always=[rule for rule in ticked if rule.SCOPE is Scope.ALWAYS],
        active=[rule for rule in ticked if rule.SCOPE is Scope.ACTIVE],
        following=[rule for rule in ticked if rule.SCOPE is Scope.FOLLOWING],
        reader=JointStateReader(limits, measured.timeout_s, measured.settle_s, measured.clock_drift),
        continuous=ContinuousJoints(limits),
        continuity=Continuity(parameters, limits),
        estop=EStop(parameters, limits),
        deadman=Deadman(parameters, limits),
        enabling=Enabling(parameters, limits),
        open_loop=OpenLoop(parameters, limits),
        in_range=JointStateInRange(parameters, limits),
        fresh=JointStateFresh(parameters, limits),
        at_rest=JointStateAtRest(parameters, limits),
        settled=JointStateSettled(parameters, limits),
        one_source=JointSource(parameters, limits),
        standstill=Standstill(parameters, limits),
        feed=configured_of((ObstacleFeed,), parameters, limits, arm),
        home=SafeHome(parameters, limits),
        controllers=configured_of((ControllerState, SpeedScaling), parameters, limits, arm),
        period_ns=period_ns,
        entry_ticks=entry_ticks(period_ns) if parameters.controller.stamped else 0,
        rest_ticks=motion.ticks_to_rest() + -(-round(parameters.controller.horizon_s * NANO) // period_ns) + 4,
        monitor=[rule for rule in ticked if isinstance(rule, SafetyMonitor)],
        delay_ns={
            "policy": round(parameters.command.delay_s * NANO),
            "override": round(parameters.override.delay_s * NANO),
        },
        setpoint_period_ns=round(parameters.command.period_s * NANO),
    )


def checked_limits(urdf: str, parameters: SafetyFilterParameters) -> tuple[JointLimits, ...]:
    """Return the limits of the joints; where they do not do, look at the model of the arm too.

    Raises:
        ParameterError: see `joint_limits`; with what is wrong with links and meshes, so that all is told together.
    """
    faults = Faults()
    with faults.collected():
        return joint_limits(urdf, parameters)
    with faults.collected():
        check_unchecked(parameters)
    if any(configured_rules(parameters).values()):
        with faults.collected():
            joints = urdf_joints(urdf_root(urdf))
            arm_model(urdf, parameters, [name for name in parameters.joint_names if _moves(joints.get(name))])
    faults.refuse()
    return ()


def _moves(joint: ElementTree.Element | None) -> bool:
    return joint is not None and joint.get("type") in ("revolute", "prismatic", "continuous")


def initial_state(setup: FilterSetup) -> FilterState:
    """Return the state of a filter that was just made."""
    state = FilterState(publishers=no_publishers())
    setup.motion.start(state)
    state.extra = {rule.NAME: value for rule in setup.extra if (value := rule.initial()) is not None}
    return state
