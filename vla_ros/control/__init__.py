"""The cores of the nodes planner and action_expert, without ROS and clocks, and the process that runs System 1."""

from vla_ros.control.action_expert import ActionExpert, ChunkRequest
from vla_ros.control.action_expert_parameters import ActionExpertParameters
from vla_ros.control.chunk_player import CHUNK_TRANSITIONS, ChunkPlayer
from vla_ros.control.instruction_tracker import InstructionTracker
from vla_ros.control.planner import Level, LogOutput, PlannerCore, PlanOutput, PlanRequest, QuestionOutput
from vla_ros.control.planner_parameters import PlannerParameters
from vla_ros.control.worker import Worker

__all__ = [
    "CHUNK_TRANSITIONS",
    "ActionExpert",
    "ActionExpertParameters",
    "ChunkPlayer",
    "ChunkRequest",
    "InstructionTracker",
    "Level",
    "LogOutput",
    "PlanOutput",
    "PlanRequest",
    "PlannerCore",
    "PlannerParameters",
    "QuestionOutput",
    "Worker",
]
