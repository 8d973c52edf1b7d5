"""Starts the graph without launch_ros, reports processes that die, restarts those that may be, and stops all together."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, TextIO

import yaml

from vla_ros.bringup import last_resort
from vla_ros.bringup.process import RESPAWN_DELAY_S, Process, dds_environment, enclave_arguments, find_program
from vla_ros.end_signals import on_end_signal
from vla_ros.parameters import nested
from vla_ros.scheduling import ONE_THREAD

STOP_TIMEOUT_S = 15.0
"""From asking a process to end to killing it; one that is still starting answers when it has started."""
MAX_RESPAWN_DELAY_S = 10.0
STABLE_S = 30.0
"""A process that has run for so long is restarted after RESPAWN_DELAY_S again."""
REFUSED = 2
"""Exit code of a node that cannot start with its configuration."""


class RclDumper(yaml.SafeDumper):  # type: ignore[misc]
    """Quotes all text: rcl would take a plain y for true, and 1e-3 for a number."""

    def ignore_aliases(self, data: object) -> bool:
        """Write a value as often as it occurs: rcl reads no aliases."""
        return True


RclDumper.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def command_line(process: Process, folder: Path) -> list[str]:
    """Return the command that starts `process`; its parameters are written to a file in `folder`."""
    file = folder / f"{process.name}.yaml"
    content = {"/**": {"ros__parameters": nested(process.parameters)}}
    file.write_text(yaml.dump(content, Dumper=RclDumper, width=10**6))
    program = [sys.executable, "-P", "-m", f"vla_ros.nodes.{process.executable}"]
    if process.package != "vla_ros":
        program = [find_program(process.package, process.executable)]
    remappings = {"__node": process.name, **process.remappings}
    if process.namespace:
        remappings["__ns"] = f"/{process.namespace.strip('/')}"
    rules = [word for name, target in remappings.items() for word in ("-r", f"{name}:={target}")]
    return [*program, *process.arguments, "--ros-args", "--params-file", str(file), *rules, *enclave_arguments(process)]


class Child:
    """One running process. Its output goes to `on_line` with its name before each line; the end of it is kept."""

    def __init__(
        self, process: Process, folder: Path, on_line: Callable[[str], None], on_start: Callable[[int], None]
    ) -> None:
        self.process = process
        self.failures = 0
        self.restart_at_s = 0.0
        self._folder = folder
        self._on_line = on_line
        self._on_start = on_start
        self.start()

    def start(self) -> None:
        """Start it, for the first time or again."""
        self.started_s = time.monotonic()
        self.restart_at_s = 0.0
        self.last_lines: deque[str] = deque(maxlen=3)
        self.popen = subprocess.Popen(
            command_line(self.process, self._folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            # A group of its own: Ctrl-C reaches the supervisor alone, which stops everybody in order.
            start_new_session=True,
            preexec_fn=functools.partial(_end_with, os.getpid()),
            env={**ONE_THREAD, **os.environ, **dds_environment(), "PYTHONUNBUFFERED": "1"},
        )
        self._on_start(self.popen.pid)
        assert self.popen.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self.popen.stdout,), daemon=True)
        self._reader.start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            if line.strip():
                self.last_lines.append(line.strip())
                with contextlib.suppress(OSError):  # a closed terminal; who does not read on stops who writes
                    self._on_line(f"[{self.process.name}] {line.rstrip()}")

    def how_it_ended(self) -> str:
        """Return one line on how it ended; empty while it runs."""
        code = self.popen.poll()
        if code is None:
            return ""
        self._reader.join(0.2)
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        output = f"; last output: {self.last_lines[-1]}" if self.last_lines else ""
        return f"{self.process.name} ended ({how}){output}"


def _end_with(supervisor: int) -> None:
    """Have Linux ask this child to end when its supervisor is killed: the filter then brakes, and the arm waits for it."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    if os.getppid() != supervisor:  # killed before that
        os._exit(1)


