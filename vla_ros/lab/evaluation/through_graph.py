"""Evaluation on the running graph: real nodes, real DDS, real time; the simulator judges."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from statistics import mean
from typing import Any

import psutil

from vla_ros.bringup.graph import bringup
from vla_ros.bringup.process import private_domain
from vla_ros.bringup.start_check import require_startable
from vla_ros.bringup.supervisor import Supervisor
from vla_ros.lab.evaluation.interventions import InterventionCounter
from vla_ros.lab.evaluation.report import Outcome
from vla_ros.msg import SafetyStatus
from vla_ros.oracle.live.live_judge import LET_GO_S
from vla_ros.ros.client import Client, Unreachable, connect
from vla_ros.ros.qos import EVENTS
from vla_ros.ros.stamps import nanoseconds
from vla_ros.safety.states import AT_REST, LATCHED, State

LIMIT_S = 60.0
SEQUENCE_LIMIT_S = 90.0
SETTLE_S = 1.0
PATIENCE_S = 180.0
"""So long a busy machine may take to start the graph, or to arm."""
WATCH_S = 2.0
"""So often it is looked whether a node has ended while the graph starts."""
ACTING = LATCHED | {State.LIMITING}


class GraphEvaluation:
    """The graph and a client of it, for a series of episodes. Use as a context manager.

    Args: policy, config, overrides, use_sim_time, system2: as for `vla_ros.bringup.graph.bringup`.
    """

    def __init__(
        self,
        policy: str,
        config: str = "",
        overrides: Mapping[str, Mapping[str, Any]] | None = None,
        use_sim_time: bool = False,
        system2: str = "",
    ) -> None:
        os.environ.update(private_domain())
        self._lines: list[str] = []
        processes = bringup(
            policy=policy, config=config, overrides=overrides, use_sim_time=use_sim_time, system2=system2
        )
        require_startable(processes, policy, "sim")
        self._supervisor = Supervisor(processes, self._hear)
        self._context = connect()
        self._acted = InterventionCounter()
        self._limited, self._rule = 0, ""
        self._hz: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def _hear(self, line: str) -> None:
        self._lines = [*self._lines[-30:], line]

    def __enter__(self) -> GraphEvaluation:
        self.client: Client = self._context.__enter__()
        self.client.node.create_subscription(SafetyStatus, "vla/safety_status", self._see, EVENTS)
        try:
            self._wait_until_ready(PATIENCE_S)
        except Unreachable as error:
            self.__exit__()
            raise Unreachable(str(error)) from None
        self._began = (time.monotonic(), self._cpu())
        return self

    def _wait_until_ready(self, timeout_s: float) -> None:
        """Wait until the graph is ready. Raises Unreachable: it is not, in time; or a node refuses to start, at once."""
        end_s = time.monotonic() + timeout_s
        while True:
            try:
                return self.client.wait_until_ready(min(timeout_s, WATCH_S))
            except Unreachable as error:
                if ended := self._supervisor.watch():
                    raise Unreachable(ended) from None
                if time.monotonic() > end_s:
                    raise Unreachable(f"{error}; {'; '.join(self._lines[-3:])}") from None

    def __exit__(self, *_: object) -> None:
        self._context.__exit__(None, None, None)
        self._supervisor.stop()

    def _see(self, status: SafetyStatus) -> None:
        """Count what the filter did since its last message; there is one whenever another rule begins to act."""
        ticks, self._limited = status.limited - self._limited, status.limited
        acting = status.state in ACTING
        if acting:
            self._rule = status.rule or State(status.state).name.lower()
        if acting or ticks:
            self._acted.add(self._rule, nanoseconds(status.header.stamp), ticks)

    @property
    def checkpoint(self) -> str:
        """Of the policy, as its newest plan says; empty: there is no plan."""
        return self.client.plan.checkpoint if self.client.plan is not None else ""

    def _cpu(self) -> dict[str, float]:
        """CPU seconds so far of each node with its children."""
        seconds = {}
        for name, child in self._supervisor.children.items():
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(child.popen.pid)
                times = [member.cpu_times() for member in (process, *process.children(recursive=True))]
                seconds[name] = sum(each.user + each.system for each in times)
        return seconds

    def episode(self, seed: int, task: str, instruction: str = "", say: Callable[[str], None] = print) -> Outcome:
        """One task from reset to verdict."""
        end = self._supervisor.watch()
        if end:
            raise Unreachable(end)
        talk = self.client
        talk.publish("")
        talk.spin(2.0, lambda: talk.status is not None and talk.status.state in AT_REST)
        talk.trigger("reset")
        talk.trigger("disarm")
        talk.spin(LET_GO_S)
        words = talk.reset_scene(seed, task)
        talk.spin(1.2)  # until the planner has frames of the new scene
        behind_s = talk.ground_truth()[1]["behind_s"]
        armed, why = talk.arm(PATIENCE_S)
        if not armed:
            raise Unreachable(why)
        talk.spin(0.2)
        began_s, self._acted = time.monotonic(), InterventionCounter()
        say(f"asked: {instruction or words}")
        said, why = talk.follow(instruction or words, SEQUENCE_LIMIT_S if task == "sequence" else LIMIT_S, say)
        seconds, acted = time.monotonic() - began_s, self._acted
        self._acted = InterventionCounter()
        for name, values in talk.diagnostics.items():
            for key, value in values.items():
                if key.endswith("_hz") and math.isfinite(float(value)):
                    self._hz[name][key].append(float(value))
        talk.spin(SETTLE_S)
        success, state = talk.ground_truth()
        return Outcome(
            task,
            seed,
            instruction or words,
            success,
            f"{said}: {why}" if why else said,
            round(seconds, 2),
            state["measures"],
            interventions=acted.ticks,
            begun=acted.begun,
            behind_s=round(state["behind_s"] - behind_s, 2),
        )

    def rates(self) -> dict[str, Any]:
        """What the nodes say of their timing, and the CPU that they have used (cores).

        Nodes at rest have no rates (`_hz`): theirs are the means of what they said last while each episode went on.
        """
        self.client.spin(1.5)
        elapsed = time.monotonic() - self._began[0]
        cpu = {
            name: round(max(0.0, value - self._began[1].get(name, 0.0)) / elapsed, 3)
            for name, value in self._cpu().items()
        }
        hz = {name: {key: round(mean(found), 2) for key, found in keys.items()} for name, keys in self._hz.items()}
        told = self.client.diagnostics.items()
        return {"cpu_cores": cpu, **{name: {**values, **hz.get(name, {})} for name, values in told}}
