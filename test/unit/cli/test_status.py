"""A node that is silent, stale or complaining is shown as such; nothing unknown becomes a number."""

from __future__ import annotations

import io
import json

from rich.console import Console

from vla_ros.cli.status import EXPECTED, Report, Snapshot

GOOD = {"rate_hz": "10.02", "deadline_misses": "3", "image_age_p50_ms": "41.2", "image_age_p95_ms": "nan"}


def reports(**changes: Report) -> list[Report]:
    return [changes.get(name, Report(name, 0, "running", GOOD, 0.4)) for name in EXPECTED]


def printed(snapshot: Snapshot) -> str:
    console = Console(file=io.StringIO(), width=160)
    console.print(snapshot.table())
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_all_good() -> None:
    snapshot = Snapshot(reports(), "TRACKING", "ACTIVE: pick it up")
    assert snapshot.ok()
    (row,) = [row for row in snapshot.rows() if row.node == "camera"]
    assert (row.level, row.rate_hz, row.misses, row.age_p50_ms) == ("OK", 10.02, 3.0, 41.2)
    assert "ACTIVE: pick it up" in printed(snapshot)
    assert "nan" not in printed(snapshot)


def test_a_node_that_was_never_heard_is_silent() -> None:
    snapshot = Snapshot(reports()[1:])
    (row,) = [row for row in snapshot.rows() if row.node == EXPECTED[0]]
    assert (row.level, snapshot.ok()) == ("SILENT", False)
    assert "not heard" in printed(snapshot)


def test_a_node_that_fell_silent_says_what_it_said_before() -> None:
    snapshot = Snapshot(reports(planner=Report("planner", 0, "moving to the cube", GOOD, 7.2)))
    (row,) = [row for row in snapshot.rows() if row.node == "planner"]
    assert (row.level, row.why) == ("SILENT", "for 7 s; before: moving to the cube")


def test_a_complaint_is_not_ok_and_its_words_are_shown() -> None:
    for level, word in ((1, "WARN"), (2, "ERROR"), (3, "STALE"), (9, "STALE")):
        snapshot = Snapshot(reports(camera=Report("camera", level, "front: [dark] image", GOOD, 0.1)))
        assert not snapshot.ok()
        assert word in printed(snapshot)
        assert "front: [dark] image" in printed(snapshot)


def test_other_nodes_come_after_and_their_complaints_count() -> None:
    snapshot = Snapshot([*reports(), Report("sim_arm", 1, "behind real time", {}, 0.1)])
    assert snapshot.rows()[-1].node == "sim_arm"
    assert not snapshot.ok()


def test_json_has_no_nan() -> None:
    read = json.loads(json.dumps(Snapshot(reports()[1:]).json(), allow_nan=False))
    assert read["ok"] is False
    assert read["nodes"]["camera"]["rate_hz"] == 10.02
    assert read["nodes"]["camera"]["age_p95_ms"] is None
    assert read["nodes"][EXPECTED[0]]["level"] == "SILENT"
    assert read["nodes"]["camera"]["values"] == GOOD
