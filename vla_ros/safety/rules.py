"""The shape of every rule of the safety filter, and the number of each.

Four kinds, by what they judge: a `SetpointRule` a setpoint on arrival, a `TickRule` the measured or commanded arm in a tick,
a `StepRule` the step of all joints that is about to be taken, a `DistanceRule` how near that step and the way to rest come to
something. A rule holds its limits and nothing that changes: what changes is in the `FilterState` that each check is given.
A check returns None, or a `Verdict` that names the rule.

A new rule is: one file with its class, one entry in a tuple of `filter.py` (or in `SafetyFilter(extra_rules=...)`), one
dataclass in `safety_parameters.py` or what it gathers, one test, one row in docs/safety.md, one mutant in test/mutation.
examples/04_new_rule.py is one.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, TypeVar

from vla_ros.arrays import Array
from vla_ros.parameters import Faults
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.geometry.active_set import DistancePair
from vla_ros.safety.geometry.approach import Permille
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState, JointStates
from vla_ros.safety.verdict import Verdict


class RuleCode(enum.IntEnum):
    """Values of `SafetyStatus.code`: the name of a rule in capitals is its code. docs/safety.md has the same table."""

    NONE = 0
    FILTER = 1
    """What is no rule has failed: code of the filter or of its node."""
    AUTHORITY = 10
    SCHEMA = 11
    FRESHNESS = 12
    SEQUENCE = 13
    CONTINUITY = 14
    RESUMPTION = 15
    ENTRY = 16
    ESTOP = 20
    JOINT_STATE = 21
    TRACKING_ERROR = 22
    CONTACT = 23
    DEADMAN = 24
    OPEN_LOOP = 25
    JOINT_SOURCE = 26
    OVERSPEED = 27
    TCP_OVERSPEED = 28
    STANDSTILL = 29
    VELOCITY_LIMIT = 30
    ACCELERATION_LIMIT = 31
    JERK_LIMIT = 32
    POSITION_LIMIT = 33
    EFFORT_LIMIT = 40
    FENCE = 41
    TABLE = 42
    KEEP_OUT = 43
    OBSTACLE = 44
    SELF_COLLISION = 45
    CARTESIAN_SPEED = 46
    REDUCED_MODE = 47
    STOP_DISTANCE = 48
    MOMENTUM = 49
    LAST_CHECK = 50
    SEPARATION = 51
    TOOL_ORIENTATION = 52
    ENABLING = 53
    CONTROLLER_STATE = 60
    MEASURED_CLEARANCE = 61
    SAFETY_MONITOR = 62
    SPEED_SCALING = 63


FIRST_EXTRA_CODE = 1000
"""Rules that are not part of this package have this code or a higher one, up to 65535."""


class Action(enum.Enum):
    """What the filter does when a `TickRule` objects."""

    STOP = "stop"
    """Come to rest; go on when the rule no longer objects and a new setpoint is there."""
    LATCH = "latch"
    """Come to rest; PROTECTIVE_STOP until reset."""
    ESTOP = "estop"
    """Come to rest; ESTOP until reset."""


class Scope(enum.Enum):
    """When a `TickRule` is asked."""

    ALWAYS = "always"
    """In every state."""
    ACTIVE = "active"
    """While the filter is armed and not latched."""
    FOLLOWING = "following"
    """While the setpoints of a source are followed."""


class SafetyRule(ABC):
    """What all rules have in common.

    NAME: that of its file. CODE: value of `SafetyStatus.code`. NEEDS_ARM: the rule is there only with a model of the arm.

    Args:
        parameters: of the filter.
        limits: of its joints.
        arm: the model, for rules that need one.
    """

    NAME: ClassVar[str]
    CODE: ClassVar[int]
    NEEDS_ARM: ClassVar[bool] = False

    def __init__(  # noqa: B027 a rule without limits of its own has nothing to do here
        self,
        parameters: SafetyFilterParameters | None = None,
        limits: Sequence[JointLimits] = (),
        arm: ArmModel | None = None,
    ) -> None:
        pass

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        """Whether the configuration asks for the rule; by default it cannot be switched off."""
        return True

    def initial(self) -> Any:
        """The plain values that a rule from outside this package keeps in `FilterState.extra[NAME]`; None: it keeps none.

        Numbers, strings, and lists and dictionaries of them: they go into the audit log.
        """
        return None


class SetpointRule(SafetyRule):
    """Judges a setpoint on arrival. A setpoint that is refused changes no output."""

    @abstractmethod
    def check(self, setpoint: Setpoint, state: FilterState) -> Verdict | None:
        """Return why the setpoint is refused; None: it is not. It changes nothing in `state`."""

    def offered(self, setpoint: Setpoint, state: FilterState) -> None:
        """A setpoint has arrived, whatever becomes of it: note in `state` what the checks need of it."""

    def accepted(self, setpoint: Setpoint, state: FilterState) -> None:
        """No rule has refused the setpoint: note in `state` what later checks need of it."""


class TickRule(SafetyRule):
    """Judges in a tick whether the arm may go on. The first verdict in the order of the rules ends the checks."""

    ACTION: ClassVar[Action] = Action.STOP
    SCOPE: ClassVar[Scope] = Scope.ACTIVE

    @abstractmethod
    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Return why the arm may not go on; None: it may.

        Args:
            state: of the filter; a rule changes in it at most what is its own.
            now_ns: time of the tick, or of reception of a joint state, on the monotonic clock.
        """


