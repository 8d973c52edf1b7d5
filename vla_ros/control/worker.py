"""System 1 in a process of its own: one request at a time, never waited for."""

from __future__ import annotations

import multiprocessing
import os
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection

import numpy as np

from vla_ros.end_signals import ended_by_parent
from vla_ros.policies.contract import Chunk, JointState, Plan, System1
from vla_ros.policies.latents import LatentLost, LatentReader, LatentWriter
from vla_ros.scheduling import ONE_THREAD, raise_priority

FIRST_BACK_OFF_S = 0.5
MAX_BACK_OFF_S = 5.0
"""A child that has died is restarted after a wait, which doubles from the first to the longest."""
LARGE_BYTES = 262_144
"""Data of a plan from here on go to the child through shared memory: through a pipe they would delay a setpoint."""
HANG_S = 5.0
"""A chunk that takes so long, and as long as its plan is valid, will not come: it could not be played any more."""


class Worker:
    """A child process that holds a System 1.

    Args:
        make: makes the policy half inside the child; picklable. It is called again after the child has died.

    Attributes:
        busy: whether nothing can be requested: a chunk is being computed, or the child is starting.
        ready: whether the child has made its System 1.
        restarts: number of times that the child was started again.
        checkpoint: of the System 1; empty before it is ready.
        fault: why the last request or the child failed, in one line; empty: it did not.
    """

    def __init__(self, make: Callable[[], System1]) -> None:
        self._make = make
        self._context = multiprocessing.get_context("spawn")
        self._back_off_s = FIRST_BACK_OFF_S
        self._restart_at_s = 0.0
        self._requested_s = 0.0
        self._patience_s = HANG_S
        self._sent_plan: Plan | None = None
        self._memory: LatentWriter | None = None
        self._memories = 0
        self.restarts = 0
        self.checkpoint = ""
        self.fault = ""
        self._start()

    def _start(self) -> None:
        os.environ.update(ONE_THREAD)
        self._connection, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_serve, args=(theirs, self._make), daemon=True, name="system1")
        self._process.start()
        theirs.close()
        self.busy = True  # until it says that it is ready
        self.ready = False
        self._sent_plan = None

    def request(
        self, plan: Plan, joint_state: JointState, previous: Chunk | None, prefix_length: int, start_ns: int
    ) -> bool:
        """Request `System1.chunk` with these arguments. Return False when the worker is busy, starting or gone."""
        if self.busy:
            return False
        # A plan may be large: it goes over once.
        try:
            changed = None if plan is self._sent_plan else self._sendable(plan)
            self._connection.send((changed, joint_state, previous, prefix_length, start_ns))
        except (OSError, LatentLost):
            return False
        self._sent_plan = plan
        self.busy = True
        self._requested_s = time.monotonic()
        self._patience_s = max(HANG_S, plan.valid_for_s)
        return True

    def _sendable(self, plan: Plan) -> Plan:
        """Return the plan with large data replaced by their place in shared memory."""
        handle = plan.handle
        if handle is None:
            size = plan.data.nbytes
            if size < LARGE_BYTES:
                return plan
            if self._memory is None or size > self._memory.capacity:
                self._release_memory()
                self._memories += 1
                self._memory = LatentWriter(f"vla_ros_worker_{os.getpid()}_{self._memories}", size)
            handle = self._memory.handle(plan.data)
        return replace(plan, data=np.zeros(0, np.uint8), handle=handle)

    def _release_memory(self) -> None:
        if self._memory is not None:
            self._memory.close()
            self._memory = None

    def poll(self, now_s: float) -> Chunk | None:
        """Return a finished chunk, or None; restart the child when it has died or hangs.

        Args:
            now_s: monotonic.
        """
        try:
            if self._connection.poll():
                answer = self._connection.recv()
                self.busy = False
                if isinstance(answer, Chunk):
                    self._back_off_s = FIRST_BACK_OFF_S
                    self.fault = ""
                    return answer
                if isinstance(answer, str):
                    self.fault = answer
                    self._sent_plan = None  # the child may not have been able to read it
                else:
                    (self.checkpoint,) = answer
                    self.ready = True
                    self.fault = ""
            elif self.ready and self.busy and now_s - self._requested_s > self._patience_s:
                self.fault = f"System 1 has not answered for {self._patience_s:.0f} s"
                self._process.kill()
            return None
        except (EOFError, OSError):
            self.ready, self.busy = False, True
        if not self._restart_at_s:
            self._process.join(0)
            self.fault = self.fault or f"System 1's process ended (exit code {self._process.exitcode})"
            self._restart_at_s = now_s + self._back_off_s
        elif now_s >= self._restart_at_s:
            self._back_off_s = min(2 * self._back_off_s, MAX_BACK_OFF_S)
            self._restart_at_s = 0.0
            self.restarts += 1
            self._start()
        return None

    def close(self) -> None:
        """End the child."""
        self._connection.close()
        self._process.join(0.3)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(1.0)
        self._release_memory()


def _serve(connection: Connection, make: Callable[[], System1]) -> None:
    """The child: answer requests until the parent is gone."""
    ended_by_parent()
    raise_priority()
    try:
        try:
            system1 = make()
        except Exception as error:
            connection.send(f"{type(error).__name__}: {error}")
            return
        connection.send((system1.checkpoint,))
        plan: Plan | None = None
        reader = LatentReader()
        while True:
            changed, joint_state, previous, prefix_length, start_ns = connection.recv()
            began_s = time.perf_counter()
            try:
                if changed is not None:
                    plan = None  # nor is the old one gone on with where the new one cannot be read
                    plan = changed if changed.handle is None else replace(changed, data=reader.array(changed.handle))
                if plan is None:
                    raise LatentLost("there is no plan")
                chunk = system1.chunk(plan, joint_state, previous, prefix_length, start_ns)
                answer: Chunk | str = replace(chunk, inference_s=time.perf_counter() - began_s)
            except Exception as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                answer = f"{type(error).__name__}: {error} ({os.path.basename(where.filename)}:{where.lineno})"
            connection.send(answer)
    except (EOFError, OSError):  # the parent is gone
        return
