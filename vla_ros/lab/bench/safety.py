"""`vla-ros bench safety`: cost, punctuality and memory of the safety filter, and other gates beside it."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import platform
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from vla_ros.lab import outputs
from vla_ros.lab.bench.body_speed import BodySpeed, measure_body_speeds
from vla_ros.lab.bench.comparison import Comparison, compare
from vla_ros.lab.bench.cost import StageCost, measure_costs, measure_whole_tick
from vla_ros.lab.bench.filter_rig import (
    FilterRig,
    audit_log,
    far_obstacles,
    full_configuration,
    near_obstacles,
    with_unlimited_steps,
    without_rules,
)
from vla_ros.lab.bench.load import cpu_load
from vla_ros.lab.bench.memory import MemoryGrowth, measure_memory
from vla_ros.lab.bench.punctuality import Punctuality, measure_punctuality
from vla_ros.lab.json_output import write_json
from vla_ros.parameters import ParameterError
from vla_ros.progress_line import ProgressLine

T = TypeVar("T")

HOUR_TICKS, MEMORY_TICKS = 900_000, 20_000
QUICK_TICKS, QUICK_S = 300, 0.5
GROUP_SHARE = 10
"""The cost of each group of rules is measured over one tick in so many."""
RULES = ("obstacle", "speed", "self_collision", "environment", "effort")
GROUPS = {5: "limits of joints", 4: "+ effort", 3: "+ fence and table", 2: "+ self-collision", 1: "+ speed of bodies"}
"""How many of RULES are off → what is on."""
PARTS = 6 + len(GROUPS) + 5
"""Measurements of one run."""


@dataclass(frozen=True)
class SafetyBenchResults:
    """Results of one run.

    Args:
        groups: rules that are on → cost of a whole tick.
        costs: condition → stages.
        punctuality: condition → late ticks.
    """

    command: str
    machine: str
    ticks: int
    seed: int
    groups: dict[str, StageCost]
    costs: dict[str, list[StageCost]]
    punctuality: dict[str, Punctuality]
    memory: MemoryGrowth
    comparison: Comparison
    speeds: list[BodySpeed]


def run(chosen: argparse.Namespace) -> int:
    """Measure, print the page, and write the files that are asked for."""
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
    write_json(chosen.json, dataclasses.asdict(results))
    if page is not None:
        page.write_text(text + "\n")
    return 0


def measure(command: str, ticks: int, seconds: float, memory_ticks: int, seed: int) -> SafetyBenchResults:
    """Run all measurements."""
    machine = _machine()
    parameters, urdf = full_configuration()
    parameters = with_unlimited_steps(parameters)
    cores = os.cpu_count() or 1
    places = {"far": far_obstacles(), "near": near_obstacles(parameters, urdf, seed)}
    rig = FilterRig(parameters, urdf, places["far"])
    loaded = f"{cores} cores loaded"
    by_condition: dict[str, list[StageCost]] = {}
    late: dict[str, Punctuality] = {}
    groups = {}
    few = max(QUICK_TICKS, ticks // GROUP_SHARE)
    with ProgressLine("bench safety", PARTS) as progress:

        def timed(what: str, work: Callable[[], T]) -> T:
            progress.update(progress.done, what)
            result = work()
            progress.advance(what)
            return result

        for condition, processes in (("alone", 0), (loaded, cores)):
            with cpu_load(processes):
                for place, obstacles in places.items():
                    rig.replace_obstacles(obstacles)
                    by_condition[f"{condition}, arm {place}"] = timed(
                        f"{condition}, {place}", partial(measure_costs, rig, ticks)
                    )
                rig.replace_obstacles(places["far"])
                late[condition] = timed(f"{condition}, in real time", partial(measure_punctuality, rig, seconds))
        for off, name in GROUPS.items():
            single = FilterRig(without_rules(parameters, *RULES[:off]), urdf)
            groups[name] = timed(name, partial(measure_whole_tick, single, few))
        rig.replace_obstacles(places["far"])
        groups["+ 10 far balls"] = timed("far balls", partial(measure_whole_tick, rig, few))
        with audit_log(rig, parameters, urdf):
            groups["+ audit log"] = timed("audit log", partial(measure_whole_tick, rig, few))
        rig.replace_obstacles(places["near"])
        flat = timed("memory", partial(measure_memory, rig, memory_ticks, seed))
        compared = timed("comparison", partial(compare, ticks, seed))
        free = without_rules(parameters, "environment", "self_collision", "obstacle")
        speeds = timed("speeds of bodies", partial(measure_body_speeds, free, urdf, few, seed))
    return SafetyBenchResults(command, machine, ticks, seed, groups, by_condition, late, flat, compared, speeds)


def markdown(results: SafetyBenchResults) -> str:
    """Return the page that docs/bench.md and the terminal show."""
    return "\n".join(
        line if line.startswith(("|", "#")) else textwrap.fill(line, 118, break_long_words=False)
        for line in _lines(results)
    )


def _lines(results: SafetyBenchResults) -> Iterator[str]:
    yield "# What the safety filter costs"
    yield ""
    yield f"Made by `{results.command}`; `--docs` writes it here, do not edit."
    yield ""
    yield f"{results.machine}. Times in µs. {results.ticks} ticks each; seed {results.seed}."
    yield ""
    yield "## A tick"
    yield ""
    yield (
        "The configuration is that of `config/sim.yaml` (7 joints and gripper; fence, table, self-collision, efforts) with "
        "10 balls as obstacles, received every 8 ticks. Far balls are out of reach. The arm passes near balls at 5 to 9 cm. "
        "A whole tick is all that happens between two outputs. A loop of 1000 additions in Python, timed in between, shows "
        "how fast the machine was. The process uses SCHED_FIFO where it is permitted, as the node does. A largest value of "
        "about 50 ms is the share of a second that the kernel keeps from real-time processes. It does not affect a filter "
        "that sleeps most of its period."
    )
    yield ""
    yield from _costs(results.costs)
    yield ""
    yield "A whole tick with more and more rules switched on, machine otherwise idle:"
    yield ""
    yield from _costs({name: [cost] for name, cost in results.groups.items()}, "with")
    yield ""
    yield "## Late ticks"
    yield ""
    yield (
        "The filter runs in a loop on absolute deadlines at 250 Hz, as in the node, without DDS, with far balls. Late: the "
        "tick began more than half a period after its deadline, or was skipped. Woke: time from the deadline to the start of "
        "the tick, µs. Done: time from the deadline to the output, µs."
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
        f"The adversarial stream runs for {flat.ticks} ticks ({flat.ticks * 0.004 / 60:.1f} min) with the garbage collector "
        f"off. The filter accepted {flat.accepted} setpoints and refused {flat.rejected}. "
        f"Resident size: {flat.before_kib} KiB before, {flat.after_kib} KiB after ({flat.growth_kib:+d} KiB)."
    )
    yield ""
    yield "## Speed of the arm's bodies"
    yield ""
    yield (
        "The adversarial stream again, with the limits of joints and efforts, and nothing in the arm's way. Limit: of "
        "`cartesian_speed` in normal mode, of `reduced_mode` while its input asks for it. Tool: its largest speed, from the "
        "robot's kinematics by finite differences. Body: the fastest point of any body."
    )
    yield ""
    yield "| mode | limit, m/s | tool, m/s | fastest body, m/s | which | ticks in which the limit acted |"
    yield "|---|---:|---:|---:|---|---:|"
    for speed in results.speeds:
        limit = f"{speed.limit:g}" if speed.limit else "none"
        measured = f"{speed.tool:.3f} | {speed.body:.3f} | {speed.fastest} | {100 * speed.slowed:.0f} %"
        yield f"| {speed.mode} | {limit} | {measured} |"
    yield ""
    yield "## Comparison with other gates"
    yield ""
    compared = results.comparison
    yield (
        f"Each gate receives the same {compared.setpoints} setpoints at 100 Hz and runs {results.ticks} ticks at 250 Hz. The "
        "stream has pushes, reversals, steps, sign alternation, NaN and infinities, corners, noise and smooth stretches, "
        "over the whole range and 5 % beyond. Only the limits of joints are checked. `vla_ros/oracle` checks the outputs by "
        f"finite differences; 1.000 is the limit. The filter accepted {compared.accepted} of the setpoints."
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
        "setpoints back `command.delay_s` late. Here it accepts steps of any size (`command.step`), as the others do. Ruckig "
        "plans to be at rest at each setpoint, so it lags where setpoints move. The ros2_control row is our own port of the "
        "formula (`vla_ros/lab/bench/gates.py`), not its code. It receives the measured velocity of a perfect arm."
    )


def _costs(conditions: dict[str, list[StageCost]], title: str = "condition") -> Iterator[str]:
    yield f"| {title} | stage | calls | median | p99 | p99.9 | max |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    for name, stages in conditions.items():
        for each in stages:
            numbers = " | ".join(f"{x:.0f}" for x in (each.median_us, each.p99_us, each.p999_us, each.largest_us))
            yield f"| {name} | {each.stage} | {each.count} | {numbers} |"


def _ratio(share_of_limit: float) -> str:
    return f"{share_of_limit:.3f}" if share_of_limit < 10 else f"{share_of_limit:.0f}"


def _machine() -> str:
    model = platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    return (
        f"{os.cpu_count()} cores of {model}, load {os.getloadavg()[0]:.1f} before, Python {platform.python_version()}"
    )
