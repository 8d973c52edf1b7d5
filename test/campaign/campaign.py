"""Run the campaign: adversarial streams until enough joint-ticks are judged, surroundings, and fuzzed messages and files.

`make campaign`. The exit code is 1 when anything was broken; what was broken is printed with the seed that repeats it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

from test.campaign.adversary import ATTACKS, MOVING, attack, stream
from test.campaign.arm import Arm
from test.campaign.configurations import fuzz_trees, fuzz_urdfs, fuzz_yaml
from test.campaign.messages import fuzz_bytes, fuzz_fields, fuzz_obstacles
from test.campaign.robots import FRANKA, ZONED, random_robot
from test.campaign.surroundings import SurroundedArm, random_surroundings, wander

SIGNALS = {"estop.heartbeat_s": 0.08, "deadman.timeout_s": 0.08}
TICKS = 12_000
"""Ticks of one robot before the next."""
EPISODE = 1500
"""Ticks among the same obstacles."""
FUZZERS: dict[str, tuple[Callable[[int, int], Counter[str]], float, int]] = {
    "fields of messages": (fuzz_fields, 0.92, 50_000),
    "bytes of messages": (fuzz_bytes, 0.05, 10_000),
    "obstacles": (fuzz_obstacles, 0.02, 5_000),
    "configuration, its tree": (fuzz_trees, 0.005, 500),
    "configuration, its bytes": (fuzz_yaml, 0.002, 500),
    "URDF, its bytes and elements": (fuzz_urdfs, 0.004, 500),
}
"""Name → what runs, its share of all inputs, inputs of one job. The last three make filters, some of which take a second."""


@dataclass
class Result:
    """What one job found.

    checked: joint-ticks. judged: configurations. shares: largest share of each limit. spare: rule → least distance beyond
    its margin, m. rest: longest stop as a share of the ticks allowed. seen: what became of inputs.
    """

    what: str
    seed: int
    checked: int = 0
    inputs: int = 0
    judged: int = 0
    rest: float = 0.0
    seconds: float = 0.0
    failure: str = ""
    shares: dict[str, float] = field(default_factory=dict)
    spare: dict[str, float] = field(default_factory=dict)
    rules: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)


def limits_job(result: Result) -> None:
    """One robot without surroundings: the Franka, one with slow zones, or a random one."""
    draw = random.Random(result.seed)
    limits = (FRANKA, ZONED, random_robot(draw), random_robot(draw))[result.seed % 4]
    changes = SIGNALS if result.seed % 3 == 0 else {}
    arm = Arm(limits, period_ns=draw.choice((1, 2, 4, 4, 8)) * 1_000_000, changes=changes, keep=False)
    try:
        attack(arm, draw, TICKS)
    finally:
        _note(result, arm)


def surroundings_job(result: Result) -> None:
    """The simulated arm among random things, other obstacles now and then."""
    draw = random.Random(result.seed)
    changes = random_surroundings(draw)
    while not SurroundedArm(changes).arm()[0]:  # a box or a side stands where the arm begins
        changes = random_surroundings(draw)
    arm = SurroundedArm(changes)
    go = stream(wander)
    mix = (*(go,) * 2 * len(ATTACKS), *ATTACKS, *MOVING)
    try:
        arm.surround(draw, 6)
        attack(arm, draw, EPISODE, mix)
        for _ in range(2):
            arm.rest()
            arm.surround(draw, 10)
            attack(arm, draw, EPISODE, mix)
        arm.rest()
        arm.examine()
    finally:
        _note(result, arm)
        result.spare, result.judged = arm.spare, arm.judged


def _note(result: Result, arm: Arm) -> None:
    result.checked, result.shares, result.rules, result.rest = (
        arm.judge.checked,
        arm.judge.worst,
        arm.rules,
        arm.worst_rest,
    )


def run(what: str, seed: int, count: int) -> Result:
    """One job, in a process of its own; what it breaks is in its result."""
    result, begun = Result(what, seed), time.monotonic()
    with contextlib.suppress(OSError):
        os.nice(10 - os.nice(0))
    if what in FUZZERS:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the decoder tells every damaged message there
    try:
        if what in FUZZERS:
            result.seen = FUZZERS[what][0](seed, count)
            result.inputs = count
        else:
            {"limits": limits_job, "surroundings": surroundings_job}[what](result)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        result.failure = f"{type(error).__name__} at {place.name}:{place.lineno}: {' '.join(str(error).split())[:300]}"
    result.seconds = time.monotonic() - begun
    return result


def jobs(chosen: argparse.Namespace) -> Iterator[tuple[str, int, int]]:
    """Yield (what, seed, count) of every job, the long ones first."""
    for seed in range(chosen.surroundings):
        yield "surroundings", chosen.seed * 1000 + seed, 0
    for name, (_, share, size) in FUZZERS.items():
        for k in range(-(-int(chosen.inputs * share) // size)):
            yield name, chosen.seed * 1000 + k, size
    joints = (len(FRANKA), len(ZONED), 4, 4)
    for seed in range(-(-chosen.joint_ticks // (TICKS * sum(joints) // 4))):
        yield "limits", chosen.seed * 1000 + seed, 0


def main() -> int:
    """Run all, print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--joint-ticks", type=int, default=10_500_000)
    parser.add_argument("--inputs", type=int, default=1_010_000, help="messages and files")
    parser.add_argument(
        "--surroundings", type=int, default=24, help="random surroundings, three sets of obstacles each"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    begun, done = time.monotonic(), []
    with ProcessPoolExecutor(chosen.processes) as pool:
        waiting = [pool.submit(run, *job) for job in jobs(chosen)]
        for k, future in enumerate(as_completed(waiting), 1):
            done.append(future.result())
            if done[-1].failure:
                print(f"\n{done[-1].what}, seed {done[-1].seed}: {done[-1].failure}", flush=True)
            if sys.stderr.isatty():
                print(f"\r{k} of {len(waiting)} jobs", end="", file=sys.stderr, flush=True)
    return report(done, time.monotonic() - begun)


def report(done: list[Result], seconds: float) -> int:
    """Print the counts and the worst of everything; the exit code."""
    limits = [each for each in done if each.what not in FUZZERS]
    rules: Counter[str] = sum((each.rules for each in limits), Counter())
    print(f"\n{sum(each.checked for each in limits):,} joint-ticks of {len(limits)} robots judged")
    for name in ("velocity", "acceleration", "jerk", "slow_zone"):
        print(f"  {name:14} largest share of its limit {max(each.shares.get(name, 0.0) for each in limits):.9f}")
    print(f"  {'rest':14} longest share of the ticks allowed {max(each.rest for each in limits):.4f}")
    print(f"{sum(each.judged for each in done):,} configurations among surroundings judged")
    for name in sorted({name for each in done for name in each.spare}):
        least = min(each.spare[name] for each in done if name in each.spare)
        print(f"  {name:14} least distance beyond its margin {least * 1e3:.4f} mm")
    print("  rules that spoke: " + ", ".join(f"{name} {count:,}" for name, count in rules.most_common()))
    print(f"{sum(each.inputs for each in done):,} fuzzed inputs")
    faults = 0
    for what in FUZZERS:
        seen: Counter[str] = sum((each.seen for each in done if each.what == what), Counter())
        took = sum(each.seconds for each in done if each.what == what)
        print(f"  {what}: " + ", ".join(f"{count:,} {name}" for name, count in seen.most_common()) + f"; {took:.0f} s")
        faults += sum(count for name, count in seen.items() if name.startswith("FAULT"))
    failures = [each for each in done if each.failure]
    print(f"{len(failures)} jobs failed, {faults} faults; {seconds:.0f} s")
    for each in failures:
        print(f"  {each.what}, seed {each.seed}: {each.failure}")
    return int(bool(failures or faults))


if __name__ == "__main__":
    raise SystemExit(main())
