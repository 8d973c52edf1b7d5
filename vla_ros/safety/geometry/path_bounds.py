"""What can the arm do in a step and on the whole way to rest after it? Bounds for every instant of it, not samples.

A candidate is the step from one output to the next, followed by the stop policy. The controller may go from output to output
as it likes: it may hold, go straight, or play the outputs as control points of a cubic B-spline. At every instant its
position is a mean of four successive outputs and its velocity a mean of three successive differences of them.

The path is cut into pieces, short ones first. With q_c the middle of a piece, h the half width of the box of joint positions
in it, v its joint velocities and r the curvature of a part (`arm_parts`), the speed of every point of the part is at most

    max of |J(q_c) v| over the ends of the piece's velocities  +  sum over i of r_i e_i  +  sum over i, k of r_ik max|v_i| h_k

since the speed is a convex function of the velocity; e is how far the velocities bend away from the straight line between
their ends. In the first two pieces all velocities are looked at, and e is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar
from weakref import WeakKeyDictionary

import numpy as np

from vla_ros.arrays import Array
from vla_ros.safety.geometry.arm_kinematics import ArmKinematics, Placement
from vla_ros.safety.geometry.arm_model import ROUNDING, ArmModel
from vla_ros.safety.geometry.arm_parts import Parts, moving_parts
from vla_ros.safety.geometry.path_pieces import BEFORE, WHOLE, Pieces, pieces
from vla_ros.safety.geometry_parameters import ToolParameters
from vla_ros.safety.joint.jerk_limit import ticks_to_rest
from vla_ros.safety.joint.joint_limits import NANO, JointLimits, per_tick
from vla_ros.safety.joint.joint_motion import JointOutput
from vla_ros.safety.joint.stop_path import StopPath, peak_rates, stop_path_lengths, stop_rates
from vla_ros.safety.joint.velocity_limit import VelocityLimit
from vla_ros.safety.state import JointStates

TINY = 1e-9
"""Bounds are computed in floating point; this, m/s or m, and ROUNDING make up for it."""
CELL = 50_000_000
"""Quick bounds look at the arm at multiples of this, nanoradian or nanometre: it is placed anew only every few ticks."""


class ArmPaths:
    """Makes the paths of one arm; rules that ask for the same candidate share its path.

    kinematics: of the arm. period_s: of a tick.

    Args:
        arm: the model. limits: of its joints. period_s: of a tick.
    """

    _shared: ClassVar[WeakKeyDictionary[ArmModel, ArmPaths]] = WeakKeyDictionary()

    def __init__(self, arm: ArmModel, limits: Sequence[JointLimits], period_s: float) -> None:
        ticked = [per_tick(joint, period_s) for joint in limits]
        self.kinematics = ArmKinematics(arm)
        self.period_s = period_s
        self._limits = [(each.acceleration, each.jerk) for each in ticked]
        # Of each joint: full brake, and the other ticks of a stop, see `jerk_limit.ticks_to_rest`.
        self.brakes = [(each.acceleration, ticks_to_rest(0, each.acceleration, each.jerk)) for each in ticked]
        self._velocity_limits = [VelocityLimit(each) for each in ticked]
        self._arm = arm
        self._parts: dict[str, Parts] = {}
        self._path: CandidatePath | None = None
        self._placed: tuple[tuple[int, ...], Placement] | None = None
        self._placed_near: tuple[tuple[int, ...], Placement] | None = None
        self._near: tuple[tuple[int, ...], Placement, Array] | None = None

    @classmethod
    def of(cls, arm: ArmModel, limits: Sequence[JointLimits], period_s: float) -> ArmPaths:
        """Return those of an arm; all rules of one filter have the same."""
        if arm not in cls._shared:
            cls._shared[arm] = cls(arm, limits, period_s)
        return cls._shared[arm]

    def parts(self, tool: ToolParameters) -> Parts:
        """Return the bodies that the joints move, and the tool centre point where one is configured.

        Raises:
            ParameterError: there are none, or tool.link is not a link of the URDF.
        """
        if repr(tool) not in self._parts:
            self._parts[repr(tool)] = Parts(self._arm, self.kinematics, moving_parts(self._arm, tool))
        return self._parts[repr(tool)]

    def candidate(self, joints: Sequence[JointOutput], before: JointStates) -> CandidatePath:
        """Return the path of a candidate: the step from `before`, (q, v, a) per joint, to `joints`, and the stop after it."""
        key = tuple(before), tuple([(joint.q, joint.v, joint.a) for joint in joints])
        if self._path is None or self._path.key != key:
            self._path = CandidatePath(self, key)
        return self._path

    def placement(self, q: Sequence[int]) -> Placement:
        """Return the placement (1, ...) at q, nanoradian or nanometre per joint."""
        key = tuple(q)
        if self._placed is None or self._placed[0] != key:
            self._placed = key, self.kinematics.place(np.array([key]) / NANO)
        return self._placed[1]

    def placement_near(self, q: Sequence[int]) -> tuple[Placement, Array]:
        """Return the placement at the multiples of CELL next to q, and how far each joint is from there, (n,) rad or m.

        It depends on q alone, so that a replay that begins anywhere decides the same.
        """
        asked = tuple(q)
        if self._near is None or self._near[0] != asked:
            key = tuple([(x + CELL // 2) // CELL * CELL for x in q])
            if self._placed_near is None or self._placed_near[0] != key:
                self._placed_near = key, self.kinematics.place(np.array([key]) / NANO)
            self._near = asked, self._placed_near[1], np.abs(np.array(q) - key) / NANO
        return self._near[1:]

    def quick_speeds_at(self, parts: Parts, q: Sequence[int], rates: Array) -> Array:
        """Return a bound on what `speeds_at` returns that is soon known and high."""
        near, off = self.placement_near(q)
        return parts.bound_near(near, off, np.abs(rates))

    def speeds_at(self, parts: Parts, q: Sequence[int], rates: Array, limits: Array) -> Array:
        """Return the speed of each part, (b,) m/s, at q with rates (n,) rad/s or m/s; `limits`: see `Parts.speeds`."""
        placement = self.placement(q)
        twists = self.kinematics.twists(placement.columns, rates[None])
        speeds: Array = parts.speeds(placement.poses, [0], twists, limits)[0]
        return speeds

    def peak_speeds(self, states: JointStates) -> list[int]:
        """Return the largest speed of each joint on the stop path, per tick."""
        return [limit.peak_speed(v, a) for limit, (_, v, a) in zip(self._velocity_limits, states, strict=True)]

    def stop_paths(self, states: JointStates) -> list[StopPath]:
        """Return the stop path of each joint from (q, v, a)."""
        return [StopPath(q, v, a, *limits) for (q, v, a), limits in zip(states, self._limits, strict=True)]

    def stop_path_lengths(self, states: JointStates) -> list[int]:
        """Return bounds on the way to rest, see `stop_path.stop_path_length`."""
        return stop_path_lengths(states, self._limits)

    def peak_rates(self, before: Sequence[tuple[int, int, int]], after: Sequence[tuple[int, int, int]]) -> Array:
        """Return (n,) rad/s or m/s; see `stop_path.peak_rates`."""
        return np.frombuffer(peak_rates(before, after, self._limits, 1.0 / (NANO * self.period_s)))

    def rates(self, before: Sequence[tuple[int, int, int]], after: Sequence[tuple[int, int, int]]) -> Array:
        """Return (r, n) rad/s or m/s; see `stop_path.stop_rates`."""
        rows = np.frombuffer(stop_rates(before, after, self._limits, 1.0 / (NANO * self.period_s)))
        return rows.reshape(-1, len(after))


class CandidatePath:
    """The step of a candidate and its way to rest; everything is computed when it is first asked for.

    key: (q, v, a) of each joint before the step and after it. moving: whether anything moves on it.

    Args:
        paths: of the arm.
        key: see there.
    """

    def __init__(self, paths: ArmPaths, key: tuple[tuple[tuple[int, int, int], ...], ...]) -> None:
        self.key = key
        self._paths = paths
        self._speeds: dict[Parts, tuple[Array, Array]] = {}
        self.moving = any(v or a for states in key for _, v, a in states)

    # Quick bounds, without kinematics

    @cached_property
    def peak_rates(self) -> Array:
        """(n,) rad/s or m/s, the largest speed of each joint on the path."""
        return self._paths.peak_rates(*self.key)

    @cached_property
    def quick_ticks(self) -> int:
        """Bound on `ticks` that is soon known."""
        peaks = self._paths.peak_speeds(list(self.key[1]))
        return 1 + max(peak // a + ramps for peak, (a, ramps) in zip(peaks, self._paths.brakes, strict=True))

    @cached_property
    def travel(self) -> Array:
        """(n,) rad or m, bound on what each joint covers from the start of the step until rest."""
        return np.array(self._paths.stop_path_lengths(list(self.key[1]))) / NANO

    @cached_property
    def spread(self) -> Array:
        """(n,) rad or m, bound on how far each joint is, at any instant of the path, from where the step begins or ends."""
        spread: Array = self.travel + (BEFORE + 2) * self._paths.period_s * self.peak_rates
        return spread

    def quick_speeds(self, parts: Parts) -> Array:
        """Return a bound on the speed of each part, (b,) m/s, that is soon known and high: every joint moves it as far as it
        could anywhere, or as it does near where the step begins and could within `spread` of there."""
        return self._quick(parts, self.peak_rates)

    def quick_distances(self, parts: Parts) -> Array:
        """Return such a bound on the length of way of each part until rest, (b,) m."""
        return self._quick(parts, self.travel)

    def _quick(self, parts: Parts, motion: Array) -> Array:
        near, off = self._paths.placement_near([q for q, _, _ in self.key[0]])
        here = parts.bound_near(near, self.spread + off, motion)
        bound: Array = np.minimum(parts.lever_arms.dot(motion), here)
        return bound * ROUNDING + TINY

    # The path in pieces

    @cached_property
    def stop_paths(self) -> list[StopPath]:
        """Of each joint, after the step."""
        return self._paths.stop_paths(list(self.key[1]))

    @cached_property
    def ticks(self) -> int:
        """Ticks until rest, the candidate's step included; 0 when nothing moves."""
        stop = max(path.ticks for path in self.stop_paths)
        return 1 + stop if self.moving else 0

    @cached_property
    def rates(self) -> Array:
        """(r, n) rad/s or m/s: two steps before the candidate's, its own, and those of the stop."""
        return self._paths.rates(*self.key)

    @cached_property
    def _cuts(self) -> Pieces:
        return pieces(len(self.rates))

    @property
    def piece_time_s(self) -> Array:
        """(k,) s that each piece takes from the start of the step on; together they take all of it."""
        return self._cuts.ticks * self._paths.period_s

    @cached_property
    def boxes(self) -> tuple[Array, Array]:
        """(k, n) middle and half width of the joint positions in each piece, rad or m."""
        before, after = self.key
        start = np.array([q - v - (v - a) for q, v, a in before]) / NANO
        rows = np.cumsum(np.vstack([start, self.rates * self._paths.period_s, np.zeros(len(after))]), axis=0)
        low = np.minimum.reduceat(rows, self._cuts.positions)[::2]
        high = np.maximum.reduceat(rows, self._cuts.positions)[::2]
        return (low + high) / 2, (high - low) / 2 * ROUNDING + TINY

    @cached_property
    def placement(self) -> Placement:
        """Of the joints in the middle of each piece."""
        return self._paths.kinematics.place(self.boxes[0])

    @cached_property
    def piece_peaks(self) -> Array:
        """(k, n) rad/s or m/s, the largest speed of each joint in each piece."""
        peaks: Array = np.maximum.reduceat(np.abs(self.rates[self._cuts.rows]), self._cuts.begins)
        return peaks

    @cached_property
    def _bends(self) -> Array:
        """(k, n) rad/s or m/s, how far the rates of a piece are from the line between its ends; 0 in the first two."""
        cuts, rates = self._cuts, self.rates
        first, last = rates[cuts.first_row], rates[cuts.last_row]
        off = np.abs(rates[cuts.rows] - (first + (last - first) * cuts.share[:, None]))
        bends: Array = np.maximum.reduceat(off, cuts.begins)
        bends[:WHOLE] = 0.0
        return bends

    @cached_property
    def twists(self) -> Array:
        """(m, j, 6) motion of the joints at the corners, each placed as in the middle of its piece."""
        cuts = self._cuts
        return self._paths.kinematics.twists(self.placement.columns[cuts.piece_of], self.rates[cuts.corners])

    def speeds(self, parts: Parts, limits: Array) -> Array:
        """Return a bound on the speed of each part in each piece, (k, b) m/s; tight only where it is above (b,) limits."""
        known = self._speeds.get(parts)
        if known is None or (known[0] > limits).any():
            self._speeds[parts] = known = limits, self._bound(parts, limits)
        return known[1]

    def _bound(self, parts: Parts, limits: Array) -> Array:
        peaks, half = self.piece_peaks, self.boxes[1]
        products = (peaks[:, :, None] * half[:, None, :]).reshape(len(half), -1)
        remainder = products.dot(parts.curvature) + self._bends.dot(parts.lever_arms.T)
        at_corners = parts.speeds(
            self.placement.poses, self._cuts.piece_of, self.twists, limits - remainder.max(axis=0)
        )
        bound: Array = np.maximum.reduceat(at_corners, self._cuts.corner_begins) + remainder
        return bound * ROUNDING + TINY

    def distances(self, parts: Parts, limits: Array) -> Array:
        """Return a bound on the length of way of each part until rest, (b,) m; `limits`: as in `speeds`."""
        bound: Array = self.piece_time_s.dot(self.speeds(parts, limits))
        return bound
