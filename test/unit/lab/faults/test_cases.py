"""Every fault of the list is there, and each altered setpoint is what its name says."""

from __future__ import annotations

import importlib
import math
import pkgutil
import re
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import vla_ros.safety
from vla_ros.lab.faults import raising
from vla_ros.lab.faults.case import Case
from vla_ros.lab.faults.cases import all_cases
from vla_ros.lab.faults.graphs import GRAPHS, bounds, processes
from vla_ros.lab.faults.stream import FULL_SPEED_S, Setpoint, swing
from vla_ros.parameters import from_mapping, nested
from vla_ros.safety.command.setpoint import Setpoint as FilterSetpoint
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.joint.joint_limits import joint_limits
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.sim.arm_description import ACCELERATION_LIMIT, HOME, JOINT_NAMES, VELOCITY_LIMIT, urdf

CASES = {case.name: case for case in all_cases(bounds())}
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
NS = 1_000_000_000


def test_every_fault_of_the_list_is_a_case_and_every_name_is_there_once() -> None:
    assert set(ASKED) <= CASES.keys()
    assert len(CASES) == len(all_cases(bounds()))
    assert {case.graph for case in CASES.values()} <= set(GRAPHS)


def test_an_exception_is_injected_into_every_rule() -> None:
    modules = [
        importlib.import_module(f"vla_ros.safety.{found.name}")
        for found in pkgutil.iter_modules(vla_ros.safety.__path__)
        if not found.ispkg
    ]
    rules = {module.NAME for module in modules if hasattr(module, "NAME")}
    assert rules <= raising.CODE.keys()
    assert {f"raising-{rule.replace('_', '-')}" for rule in rules} <= CASES.keys()


@pytest.mark.parametrize("rule", raising.CODE)
def test_an_injected_exception_comes_from_the_file_of_the_rule(rule: str, tmp_path: Path) -> None:
    (tmp_path / "rule").write_text(rule)
    switch = raising.Switch(tmp_path / "rule")
    name, attribute_path = raising.CODE[rule].split(":")
    module = importlib.import_module(f"vla_ros.safety.{name}")
    original: Any = module
    for attribute in attribute_path.split("."):
        original = getattr(original, attribute)
    switched = switch.before(rule, lambda: "passed", str(module.__file__))
    with pytest.raises(RuntimeError, match=f"injected into {rule}") as raised:
        switched()
    assert traceback.extract_tb(raised.value.__traceback__)[-1].filename == module.__file__
    (tmp_path / "rule").write_text("")
    switch.read()
    assert switched() == "passed"
    assert callable(original)


ON_ARRIVAL = {"schema", "freshness", "continuity", "sequence"}
REFUSED = [
    name
    for name, case in CASES.items()
    if case.graph == "filter" and ON_ARRIVAL.issuperset(case.expected.rules or [""])
]


def gate() -> SafetyFilter:
    """A filter of joint limits alone, armed at home."""
    (process,) = [each for each in processes("filter", Path("/nowhere")) if each.name == "safety_filter"]
    flat = {key: value for key, value in process.parameters.items() if not key.startswith(("estop.", "deadman."))}
    parameters = from_mapping(SafetyFilterParameters, nested(flat))
    made = SafetyFilter(parameters, joint_limits(urdf(), parameters))
    made.joint_state(NS, JOINT_NAMES, HOME.tolist(), [0.0] * len(JOINT_NAMES))
    done, why = made.arm(NS)
    assert done, why
    return made


def offered(made: SafetyFilter, setpoint: Setpoint, now_ns: int) -> str:
    """The rule that refuses it; empty: none."""
    age_ns = now_ns - setpoint.stamp_ns
    verdict = made.command(
        FilterSetpoint(
            "policy",
            setpoint.source,
            setpoint.seq,
            setpoint.stamp_ns,
            age_ns,
            now_ns,
            setpoint.names,
            setpoint.positions,
        )
    )
    return "" if verdict is None else verdict.rule


@pytest.mark.parametrize("name", [*REFUSED, "permuted-names", "denormal"])
def test_an_altered_setpoint_is_refused_by_the_rule_that_is_expected(name: str) -> None:
    made, case, rig = gate(), CASES[name], SimpleNamespace(alter=None)
    case.inject(rig)  # type: ignore[arg-type]
    rules = []
    for k in range(3):
        now_ns = 20 * NS + k * NS // 100
        right = Setpoint(k + 1, now_ns, JOINT_NAMES, tuple(map(float, HOME)))
        rules += [offered(made, each, now_ns) for each in rig.alter(right, k * 0.01)]
    assert rules[1:] and set(rules[1:]) <= set(case.expected.rules or [""])


def test_the_swing_begins_at_rest_keeps_the_limits_and_is_fast_when_the_fault_comes() -> None:
    h = 1e-3
    for k in range(4000):
        before, here, after = (swing((k + i) * h) for i in range(3))
        for i, name in enumerate(JOINT_NAMES):
            assert abs(after[i] - here[i]) / h < VELOCITY_LIMIT[i] / 2, name
            assert abs(after[i] - 2 * here[i] + before[i]) / h**2 < ACCELERATION_LIMIT[i] / 2, name
    assert swing(0.0) == pytest.approx(HOME)
    fast = abs(swing(FULL_SPEED_S + h)[0] - swing(FULL_SPEED_S - h)[0]) / (2 * h)
    assert fast > 0.95


@pytest.mark.parametrize("case", CASES.values(), ids=str)
def test_what_is_expected_can_be_said_and_can_fail(case: Case) -> None:
    expected = case.expected
    assert expected.text() and case.fault
    assert expected.goes_on != (not math.isnan(expected.rest_s)) or expected.says or expected.rules
