"""The subtasks of a step, one after another: what planners say, what the expert does, what the data are labelled with."""

from __future__ import annotations

SUBTASKS = (
    "reach for {x}",
    "go down to {x}",
    "grasp {x}",
    "lift {x}",
    "carry {x} to {y}",
    "put {x} on {y}",
    "let go of {x}",
    "leave {x}",
    "reach behind {x}",
    "go down behind {x}",
    "push {x}",
    "leave {x} there",
    "done",
)
"""{x} is what the step moves, {y} where to. Indices are stored in checkpoints and data sets: the order is fixed."""
GRASP_SUBTASKS = SUBTASKS[:8]
"""Of pick (the first four), place and stack."""
PUSH_SUBTASKS = SUBTASKS[8:12]