class StepRule(SafetyRule):
    """Judges the step of all joints. Where it objects, half of the step is tried, a quarter, then the stop policy's step."""

    @abstractmethod
    def check(self, state: FilterState, before: JointStates) -> Verdict | None:
        """Return why the step is refused; None: it is not. At rest the stop policy's step must pass.

        Args:
            state: of the filter; `state.joints` are where the step leads.
            before: (q, v, a) of each joint before the step.
        """


class SpeedRule(StepRule):
    """A step rule that also says how much slower the arm should go, so that its check has little to refuse."""

    @abstractmethod
    def speed_permille(self, state: FilterState, rates: Array) -> int | Permille:
        """Return the thousandths of the wanted joint rates that the rule leaves, of all or (n,) of each joint.

        A forecast: it shapes the motion, no more.

        Args:
            state: of the filter; `state.joints` are where the step begins.
            rates: (n,) that the joints want to have, rad/s or m/s.
        """


class DistanceRule(SafetyRule):
    """Keeps bodies of the arm away from something; `geometry/clearance.py` judges the pairs of all such rules together."""

    NEEDS_ARM = True

    @abstractmethod
    def distance_pairs(self, arm: ArmModel) -> Iterable[DistancePair]:
        """Add shapes to the model and return the pairs whose distances are kept."""


R = TypeVar("R", bound=SafetyRule)


def configured_of(
    kinds: Sequence[type[R]],
    parameters: SafetyFilterParameters,
    limits: Sequence[JointLimits],
    arm: ArmModel | None,
) -> list[R]:
    """Make those rules that the configuration asks for and that can be had, in the given order.

    Raises:
        ParameterError: all that is wrong with them.
    """
    made, faults = list[R](), Faults()
    for kind in kinds:
        if kind.configured(parameters) and (arm is not None or not kind.NEEDS_ARM):
            with faults.collected():
                made.append(kind(parameters, limits, arm))
    faults.refuse()
    return made


def first_verdict(rules: Iterable[TickRule], state: FilterState, now_ns: int) -> Verdict | None:
    """Return the first objection of `rules`."""
    for rule in rules:
        verdict = rule.check(state, now_ns)
        if verdict is not None:
            return verdict
    return None


def enforce(rules: Iterable[TickRule], state: FilterState, now_ns: int) -> Verdict | None:
    """Return the first objection of `rules`, and take its rule's action if that is a latch."""
    for rule in rules:
        verdict = rule.check(state, now_ns)
        if verdict is not None:
            if rule.ACTION is Action.ESTOP:
                state.press(verdict)
            elif rule.ACTION is Action.LATCH:
                state.latch(verdict)
            return verdict
    return None


def code_of(verdict: Verdict | None, extra: Sequence[SafetyRule] = ()) -> int:
    """Return the value of `SafetyStatus.code` for a verdict; `extra`: rules that are not part of this package."""
    if verdict is None:
        return RuleCode.NONE
    for rule in extra:
        if verdict.rule == rule.NAME:
            return rule.CODE
    return RuleCode.__members__.get(verdict.rule.upper(), RuleCode.FILTER)


def check_extra(rules: Sequence[SafetyRule]) -> None:
    """Refuse rules from outside this package that could be mistaken for another rule.

    Raises:
        ValueError: a name or a code is used twice or belongs to this package, or it is none of the three kinds of rule.
    """
    names, codes = {code.name.lower() for code in RuleCode}, set[int]()
    for rule in rules:
        if not isinstance(rule, SetpointRule | TickRule | StepRule):
            raise ValueError(f"extra_rules: {rule!r:.80} is no SetpointRule, TickRule or StepRule")
        if rule.NAME in names:
            raise ValueError(f"extra_rules: the name {rule.NAME!r} is used already; give the rule another NAME")
        if not FIRST_EXTRA_CODE <= rule.CODE <= 65535 or rule.CODE in codes:
            raise ValueError(
                f"extra_rules: {rule.NAME} has the code {rule.CODE}; it must be a free one from {FIRST_EXTRA_CODE} to 65535"
            )
        names.add(rule.NAME)
        codes.add(rule.CODE)
