"""The processes of a graph and the faults that an operating system can inject into them; no ROS."""

from __future__ import annotations

import abc
import dataclasses
import json
import os
import resource
import select
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
from vla_ros.bringup.supervisor import STOP_TIMEOUT_S, Supervisor
from vla_ros.lab.faults.graphs import AUDIT, FILTER_PARAMETERS, REMOVED
from vla_ros.lab.faults.reaction import NO_FILTER
from vla_ros.lab.faults.rig import CaseAborted
from vla_ros.parameters import nested
from vla_ros.safety.audit.record import SUFFIX
from vla_ros.sim.arm_description import urdf

FLOOD_PARTICIPANTS = 4
REFUSAL = "vla_ros safety_filter: "
"""Begins each line with which it refuses to start."""
START_S = 300.0
"""A process may take so long to start on a busy machine."""
IN_FLIGHT_S = 0.05
"""Messages of a process that has ended still arrive for this time."""
LOG_RETRY_S = 60.0
"""The writer of the audit log tries again every second; on a busy machine it comes last."""
AUDITED_S = 1.0
"""At least so much of the file with which an audit log continues is replayed."""
REPLAY_NICENESS = 5


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """End them; kill those that do not end when asked."""
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.communicate(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


class ProcessFaults(abc.ABC):
    """Starts the processes of a graph and injects faults into them.

    Args:
        processes: are started.
        folder: holds the audit log.
    """

    def __init__(self, processes: Sequence[Process], folder: Path) -> None:
        self.lines: list[str] = []
        self.state = ""
        self._folder = folder
        self._logs_before: set[Path] = set()
        self._floods: list[subprocess.Popen[bytes]] = []
        self._input_flood: subprocess.Popen[bytes] | None = None
        self._parameters = {process.name: process.parameters for process in processes}
        self._supervisor = Supervisor(processes, self.lines.append)

    def watch(self) -> None:
        """Restart processes whose bringup entry asks for it."""
        self._supervisor.watch()

    def close(self) -> None:
        """End all processes."""
        self.set_flood(0)
        self.set_input_flood("")
        self._supervisor.stop()

    @abc.abstractmethod
    def record_answer(self, answer: str) -> None:
        """Record an answer for the comparison with what is expected."""

    @abc.abstractmethod
    def run_for(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Let the graph run for `seconds`, or until `until` returns True. Return whether it does."""

    def send_signal(self, name: str, number: int) -> None:
        """Send a signal to one process of the graph."""
        os.kill(self._supervisor.children[name].popen.pid, number)

    def kill(self, name: str) -> None:
        self.send_signal(name, signal.SIGKILL)
        self._supervisor.children[name].popen.wait()
        if name == "safety_filter":
            self.run_for(IN_FLIGHT_S)
            self.state = NO_FILTER

    def restart(self, name: str) -> None:
        self.state = ""
        self._supervisor.children[name].start()
        self.run_for(START_S, lambda: bool(self.state) or not self.running(name))

    def restart_with(self, name: str, parameters: dict[str, object]) -> None:
        child = self._supervisor.children[name]
        child.popen.terminate()  # it takes its leave: nobody waits for a publisher that has died
        if not self.run_for(START_S, lambda: child.popen.poll() is not None):
            raise CaseAborted(f"{name} does not end")
        given = self._parameters[name]
        child.process = dataclasses.replace(child.process, parameters={**given, **parameters})
        child.start()

    def running(self, name: str) -> bool:
        """Whether a process of the graph runs. Where it does not, the reason is recorded."""
        ended = self._supervisor.children[name].how_it_ended()
        if ended:
            self.state = NO_FILTER
            self.record_answer(ended)
        return not ended

    def pause(self, name: str, seconds: float) -> None:
        self.send_signal(name, signal.SIGSTOP)
        timer = threading.Timer(seconds, self.send_signal, (name, signal.SIGCONT))
        timer.start()
        self.run_for(seconds)
        timer.join()

    def set_flood(self, processes: int) -> None:
        _end(self._floods)
        command = [sys.executable, "-m", "vla_ros.ros.dds_flood", str(FLOOD_PARTICIPANTS)]
        self._floods = [subprocess.Popen(command) for _ in range(processes)]

    def set_input_flood(self, kind: str) -> None:
        if self._input_flood is not None:
            _end([self._input_flood])
            self._input_flood = None
        if kind:
            command = [sys.executable, "-m", "vla_ros.ros.input_flood", kind]
            self._input_flood = subprocess.Popen(command, stdout=subprocess.PIPE)
            said = self._input_flood.stdout
            assert said is not None
            self.run_for(START_S, lambda: bool(select.select([said], [], [], 0.0)[0]))

    def block_log_writes(self, blocked: bool) -> None:
        # With a file size limit of 0 every write of the log's process fails, as on a full disk.
        self._logs_before = set((self._folder / AUDIT).iterdir())
        limit = 0 if blocked else resource.RLIM_INFINITY
        for child in psutil.Process(self._supervisor.children["safety_filter"].popen.pid).children():
            resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    def remove_audit_log(self) -> None:
        self._logs_before = set()
        count = len(list(self._folder.glob(f"{REMOVED}*")))
        # The filter no longer finds the folder; the oracle reads it afterwards under its new name.
        (self._folder / AUDIT).rename(self._folder / f"{REMOVED}{count}")

    def replay_audit_log(self) -> None:
        def new_logs() -> list[Path]:
            return [path for path in (self._folder / AUDIT).glob(f"*{SUFFIX}") if path not in self._logs_before]

        if not self.run_for(LOG_RETRY_S, lambda: any(path.stat().st_size for path in new_logs())):
            self.record_answer("the audit log does not go on")
            return
        self.run_for(AUDITED_S)
        self.record_answer(self._replay(min(new_logs())))

    def _replay(self, log: Path) -> str:
        """Replay a log in a process of its own while the graph goes on; return what came of it."""
        file = self._folder / "replay.json"
        command = [sys.executable, "-m", "vla_ros.cli", "replay", str(log), "--json", str(file)]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=lambda: os.nice(REPLAY_NICENESS),
        )
        if not self.run_for(START_S, lambda: process.poll() is not None):
            process.kill()
        output = process.communicate()[0].strip().splitlines()
        report = json.loads(file.read_text()) if process.returncode == 0 else {"ticks": 0, "lost": 0}
        good = report["ticks"] and report["lost"]
        what = f"the audit log goes on after {report['lost']} lost records" if good else "the audit log is broken"
        return f"{what}: {'; '.join(output)}"

    def start_filter(self, parameters: dict[str, object], edit_urdf: Callable[[str], str] | None = None) -> None:
        model = self._folder / "arm.urdf"
        model.write_text(urdf() if edit_urdf is None else edit_urdf(urdf()))
        flat = {**parameters_of("safety_filter"), **FILTER_PARAMETERS, "urdf": str(model), **parameters}
        flat = {key: value for key, value in flat.items() if value is not None}
        file = self._folder / "filter.yaml"
        file.write_text(yaml.safe_dump({"/**": {"ros__parameters": nested(flat)}}))
        command = [sys.executable, "-m", "vla_ros.nodes.safety_filter", "--ros-args", "--params-file", str(file)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=START_S, check=False)
        except subprocess.TimeoutExpired:
            self.record_answer(f"it has not ended after {START_S:.0f} s")
            return
        lines = done.stderr.strip().splitlines()
        # One line for each parameter that is wrong, and no traceback.
        clean = done.returncode == 2 and lines and all(line.startswith(REFUSAL) for line in lines)
        more = f" (and {len(lines) - 1} lines more)" if len(lines) > 1 else ""
        self.record_answer(f"{lines[0]}{more}" if clean else f"exit code {done.returncode} and {len(lines)} lines")
