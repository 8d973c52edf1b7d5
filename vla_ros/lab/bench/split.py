"""`vla-ros bench split`: what each half of a model takes in memory and time, with random weights and no hub."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

TEXT = "put the red cube in the bowl"
REPEATS = 5
PLAN_IN_USE_S = 0.1
PLAN_BYTES = 18_000_000
PLAN_RATE_HZ = 5.0


def run(chosen: argparse.Namespace) -> int:
    """Run the bench; return the exit code."""
    from vla_ros.lab.bench import random_checkpoint

    repeats = 2 if chosen.quick else REPEATS
    print(_transport(20 if chosen.quick else 100))
    with tempfile.TemporaryDirectory(prefix="vla_ros_bench_") as scratch:
        folder = Path(scratch) / "policy"
        options = random_checkpoint.save(chosen.family, chosen.size, folder)
        options |= {"checkpoint": str(folder), "binding": {"rate_hz": 30.0}, "threads": chosen.threads}
        before = os.getloadavg()[0]
        results = measure(chosen.family, options, repeats, whole=chosen.family == "smolvla")
        results |= {"family": chosen.family, "size": chosen.size, "threads": chosen.threads, "load": before}
        types = ("bfloat16", "int8", "int4") if chosen.types else ()
        results["types"] = {
            weights: measure(chosen.family, {**options, "weights": weights}, repeats) for weights in types
        }
    print(_table(results))
    for weights, measured in results["types"].items():
        print(f"\n{weights}\n{_table(measured)}")
    if chosen.json:
        Path(chosen.json).write_text(json.dumps(results, indent=1, default=float))
    return 0


def measure(policy: str, options: dict[str, Any], repeats: int, whole: bool = False) -> dict[str, Any]:
    """Measure each half in a process of its own, and the whole model in a third one.

    Returns:
        "system2", "system1": load_s, resident_bytes, weight_bytes, call_s (median); "plan_bytes"; "whole_s": LeRobot's call;
        "chunks_per_s" with one plan in use for PLAN_IN_USE_S or as long as a chunk takes, and "speed_up" over the whole.
    """
    plan, system2 = _in_process(_system2, policy, options, repeats)
    actions, system1 = _in_process(_system1, policy, options, repeats, plan)
    in_use_s = max(PLAN_IN_USE_S, system1["call_s"])
    results: dict[str, Any] = {"system2": system2, "system1": system1, "plan_bytes": plan.data.nbytes}
    results |= {"tokens": int((plan.token_mask > 0).sum()), "actions": actions.tolist()}
    results["chunks_per_s"] = max(1, int(in_use_s / system1["call_s"])) / in_use_s
    halves_s = system1["call_s"] + system2["call_s"]
    results["whole_s"] = _in_process(_whole, policy, options, repeats)[0] if whole else halves_s
    results["speed_up"] = results["chunks_per_s"] * results["whole_s"]
    return results


def _in_process(target: Any, *arguments: Any) -> Any:
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_answer, args=(theirs, target, arguments), daemon=True)
    process.start()
    theirs.close()
    answer = mine.recv()
    process.join()
    if isinstance(answer, Exception):
        raise answer
    return answer


def _answer(connection: Connection, target: Any, arguments: Any) -> None:
    try:
        connection.send(target(*arguments))
    except Exception as error:
        connection.send(RuntimeError(f"{type(error).__name__}: {error}"))


def _robot() -> Any:
    from vla_ros.policies.registry import Robot
    from vla_ros.resources import share

    urdf = (share() / "config" / "sim_arm.urdf").read_text()
    return Robot(urdf, (*(f"joint{n}" for n in range(1, 8)), "finger_joint"), "tool", ("front", "wrist"))


def _frames() -> Any:
    from vla_ros.perception.frames import CameraHealth, CameraView, Frames

    random = np.random.default_rng(0)
    images = {name: random.integers(0, 256, (256, 256, 3), dtype=np.uint8) for name in ("front", "wrist")}
    return Frames(1000, {name: CameraView(image, CameraHealth.OK) for name, image in images.items()})


def _state() -> Any:
    from vla_ros.policies.contract import JointState
    from vla_ros.sim.arm_description import HOME

    return JointState(1000, np.array([*map(float, HOME[:7]), 0.02]), np.zeros(8))


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _timed(call: Any, repeats: int) -> tuple[Any, float]:
    result = call()  # the first one takes longer
    times = []
    for _ in range(repeats):
        began_s = time.perf_counter()
        result = call()
        times.append(time.perf_counter() - began_s)
    return result, float(np.median(times))


def _made(half: str, policy: str, options: dict[str, Any]) -> tuple[Any, dict[str, float]]:
    from vla_ros.policies import registry

    began_s, before = time.perf_counter(), _resident()
    made = getattr(registry, half)(policy, _robot(), options)
    from vla_ros.policies.split.half_weights import bytes_in_memory

    weights = bytes_in_memory(made.half.model)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return made, {
        "load_s": time.perf_counter() - began_s,
        "resident_bytes": _resident(),
        "peak_bytes": peak,
        "before_bytes": before,
        "weight_bytes": weights,
    }


def _system2(policy: str, options: dict[str, Any], repeats: int) -> Any:
    from vla_ros.policies.contract import Instruction

    half, measured = _made("system2", policy, options)
    plan, call_s = _timed(lambda: half.plan(_frames(), Instruction(1, TEXT), _state()), repeats)
    return plan, {**measured, "call_s": call_s}


def _system1(policy: str, options: dict[str, Any], repeats: int, plan: Any) -> Any:
    import torch

    from vla_ros.policies.contract import Chunk
    from vla_ros.policies.split.flow_integration import integrate

    half, measured = _made("system1", policy, options)
    state = _state()
    rest = Chunk.rest(state.q, 2000)
    _, call_s = _timed(lambda: half.chunk(plan, state, rest, 3, 2000), repeats)
    with torch.no_grad():
        velocity = half.half.velocity(half._context, half.binding.state(state))
        flowed = integrate(velocity, half.noise.to(half.half.noise_dtype), half._steps, half.half.flow)
    return flowed[0].float().numpy(), {**measured, "call_s": call_s}


def _whole(policy: str, options: dict[str, Any], repeats: int) -> Any:
    """Time LeRobot's own call, from the same frames to normalised actions."""
    import torch

    torch.set_num_threads(options["threads"] or 1)
    from lerobot.policies.factory import get_policy_class, make_pre_post_processors

    model = get_policy_class(policy).from_pretrained(options["checkpoint"]).eval()
    pre, _ = make_pre_post_processors(model.config, pretrained_path=options["checkpoint"])
    frames, state = _frames(), _state()

    def call() -> Any:
        seen = {
            f"observation.images.{name}": torch.from_numpy(view.image).permute(2, 0, 1).float() / 255.0
            for name, view in frames.views.items()
        }
        batch = pre({**seen, "observation.state": torch.from_numpy(state.q.astype(np.float32)), "task": TEXT})
        return model.predict_action_chunk(batch)

    return _timed(call, repeats)[1], {}


