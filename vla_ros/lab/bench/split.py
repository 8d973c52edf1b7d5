"""`vla-ros bench split`: what each half of a model takes in memory and time, with random weights and no hub."""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import resource
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from vla_ros.lab.json_output import write_json
from vla_ros.progress_line import ProgressLine

TEXT = "put the red cube in the bowl"
REPEATS = 5
PLAN_BYTES = 18_000_000
PLAN_RATE_HZ = 5.0


def run(chosen: argparse.Namespace) -> int:
    """Run the bench; return the exit code."""
    from vla_ros.lab.bench import random_checkpoint

    repeats = 2 if chosen.quick else REPEATS
    print(_transport(20 if chosen.quick else 100))
    types = ("bfloat16", "int8", "int4") if chosen.types else ()
    with (
        tempfile.TemporaryDirectory(prefix="vla_ros_bench_") as scratch,
        ProgressLine("bench split", 1 + len(types)) as progress,
    ):
        folder = Path(scratch) / "policy"
        options = random_checkpoint.save(chosen.family, chosen.size, folder)
        options |= {"checkpoint": str(folder), "binding": {"rate_hz": 30.0}, "threads": chosen.threads}
        before = os.getloadavg()[0]
        results = measure(chosen.family, options, repeats, whole=chosen.family == "smolvla")
        results |= {"family": chosen.family, "size": chosen.size, "threads": chosen.threads, "load": before}
        results["types"] = {}
        for weights in types:
            progress.advance()
            results["types"][weights] = measure(chosen.family, {**options, "weights": weights}, repeats)
        progress.advance()
    print(_table(results))
    exact = np.array(results["flow"])
    for weights, measured in results["types"].items():
        error = np.sqrt(np.mean((np.array(measured["flow"]) - exact) ** 2) / np.mean(exact**2))
        print(
            f"\n{weights}, error of both halves {100 * error:.2f} % of what the model adds to its noise\n{_table(measured)}"
        )
    write_json(chosen.json, results)
    return 0


def measure(policy: str, options: dict[str, Any], repeats: int, whole: bool = False) -> dict[str, Any]:
    """Measure each half in a process of its own, and the whole model in a third one, in turns: a load meets all alike.

    Returns:
        "system2", "system1": load_s, resident_bytes, weight_bytes, call_s (median); "plan_bytes", "tokens"; "flow": what the
        model adds to its noise; "whole_s": LeRobot's call, or the sum of both halves where it is not measured;
        "chunks_per_s" with one plan in use, and "speed_up" over the whole.
    """
    with _Half(_System2, policy, options) as system2, _Half(_System1, policy, options) as system1:
        plan = system2.call()[0]
        flow = system1.call(plan)[0]
        with _Half(_Whole, policy, options) if whole else contextlib.nullcontext() as model:
            halves = [half for half in (system2, system1, model) if half is not None]
            if model is not None:
                model.call()
            for half in halves:
                half.times_s.clear()  # the first call takes longer
            for _ in range(repeats):
                for half in halves:
                    half.call(*([plan] if half is system1 else []))
            two, one = system2.measured(), system1.measured()
            whole_s = two["call_s"] + one["call_s"] if model is None else model.measured()["call_s"]
    results: dict[str, Any] = {"system2": two, "system1": one, "plan_bytes": plan.data.nbytes, "whole_s": whole_s}
    results |= {"tokens": int((plan.token_mask > 0).sum()), "flow": flow.tolist(), "chunks_per_s": 1.0 / one["call_s"]}
    results["speed_up"] = whole_s / one["call_s"]
    return results


class _Half:
    """A process that holds a half, or the whole model, and answers calls."""

    def __init__(self, target: Any, policy: str, options: dict[str, Any]) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_answer, args=(theirs, target, policy, options), daemon=True)
        self._process.start()
        theirs.close()
        self._measured: dict[str, float] = self._received()
        self.times_s: list[float] = []

    def __enter__(self) -> _Half:
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.close()
        self._process.join(5.0)
        self._process.kill()

    def call(self, *arguments: Any) -> Any:
        """Call it once; return (result, s)."""
        self._connection.send(arguments)
        result, took_s = self._received()
        self.times_s.append(took_s)
        return result, took_s

    def measured(self) -> dict[str, float]:
        """Return what was measured when it was made, and the median time of a call."""
        return {**self._measured, "call_s": float(np.median(self.times_s))}

    def _received(self) -> Any:
        answer = self._connection.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


