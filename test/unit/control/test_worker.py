"""System 1's process: its faults are told while they last."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from test.unit.control.faulty_system1 import Echo, Moody, Slow, Stuck
from vla_ros.control.worker import LARGE_BYTES, Worker
from vla_ros.policies.contract import Chunk, Instruction, JointState, Plan, PlanState
from vla_ros.policies.latents import LatentHandle

STATE = JointState(1, np.zeros(2), np.zeros(2))


def plan(text: str) -> Plan:
    return Plan(
        frame_stamp_ns=1,
        instruction=Instruction(1, text),
        state=PlanState.ACTIVE,
        kind="features",
        data=np.zeros((1, 1), np.float32),
    )


def answer(worker: Worker) -> Chunk | None:
    """Poll until it is ready or has answered."""
    end_s = time.monotonic() + 90.0
    while time.monotonic() < end_s:
        chunk = worker.poll(time.monotonic())
        if not worker.busy:
            return chunk
        time.sleep(0.01)
    raise AssertionError("no answer from the worker")


def test_a_fault_is_told_until_a_chunk_comes() -> None:
    worker = Worker(Moody)
    try:
        answer(worker)
        assert (worker.ready, worker.checkpoint, worker.fault) == (True, "mood", "")
        assert worker.request(plan("fail"), STATE, None, 0, 5)
        assert answer(worker) is None
        assert worker.fault.startswith("ValueError: asked to fail (faulty_system1.py:")
        assert worker.request(plan("stand"), STATE, None, 0, 5)
        chunk = answer(worker)
        assert chunk is not None
        assert chunk.start_ns == 5
        assert worker.fault == ""
    finally:
        worker.close()


def test_one_that_hangs_is_started_again() -> None:
    worker = Worker(Stuck)
    try:
        answer(worker)
        assert worker.request(plan("stick"), STATE, None, 0, 5)
        assert worker.poll(time.monotonic() + 1.0) is None
        assert worker.fault == ""
        worker.poll(time.monotonic() + 6.0)
        assert worker.fault == "System 1 has not answered for 5 s"
        answer(worker)
        assert worker.restarts == 1
        assert worker.request(plan("stand"), STATE, None, 0, 7)
        assert answer(worker) is not None
    finally:
        worker.close()


def test_closing_while_it_loads_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    worker = Worker(Slow)
    time.sleep(0.5)
    worker.close()
    assert "Traceback" not in capfd.readouterr().err


def test_a_slow_one_has_as_long_as_its_plan_is_valid() -> None:
    worker = Worker(Stuck)
    try:
        answer(worker)
        assert worker.request(replace(plan("stick"), valid_for_s=20.0), STATE, None, 0, 5)
        now = time.monotonic()
        worker.poll(now + 10.0)
        assert worker.fault == ""
        worker.poll(now + 21.0)
        assert worker.fault == "System 1 has not answered for 20 s"
    finally:
        worker.close()


def test_large_data_reach_the_child_through_shared_memory() -> None:
    """And a plan whose shared memory is gone is a fault, not the plan before it."""
    worker = Worker(Echo)
    try:
        answer(worker)
        large = replace(plan("sum"), data=np.full((2, LARGE_BYTES // 4), 0.5, np.float32))
        assert worker._sendable(large).data.nbytes == 0
        assert worker.request(large, STATE, None, 0, 5)
        chunk = answer(worker)
        assert chunk is not None
        assert chunk.positions[0, 0] == large.data.sum()
        lost = replace(plan("lost"), handle=LatentHandle("vla_ros_test_nowhere", 0, 1, "float32", (1, 1)))
        assert worker.request(lost, STATE, None, 0, 5)
        assert answer(worker) is None
        assert "vla_ros_test_nowhere is gone" in worker.fault
        assert worker.request(large, STATE, None, 0, 6)
        chunk = answer(worker)
        assert chunk is not None
        assert (chunk.start_ns, worker.fault) == (6, "")
    finally:
        worker.close()
