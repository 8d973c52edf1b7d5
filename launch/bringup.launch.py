"""ros2 launch vla_ros bringup.launch.py: the graph of vla_ros/bringup/graph.py as launch_ros nodes."""

import contextlib
import inspect

from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    OpaqueFunction,
    PopLaunchConfigurations,
    PushLaunchConfigurations,
    RegisterEventHandler,
)
from launch.event_handlers import OnProcessExit
from launch.logging import get_logger
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions
from launch_ros.actions import Node

from launch import LaunchDescription
from vla_ros.bringup.binding_check import checkpoint_overrides
from vla_ros.bringup.graph import bringup, merged, vlm_overrides
from vla_ros.bringup.launch_arguments import ARGUMENTS, chosen_arguments
from vla_ros.bringup.only_graph import claimed
from vla_ros.bringup.parameter_file import CLOCK
from vla_ros.bringup.placement import configuration, placed
from vla_ros.bringup.process import (
    RESPAWN_DELAY_S,
    dds_environment,
    discovery_environment,
    enclave_arguments,
    temporary_environment,
)
from vla_ros.bringup.start_check import require_startable
from vla_ros.parameters import ParameterError
from vla_ros.resources import CONFIGURATION_VARIABLE
from vla_ros.ros.environment import require_environment
from vla_ros.ros.other_graph import refuse_second_filter


def actions(context):
    """Turn the description into launch actions; each fault of the start is a line of the log."""
    try:
        return _actions(context)
    except ParameterError as error:
        if len(error.faults) == 1:
            raise
        for fault in error.faults:
            get_logger("vla_ros").error(fault)
        raise RuntimeError(f"vla_ros: nothing is started; {len(error.faults)} faults stand above") from None


def _actions(context):
    configurations = context.launch_configurations
    value = chosen_arguments(configurations, passed_names(context), configurations.get("ros_namespace") or "")
    simulated = ("use_sim_time", True) in configurations.get("global_params", ())  # SetParameter of a file around ours
    value["use_sim_time"] |= simulated
    require_environment()
    vlm = vlm_overrides(value.pop("vlm_url"), value.pop("vlm_model"))
    overrides = merged(checkpoint_overrides(value["policy"], value.pop("checkpoint")), vlm)
    only, without = value.pop("only"), value.pop("without")
    processes = bringup(**value, overrides=overrides)
    placement = placed(processes, only, without)
    require_startable(processes, value["policy"], value["robot"], placement.here)
    discovery = discovery_environment(value["robot"], alone=not placement.elsewhere)
    if placement.runs("safety_filter"):
        claim(context, value["namespace"])
        with temporary_environment(discovery):
            refuse_second_filter(value["namespace"], "launch")
    environment = dds_environment() | discovery
    environment[CONFIGURATION_VARIABLE] = configuration(processes)
    result = []
    for process in placement.here:
        # The simulated arm makes the clock, and cannot follow it.
        clock = {CLOCK: False} if simulated and process.name == "sim_arm" else {}
        node = Node(
            package=process.package,
            executable=process.executable,
            name=process.name,
            namespace=f"/{process.namespace}",  # whole: what is pushed is in it
            parameters=[clock | dict(process.parameters)],
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
            ended = OpaqueFunction(function=stop, args=[f"{process.name} ended: the graph stops"])
            result.append(RegisterEventHandler(OnProcessExit(target_action=node, on_exit=[ended])))
    return result


def passed_names(context):
    """Return the names of the arguments that are passed to this file; None: it is included in a way of its own.

    launch puts them among the configurations of whoever includes, and tells nobody which they are. The action that includes
    knows; launch is visiting it, so it is on the stack.
    """
    frame = inspect.currentframe()
    while frame is not None:
        for value in frame.f_locals.values():
            if isinstance(value, IncludeLaunchDescription):
                given = [normalize_to_list_of_substitutions(name) for name, _ in value.launch_arguments]
                return {perform_substitutions(context, name) for name in given}
        frame = frame.f_back
    return None


def claim(context, namespace):
    """Be the only graph of a namespace on this machine for as long as the launch is there: two may start at the same time."""
    claims = contextlib.ExitStack()
    claims.enter_context(claimed(namespace, "launch"))
    context.extend_globals({f"vla_ros/{namespace}": claims})


def stop(context, reason):
    """End the launch with exit code 1, unless somebody has ended it already.

    Raises:
        RuntimeError: launch shuts down, and returns 1, for an exception alone; a Shutdown event ends with 0.
    """
    if not context.is_shutdown:
        raise RuntimeError(reason)


def generate_launch_description():
    """The launch arguments, then the processes. What they set ends with this file."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    started = OpaqueFunction(function=actions)
    return LaunchDescription([PushLaunchConfigurations(), *declared, started, PopLaunchConfigurations()])