def _answer(connection: Connection, target: Any, policy: str, options: dict[str, Any]) -> None:
    try:
        began_s = time.perf_counter()
        made = target(policy, options)
        connection.send({"load_s": time.perf_counter() - began_s, "resident_bytes": _resident(), **made.measured})
        while True:
            arguments = connection.recv()
            began_s = time.perf_counter()
            result = made(*arguments)
            connection.send((result, time.perf_counter() - began_s))
    except EOFError:
        return
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


class _System2:
    def __init__(self, policy: str, options: dict[str, Any]) -> None:
        from vla_ros.policies import registry
        from vla_ros.policies.split.half_weights import bytes_in_memory

        half: Any = registry.system2(policy, _robot(), options)
        self._half = half
        self.measured = {"weight_bytes": bytes_in_memory(half.half.model)}

    def __call__(self) -> Any:
        from vla_ros.policies.contract import Instruction

        return self._half.plan(_frames(), Instruction(1, TEXT), _state())


class _System1:
    def __init__(self, policy: str, options: dict[str, Any]) -> None:
        from vla_ros.policies import registry
        from vla_ros.policies.split.half_weights import bytes_in_memory

        half: Any = registry.system1(policy, _robot(), options)
        self._half = half
        self.measured = {"weight_bytes": bytes_in_memory(half.half.model)}
        self._plan: Any = None

    def __call__(self, plan: Any) -> Any:
        """Return what the flow adds to the noise; a plan that is equal is decoded once."""
        import torch

        from vla_ros.policies.split.flow_integration import integrate

        if self._plan is None:
            self._plan = self._half.half.context(plan)
        with torch.no_grad():
            velocity = self._half.half.velocity(self._plan, self._half.binding.state(_state()))
            noise = self._half.noise.to(self._half.half.noise_dtype)
            flowed = integrate(velocity, noise, self._half._steps, self._half.half.flow)
        return (flowed - noise)[0].float().numpy()


class _Whole:
    """LeRobot's own call, from the same frames to normalised actions."""

    def __init__(self, policy: str, options: dict[str, Any]) -> None:
        import torch

        torch.set_num_threads(options["threads"] or 1)
        from lerobot.policies.factory import get_policy_class, make_pre_post_processors

        self._model = get_policy_class(policy).from_pretrained(options["checkpoint"]).eval()
        self._pre, _ = make_pre_post_processors(self._model.config, pretrained_path=options["checkpoint"])
        parameters = self._model.parameters()
        self.measured = {"weight_bytes": sum(tensor.numel() * tensor.element_size() for tensor in parameters)}

    def __call__(self) -> Any:
        import torch

        seen = {
            f"observation.images.{name}": torch.from_numpy(view.image).permute(2, 0, 1).float() / 255.0
            for name, view in _frames().views.items()
        }
        state = torch.from_numpy(_state().q.astype(np.float32))
        return self._model.predict_action_chunk(self._pre({**seen, "observation.state": state, "task": TEXT}))


def _transport(plans: int) -> str:
    """Return lines with what a plan of PLAN_BYTES costs between two processes."""
    from vla_ros.ros.plan_transport import Way, measure_plan_transport

    ways: dict[Way, str] = {
        "in_place": "written in shared memory",
        "copied": "copied there",
        "message": "in the message",
    }
    copies_ms = 1e3 * np.array(_copies(plans))
    lines = [
        f"a plan of {PLAN_BYTES / 1e6:.0f} MB between two processes, ms p50 / p95",
        f"{'one copy alone':26}{np.percentile(copies_ms, 50):.2f} / {np.percentile(copies_ms, 95):.2f}",
    ]
    for way, how in ways.items():
        times = measure_plan_transport(PLAN_BYTES, plans, PLAN_RATE_HZ, way)
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
        lines.append(f"{how:26}{', '.join(parts)}; {len(times.total)} of {times.sent} arrived")
    return "\n".join(lines)


def _copies(count: int) -> list[float]:
    """Return how long a copy of PLAN_BYTES in memory takes, s, at the pace of plans."""
    source, target, times_s = np.ones(PLAN_BYTES, np.uint8), np.zeros(PLAN_BYTES, np.uint8), []
    for _ in range(count):
        began_s = time.perf_counter()
        target[:] = source
        times_s.append(time.perf_counter() - began_s)
        time.sleep(1.0 / PLAN_RATE_HZ)
    return times_s


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
