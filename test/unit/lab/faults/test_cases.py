"""Every fault of the list is a case."""

from __future__ import annotations

import re

from vla_ros.lab.faults.cases import MODULES, all_cases
from vla_ros.lab.faults.graphs import GRAPHS, bounds

ASKED = re.findall(
    r"\S+",
    """
nan infinity minus-infinity huge denormal wrong-length empty duplicate-names permuted-names unknown-joint degrees
step-jump sign-alternation push-into-limit reversal replayed out-of-order future-stamp zero-stamp mixed-clocks
clock-back clock-forward late-ticks burst silent constant oscillating joint-states-stale joint-states-frozen
joint-states-nan joint-states-outside tracking-error start-moving filter-restarted estop-service reset-while-held
reset-moves-nothing override two-publishers limits-nan limits-inverted limits-missing parameter-changed joint-unknown
joints-swapped joints-reordered obstacle-on-the-arm obstacle-stale obstacle-nan start-in-self-collision tool-changed
camera-frozen planner-killed expert-killed filter-killed cpu-hog disk-full log-removed flood
""",
)


def test_every_fault_of_the_list_is_a_case_and_every_name_is_there_once() -> None:
    cases = all_cases(bounds())
    names = [case.name for case in cases]
    assert set(ASKED) <= set(names)
    assert len(names) == len(set(names))
    assert {case.graph for case in cases} <= set(GRAPHS)


def test_every_file_adds_cases() -> None:
    assert all(len(list(module.cases(bounds()))) > 2 for module in MODULES)
