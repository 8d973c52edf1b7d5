"""Statistics that are missing, torn, flat, of another width or of another robot are refused."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from test.unit.policies.binding.contracts import HIGH, JOINT_NAMES, LOW, ROBOT, act, joints, openvla, statistics
from vla_ros.arrays import Array
from vla_ros.parameters import from_mapping
from vla_ros.policies.binding.binding_parameters import BindingParameters
from vla_ros.policies.binding.binding_row import BindingRow
from vla_ros.policies.binding.checkpoint_contract import CheckpointContract, VectorSpec
from vla_ros.policies.binding.resolution import resolve


def row(contract: CheckpointContract, what: str, **options: object) -> BindingRow:
    """Return the row of this name; for "state and action", an ok one where there is none."""
    rows = resolve(contract, ROBOT, from_mapping(BindingParameters, options), ROBOT.cameras).rows
    return next((row for row in rows if row.what == what), BindingRow(what, "", ""))


def with_statistics(**changed: Array | None) -> VectorSpec:
    spec = joints()
    found = {**spec.statistics, **{name: values for name, values in changed.items() if values is not None}}
    return replace(
        spec, statistics={name: values for name, values in found.items() if changed.get(name, 0) is not None}
    )


@pytest.mark.parametrize("which", ["state", "action"])
@pytest.mark.parametrize(
    ("mode", "missing"),
    [("mean_std", "std"), ("mean_std", "mean"), ("min_max", "max"), ("quantiles", "q01"), ("quantile10", "q10")],
)
def test_a_normaliser_without_its_statistics_is_refused_and_not_inert(which: str, mode: str, missing: str) -> None:
    spec = with_statistics(**{missing: None})
    contract = act(spec, None, normalization=mode) if which == "state" else act(None, spec, normalization=mode)
    found = row(contract, f"{which} statistics")
    assert found.verdict == "refused"
    assert found.has == f"its {missing} is missing, so that values would go through un-normalised"
    assert "statistics" in found.remedy


@pytest.mark.parametrize(
    ("changed", "has"),
    [
        ({"mean": np.zeros(7)}, "mean has shape (7,)"),
        ({"std": np.ones((8, 1))}, "std has shape (8, 1)"),
        ({"mean": np.array([0.0, math.nan, *[0.0] * 6])}, "mean of value 1 is nan"),
        ({"std": np.array([*[1.0] * 7, math.inf])}, "std of value 7 is inf"),
        (
            {"std": np.array([1.0, 1.0, 0.0, *[1.0] * 5])},
            "value 2 (joint3) never changed in training: mean and std leave",
        ),
        ({"max": np.zeros(3)}, "max has shape (3,)"),
        ({"min": HIGH, "max": LOW}, "max of value 0 is below its min"),
        ({"mean": HIGH + 1.0}, "max of value 0 is below its mean"),
        ({"std": -np.ones(8)}, "a std is below 0"),
    ],
)
def test_statistics_that_cannot_be_used_are_refused_by_value(changed: dict[str, Array], has: str) -> None:
    found = row(act(action=with_statistics(**changed)), "action statistics")
    assert found.verdict == "refused" and has in found.has


@pytest.mark.parametrize(("mode", "low", "high"), [("min_max", "min", "max"), ("quantiles", "q01", "q99")])
def test_a_range_of_nothing_is_refused(mode: str, low: str, high: str) -> None:
    spec = joints()
    flat = {low: spec.statistics[low], high: spec.statistics[low]}
    found = row(act(replace(spec, statistics=flat), normalization=mode), "state statistics")
    assert found.verdict == "refused" and "value 0 (joint1) never changed" in found.has


def test_a_value_that_never_changed_may_be_bound_to_nothing() -> None:
    flat = with_statistics(std=np.array([*[1.0] * 7, 0.0]))
    entries = [*JOINT_NAMES[:7], "-"]
    refused = row(act(flat, flat), "action statistics")
    assert refused.remedy == 'bind it to nothing: "-" as entry 7 of binding.action'
    contract = act(flat, flat)
    assert {
        row(contract, f"{which} statistics", state=entries, action=entries).verdict for which in ("state", "action")
    } == {"ok"}


def test_raw_values_are_said_and_an_unknown_normalisation_is_refused() -> None:
    assert row(act(normalization="identity"), "action statistics").verdict == "mapped"
    torn = with_statistics(max=np.zeros(3))
    assert row(act(torn, torn, normalization="identity"), "action statistics").has == "max has shape (3,)"
    counted = replace(joints(), statistics={**joints().statistics, "count": np.array([7.0])})
    assert row(act(counted, counted), "action statistics").verdict == "ok"
    assert row(act(normalization="z_score"), "action statistics").verdict == "refused"
    contract = replace(act(), normalization={})
    assert row(contract, "action statistics").verdict == "refused"


@pytest.mark.parametrize("kept", [("mean", "std"), ("min", "max"), ("q01", "q99"), ("mean", "std", "q01", "q99")])
def test_another_order_is_told_by_whatever_statistics_there_are(kept: tuple[str, ...]) -> None:
    mode = {"mean": "mean_std", "min": "min_max", "q01": "quantiles"}[kept[0]]
    order = np.array([3, 0, 1, 2, 4, 5, 6, 7])
    right, wrong = joints(), joints(LOW[order], HIGH[order])
    for spec, verdict in ((right, "ok"), (wrong, "refused")):
        some = replace(spec, statistics={name: spec.statistics[name] for name in kept})
        assert row(act(some, some, normalization=mode), "state units").verdict == verdict


def test_the_mean_of_a_gripper_that_is_open_or_closed_is_plausible() -> None:
    spread = statistics(LOW, HIGH)
    spread["mean"][7], spread["std"][7] = 0.02, 0.02
    spec = VectorSpec((), 8, {name: spread[name] for name in ("mean", "std")})
    assert row(act(spec, spec), "action units").verdict == "ok"


def test_targets_lie_where_the_states_do() -> None:
    low, high = LOW.copy(), HIGH.copy()
    low[0], high[0] = 1.0, 1.5
    other = low.copy(), high.copy()
    other[0][0], other[1][0] = -1.5, -1.0
    found = row(act(joints(low, high), joints(*other)), "state and action")
    assert found.verdict == "refused"
    assert found.has == "joint1 is 1 to 1.5 as a state and -1.5 to -1 as an action"
    assert row(act(joints(low, high), joints(low + 0.02, high + 0.02)), "state and action").verdict == "ok"


def test_offsets_span_less_than_the_states() -> None:
    middle, half = (LOW + HIGH) / 2, (HIGH - LOW) / 2
    found = row(act(action=joints(middle - 0.05 * half, middle + 0.05 * half)), "state and action")
    assert found.verdict == "refused" and "actions span 5 % of what the states span" in found.has


@pytest.mark.parametrize(
    ("low", "high", "options", "remedy"),
    [
        (-300.0, 300.0, {"action_kind": "absolute"}, "binding.position_scale: 0.001 where they are mm"),
        (-0.5, 0.5, {"action_kind": "absolute"}, ""),
    ],
)
def test_a_tool_is_within_reach(low: float, high: float, options: dict[str, object], remedy: str) -> None:
    cartesian = {
        "action_space": "cartesian",
        "rate_hz": 5.0,
        "gripper_joint": "finger_joint",
        "cameras": ["image=front"],
    }
    found = row(openvla(low, high), "action units", **cartesian, **options)
    assert (found.verdict == "refused", found.remedy.removeprefix("write ").split(";")[0]) == (bool(remedy), remedy)


def test_rotations_in_degrees_are_named() -> None:
    ends = statistics([-0.5] * 3 + [-180.0] * 3 + [0.0], [0.5] * 3 + [180.0] * 3 + [1.0])
    contract = replace(openvla(), action=VectorSpec((), 7, {name: ends[name] for name in ("q01", "q99")}))
    options = {"action_space": "cartesian", "rate_hz": 5.0, "gripper_joint": "finger_joint"}
    found = row(contract, "action units", **options)
    assert found.verdict == "refused" and "tool.roll" in found.has and "angle_unit: deg" in found.remedy
    assert row(contract, "action units", **options, angle_unit="deg").verdict == "mapped"
