"""Parameter dataclasses (vla_ros.parameters) as ROS parameters of a node: read-only, with unit and description."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import ParameterUninitializedException
from rclpy.node import Node
from rclpy.parameter import Parameter

from vla_ros.parameters import REQUIRED, Declaration, ParameterError, declarations, from_mapping, nested

T = TypeVar("T")


def declare_parameters(node: Node, cls: type[T]) -> T:
    """Declare every parameter of the dataclass `cls` and return the checked instance.

    Raises:
        ParameterError: some are missing or wrong; each fault begins with `<node>.<key>`.
    """
    where = f"{node.get_name()}."
    values: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for declaration in declarations(cls):
        kind = _ros_type(declaration.type)
        descriptor = _descriptor(declaration)
        try:
            if declaration.default in (REQUIRED, []):
                parameter = node.declare_parameter(declaration.name, kind, descriptor)
            else:
                parameter = node.declare_parameter(declaration.name, declaration.default, descriptor)
            value = parameter.value
        except ParameterUninitializedException:
            value = None
        except Exception as error:  # rclpy has a class for each way in which a value does not fit its declaration
            faults[declaration.name] = f"{where}{declaration.name}: {error}"
            continue
        if value is not None:
            values[declaration.name] = value
        elif declaration.default == []:  # `ros2 param dump` gives nothing of a node that has one without a value
            node.set_parameters([Parameter(declaration.name, kind, [])])
    instance = _checked(cls, values, where, faults)
    # use_sim_time too: a clock that is swapped under a running node makes old stamps look new.
    read_only = {"use_sim_time", *(declaration.name for declaration in declarations(cls))}
    node.add_on_set_parameters_callback(lambda changed: _refuse_changes(read_only, changed))
    return instance


def _checked(cls: type[T], values: Mapping[str, Any], where: str, faults: Mapping[str, str]) -> T:
    """Make the instance; raise ParameterError with `faults`, by key, and what else is wrong."""
    keys = tuple(f"{where}{name}: " for name in faults)
    try:
        instance = from_mapping(cls, nested(values), where)
    except ParameterError as error:
        # A value that ROS does not take is not missing.
        raise ParameterError(*faults.values(), *(each for each in error.faults if not each.startswith(keys))) from None
    if faults:
        raise ParameterError(*faults.values())
    return instance


def _refuse_changes(read_only: set[str], changed: Sequence[Parameter]) -> SetParametersResult:
    names = [parameter.name for parameter in changed if parameter.name in read_only]
    reason = f"{', '.join(names)} cannot change while the node runs: edit the configuration and restart it"
    return SetParametersResult(successful=not names, reason=reason if names else "")


def _ros_type(hint: Any) -> Parameter.Type:
    scalar = {bool: "BOOL", int: "INTEGER", float: "DOUBLE", str: "STRING"}
    if typing.get_origin(hint) is list:
        return Parameter.Type[f"{scalar[typing.get_args(hint)[0]]}_ARRAY"]
    return Parameter.Type[scalar[hint]]


def _descriptor(declaration: Declaration) -> ParameterDescriptor:
    metadata = declaration.metadata
    unit = f" [{metadata['unit']}]" if metadata["unit"] else ""
    choices = ", ".join(metadata["choices"])
    descriptor = ParameterDescriptor(
        description=f"{metadata['description']}{unit}",
        additional_constraints=f"one of: {choices}" if choices else "",
    )
    low, high = metadata["minimum"], metadata["maximum"]
    if low is not None and high is not None and declaration.type is float:
        descriptor.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high))]
    elif low is not None and high is not None and declaration.type is int:
        descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
    return descriptor
