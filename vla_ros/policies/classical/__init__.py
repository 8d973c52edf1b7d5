"""Sense, plan, act: the pipeline that vision-language-action models replace, kept as the honest baseline."""

from vla_ros.policies.classical.sense_plan_act import SensePlanAct as System2
from vla_ros.policies.classical.straight_line import StraightLine as System1

__all__ = ["System1", "System2"]
