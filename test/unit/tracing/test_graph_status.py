"""A node that is silent, stale or complaining is shown as such; nothing unknown becomes a number."""

from __future__ import annotations

import json

from vla_ros.tracing.graph_status import REQUIRED_NODES, GraphStatus, NodeStatus

GOOD = {"rate_hz": "10.02", "deadline_misses": "3", "image_age_p50_ms": "41.2", "image_age_p95_ms": "nan"}


def reports(**changes: NodeStatus) -> list[NodeStatus]:
    return [changes.get(name, NodeStatus(name, 0, "running", GOOD, 0.4)) for name in REQUIRED_NODES]


def test_all_good() -> None:
    status = GraphStatus(reports(), "TRACKING", "ACTIVE: pick it up")
    assert status.ok()
    (row,) = [row for row in status.rows() if row.node == "camera"]
    assert (row.level, row.rate_hz, row.misses, row.age_p50_ms) == ("OK", 10.02, 3.0, 41.2)


def test_a_node_that_was_never_heard_is_silent() -> None:
    status = GraphStatus(reports()[1:])
    (row,) = [row for row in status.rows() if row.node == REQUIRED_NODES[0]]
    assert (row.level, status.ok()) == ("SILENT", False)


def test_a_node_that_fell_silent_says_what_it_said_before() -> None:
    status = GraphStatus(reports(planner=NodeStatus("planner", 0, "moving to the cube", GOOD, 7.2)))
    (row,) = [row for row in status.rows() if row.node == "planner"]
    assert (row.level, row.why) == ("SILENT", "for 7 s; before: moving to the cube")


def test_a_complaint_is_not_ok_and_its_text_is_kept() -> None:
    for level, name in ((1, "WARN"), (2, "ERROR"), (3, "STALE"), (9, "STALE")):
        status = GraphStatus(reports(camera=NodeStatus("camera", level, "front: dark", GOOD, 0.1)))
        (row,) = [row for row in status.rows() if row.node == "camera"]
        assert (row.level, row.why, status.ok()) == (name, "front: dark", False)


def test_other_nodes_come_after_and_their_complaints_count() -> None:
    status = GraphStatus([*reports(), NodeStatus("sim_arm", 1, "behind real time", {}, 0.1)])
    assert status.rows()[-1].node == "sim_arm"
    assert not status.ok()


def test_json_has_no_nan() -> None:
    read = json.loads(json.dumps(GraphStatus(reports()[1:]).json(), allow_nan=False))
    assert read["ok"] is False
    assert read["nodes"]["camera"]["rate_hz"] == 10.02
    assert read["nodes"]["camera"]["age_p95_ms"] is None
    assert read["nodes"][REQUIRED_NODES[0]]["level"] == "SILENT"
    assert read["nodes"]["camera"]["values"] == GOOD


def test_two_graphs_are_told_apart() -> None:
    filters = ["/safety_filter (01), this machine", "/safety_filter (02), another machine"]
    one, two = GraphStatus(reports(), filters=filters[:1], others=["/left"]), GraphStatus(reports(), filters=filters)
    assert one.ok() and one.several_graphs == ""
    assert not two.ok(), "each of them may be well"
    assert two.several_graphs.startswith("2 safety filters answer in this domain and namespace")
    assert all(name in two.several_graphs for name in filters)
    assert (one.json()["filters"], one.json()["others"]) == (filters[:1], ["/left"])


def of_process(name: str, message: str, process: str, heard_s: float = 0.4) -> NodeStatus:
    return NodeStatus(name, 0, message, {**GOOD, "host": "here", "process": process}, heard_s)


def test_the_nodes_of_two_graphs_are_named_by_their_processes_and_not_mixed() -> None:
    both = GraphStatus([of_process(name, f"of {p}", p) for p in ("7", "8") for name in REQUIRED_NODES])
    rows = {row.node: row.why for row in both.rows()}
    assert rows == {f"{name} (process {p} on here)": f"of {p}" for p in ("7", "8") for name in REQUIRED_NODES}
    assert list(both.json()["nodes"]) == [row.node for row in both.rows()]
    assert list(rows)[:2] == ["safety_filter (process 7 on here)", "safety_filter (process 8 on here)"]


def test_a_node_that_was_started_again_is_one_node() -> None:
    before, now = of_process("camera", "before", "7", 9.0), of_process("camera", "now", "8")
    assert [(row.node, row.why) for row in GraphStatus([before, now]).rows() if "camera" in row.node] == [
        ("camera", "now")
    ]
    (row,) = [row for row in GraphStatus([before]).rows() if "camera" in row.node]
    assert row.level == "SILENT"
