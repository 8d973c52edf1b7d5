"""Sense, plan, act: the pipeline that vision-language-action models replace, kept as the honest baseline."""

from vla_ros.policies.classical.sense_plan_act import SensePlanAct
from vla_ros.policies.classical.straight_line import StraightLine

__all__ = ["SensePlanAct", "StraightLine"]
