"""Tables: columns bind by name, digits are counted, and a broken line is named."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from test.unit.oracle.recordings.written import ALL, csv, smooth
from vla_ros.oracle.recordings.selection import UnreadableRecording
from vla_ros.oracle.recordings.table import read
from vla_ros.oracle.stream import PICO
from vla_ros.sim.arm_description import HOME, JOINT_NAMES
from vla_ros.sim.controller import SimulatedController


def test_a_table_is_read_to_the_bit_with_stamps_from_the_first_on(tmp_path: Path) -> None:
    q = smooth()
    (stream,) = read(csv(tmp_path / "q.csv", q), ALL)
    assert stream.names == JOINT_NAMES
    assert (stream.positions == q).all()
    assert stream.stamps_ps.tolist() == [i * PICO // 250 for i in range(200)]
    assert max(stream.half_unit) < 1e-9


def test_columns_without_limits_are_left_out_and_named(tmp_path: Path) -> None:
    (stream,) = read(csv(tmp_path / "q.csv", smooth()[:, [0, 3, 0]], header="t,joint1,joint4,wheel"), ALL)
    assert stream.names == ("joint1", "joint4")
    assert stream.notes == ("not judged, because no limits are known: wheel",)


def test_a_last_line_that_is_cut_off_is_a_note(tmp_path: Path) -> None:
    path = csv(tmp_path / "cut.csv", smooth())
    path.write_text(path.read_text()[:-30])
    (stream,) = read(path, ALL)
    assert len(stream.positions) == 199
    assert "the recording ends in a line that is cut off (line 201)" in stream.notes


def test_an_empty_cell_is_a_position_that_is_not_finite(tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text("time,joint1\n0,0.1\n0.004,\n")
    (stream,) = read(tmp_path / "q.csv", ALL)
    assert stream.positions[0, 0] == 0.1 and math.isnan(stream.positions[1, 0])


def test_half_of_the_last_digit_is_rounding_where_all_have_equally_many(tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text("time,joint1,joint2\n0,0.1234,0.1\n0.004,0.2345,0.12\n")
    (stream,) = read(tmp_path / "q.csv", ALL)
    assert stream.half_unit == (0.5e-4, 0.0)
    assert "up to 5.0e-05 of rounding is allowed for" in stream.notes[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the header must name"),
        ("time,a,b\n0,1,2\n", "it names a, b"),
        ("time,joint1\n", "no samples"),
        ("time,joint1\n0,x\n1,2\n", ":2: not 2 numbers"),
        ("time,joint1\n0,1,2\n1,2\n", ":2: not 2 numbers"),
        ("time,joint1\nnan,1\n1,2\n", ":2: not 2 numbers"),
    ],
)
def test_unreadable_tables_say_why(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "broken.csv"
    path.write_text(text)
    with pytest.raises(UnreadableRecording, match=said):
        read(path, ALL)


def test_of_the_simulated_controllers_log_the_chosen_signal_is_read(tmp_path: Path) -> None:
    """A tick without a command is no sample of the stream of commands."""
    path, q = tmp_path / "controller.csv", smooth()
    controller = SimulatedController(HOME, log=str(path))
    for i, row in enumerate(q):
        if i != 50:
            controller.command(row.tolist())
        controller.update(0, row, i * 0.004)
    controller.close()
    (stream,) = read(path, ALL)
    assert stream.positions == pytest.approx(np.delete(q, 50, axis=0), abs=1e-8)
    assert "signal command" in stream.notes
    (stream,) = read(path, dataclasses.replace(ALL, signal="measured"))
    assert stream.positions == pytest.approx(q, abs=1e-8)
