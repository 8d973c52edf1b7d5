"""The oracle: which limits does a stream of joint positions break, by how much, at which joint and when?

It shares no code with the filter: finite differences, kinematics and distances are its own. What it takes from there is
data: the declaration of the parameters.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.oracle.clearances import Clearances, RuleClearance
from vla_ros.oracle.differences import UNIT, differences
from vla_ros.oracle.pair_distances import LinkPoses, PairDistances
from vla_ros.oracle.report import LimitFinding, OracleReport
from vla_ros.oracle.robot import JudgedBody, JudgedRobot
from vla_ros.oracle.stream import GAP, PICO, Stream, StreamFault
from vla_ros.parameters import ParameterError
from vla_ros.safety.safety_parameters import SafetyFilterParameters

Integers = NDArray[np.int64]

BLOCK = 512
"""Samples whose clearances are computed at once: bounds the memory."""
REST_ALLOWANCE = 1e-9
"""Rounding of where a joint stood, rad or m: the filter takes it to whole nanoradians, and onto a limit that it is past."""
CLEARANCE_ALLOWANCE_M = 1e-7
"""Rounding of a distance: kinematics 1e-14 m, the root of a rounded square of a distance near zero 1e-8 m."""


@dataclass(frozen=True)
class JointBounds:
    """Limits of one joint, SI.

    slow_zone, slow_velocity: nearer than that to an end of the range the speed towards it falls linearly from velocity to
    slow_velocity at the end.
    """

    lower: float
    upper: float
    velocity: float
    acceleration: float
    jerk: float
    slow_zone: float = 0.0
    slow_velocity: float = 0.0

    def max_speed_at(self, distance: Array) -> Array:
        """Return the largest speed towards an end of the range at a distance from it."""
        share = np.clip(distance / self.slow_zone, 0.0, 1.0)
        allowed: Array = self.slow_velocity + (self.velocity - self.slow_velocity) * share
        return allowed


class Oracle:
    """Judges streams of one arm. bounds: joint → its limits.

    Args:
        urdf: text of the URDF.
        parameters: the configuration of the filter.

    Raises:
        ParameterError: the URDF cannot be read or lacks a joint.
    """

    def __init__(self, urdf: str, parameters: SafetyFilterParameters) -> None:
        self.parameters = parameters
        self.robot = JudgedRobot(urdf)
        self.bounds = {name: self._bounds(i, name) for i, name in enumerate(parameters.joint_names)}
        ranges = np.array([(each.lower, each.upper) for each in self.bounds.values()])
        self._clearances = Clearances(self.robot, parameters, ranges)

    def check(self, positions: Array, period_s: float = 0.0, from_rest: bool = True) -> OracleReport:
        """Judge evenly spaced positions of all joints of the configuration.

        Args:
            positions: (N, joints), rad or m, in the order of `joint_names`.
            period_s: from row to row; 0: the filter's.
            from_rest: the arm stood at the first row before it.
        """
        period_s = period_s or self.parameters.period_s
        return self.judge(Stream.evenly_spaced(self.parameters.joint_names, positions, period_s, from_rest))

    def clearances(self, q: Array, obstacles: Sequence[JudgedBody] = ()) -> list[RuleClearance]:
        """Return the smallest distance of each configured rule.

        Args:
            q: (N, joints), rad or m, in the order of `joint_names`.
            obstacles: bodies that stand still, see `ball` and `box`.
        """
        return self._clearances.clearances(self.parameters.joint_names, np.atleast_2d(q), obstacles)

    @property
    def notes(self) -> list[str]:
        """What is not judged, and why."""
        return self._clearances.notes

    def rules(self) -> list[PairDistances]:
        """Return the pairs of each configured rule, but for the obstacles."""
        return self._clearances.rules()

    def distances_of(self, obstacles: Sequence[JudgedBody]) -> PairDistances:
        """Return the pairs of each moving body with each of some obstacles, to be measured one by one."""
        return self._clearances.rules(obstacles)[-1]

    def link_poses(self, q: Array) -> LinkPoses:
        """Return the poses of all links at q, (N, joints), rad or m."""
        return self._clearances.link_poses(self.parameters.joint_names, q)

    def judge(self, stream: Stream, obstacles: Sequence[JudgedBody] = ()) -> OracleReport:
        """Judge a stream of some or all joints of the configuration; obstacles stand still.

        Raises:
            ParameterError: a joint of the stream is not one of the configuration's.
        """
        unknown = [name for name in stream.names if name not in self.bounds]
        if unknown:
            raise ParameterError(f"joint {unknown[0]!r} has no limits; known are {', '.join(self.bounds)}")
        faults, notes = list(stream.faults), [*stream.notes, *_spacing(stream)]
        findings: list[LimitFinding] = []
        stretches = _stretches(stream)
        for i, name in enumerate(stream.names):
            q = stream.positions[:, i]
            bad = np.flatnonzero(~np.isfinite(q))
            if len(bad):
                what = f"position {q[bad[0]]} is not finite"
                faults.append(StreamFault(what, name, float(stream.stamps_ps[bad[0]] / PICO), len(bad)))
            series = []
            for low, high in stretches:
                part = _series(stream, i, low, high, faults)
                if len(part[1]):
                    series.append((*part, _rest(stream, i, low, self.bounds[name], part[1], part[2])))
            findings += _judge_joint(name, self.bounds[name], series, stream.period_ps)
        missing = [name for name in self.parameters.joint_names if name not in stream.names]
        if not missing:
            findings += self._judge_clearances(stream, obstacles)
            notes += self._clearances.notes
        elif self.clearances(np.zeros((1, len(self.bounds)))):
            notes.append(f"clearances are not judged: the stream lacks {', '.join(missing)}")
        seconds = float(np.ptp(stream.stamps_ps) / PICO) if len(stream.stamps_ps) else 0.0
        return OracleReport(
            len(stream.names),
            len(stream.stamps_ps),
            len(stretches),
            seconds,
            tuple(findings),
            tuple(faults),
            tuple(notes),
        )

    def _judge_clearances(self, stream: Stream, obstacles: Sequence[JudgedBody]) -> Iterator[LimitFinding]:
        worst: dict[str, LimitFinding] = {}
        whole = np.flatnonzero(np.isfinite(stream.positions).all(axis=1))
        order = np.array([stream.names.index(name) for name in self.parameters.joint_names])
        for begin in range(0, len(whole), BLOCK):
            rows = whole[begin : begin + BLOCK]
            for each in self.clearances(stream.positions[np.ix_(rows, order)], obstacles):
                excess, allowance = each.margin_m - each.distance_m, CLEARANCE_ALLOWANCE_M
                if each.rule not in worst or excess > worst[each.rule].excess:
                    time_s = float(stream.stamps_ps[rows[each.sample]] / PICO)
                    numbers = each.distance_m, each.margin_m, excess, allowance, time_s, int(excess > allowance)
                    worst[each.rule] = LimitFinding(each.rule, each.what, *numbers)
        yield from worst.values()

    def _bounds(self, i: int, name: str) -> JointBounds:
        limits = self.parameters.limits
        if name not in self.robot.joints:
            raise ParameterError(f"urdf: there is no joint {name!r}; it has {', '.join(self.robot.joints)}")
        lower, upper, velocity = self.robot.limits(name)
        scale = limits.scale[i] if limits.scale else 1.0
        return JointBounds(
            max(lower, limits.position_lower[i] if limits.position_lower else -math.inf),
            min(upper, limits.position_upper[i] if limits.position_upper else math.inf),
            min(velocity, limits.velocity[i] if limits.velocity else math.inf) * scale,
            limits.acceleration[i] * scale,
            limits.jerk[i] * scale,
            limits.slow_zone[i] if limits.slow_zone else 0.0,
            limits.slow_velocity[i] if limits.slow_velocity else 0.0,
        )


def _spacing(stream: Stream) -> Iterator[str]:
    """Yield notes on uneven stamps and gaps."""
    steps = np.diff(stream.stamps_ps)
    rising = steps[steps > 0]
    if len(steps) > len(rising):
        yield f"{len(steps) - len(rising)} stamps do not rise above the one before"
    if not len(rising):
        return
    usual = float(np.median(rising))
    gaps = np.flatnonzero(steps > GAP * usual)
    even = rising[rising <= GAP * usual]
    if even.max() - even.min() > 2e-6 * usual + 2000 and not stream.period_ps:
        yield (
            f"stamps are uneven: {even.min() / PICO:.6f} to {even.max() / PICO:.6f} s, usually {usual / PICO:.6f} s; "
            "where they are times of reception, judge with --period"
        )
    if len(gaps):
        at = int(gaps[np.argmax(steps[gaps])])
        what = "differences are taken across"
        if at + 1 in stream.starts:
            what = "a stretch ends there"
        elif stream.period_ps:
            what = "it counts as one period"
        yield f"{len(gaps)} gaps, the longest {steps[at] / PICO:.3f} s at {stream.stamps_ps[at] / PICO:.3f} s: {what}"


def _stretches(stream: Stream) -> list[tuple[int, int]]:
    """First sample of each stretch, and the one behind its last."""
    starts = [start for start in stream.starts if start < len(stream.stamps_ps)]
    return list(zip(starts, [*starts[1:], len(stream.stamps_ps)], strict=True))


def _series(
    stream: Stream, joint: int, low: int, high: int, faults: list[StreamFault]
) -> tuple[Integers, Array, Array, Array]:
    """One joint in one stretch, without what is not finite and with every stamp once.

    Returns:
        stamps (M,) strictly rising, ps; positions (M,); bounds on their rounding (M,); times to show (M,), s.
    """
    q = stream.positions[low:high, joint]
    good = np.isfinite(q)
    q, shown_ps = q[good], stream.stamps_ps[low:high][good]
    if stream.period_ps:
        stamps_ps = np.flatnonzero(good).astype(np.int64) * stream.period_ps
    else:
        stamps_ps = shown_ps
        # A stamp that does not rise above all before it is no later moment: where the position changed, that is a fault.
        top = np.maximum.accumulate(stamps_ps) if len(stamps_ps) else stamps_ps
        later = np.ones(len(q), bool)
        later[1:] = stamps_ps[1:] > top[:-1]
        for no_later, what in (
            ((stamps_ps == top) & ~later, "moved within one stamp"),
            (stamps_ps < top, "stamp goes back"),
        ):
            moved = np.flatnonzero(no_later[1:] & (q[1:] != q[:-1])) + 1
            if len(moved):
                faults.append(StreamFault(what, stream.names[joint], float(shown_ps[moved[0]] / PICO), len(moved)))
        stamps_ps, q, shown_ps = stamps_ps[later], q[later], shown_ps[later]
    half_unit = stream.half_unit[joint] if stream.half_unit else 0.0
    error = half_unit + UNIT * np.abs(q)
    shown_s = shown_ps / PICO
    return stamps_ps, q, error, shown_s


Rest = tuple[float, float] | None
"""Where a joint stood before a stretch, and the rounding of that; None: it may have moved."""


def _rest(stream: Stream, joint: int, start: int, bounds: JointBounds, q: Array, error: Array) -> Rest:
    if start in stream.rests:
        return min(max(stream.rests[start][joint], bounds.lower), bounds.upper), REST_ALLOWANCE
    return (float(q[0]), float(error[0])) if stream.from_rest else None


def _judge_joint(
    name: str, bounds: JointBounds, series: Sequence[tuple[Integers, Array, Array, Array, Rest]], period_ps: int
) -> Iterator[LimitFinding]:
    if not series:
        return
    q, error, shown_s = (np.concatenate([part[k] for part in series]) for k in (1, 2, 3))
    past = np.maximum(bounds.lower - q, q - bounds.upper)
    limits = np.where(q - bounds.upper > bounds.lower - q, bounds.upper, bounds.lower)
    yield _worst("position", name, q, limits, past, error + UNIT * np.abs(limits), shown_s)
    parts: dict[str, list[tuple[Array, Array, Array]]] = {}
    slow: list[Array] = []
    for stamps_ps, q, error, shown_s, rest in series:
        before = (stamps_ps, q, error) if rest is None else _with_rest_before(stamps_ps, q, error, *rest, period_ps)
        for quantity, value, bound in differences(before[1], before[0], before[2]):
            values = len(value) if rest is None else len(q)
            parts.setdefault(quantity, []).append((value[-values:], bound[-values:], shown_s[-values:]))
            if quantity == "velocity" and bounds.slow_zone:
                slow.append(_slow_zone(bounds, before[1], value, bound)[:, -values:])
    if slow:
        value, limits, bound = np.concatenate(slow, axis=1)
        shown_s = np.concatenate([part[2] for part in parts["velocity"]])
        yield _worst("slow_zone", name, value, limits, np.abs(value) - limits, bound + UNIT * limits, shown_s)
    for quantity, found in parts.items():
        value, bound, shown_s = (np.concatenate([part[k] for part in found]) for k in range(3))
        limit = getattr(bounds, quantity)
        past = np.abs(value) - limit
        yield _worst(quantity, name, value, np.full(len(value), limit), past, bound + UNIT * limit, shown_s)


def _slow_zone(bounds: JointBounds, q: Array, velocity: Array, error: Array) -> Array:
    """Velocity, what the zone allows and rounding of each step: (3, N - 1).

    Within a step the joint comes nearer to the end that it moves to, so what counts is where the step began: a path that
    keeps to the zone is never accused.
    """
    distance = np.where(velocity > 0.0, bounds.upper - q[:-1], q[:-1] - bounds.lower)
    return np.stack([velocity, bounds.max_speed_at(distance), error])


def _with_rest_before(
    stamps_ps: Integers, q: Array, error: Array, rest: float, rounding: float, period_ps: int
) -> tuple[Integers, Array, Array]:
    """The stretch with three samples at rest before it, a period apart, or else as far as its first two."""
    step = period_ps or (int(stamps_ps[1] - stamps_ps[0]) if len(q) > 1 else PICO)
    stamps_ps = np.concatenate([stamps_ps[0] + step * np.arange(-3, 0), stamps_ps])
    return stamps_ps, np.concatenate([np.full(3, rest), q]), np.concatenate([np.full(3, rounding), error])


def _worst(
    quantity: str, who: str, value: Array, limit: Array, past: Array, allowance: Array, shown_s: Array
) -> LimitFinding:
    """Return the sample that is furthest past its limit beyond its rounding, or nearest to it."""
    i = int(np.argmax(past - allowance))
    count = int(np.sum(past > allowance))
    value_i, limit_i, past_i, allowance_i, time_s = (
        float(each[i]) for each in (value, limit, past, allowance, shown_s)
    )
    return LimitFinding(quantity, who, value_i, limit_i, past_i, allowance_i, time_s, count)
