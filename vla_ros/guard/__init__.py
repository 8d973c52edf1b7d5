"""The instruction guard and the prompt templates. `Guard(load_rules("guard")).check(text)` says what becomes of a text."""

from vla_ros.guard.guard import AGAIN, Guard, GuardAction, GuardDecision
from vla_ros.guard.guard_parameters import GuardParameters
from vla_ros.guard.prompt import AS_SAID, Prompt, load_prompt
from vla_ros.guard.rules import GuardRules, load_rules

__all__ = [
    "AGAIN",
    "AS_SAID",
    "Guard",
    "GuardAction",
    "GuardDecision",
    "GuardParameters",
    "GuardRules",
    "Prompt",
    "load_prompt",
    "load_rules",
]