def _transport(plans: int) -> str:
    """Return lines with what a plan of PLAN_BYTES costs between two processes."""
    from vla_ros.ros.plan_transport import measure_plan_transport

    lines = [f"a plan of {PLAN_BYTES / 1e6:.0f} MB between two processes, ms p50 / p95"]
    for shared in (True, False):
        times = measure_plan_transport(PLAN_BYTES, plans, PLAN_RATE_HZ, shared)
        parts = [
            f"{name} {1e3 * np.percentile(values, 50):.2f} / {1e3 * np.percentile(values, 95):.2f}"
            for name, values in (
                ("pack", times.pack),
                ("publish", times.publish),
                ("unpack", times.unpack),
                ("all", times.total),
            )
            if len(values)
        ]
        how = "shared memory" if shared else "in the message"
        lines.append(f"{how:15}{', '.join(parts)}; {len(times.total)} of {times.sent} arrived")
    return "\n".join(lines)


def _table(results: dict[str, Any]) -> str:
    lines = [f"{'':10}{'load':>8}{'weights':>10}{'resident':>10}{'call':>10}"]
    for half in ("system2", "system1"):
        measured = results[half]
        lines.append(
            f"{half:10}{measured['load_s']:6.1f} s{measured['weight_bytes'] / 1e6:7.0f} MB"
            f"{measured['resident_bytes'] / 1e6:7.0f} MB{1e3 * measured['call_s']:7.0f} ms"
        )
    lines.append(
        f"plan {results['plan_bytes'] / 1e6:.2f} MB ({results['tokens']} tokens); "
        f"whole model {1e3 * results['whole_s']:.0f} ms; "
        f"{results['chunks_per_s']:.2f} chunks/s with one plan in use, {results['speed_up']:.1f} times the whole model's"
    )
    return "\n".join(lines)
