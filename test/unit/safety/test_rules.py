"""The shape of rules: every rule has a name and a number of its own, and the documentation has the same table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from test.unit.safety.conftest import HOME, Bench
from vla_ros.safety.filter import MEASURED_RULES, SETPOINT_RULES, STEP_RULES, TICK_RULES, SafetyFilter
from vla_ros.safety.geometry.collision_constraints import DISTANCE_RULES
from vla_ros.safety.rules import Action, RuleCode, Scope, SetpointRule, TickRule, code_of
from vla_ros.safety.states import State
from vla_ros.safety.verdict import Verdict

ROOT = Path(__file__).parents[3]
RULES = (*SETPOINT_RULES, *MEASURED_RULES, *TICK_RULES, *STEP_RULES, *DISTANCE_RULES)


def test_the_table_in_the_docs_is_that_of_the_code() -> None:
    (table,) = re.findall(r"\| code \| rule \|\n\|---\|---\|\n((?:\|.*\n)+)", (ROOT / "docs" / "safety.md").read_text())
    written = {name: int(number) for number, name in re.findall(r"\| (\d+) \| `?(\w+)`?", table)}
    assert written == {code.name.lower(): code.value for code in RuleCode}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_is_named_after_its_file_and_has_the_number_of_its_name(rule: Any) -> None:
    assert rule.__module__.rsplit(".", 1)[1] == rule.NAME
    assert rule.CODE is RuleCode[rule.NAME.upper()]
    assert rule.__doc__, "what it promises"


def test_every_named_rule_has_a_number_and_every_number_a_rule() -> None:
    files = [path for path in (ROOT / "vla_ros" / "safety").rglob("*.py") if '\nNAME = "' in path.read_text()]
    assert {path.stem for path in files} | {"none", "filter"} == {code.name.lower() for code in RuleCode}


def test_what_is_no_rule_has_the_number_of_the_filter() -> None:
    assert code_of(None) == 0
    assert code_of(Verdict("clearance", "raised")) == code_of(Verdict("filter", "fault")) == RuleCode.FILTER == 1
    assert code_of(Verdict("fence", "near")) == 41


class Curfew(TickRule):
    """Nothing moves after a time."""

    NAME, CODE = "curfew", 1001

    def __init__(self, end_ns: int, action: Action = Action.STOP) -> None:
        self.end_ns = end_ns
        self.ACTION = action  # type: ignore[misc]

    def initial(self) -> Any:
        return {"asked": 0}

    def check(self, state: Any, now_ns: int) -> Verdict | None:
        state.extra[self.NAME]["asked"] += 1
        return Verdict(self.NAME, "it is late") if now_ns > self.end_ns else None


class Odd(SetpointRule):
    """Only odd counts."""

    NAME, CODE = "odd", 1002

    def check(self, setpoint: Any, state: Any) -> Verdict | None:
        return None if setpoint.seq % 2 else Verdict(self.NAME, "even")


def with_rules(*rules: Any) -> Bench:
    bench = Bench({})
    bench.filter = SafetyFilter(bench.parameters, bench.limits, extra_rules=rules)
    return bench


@pytest.mark.parametrize(
    ("action", "state"),
    [(Action.STOP, State.HOLDING), (Action.LATCH, State.PROTECTIVE_STOP), (Action.ESTOP, State.ESTOP)],
)
def test_a_rule_from_outside_stops_latches_or_presses_as_it_says(action: Action, state: State) -> None:
    bench = with_rules(Curfew(0, action))
    bench.filter._setup.active[-1].end_ns = bench.now_ns + 800_000_000  # type: ignore[attr-defined]
    bench.armed().stream(lambda t: [HOME[0] + 0.2 * t, *HOME[1:]], 0.5)
    assert bench.filter.state is State.TRACKING
    bench.stream(lambda t: [bench.q[0] + 0.01, *HOME[1:]], 1.0)
    assert bench.filter.state is state
    verdict = bench.decisions[-1].verdict
    assert verdict is not None and bench.filter.code(verdict) == 1001
    assert bench.filter.values.extra["curfew"]["asked"] > 100


def test_a_setpoint_rule_from_outside_refuses() -> None:
    bench = with_rules(Odd())
    bench.armed()
    assert bench.command(list(bench.q), seq=1) is None
    bench.tick()
    verdict = bench.command(list(bench.q), seq=2)
    assert verdict is not None and verdict.rule == "odd"


def test_a_rule_from_outside_that_raises_is_named() -> None:
    bench = with_rules(Curfew(0))
    bench.armed()
    bench.filter.values.extra.clear()
    decision = bench.tick()
    assert decision.state is State.PROTECTIVE_STOP
    assert decision.verdict is not None and decision.verdict.reason == "curfew raised KeyError: 'curfew'"


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("fence", 1000, "the name 'fence' is used already"),
        ("mine", 41, "mine has the code 41; it must be a free one from 1000 to 65535"),
        ("mine", 1002, "mine has the code 1002"),
    ],
)
def test_a_rule_that_could_be_mistaken_for_another_is_refused(name: str, code: int, text: str) -> None:
    rule = type("Mine", (Odd,), {"NAME": name, "CODE": code})()
    with pytest.raises(ValueError, match=text):
        with_rules(Odd(), rule)
    with pytest.raises(ValueError, match="is no SetpointRule"):
        with_rules(object())


def test_scopes_are_what_the_documentation_says() -> None:
    assert {rule.NAME for rule in TICK_RULES if rule.SCOPE is Scope.ALWAYS} == {"estop"}
    assert [rule.NAME for rule in TICK_RULES if rule.SCOPE is Scope.FOLLOWING] == ["authority", "open_loop"]
