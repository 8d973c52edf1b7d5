"""Starts the graph without launch_ros, names what dies, starts again what may be, and stops everything together."""

from __future__ import annotations

import contextlib
import ctypes
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
from typing import IO

import yaml

from vla_ros.bringup.graph import RESPAWN_DELAY_S, Process, environment
from vla_ros.parameters import nested
from vla_ros.scheduling import ONE_THREAD

PATIENCE_S = 15.0  # from asking a process to end to ending it; one that is still starting hears it when it has started
LONGEST_BACK_OFF_S = 10.0


def command_line(process: Process, folder: Path) -> list[str]:
    """Return the command that starts `process`; its parameters are written to a file in `folder`."""
    file = folder / f"{process.name}.yaml"
    file.write_text(yaml.safe_dump({"/**": {"ros__parameters": nested(process.parameters)}}))
    program = [sys.executable, "-m", f"vla_ros.nodes.{process.executable}"]
    if process.package != "vla_ros":
        from vla_ros.bringup.rviz import program as installed

        program = [installed(process.package, process.executable)]
    remappings = {"__node": process.name, **process.remappings}
    if process.namespace:
        remappings["__ns"] = f"/{process.namespace.strip('/')}"
    rules = [word for name, target in remappings.items() for word in ("-r", f"{name}:={target}")]
    return [*program, *process.arguments, "--ros-args", "--params-file", str(file), *rules]


class Child:
    """One running process: its output with its name before each line, and its last words."""

    def __init__(self, process: Process, folder: Path, say: Callable[[str], None]) -> None:
        self.process = process
        self.failures = 0
        self.restart_at_s = 0.0
        self._folder = folder
        self._say = say
        self.start()

    def start(self) -> None:
        """Start it, again perhaps."""
        self.started_s = time.monotonic()
        self.restart_at_s = 0.0
        self.last_words: deque[str] = deque(maxlen=3)
        self.popen = subprocess.Popen(
            command_line(self.process, self._folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            # A group of its own: Ctrl-C reaches the supervisor alone, which stops everybody in order.
            start_new_session=True,
            preexec_fn=_die_with_parent,
            env={**ONE_THREAD, **os.environ, **environment(), "PYTHONUNBUFFERED": "1"},
        )
        assert self.popen.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self.popen.stdout,), daemon=True)
        self._reader.start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            if line.strip():
                self.last_words.append(line.strip())
                self._say(f"[{self.process.name}] {line.rstrip()}")

    def ended(self) -> str:
        """Return how it ended, in words; empty while it runs."""
        code = self.popen.poll()
        if code is None:
            return ""
        self._reader.join(0.2)
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        words = f"; last words: {self.last_words[-1]}" if self.last_words else ""
        return f"{self.process.name} ended ({how}){words}"


def _die_with_parent() -> None:
    """Linux ends a child when its supervisor is killed, so that no arm is driven by orphans."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Supervisor:
    """Runs processes until it is told to stop, or one of them that is vital dies.

    Args: processes: from vla_ros.bringup.graph. say: where lines go.
    """

    def __init__(self, processes: Sequence[Process], say: Callable[[str], None] = print) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="vla_ros_")
        self._say = say
        self.children = {process.name: Child(process, Path(self._folder.name), say) for process in processes}

    def watch(self) -> str:
        """Look after the children once; return why the graph must stop, or nothing."""
        now_s = time.monotonic()
        for child in self.children.values():
            if child.restart_at_s:
                if now_s >= child.restart_at_s:
                    child.start()
                continue
            ended = child.ended()
            if not ended:
                continue
            refused = child.popen.returncode == 2  # its configuration: starting it again does not help
            if child.process.vital or (refused and not child.failures and not child.process.viewer):
                return ended
            if refused or not child.process.respawn:
                self._say(f"vla_ros: {ended}")
                child.restart_at_s = float("inf")
                continue
            child.failures = 1 if now_s - child.started_s > 30.0 else child.failures + 1
            delay_s = min(RESPAWN_DELAY_S * 2 ** (child.failures - 1), LONGEST_BACK_OFF_S)
            child.restart_at_s = now_s + delay_s
            self._say(f"vla_ros: {ended}; starting it again in {delay_s:.0f} s")
        return ""

    def stop(self) -> list[str]:
        """End everything, the sources of motion first; return the names of those that had to be killed."""
        running = [child for child in self.children.values() if child.popen.poll() is None]
        for child in reversed(running):
            child.popen.send_signal(signal.SIGINT)
            if child.process.vital:  # the filter brings the arm to rest, for which there must still be an arm
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.popen.wait(PATIENCE_S)
        deadline_s = time.monotonic() + PATIENCE_S
        stubborn = []
        for child in running:
            try:
                child.popen.wait(max(0.0, deadline_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.popen.kill()
                child.popen.wait()
                stubborn.append(child.process.name)
        self._folder.cleanup()
        return stubborn


def run(processes: Sequence[Process], ready: Callable[[threading.Event], None] | None = None) -> int:
    """Run the graph in the foreground until Ctrl-C. `ready` is called in a thread once everything is started, with what is
    set when it is to end: DDS does not bear a process that leaves while a thread is inside it.

    Returns:
        0 after Ctrl-C or SIGTERM; 1 when a process that the graph cannot be without has died.
    """
    asked: list[int] = []  # no threading.Event: its lock is not for a handler that interrupts who waits for it
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: asked.append(number))
    supervisor = Supervisor(processes, lambda line: print(line, flush=True))
    over = threading.Event()
    waiting = threading.Thread(target=ready or (lambda _: None), args=(over,), daemon=True)
    waiting.start()
    why = ""
    while not (asked or why):
        time.sleep(0.1)
        why = supervisor.watch()
    over.set()
    stubborn = supervisor.stop()
    waiting.join(PATIENCE_S)
    if stubborn:
        print(f"vla_ros: {', '.join(stubborn)} did not end when asked and was killed", flush=True)
    if why:
        print(f"vla_ros: {why}; everything was stopped", file=sys.stderr, flush=True)
        return 1
    return 0
