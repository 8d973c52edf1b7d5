"""Do a checkpoint's statistics exist, do they bind, and can they be those of this robot?

The checks of plausibility hold for any distribution between limits a and b: its quantiles lie there, and its mean m and
standard deviation s fulfil s^2 <= (b - m)(m - a) (Bhatia and Davis, "A better bound on the variance", 2000). So what is
refused is another order, another unit or another kind.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from vla_ros.arrays import Array
from vla_ros.policies.binding.binding_parameters import BindingParameters
from vla_ros.policies.binding.binding_row import BindingRow
from vla_ros.policies.binding.bound_values import NOTHING, POSITIONS, ROTATIONS, BoundValue
from vla_ros.policies.binding.checkpoint_contract import NORMALIZATIONS, CheckpointContract, VectorSpec
from vla_ros.policies.binding.robot_joints import RobotJoints

STATISTICS = {name for names in NORMALIZATIONS.values() for name in names}
LEAST_SPREAD = 1e-6
"""A value that varied less in training cannot be normalised."""
ROUNDING = 1e-4
"""Relative error of statistics that were saved in single precision."""
MARGIN = 0.15
"""Share of a joint's range by which statistics may lie beyond its limits; of a joint that turns, no more than SLACK_RAD."""
LARGEST_SPEED = 5.0
"""Steps that are quicker than this many times a joint's velocity limit are no steps of it."""
FARTHEST_TOOL_M = 5.0
"""No arm that stands on a table brings its tool farther away from its base."""
STRETCH = 20
"""With `angle_unit: deg`, values that all lie within a full turn of radians and move less than this many degrees."""
SLACK_RAD, SLACK_M = 0.1, 0.02
"""By which targets may lie beside the states: an arm that hangs, a zero that is a little off."""
LEAST_SPAN = 0.2
"""Share of what states span that targets span at least."""
ANGLES = (*ROTATIONS[0], *ROTATIONS[1])
OTHER_KIND = "write binding.action_kind: relative or step, or the order of binding.state and binding.action"


def statistics_row(which: str, contract: CheckpointContract, values: Sequence[BoundValue]) -> BindingRow:
    """Return the row on the statistics of the state or of the action.

    Args:
        which: "state" or "action". values: what they bind to; empty: that is refused already.
    """
    spec, mode = contract.vectors()[which], contract.normalization.get(which, "")
    what, statistics = (
        f"{which} statistics",
        {name: spec.statistics[name] for name in STATISTICS & spec.statistics.keys()},
    )
    if mode not in NORMALIZATIONS:
        known = ", ".join(NORMALIZATIONS)
        return BindingRow(
            what, mode or "a normalization", f"only {known} are known", "refused", "use another checkpoint"
        )
    wants = f"{mode}, {spec.width} values"
    remedy = "use a checkpoint whose normaliser holds them, or save its processors again with the dataset's statistics"
    for name in NORMALIZATIONS[mode]:
        if name not in statistics:
            has = f"its {name} is missing, so that values would go through un-normalised"
            return BindingRow(what, wants, has, "refused", remedy)
    for name, values_ in sorted(statistics.items()):
        array = np.asarray(values_)
        if array.shape != (spec.width,):
            return BindingRow(what, wants, f"{name} has shape {array.shape}", "refused", remedy)
        if not np.isfinite(array).all():
            bad = int(np.flatnonzero(~np.isfinite(array))[0])
            return BindingRow(what, wants, f"{name} of value {bad} is {array[bad]}", "refused", remedy)
    if contradiction := _contradiction(statistics):
        return BindingRow(what, wants, contradiction, "refused", remedy)
    if mode == "identity":
        return BindingRow(what, "no normalization", "raw values; the checkpoint says so", "mapped")
    flat = [number for number in _flat(mode, statistics) if number >= len(values) or values[number].entry != NOTHING]
    if flat:
        named = values[flat[0]].entry if values else "unnamed"
        has = (
            f"value {flat[0]} ({named}) never changed in training: {' and '.join(NORMALIZATIONS[mode])} leave no range"
        )
        return BindingRow(what, wants, has, "refused", f'bind it to nothing: "-" as entry {flat[0]} of binding.{which}')
    return BindingRow(what, wants, f"{', '.join(sorted(statistics))}, {spec.width} values each")


def _contradiction(statistics: Mapping[str, Array]) -> str:
    """Return what of the statistics cannot be of one set of numbers; empty: nothing."""
    for low, high in (("min", "max"), ("q01", "q99"), ("q10", "q90"), ("min", "mean"), ("mean", "max")):
        if low in statistics and high in statistics:
            below, above = np.asarray(statistics[low]), np.asarray(statistics[high])
            wrong = np.flatnonzero(above < below - ROUNDING * np.maximum(np.abs(below), 1.0))
            if wrong.size:
                return f"{high} of value {wrong[0]} is below its {low}"
    if "std" in statistics and (np.asarray(statistics["std"]) < 0).any():
        return "a std is below 0"
    return ""


