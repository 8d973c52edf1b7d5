"""The table of hops shows milliseconds, a dash where nothing was measured, and is JSON for programs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from vla_ros.cli import trace
from vla_ros.tracing.hops import HopTracker

MS = 1_000_000


def one_frame() -> HopTracker:
    hops = HopTracker()
    captured_ns = 1_700_000_000_000_000_000
    hops.frames(captured_ns, captured_ns + 20 * MS)
    hops.plan(captured_ns, captured_ns + 40 * MS, 1, 0.015, "grasp")
    hops.chunk(captured_ns, captured_ns + 60 * MS, 1, 0.010)
    hops.setpoint(captured_ns, captured_ns + 61 * MS, 1)
    hops.controller(captured_ns + 64 * MS)
    return hops


def test_json_holds_each_hop_in_ms_and_null_where_nothing_was_measured(tmp_path: Path) -> None:
    trace.show(one_frame(), target=str(file := tmp_path / "hops.json"))
    read = json.loads(file.read_text())
    assert (read["frames"], read["complete"]) == (1, 1)
    assert read["hops_ms"]["camera to controller"]["p50"] == 64.0
    assert read["hops_ms"]["of it in System 2"]["p99"] == 15.0
    assert read["hops_ms"]["joint state to controller"] == {
        "count": 0,
        "p50": None,
        "p95": None,
        "p99": None,
        "max": None,
    }


def test_the_table_has_a_row_with_its_meaning_for_each_hop(capsys: pytest.CaptureFixture[str]) -> None:
    trace.show(one_frame())
    printed = capsys.readouterr().out
    assert all(meaning.split("→")[0].strip()[:20] in printed for meaning in trace.MEANINGS.values())
    (row,) = [line for line in printed.splitlines() if line.startswith("joint state to controller")]
    assert row.count("–") == 4
    assert "1 of 1 frames were followed all the way" in printed


def test_a_time_that_makes_no_sense_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rclpy")
    chosen = argparse.Namespace(seconds=-1.0)
    assert trace.run(chosen) == 2
    assert "--seconds -1: must be a time in s" in capsys.readouterr().err
