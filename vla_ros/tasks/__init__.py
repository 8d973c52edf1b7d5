"""What the arm is asked for: the words, the objects, and when a task is done. Nothing here knows of a simulator or a policy.

`evaluate_task` is the judge. `geometry` holds its tolerances, `vocabulary` the words, `phrasings` how instructions are said,
`objects` sizes and colours, `hand` how a gripper handles the objects, `subtasks` the parts of a step.
"""

from vla_ros.tasks.judge import ObjectState, evaluate_task
from vla_ros.tasks.subtasks import SUBTASKS
from vla_ros.tasks.task import KINDS, STEP_KINDS, Step, Task
from vla_ros.tasks.vocabulary import COLOURS, CONTAINERS, MOVABLE_SHAPES, SHAPES, SIDES

__all__ = [
    "COLOURS",
    "CONTAINERS",
    "KINDS",
    "MOVABLE_SHAPES",
    "SHAPES",
    "SIDES",
    "STEP_KINDS",
    "SUBTASKS",
    "ObjectState",
    "Step",
    "Task",
    "evaluate_task",
]
