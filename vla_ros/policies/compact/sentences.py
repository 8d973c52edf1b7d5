"""Typed steps to the sentences that the network was trained on, and what it does not do: that a helper does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vla_ros.language.steps import InstructionStep, ObjectPhrase, Relation, StepAction
from vla_ros.policies.policy_parameters import ClassicalParameters, CompactParameters, MotionParameters
from vla_ros.tasks.vocabulary import CONTAINERS, SIDES


def helper_parameters(parameters: CompactParameters, gripper: str) -> ClassicalParameters:
    """Return the options of the helper, which both halves must agree on. gripper: joint of the checkpoint."""
    return ClassicalParameters(MotionParameters(), gripper_joint=gripper, table_height_m=parameters.table_height_m)


def sentence_of(steps: Sequence[InstructionStep]) -> str:
    """Return the sentence for steps; empty: one of them is of a kind that the network was never taught."""
    clauses = [_clause(step) for step in steps]
    return ", then ".join(clauses) if all(clauses) else ""


def expected_fields(step: InstructionStep) -> dict[str, str]:
    """Return field of STEP_FIELDS → value, as the network is to read the sentence of a step."""
    y = step.targets[0] if step.targets else ObjectPhrase()
    verb = {StepAction.PICK: "pick", StepAction.PUSH: "push"}.get(step.action)
    if verb is None:
        verb = "place" if y.shape in CONTAINERS else "stack"
    assert step.object is not None
    return {
        "verb": verb,
        "side": step.direction or "none",
        "x_colour": step.object.colour or "none",
        "x_shape": step.object.shape or "none",
        "y_colour": y.colour or "none",
        "y_shape": y.shape or "none",
    }


def reads_as(steps: Sequence[InstructionStep], parsed_steps: Sequence[Mapping[str, str]]) -> bool:
    """Return whether the network has read just these steps. The shape of "the red object" is the network's to say."""
    if len(steps) != len(parsed_steps):
        return False
    for step, parsed in zip(steps, parsed_steps, strict=True):
        for field, value in expected_fields(step).items():
            unsaid = (
                field.endswith("_shape") and value == "none" and expected_fields(step)[f"{field[0]}_colour"] != "none"
            )
            if parsed[field] != value and not unsaid:
                return False
    return True


def _clause(step: InstructionStep) -> str:
    things = [thing for thing in (step.object, *step.targets) if thing is not None]
    if step.object is None or not all(thing.is_plain and (thing.colour or thing.shape) for thing in things):
        return ""
    x = step.object
    if step.action is StepAction.PICK:
        return f"pick up {x}"
    if step.action is StepAction.PUSH and x.shape != "ball" and not step.distance_m:
        if step.targets:
            return f"push {x} to {step.targets[0]}"
        return f"push {x} to the {step.direction}" if step.direction in SIDES else ""
    if step.action is StepAction.PLACE and step.relation in (Relation.IN, Relation.ON):
        y = step.targets[0]
        if y.shape in CONTAINERS:
            return f"put {x} {step.relation.value} {y}"
        return f"stack {x} on {y}"
    return ""