def _flat(mode: str, statistics: Mapping[str, Array]) -> list[int]:
    """Return the numbers of values that a normalisation would divide by nothing."""
    low, high = (np.asarray(statistics[name]) for name in NORMALIZATIONS[mode])
    spread = high if mode == "mean_std" else high - low
    return [int(number) for number in np.flatnonzero(spread <= LEAST_SPREAD)]


class ValueRange:
    """What statistics say of each value: (w,) arrays in the units of `values`; NaN: they do not say.

    Attributes:
        mean, std: as given.
        low, high: quantiles, else extremes, else three standard deviations from the mean.
    """

    def __init__(self, spec: VectorSpec) -> None:
        unknown = np.full(spec.width, math.nan)
        get = {name: np.asarray(values, np.float64) for name, values in spec.statistics.items()}
        self.mean, self.std = get.get("mean", unknown), get.get("std", unknown)
        self.low, self.high = self.mean - 3 * self.std, self.mean + 3 * self.std
        self.sharp = False  # whether low and high are of the data themselves
        for below, above in (("min", "max"), ("q01", "q99")):
            if below in get and above in get:
                self.low, self.high, self.sharp = get[below], get[above], True
        # With outliers kept out and with them: the widest that is known, for what an action may be.
        self.widest_low = np.fmin(self.low, get.get("min", self.low))
        self.widest_high = np.fmax(self.high, get.get("max", self.high))

    def ends(self, number: int, value: BoundValue) -> tuple[float, float]:
        """Return low and high of one value in the robot's units."""
        low, high = sorted(float(value.scale * end + value.offset) for end in (self.low[number], self.high[number]))
        return low, high


def units_row(
    which: str,
    contract: CheckpointContract,
    values: Sequence[BoundValue],
    parameters: BindingParameters,
    joints: RobotJoints,
) -> BindingRow:
    """Return the row on whether the statistics can be those of what `values` name."""
    spec = contract.vectors()[which]
    kind = parameters.action_kind if which == "action" else "absolute"
    wants = parameters.angle_unit + ("" if which == "state" else f", {kind}")
    what, known = f"{which} units", ValueRange(spec)
    if not np.isfinite(known.low).any():
        return BindingRow(what, wants, "no statistics tell them", "mapped")
    if parameters.angle_unit == "deg" and kind == "absolute" and _look_like_radians(values, known, joints):
        has = "all angles lie within a turn of radians, and hardly move as degrees"
        return BindingRow(what, wants, has, "refused", "write binding.angle_unit: rad")
    rate_hz = parameters.rate_hz or contract.rate_hz or 0.0
    certain = kind == "absolute" and _largest_angle(_turning(values, joints), known) > 2 * math.pi
    faults: list[str] = []
    remedies: dict[str, None] = {}  # in their order, each once
    for number, value in enumerate(values):
        if fault := _implausible(number, value, known, kind, rate_hz, joints):
            degrees = parameters.angle_unit == "rad" and _fits_as_degrees(number, value, known, kind, rate_hz, joints)
            faults.append(fault)
            remedies[_remedy(which, value, kind, degrees, certain, joints)] = None
    if faults:
        has = faults[0] + (f"; {len(faults) - 1} more do not fit" if len(faults) > 1 else "")
        return BindingRow(what, wants, has, "refused", "; ".join(remedies))
    return BindingRow(what, wants, "inside the robot's limits", "mapped" if parameters.angle_unit == "deg" else "ok")


def agreement_row(
    contract: CheckpointContract,
    state: Sequence[BoundValue],
    action: Sequence[BoundValue],
    parameters: BindingParameters,
) -> BindingRow | None:
    """Return the refused row where targets are not where the states are; None: they are, or there is nothing to compare.

    What follows targets goes where they are, and spans what they span: offsets and steps do neither.
    """
    if parameters.action_kind != "absolute" or contract.state is None:
        return None
    seen, meant = ValueRange(contract.state), ValueRange(contract.action)
    what, wants, spans = "state and action", "actions that are targets", []
    for number, value in enumerate(action):
        same = [index for index, other in enumerate(state) if other.entry == value.entry != NOTHING]
        if not same or value.gripper:
            continue
        targets, states = meant.ends(number, value), seen.ends(same[0], state[same[0]])
        apart = max(targets[0] - states[1], states[0] - targets[1])
        if np.isfinite(apart) and apart > (SLACK_M if value.component in POSITIONS else SLACK_RAD):
            has = (
                f"{value.entry} is {states[0]:.3g} to {states[1]:.3g} as a state "
                f"and {targets[0]:.3g} to {targets[1]:.3g} as an action"
            )
            return BindingRow(what, wants, has, "refused", OTHER_KIND)
        if states[1] - states[0] > LEAST_SPREAD and np.isfinite(targets[1] - targets[0]):
            spans.append((targets[1] - targets[0]) / (states[1] - states[0]))
    if spans and float(np.median(spans)) < LEAST_SPAN:
        has = f"actions span {100 * float(np.median(spans)):.0f} % of what the states span"
        return BindingRow(what, wants, has, "refused", OTHER_KIND)
    return None