class Supervisor:
    """Runs processes until it is told to stop, or a vital one dies.

    Args: processes: from `bringup`. on_line: called with each line of output.
    """

    def __init__(self, processes: Sequence[Process], on_line: Callable[[str], None] = print) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="vla_ros_")
        self._on_line = on_line
        self._last_resort = subprocess.Popen(
            [sys.executable, "-ES", last_resort.__file__, str(STOP_TIMEOUT_S)],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        folder = Path(self._folder.name)
        self.children = {process.name: Child(process, folder, on_line, self._register) for process in processes}

    def _register(self, pid: int) -> None:
        with contextlib.suppress(OSError):
            print(pid, file=self._last_resort.stdin, flush=True)

    def watch(self) -> str:
        """Report and restart what has ended; return why the graph must stop, or an empty text."""
        now_s = time.monotonic()
        for child in self.children.values():
            if child.restart_at_s:
                if now_s >= child.restart_at_s:
                    child.start()
                continue
            ended = child.how_it_ended()
            if not ended:
                continue
            refused = child.popen.returncode == REFUSED  # restarting does not help
            if child.process.vital or (refused and not child.failures and not child.process.viewer):
                return ended
            if refused or not child.process.respawn:
                self._on_line(f"vla_ros: {ended}")
                child.restart_at_s = float("inf")
                continue
            child.failures = 1 if now_s - child.started_s > STABLE_S else child.failures + 1
            delay_s = min(RESPAWN_DELAY_S * 2 ** (child.failures - 1), MAX_RESPAWN_DELAY_S)
            child.restart_at_s = now_s + delay_s
            self._on_line(f"vla_ros: {ended}; starting it again in {delay_s:.0f} s")
        return ""

    def stop(self) -> list[str]:
        """End all processes, the sources of motion first; return the names of those that had to be killed."""
        running = [child for child in self.children.values() if child.popen.poll() is None]
        for child in reversed(running):
            child.popen.send_signal(signal.SIGINT)
            if child.process.vital:  # the filter brings the arm to rest, for which the arm must still run
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.popen.wait(STOP_TIMEOUT_S)
        deadline_s = time.monotonic() + STOP_TIMEOUT_S
        killed = []
        for child in running:
            try:
                child.popen.wait(max(0.0, deadline_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.popen.kill()
                child.popen.wait()
                killed.append(child.process.name)
        with contextlib.suppress(OSError):
            self._last_resort.communicate()
        self._folder.cleanup()
        return killed


def run(processes: Sequence[Process], on_start: Callable[[threading.Event], None] | None = None) -> int:
    """Run the graph in the foreground until Ctrl-C, SIGTERM or the end of its terminal.

    Args:
        processes: from `bringup`.
        on_start: called in a thread once all processes are started, with an event that is set when it must end: a process
            that exits while one of its threads is inside DDS may hang.

    Returns:
        0 after one of these; 1 when a vital process has died.
    """
    signals: list[int] = []  # no threading.Event: a handler that interrupts its waiter would wait for its lock
    on_end_signal(signals.append)
    supervisor = Supervisor(processes, _say)
    stopping = threading.Event()
    starter = threading.Thread(target=on_start or (lambda _: None), args=(stopping,), daemon=True)
    starter.start()
    why = ""
    while not (signals or why):
        time.sleep(0.1)
        why = supervisor.watch()
    stopping.set()
    killed = supervisor.stop()
    starter.join(STOP_TIMEOUT_S)
    if killed:
        _say(f"vla_ros: {', '.join(killed)} did not end when asked and was killed")
    if why:
        _say(f"vla_ros: {why}; everything was stopped", sys.stderr)
        return 1
    return 0


def _say(line: str, stream: TextIO | None = None) -> None:
    """Print a line; the terminal may be closed."""
    with contextlib.suppress(OSError):
        print(line, file=stream, flush=True)
