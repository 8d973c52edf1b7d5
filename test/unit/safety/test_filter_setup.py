"""The parts of a filter: rules in their order, by what they are asked for, and only those that are configured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from test.unit.safety.conftest import Bench
from vla_ros.safety.command.entry import Entry
from vla_ros.safety.filter import ORDER, SETPOINT_RULES
from vla_ros.safety.filter_setup import FilterSetup, filter_setup, initial_state
from vla_ros.safety.rules import SafetyRule, Scope, SetpointRule, TickRule


class LateRule(TickRule):
    """Counts in the state of the filter."""

    NAME, CODE, SCOPE = "late", 1003, Scope.FOLLOWING

    def initial(self) -> Any:
        return {"count": 0}

    def check(self, state: Any, now_ns: int) -> None:
        return None


class EveryCount(SetpointRule):
    """Refuses nothing."""

    NAME, CODE = "every_count", 1004

    def check(self, setpoint: Any, state: Any) -> None:
        return None


def setup_of(bench: Bench, *extra: SafetyRule) -> FilterSetup:
    return filter_setup(ORDER, bench.parameters, bench.limits, extra_rules=extra)


def test_tick_rules_are_sorted_by_their_scope_and_keep_their_order(make_bench: Callable[..., Bench]) -> None:
    setup = setup_of(make_bench({"deadman.timeout_s": 0.1}))
    assert [rule.NAME for rule in setup.always] == ["estop"]
    assert [rule.NAME for rule in setup.active] == [
        *("joint_source", "joint_state", "joint_state", "joint_state", "tracking_error"),
        *("standstill", "controller_state"),
        *("authority", "authority", "authority", "deadman"),
    ]
    assert [rule.NAME for rule in setup.following] == ["authority", "open_loop"]


def test_a_rule_that_is_not_configured_or_needs_a_model_of_the_arm_is_left_out(
    make_bench: Callable[..., Bench],
) -> None:
    setup = setup_of(make_bench())
    assert "deadman" not in {rule.NAME for rule in setup.active}
    assert (setup.constraints, [rule.NAME for rule in setup.measured_rules], setup.feed) == (None, ["overspeed"], [])


def test_extra_rules_come_after_those_of_the_package(make_bench: Callable[..., Bench]) -> None:
    late, every = LateRule(), EveryCount()
    setup = setup_of(make_bench(), late, every)
    assert [type(rule) for rule in setup.setpoint_rules] == [
        *(each for each in SETPOINT_RULES if each is not Entry),
        EveryCount,
    ]
    assert setup.following[-1] is late
    assert initial_state(setup).extra == {"late": {"count": 0}}


def test_an_output_begins_at_zero_or_at_the_limit_nearest_to_it(make_bench: Callable[..., Any]) -> None:
    safety = make_bench().filter
    begun = [joint.q for joint in safety.values.joints]
    assert begun == [round(1e9 * min(max(0.0, joint.lower), joint.upper)) for joint in safety.limits]
