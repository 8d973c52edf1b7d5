"""`vla-ros bench safety`: cost, punctuality and memory of the safety filter, and other gates beside it."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import platform
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from vla_ros.lab import outputs
from vla_ros.lab.bench.comparison import Comparison, compare
from vla_ros.lab.bench.cost import Cost, costs, whole_tick
from vla_ros.lab.bench.filter_rig import Rig, anywhere, far_obstacles, logged, near_obstacles, whole, without
from vla_ros.lab.bench.load import busy
from vla_ros.lab.bench.memory import Memory, memory
from vla_ros.lab.bench.punctuality import Punctuality, punctuality
from vla_ros.parameters import ParameterError

T = TypeVar("T")

HOUR_TICKS, MEMORY_TICKS = 900_000, 20_000
QUICK_TICKS, QUICK_S = 300, 0.5
GROUP_SHARE = 10
"""The cost of each group of rules is measured over one tick in so many."""


@dataclass(frozen=True)
class Results:
    """Of one run. costs: condition → stages. groups: what is on → cost of a whole tick."""

    command: str
    machine: str
    ticks: int
    seed: int
    groups: dict[str, Cost]
    costs: dict[str, list[Cost]]
    punctuality: dict[str, Punctuality]
    memory: Memory
    comparison: Comparison


def run(chosen: argparse.Namespace) -> int:
    """Measure, print, write what was asked for."""
    ticks, seconds = (QUICK_TICKS, QUICK_S) if chosen.quick else (chosen.ticks, chosen.seconds)
    if not (ticks >= QUICK_TICKS and QUICK_S <= seconds <= 3600.0):
        raise ParameterError(f"--ticks {ticks} --seconds {seconds}: at least {QUICK_TICKS} ticks, {QUICK_S} to 3600 s")
    if chosen.docs and chosen.quick:
        raise ParameterError("--docs --quick: a few seconds show the form, not the numbers; leave one of them out")
    page = outputs.page("bench.md") if chosen.docs else None
    hour = " --hour" if chosen.hour else ""
    command = f"vla-ros bench safety --ticks {ticks} --seconds {seconds:g} --seed {chosen.seed}{hour}"
    memory_ticks = HOUR_TICKS if chosen.hour else min(ticks, MEMORY_TICKS)
    results = measure(command, ticks, seconds, memory_ticks, chosen.seed)
    text = markdown(results)
    print(text)
    if chosen.json:
        Path(chosen.json).write_text(json.dumps(dataclasses.asdict(results), indent=2) + "\n")
    if page is not None:
        page.write_text(text + "\n")
    return 0


def measure(command: str, ticks: int, seconds: float, memory_ticks: int, seed: int) -> Results:
    """Run everything."""
    machine = _machine()
    parameters, urdf = whole()
    parameters = anywhere(parameters)
    cores = os.cpu_count() or 1
    places = {"far": far_obstacles(), "near": near_obstacles(parameters, urdf, seed)}
    rig = Rig(parameters, urdf, places["far"])
    loaded = f"{cores} cores loaded"
    found: dict[str, list[Cost]] = {}
    late: dict[str, Punctuality] = {}
    for condition, processes in (("alone", 0), (loaded, cores)):
        with busy(processes):
            for place, obstacles in places.items():
                rig.surround(obstacles)
                found[f"{condition}, arm {place}"] = _said(f"{condition}, {place}", partial(costs, rig, ticks))
            rig.surround(places["far"])
            late[condition] = _said(f"{condition}, in real time", partial(punctuality, rig, seconds))
    groups = {}
    few = max(QUICK_TICKS, ticks // GROUP_SHARE)
    off = ["obstacle", "self_collision", "surroundings", "effort"]
    for name, count in (("limits of joints", 4), ("+ effort", 3), ("+ fence and table", 2), ("+ self-collision", 1)):
        groups[name] = whole_tick(Rig(without(parameters, *off[:count]), urdf), few)
    rig.surround(places["far"])
    groups["+ 10 far balls"] = whole_tick(rig, few)
    with logged(rig, parameters, urdf):
        groups["+ audit log"] = whole_tick(rig, few)
    rig.surround(places["near"])
    flat = _said("memory", partial(memory, rig, memory_ticks, seed))
    compared = _said("comparison", partial(compare, ticks, seed))
    return Results(command, machine, ticks, seed, groups, found, late, flat, compared)


def markdown(results: Results) -> str:
    """The numbers as docs/bench.md and the terminal show them."""
    return "\n".join(
        line if line.startswith(("|", "#")) else textwrap.fill(line, 118, break_long_words=False)
        for line in _lines(results)
    )


def _lines(results: Results) -> Iterator[str]:
    yield "# What the safety filter costs"
    yield ""
    yield f"Made by `{results.command}`; `--docs` writes it here, do not edit."
    yield ""
    yield f"{results.machine}. Times in µs. {results.ticks} ticks each; seed {results.seed}."
    yield ""
    yield "## A tick"
    yield ""
    yield (
        "Configuration of `config/sim.yaml` (7 joints and gripper; fence, table, self-collision, efforts) and 10 balls, "
        "heard every 8 ticks. Far: out of reach; near: passed at 5 to 9 cm. A whole tick is all that happens between two "
        "outputs. A loop of 1000 additions in Python, timed in between, says how fast the machine was just then. SCHED_FIFO "
        "where it is permitted, as in the node. A largest value of about 50 ms is the share of a second that the kernel "
        "keeps from real-time processes; a filter that sleeps most of its period never meets it."
    )
    yield ""
    yield from _costs(results.costs)
    yield ""
    yield "A whole tick with more and more switched on, alone:"
    yield ""
    yield from _costs({name: [cost] for name, cost in results.groups.items()}, "with")
    yield ""
    yield "## Late ticks"
    yield ""
    yield (
        "A loop on absolute deadlines at 250 Hz, as the node runs it, without DDS; arm far. Late: begun more than half a "
        "period after the deadline, or skipped. Woke: after its deadline. Done: output ready after the deadline."
    )
    yield ""
    yield "| | scheduling | ticks | late | of them skipped | woke p50 | woke p99 | woke max | done p99 |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|---:|"
    for name, each in results.punctuality.items():
        late = f"{each.late} ({100 * each.late / max(1, each.ticks + each.skipped):.2f} %)"
        woke = (
            f"{each.wake_median_us:.0f} | {each.wake_p99_us:.0f} | {each.wake_largest_us:.0f} | {each.done_p99_us:.0f}"
        )
        yield f"| {name} | {each.scheduling} | {each.ticks} | {late} | {each.skipped} | {woke} |"
    yield ""
    yield "## Memory"
    yield ""
    flat = results.memory
    yield (
        f"Adversarial stream, {flat.ticks} ticks ({flat.ticks * 0.004 / 60:.1f} min), {flat.accepted} setpoints accepted and "
        f"{flat.rejected} refused, garbage collector off: {flat.before_kib} KiB before, {flat.after_kib} KiB after "
        f"({flat.growth_kib:+d} KiB)."
    )
    yield ""
    yield "## Beside others"
    yield ""
    compared = results.comparison
    yield (
        f"The same {compared.setpoints} setpoints at 100 Hz into {results.ticks} ticks at 250 Hz: pushes, reversals, steps, "
        "sign alternation, NaN and infinities, corners, noise, smooth stretches, over the whole range and 5 % beyond. Limits "
        "of joints only. `vla_ros/oracle` judges the outputs by finite differences; 1.000 is the limit. "
        f"The filter accepted {compared.accepted} of the setpoints."
    )
    yield ""
    yield "| | past a position limit | velocity | acceleration | jerk | not finite | lag, rad | µs per tick |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for row in compared.rows:
        past = f"{row.past_position:.2g}" if row.past_position > 1e-9 else "no"
        shares = " | ".join(_ratio(x) for x in (row.velocity, row.acceleration, row.jerk))
        yield f"| {row.gate} | {past} | {shares} | {row.not_finite} | {row.lag:.3f} | {row.median_us:.1f} |"
    yield ""
    yield (
        "Lag is the median distance of the worst arm joint from the newest setpoint in smooth stretches. The filter plays "
        "setpoints back `command.delay_s` late; here it takes jumps of any size (`command.step`), as the others do. Ruckig "
        "plans to be at rest at each setpoint, so it lags where setpoints move. The ros2_control row is our own port of the "
        "formula in `vla_ros/lab/bench/gates.py`, not its code; it is given the measured velocity of a perfect arm."
    )


def _costs(conditions: dict[str, list[Cost]], title: str = "condition") -> Iterator[str]:
    yield f"| {title} | stage | calls | median | p99 | p99.9 | max |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    for name, stages in conditions.items():
        for each in stages:
            numbers = " | ".join(f"{x:.0f}" for x in (each.median_us, each.p99_us, each.p999_us, each.largest_us))
            yield f"| {name} | {each.stage} | {each.count} | {numbers} |"


def _ratio(share_of_limit: float) -> str:
    return f"{share_of_limit:.3f}" if share_of_limit < 10 else f"{share_of_limit:.0f}"


def _said(what: str, work: Callable[[], T]) -> T:
    """Do it and say so, with the time that it took: the whole takes minutes."""
    began_s = time.monotonic()
    print(f"{what} …", end="", file=sys.stderr, flush=True)
    result = work()
    print(f" {time.monotonic() - began_s:.0f} s", file=sys.stderr, flush=True)
    return result


def _machine() -> str:
    model = platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    return (
        f"{os.cpu_count()} cores of {model}, load {os.getloadavg()[0]:.1f} before, Python {platform.python_version()}"
    )
