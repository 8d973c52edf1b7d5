"""Runtime monitors of the planner: each watches a run for one kind of trouble and says what it found."""

from vla_ros.monitors.monitor_parameters import MonitorsParameters
from vla_ros.monitors.monitors import Monitor, Monitors
from vla_ros.monitors.training_statistics import TrainingStatistics, load_statistics, parse_statistics

__all__ = [
    "Monitor",
    "Monitors",
    "MonitorsParameters",
    "TrainingStatistics",
    "load_statistics",
    "parse_statistics",
]
