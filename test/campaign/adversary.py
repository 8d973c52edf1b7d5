"""Somebody who tries everything: a seeded stream that turns to something else every few ticks."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from test.campaign.arm import CLOCKS_APART_NS, MS, Arm
from vla_ros.safety.states import ACTIVE, LATCHED, State

BAD = [math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, 1e9]


Attack = Callable[[Arm, random.Random], None]


def attack(arm: Arm, draw: random.Random, ticks: int, attacks: Sequence[Attack] = ()) -> None:
    """Drive the arm with a stream that turns to something else every 10 to 80 setpoints; attacks: instead of ATTACKS."""
    arm.tick()
    arm.again()
    begun = arm.filter.ticks
    while arm.filter.ticks - begun < ticks:
        draw.choice(attacks or ATTACKS)(arm, draw)
        if arm.filter.state in LATCHED | {State.DISARMED} or arm.disarming:
            arm.again()
    arm.judge.finish()


def _pause(arm: Arm, draw: random.Random) -> None:
    arm.tick(draw.randint(1, 4), late=draw.choice((0,) * 40 + (1, 5, 12)))


def stream(aim: Callable[[Arm, random.Random, int], list[float]], channel: str = "policy") -> Attack:
    """An attack that sends setpoints: aim gives the i-th."""

    def attack_(arm: Arm, draw: random.Random) -> None:
        for i in range(draw.randint(10, 80)):
            arm.command(aim(arm, draw, i), channel=channel, age_ns=draw.choice((MS, MS, MS, 0, -20 * MS, 30 * MS)))
            _pause(arm, draw)

    return attack_


def _push(arm: Arm, draw: random.Random, i: int) -> list[float]:
    """All joints one way, until each is at its end."""
    if i == 0:
        arm.signs = [draw.choice((-1, 1)) for _ in arm.q]
    return [q + sign * reach for q, sign, reach in zip(arm.q, arm.signs, arm.reach, strict=True)]


def _noise(arm: Arm, draw: random.Random, _: int) -> list[float]:
    return [q + draw.uniform(-reach, reach) for q, reach in zip(arm.q, arm.reach, strict=True)]


def _reverse(arm: Arm, draw: random.Random, i: int) -> list[float]:
    return [q + (reach if i % 8 < 4 else -reach) for q, reach in zip(arm.q, arm.reach, strict=True)]


def _alternate(arm: Arm, draw: random.Random, i: int) -> list[float]:
    size = draw.choice((1e-9, 1e-6, 1e-3, 0.1)) * (1 if i % 2 else -1)
    return [q + max(-reach, min(reach, size)) for q, reach in zip(arm.q, arm.reach, strict=True)]


def _wave(arm: Arm, draw: random.Random, i: int) -> list[float]:
    if i == 0:
        arm.wave = list(arm.q), 10 ** draw.uniform(-0.5, 2.0), draw.random()
    start, w, size = arm.wave
    return [q + size * reach * math.sin(w * i * 0.01) for q, reach in zip(start, arm.reach, strict=True)]


def _corner(arm: Arm, draw: random.Random, _: int) -> list[float]:
    """Onto an end of the range, exactly."""
    ends = (joint.upper if k % 2 else joint.lower for k, joint in enumerate(arm.limits))
    return [q + max(-reach, min(reach, end - q)) for q, reach, end in zip(arm.q, arm.reach, ends, strict=True)]


def _bad(arm: Arm, draw: random.Random, _: int) -> list[float]:
    return [draw.choice(BAD) if draw.random() < 0.3 else q for q in arm.q]


def _silence(arm: Arm, draw: random.Random) -> None:
    arm.tick(draw.randint(1, 60))


def _burst(arm: Arm, draw: random.Random) -> None:
    """Many setpoints at once, stamps in the past, in the future, in and out of order."""
    order = draw.choice((1, -1))
    for i in range(draw.randint(10, 300)):
        arm.command(_noise(arm, draw, i), age_ns=draw.randint(-60, 110) * MS - order * i)
    _pause(arm, draw)


def _malformed(arm: Arm, draw: random.Random) -> None:
    change = draw.choice(
        (
            {"joint_names": arm.names[:-1]},
            {"joint_names": [*arm.names, "x"]},
            {"joint_names": [arm.names[0]] * max(2, len(arm.names))},
            {"stamp_ns": 0},
            {"source": "nobody"},
            {"age_ns": draw.choice((10**12, -(10**12)))},
            {"positions": [q + draw.choice((-8.0, 8.0)) for q in arm.q]},
        )
    )
    for _ in range(10):
        assert arm.command(**{"positions": arm.q, **change}) is not None, change
        _pause(arm, draw)


def _lose_joint_states(arm: Arm, draw: random.Random) -> None:
    arm.measured = False
    stream(_push)(arm, draw)
    arm.measured = True


def _displace(arm: Arm, draw: random.Random) -> None:
    """The arm is elsewhere: far enough, that is a fault; outside its range, too."""
    offset = draw.choice((0.01, 0.2, -0.2, 10.0, math.nan))
    sending = arm.filter.state in ACTIVE
    positions = [q + offset for q in arm.q]
    verdict = arm.listen(arm.now_ns + arm.period_ns // 2, arm.names, positions, [0.0] * len(positions))
    arm.measured = False
    arm.tick()
    arm.measured = True
    fault = abs(offset) > 0.05 and verdict is None and sending
    assert not fault or arm.filter.state in LATCHED, f"{offset} away and not stopped"


def _estop(arm: Arm, draw: random.Random) -> None:
    if draw.random() < 0.5:
        arm.filter.estop("adversary")
    else:
        arm.filter.estop_signal(True)
        arm.tick()
        assert not arm.filter.reset(arm.now_ns)[0], "reset with the e-stop held"
        arm.filter.estop_signal(False)
    assert arm.tick(draw.randint(1, 20)).state is State.ESTOP


def _disarm(arm: Arm, draw: random.Random) -> None:
    arm.disarm()
    arm.tick(draw.randint(1, 20))


def _crowd(arm: Arm, draw: random.Random) -> None:
    source = draw.choice(("policy", "override"))
    arm.publishers(source, draw.randint(2, 3))
    stream(_push)(arm, draw)
    arm.publishers(source, 1)


def _scale(arm: Arm, draw: random.Random) -> None:
    scale = draw.choice((0.0, 0.01, 0.1, 0.5, 1.0, 1.0, 2.0, math.nan))
    done, _ = arm.filter.speed_scale(scale)
    assert not done or 0.01 <= scale <= 1.0
    if draw.random() < 0.5:
        arm.tick(80)
        arm.filter.speed_scale(1.0)


def _stall(arm: Arm, draw: random.Random) -> None:
    """No tick for a while, and when it comes, messages that came meanwhile came first."""
    arm.now_ns += draw.randint(1, 40) * arm.period_ns
    for i in range(draw.randint(1, 5)):
        arm.command(_noise(arm, draw, i), age_ns=draw.randint(-45, 95) * MS)
    arm.tick()


def _jump(arm: Arm, draw: random.Random) -> None:
    """The clocks move against each other from one setpoint to the next."""
    for i in range(draw.randint(10, 80)):
        stamp_ns = arm.now_ns + CLOCKS_APART_NS - 20 * MS + draw.randint(-3, 3) * MS
        arm.command(_noise(arm, draw, i), stamp_ns=stamp_ns, age_ns=20 * MS + draw.choice((0, 0, 1, -5, 30)) * MS)
        _pause(arm, draw)


def _heart_stops(arm: Arm, draw: random.Random) -> None:
    arm.beating = False
    stream(_push)(arm, draw)
    arm.beating = True


def _let_go(arm: Arm, draw: random.Random) -> None:
    arm.held = False
    stream(_push)(arm, draw)
    arm.held = True


MOVING = (
    *(stream(aim) for aim in (_push, _push, _noise, _reverse, _alternate, _wave, _wave, _corner, _bad)),
    stream(_push, "override"),
    stream(_noise, "override"),
)
ATTACKS: tuple[Attack, ...] = (
    *MOVING * 3,
    *(_silence, _burst, _malformed, _lose_joint_states, _displace, _estop, _disarm, _crowd, _scale, _scale),
    *(_stall, _jump, _heart_stops, _let_go),
)
