"""The processes of a graph and what an operating system can do to them; no ROS."""

from __future__ import annotations

import abc
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import yaml

from vla_ros.bringup.graph import parameters_of
from vla_ros.bringup.process import Process
from vla_ros.bringup.supervisor import Supervisor
from vla_ros.lab.faults.graphs import AUDIT, GATE, REMOVED
from vla_ros.parameters import nested
from vla_ros.safety.audit.record import SUFFIX
from vla_ros.sim.arm_description import urdf

FLOOD_PARTICIPANTS = 4
START_S = 300.0
"""A process may take so long to start on a busy machine."""
UNDER_WAY_S = 0.05
"""Messages of a process that has ended are still read for so long."""
AGAIN_S = 60.0
"""The writer of the audit log tries again every second; on a busy machine it comes last."""
AUDITED_S = 1.0
"""So much of the file with which an audit log goes on is replayed, at least."""


class Machine(abc.ABC):
    """Args: processes: are started. folder: holds the audit log."""

    def __init__(self, processes: Sequence[Process], folder: Path) -> None:
        self.lines: list[str] = []
        self.state = ""
        self.late = 0
        self._folder = folder
        self._audited: set[Path] = set()
        self._floods: list[subprocess.Popen[bytes]] = []
        self._supervisor = Supervisor(processes, self.lines.append)

    def watch(self) -> None:
        """Start again what is started again."""
        self._supervisor.watch()

    def close(self) -> None:
        """End all processes."""
        self.flood(0)
        self._supervisor.stop()

    @abc.abstractmethod
    def note(self, answer: str) -> None:
        """Keep an answer."""

    @abc.abstractmethod
    def play(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Let it run."""

    def send_signal(self, name: str, number: int) -> None:
        """To one process of the graph."""
        os.kill(self._supervisor.children[name].popen.pid, number)

    def kill(self, name: str) -> None:
        self.send_signal(name, signal.SIGKILL)
        self._supervisor.children[name].popen.wait()
        if name == "safety_filter":
            self.play(UNDER_WAY_S)
            self.state = "-"

    def restart(self, name: str) -> None:
        self.state = ""
        self._supervisor.children[name].start()
        self.play(START_S, lambda: bool(self.state) or not self.running(name))

    def running(self, name: str) -> bool:
        """Whether a process of the graph runs; why not is noted."""
        ended = self._supervisor.children[name].how_it_ended()
        if ended:
            self.state = "-"
            self.note(ended)
        return not ended

    def stall(self, name: str, seconds: float) -> None:
        self.send_signal(name, signal.SIGSTOP)
        timer = threading.Timer(seconds, self.send_signal, (name, signal.SIGCONT))
        timer.start()
        self.play(seconds)
        timer.join()

    def flood(self, processes: int) -> None:
        for process in self._floods:
            process.terminate()
        for process in self._floods:
            process.wait(START_S)
        command = [sys.executable, "-m", "vla_ros.ros.dds_flood", str(FLOOD_PARTICIPANTS)]
        self._floods = [subprocess.Popen(command) for _ in range(processes)]

    def fill_disk(self, full: bool) -> None:
        # As on a full disk, every write of the process that writes the log fails; no disk need be filled for it.
        self._audited = set((self._folder / AUDIT).iterdir())
        limit = 0 if full else resource.RLIM_INFINITY
        for child in psutil.Process(self._supervisor.children["safety_filter"].popen.pid).children():
            resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    def remove_log(self) -> None:
        self._audited = set()
        times = len(list(self._folder.glob(f"{REMOVED}*")))
        (self._folder / AUDIT).rename(
            self._folder / f"{REMOVED}{times}"
        )  # gone for the filter, still there for the judge

    def replay_log(self) -> None:
        def begun() -> list[Path]:
            return [path for path in (self._folder / AUDIT).glob(f"*{SUFFIX}") if path not in self._audited]

        if not self.play(AGAIN_S, lambda: any(path.stat().st_size for path in begun())):
            self.note("the audit log does not go on")
            return
        self.play(AUDITED_S)
        found = self._folder / "replay.json"
        command = [sys.executable, "-m", "vla_ros.cli", "replay", str(min(begun())), "--json", str(found)]
        # A process of its own, behind those of the graph, which goes on meanwhile.
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=lambda: os.nice(5)
        )
        self.play(START_S, lambda: process.poll() is not None)
        said = process.communicate()[0].strip().splitlines()
        report = json.loads(found.read_text()) if process.returncode == 0 else {"ticks": 0, "lost": 0}
        good = report["ticks"] and report["lost"]
        what = f"the audit log goes on after {report['lost']} lost records" if good else "the audit log is broken"
        self.note(f"{what}: {'; '.join(said)}")

    def refuse_to_start(self, parameters: dict[str, object], urdf_of: Callable[[str], str] | None = None) -> None:
        model = self._folder / "arm.urdf"
        model.write_text(urdf() if urdf_of is None else urdf_of(urdf()))
        flat = {**parameters_of("safety_filter"), **GATE, "urdf": str(model), **parameters}
        flat = {key: value for key, value in flat.items() if value is not None}
        file = self._folder / "gate.yaml"
        file.write_text(yaml.safe_dump({"/**": {"ros__parameters": nested(flat)}}))
        command = [sys.executable, "-m", "vla_ros.nodes.safety_filter", "--ros-args", "--params-file", str(file)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=START_S, check=False)
        except subprocess.TimeoutExpired:
            self.note(f"it has not ended after {START_S:.0f} s")
            return
        lines = done.stderr.strip().splitlines()
        clean = done.returncode == 2 and len(lines) == 1
        self.note(lines[0] if clean else f"exit code {done.returncode} and {len(lines)} lines")
