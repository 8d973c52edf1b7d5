"""ros2 launch vla_ros bringup.launch.py: the graph of vla_ros/bringup/graph.py as launch_ros nodes."""

import os
import sys
from pathlib import Path

from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction, RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription
from vla_ros.bringup.binding_check import checkpoint_overrides
from vla_ros.bringup.graph import bringup, merged, vlm_overrides
from vla_ros.bringup.placement import configuration, placed
from vla_ros.bringup.process import RESPAWN_DELAY_S, dds_environment, discovery_environment, enclave_arguments
from vla_ros.bringup.start_check import require_startable
from vla_ros.parameters import ParameterError
from vla_ros.resources import CONFIGURATION_VARIABLE
from vla_ros.ros.environment import require_environment
from vla_ros.ros.other_graph import refuse_second_filter

ARGUMENTS = {
    "robot": ("sim", "sim, the name of a file in config/, or a file of your own: my_arm.yaml"),
    "policy": ("classical", "the policy that moves the arm; vla-ros policies lists them"),
    "system2": ("", "vlm: a vision-language model plans in words in front of the policy"),
    "vlm_url": ("", "its endpoint, e.g. http://localhost:8000/v1"),
    "vlm_model": ("", "its name there, or the folder of a local model"),
    "checkpoint": ("", "folder of the policy's checkpoint, where it has one"),
    "vla_config": ("", "a parameter file laid over the robot's"),
    "config": (
        "",
        "the same, where this file is launched by itself; of a launch file that includes it, it is not read",
    ),
    "namespace": ("", "namespace of every node, to run several arms"),
    "rviz": ("false", "start RViz too"),
    "dashboard": ("true", "start the browser page too"),
    "use_sim_time": ("false", "follow /clock"),
    "only": ("", "start these nodes alone, e.g. planner,action_expert; the others run on other hosts"),
    "without": ("", "start all nodes but these, which run on other hosts"),
}
FLAGS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def actions(context):
    """Turn the description into launch actions."""
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    typed, included = value["config"], value.pop("vla_config")
    value["config"] = included or (typed if typed_here(sys.argv) else "")
    for flag in ("rviz", "dashboard", "use_sim_time"):
        if value[flag].lower() not in FLAGS:
            raise ParameterError(f"{flag}: expected true or false, got {value[flag]!r}")
        value[flag] = FLAGS[value[flag].lower()]
    require_environment()
    result = []
    vlm = vlm_overrides(value.pop("vlm_url"), value.pop("vlm_model"))
    overrides = merged(checkpoint_overrides(value["policy"], value.pop("checkpoint")), vlm)
    only, without = value.pop("only"), value.pop("without")
    processes = bringup(**value, overrides=overrides)
    placement = placed(processes, only, without)
    require_startable(processes, value["policy"], value["robot"], placement.here)
    discovery = discovery_environment(value["robot"], alone=not placement.elsewhere)
    os.environ.update(discovery)
    if placement.runs("safety_filter"):
        refuse_second_filter(value["namespace"], "launch")
    environment = dds_environment() | discovery
    environment[CONFIGURATION_VARIABLE] = configuration(processes)
    for process in placement.here:
        node = Node(
            package=process.package,
            executable=process.executable,
            name=process.name,
            namespace=process.namespace,
            parameters=[dict(process.parameters)],
            remappings=list(process.remappings.items()),
            arguments=list(process.arguments),
            ros_arguments=enclave_arguments(process),
            respawn=process.respawn,
            respawn_delay=RESPAWN_DELAY_S,
            additional_env=environment,
            output="screen",
        )
        result.append(node)
        if process.vital:
            reason = f"{process.name} ended: the graph stops"
            ended = [LogInfo(msg=reason), OpaqueFunction(function=stop, args=[reason])]
            result.append(RegisterEventHandler(OnProcessExit(target_action=node, on_exit=ended)))
    return result


def typed_here(words):
    """Whether `config:=` was typed for this file: a launch file that includes this one may have an argument of that name."""
    here = any(Path(word).name == Path(__file__).name for word in words)
    return here and any(word.startswith("config:=") for word in words)


def stop(context, reason):
    """End the launch with exit code 1, unless somebody has ended it already.

    Raises:
        RuntimeError: launch shuts down, and returns 1, for an exception alone; a Shutdown event ends with 0.
    """
    if not context.is_shutdown:
        raise RuntimeError(reason)


def generate_launch_description():
    """The launch arguments, then the processes."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=actions)])