def _implausible(
    number: int,
    value: BoundValue,
    known: ValueRange,
    kind: str,
    rate_hz: float,
    joints: RobotJoints,
    angle: float = 1.0,
) -> str:
    """Return what statistics of a value cannot be; empty: they can. angle: factor tried on its scale."""
    if value.joint < 0 and not value.component:
        return ""
    scale = value.scale * angle
    low, high = sorted((scale * known.low[number] + value.offset, scale * known.high[number] + value.offset))
    mean, std = scale * known.mean[number] + value.offset, abs(scale) * known.std[number]
    spoken = f"value {number} ({value.entry}) is {low:.3g} to {high:.3g} {_unit(value, joints)}"
    if value.component:
        if value.component in POSITIONS and max(abs(low), abs(high)) > FARTHEST_TOOL_M:
            return f"{spoken}, beyond any arm's reach"
        return f"{spoken}, more than a turn" if value.component not in POSITIONS and _turns(low, high, mean) else ""
    lower, upper = float(joints.lower[value.joint]), float(joints.upper[value.joint])
    span = upper - lower
    if not (math.isfinite(span) and span > 0):
        return ""
    if kind != "absolute" and not value.gripper:
        largest = span * (1 + MARGIN)
        if kind == "step" and rate_hz > 0:
            largest = LARGEST_SPEED * float(joints.velocity[value.joint]) / rate_hz
        return f"{spoken}, too far for a {kind} action" if max(abs(low), abs(high)) > largest else ""
    margin = MARGIN * span if value.gripper or joints.prismatic[value.joint] else min(MARGIN * span, SLACK_RAD)
    beyond = known.sharp and (low < lower - margin or high > upper + margin)
    room = (upper + margin - mean, mean - lower + margin)
    if beyond or min(room) < 0 or std**2 > room[0] * room[1]:
        middle = "" if known.sharp else f" (mean {mean:.3g})"
        return f"{spoken}{middle}, and its limits are {lower:.3g} to {upper:.3g}"
    return ""


def _turns(low: float, high: float, mean: float) -> bool:
    return abs(mean) > 2 * math.pi + 0.1 or max(abs(low), abs(high)) > 6 * math.pi


def _unit(value: BoundValue, joints: RobotJoints) -> str:
    slides = bool(joints.prismatic[value.joint]) if value.joint >= 0 else value.component in POSITIONS
    return "m" if slides else "rad"


def _fits_as_degrees(
    number: int, value: BoundValue, known: ValueRange, kind: str, rate_hz: float, joints: RobotJoints
) -> bool:
    turns = value.component in ANGLES
    turns = turns or (value.joint >= 0 and not joints.prismatic[value.joint] and not value.gripper)
    return turns and not _implausible(number, value, known, kind, rate_hz, joints, math.radians(1.0))


def _remedy(which: str, value: BoundValue, kind: str, degrees: bool, certain: bool, joints: RobotJoints) -> str:
    """Return what to write. degrees: it fits as degrees; certain: and not as radians."""
    if degrees and certain:
        return "they look like degrees: write binding.angle_unit: deg"
    if value.gripper:
        return "write what the checkpoint says of an open and a closed gripper: binding.gripper_open, binding.gripper_closed"
    if value.joint >= 0 and joints.prismatic[value.joint]:
        return f"write binding.gripper_joint: {value.entry}, with binding.gripper_open and binding.gripper_closed"
    if value.component in POSITIONS:
        return "write binding.position_scale: 0.001 where they are mm"
    if kind == "absolute":
        return f"another order or kind: name the joint of each value in binding.{which}, or change binding.action_kind"
    unit = ", or binding.angle_unit: deg" if degrees else ""
    return f"write binding.action_kind: absolute{unit}, or name the joint of each value in binding.action"


def _turning(values: Sequence[BoundValue], joints: RobotJoints) -> list[int]:
    """Return the numbers of the values that are angles."""
    return [
        number
        for number, value in enumerate(values)
        if value.component in ANGLES or (value.joint >= 0 and not value.gripper and not joints.prismatic[value.joint])
    ]


def _largest_angle(turning: Sequence[int], known: ValueRange) -> float:
    largest = np.abs([known.low[turning], known.high[turning]]).max(initial=0.0)
    return float(largest) if math.isfinite(largest) else 0.0


def _look_like_radians(values: Sequence[BoundValue], known: ValueRange, joints: RobotJoints) -> bool:
    turning = [number for number in _turning(values, joints) if values[number].joint >= 0]
    if not turning or not np.isfinite(known.low[turning]).all():
        return False
    small = _largest_angle(turning, known) <= 2 * math.pi
    return small and float((known.high - known.low)[turning].max()) < STRETCH
