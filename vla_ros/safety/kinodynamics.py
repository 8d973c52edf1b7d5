"""Position, velocity, acceleration and jerk of one joint in exact integers, and the proof that it can always stop.

Units: one tick is the filter's period; lengths are nanoradian (nanometre), so v is nrad/tick, a nrad/tick^2 and j
nrad/tick^3. A tick chooses the next velocity v' and then moves: a' = v' - v, q' = q + v'. Everything is Python's
integers: the same inputs give the same bits on every machine, and small grids can be checked exhaustively
(test/unit/safety/test_kinodynamics.py does).

Second order. Braking by w per tick from speed v travels D(v, w) = v + (v-w) + (v-2w) + ... until rest, and
`via(d, w)` is the largest v with D(v, w) <= d. Since D(v, w) = v + D(v-w, w), whoever obeys v <= via(d, w) may brake
by w and obeys it again: the set of allowed velocities is never empty.

Third order. The stop policy brings acceleration down to what still lets velocity end at zero, `via` once more with
(velocity, acceleration) in the place of (position, velocity). A successor is admitted when the stop policy from it
stays inside all limits until rest; the policy's own next state then is admitted too, by the same rollout without its
first step. So from every admitted state there is an admitted action, for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import NamedTuple


def stopping_distance(speed: int, braking: int) -> int:
    """D(v, w): travel until rest from `speed` >= 0, braking by `braking` > 0 per tick; this tick's travel counts."""
    n = speed // braking
    return (n + 1) * speed - braking * n * (n + 1) // 2


def via(distance: int, braking: int) -> int:
    """Largest speed >= 0 with stopping_distance(speed, braking) <= distance; 0 for distance <= 0."""
    if distance <= 0:
        return 0
    n = (isqrt(8 * (distance // braking) + 1) - 1) // 2
    return (distance + braking * (n * (n + 1) // 2)) // (n + 1)


class State(NamedTuple):
    """Setpoint of one joint after a tick: position, velocity, acceleration, in nrad and ticks."""

    q: int
    v: int
    a: int


@dataclass(frozen=True)
class Bounds:
    """Limits of one joint in nrad and ticks: lower <= q <= upper, |v| <= velocity, |a| <= acceleration, |j| <= jerk."""

    lower: int
    upper: int
    velocity: int
    acceleration: int
    jerk: int

    def __post_init__(self) -> None:
        if not (self.lower <= self.upper and self.velocity > 0 and self.acceleration > 0 and self.jerk > 0):
            raise ValueError(f"not limits of a joint that can move and stop: {self}")


def advance(state: State, velocity: int) -> State:
    """The state one tick later when `velocity` is chosen."""
    return State(state.q + velocity, velocity, velocity - state.v)


def stop(state: State, bounds: Bounds) -> int:
    """Next velocity by the stop policy: towards rest as fast as acceleration and jerk allow."""
    wanted = min(bounds.acceleration, via(abs(state.v), bounds.jerk))
    if state.v > 0:
        wanted = -wanted
    return state.v + max(state.a - bounds.jerk, min(state.a + bounds.jerk, wanted))


def reach(state: State, bounds: Bounds) -> tuple[int, int]:
    """Upper bounds of speed and of travel (either way) under the stop policy from `state` until rest.

    The acceleration left in the state can add at most D(|a|, J) to the speed. From that speed s the policy needs at
    most ceil(|a|/J) + ceil(A/J) ticks to turn to full braking, brakes within D(s, A), and near rest, where it eases
    off, is at most one more ramp of ceil(A/J) ticks slower than full braking.
    """
    residue = abs(state.a)
    speed = abs(state.v) + stopping_distance(residue, bounds.jerk)
    ramp = -(-bounds.acceleration // bounds.jerk)
    ticks = -(-residue // bounds.jerk) + 2 * ramp + 2
    return speed, speed * ticks + stopping_distance(speed, bounds.acceleration)


def admitted(state: State, bounds: Bounds) -> bool:
    """True when `state` and everything that the stop policy makes of it until rest lies inside the bounds."""
    if abs(state.a) > bounds.acceleration:
        return False
    speed, travel = reach(state, bounds)
    if speed <= bounds.velocity and travel <= state.q - bounds.lower and travel <= bounds.upper - state.q:
        return True  # far from every bound: no need to roll out
    while True:
        if not (bounds.lower <= state.q <= bounds.upper and abs(state.v) <= bounds.velocity):
            return False
        if state.v == 0 and abs(state.a) <= bounds.jerk:
            return True
        state = advance(state, stop(state, bounds))


def ticks_to_rest(state: State, bounds: Bounds) -> int:
    """Number of ticks that the stop policy takes from `state` until v = 0 and a = 0."""
    ticks = 0
    while state.v or state.a:
        state = advance(state, stop(state, bounds))
        ticks += 1
    return ticks
