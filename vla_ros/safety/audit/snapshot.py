"""A filter as plain values: its configuration and its `FilterState`, to msgpack and back. Nothing else comes out of one.

A dataclass becomes a map of its fields, an array a list. Read back, every value is checked against the type of its field, so
that a snapshot is either the state of a filter or refused with the place that is wrong.
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vla_ros.parameters import flattened, from_mapping
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.rules import SafetyRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState


class SnapshotError(ValueError):
    """A value is not what its field holds; the text names the field."""


def configuration_of(safety_filter: SafetyFilter) -> dict[str, Any]:
    """Return what a filter was made of, as plain values. It never changes."""
    return {
        "parameters": dataclasses.asdict(safety_filter.parameters),
        "limits": [plain(joint) for joint in safety_filter.limits],
        "urdf": safety_filter.urdf,
        "srdf": [list(pair) for pair in safety_filter.srdf],
        "extra_rules": list(safety_filter.extra_rules),
    }


def snapshot_of(safety_filter: SafetyFilter, configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return a filter as plain values; `configuration`: see `configuration_of`."""
    return {**configuration, "state": plain(safety_filter.values)}


def filter_of(snapshot: Any, extra_rules: Sequence[SafetyRule] = ()) -> SafetyFilter:
    """Make the filter that a snapshot was taken of.

    Args:
        snapshot: plain values.
        extra_rules: those that the filter had.

    Raises:
        SnapshotError: it is not a snapshot, or of a filter with other extra rules.
        ParameterError: its parameters are not those of a filter.
    """
    if not isinstance(snapshot, dict) or not {"parameters", "limits", "urdf", "srdf", "extra_rules", "state"} <= set(
        snapshot
    ):
        raise SnapshotError("it does not hold parameters, limits, URDF, SRDF, extra rules and state")
    names = [rule.NAME for rule in extra_rules]
    if snapshot["extra_rules"] != names:
        raise SnapshotError(f"the filter had the extra rules {snapshot['extra_rules']}, this replay has {names}")
    parameters = from_mapping(SafetyFilterParameters, snapshot["parameters"])
    limits = value_of(list[JointLimits], snapshot["limits"], "limits")
    srdf = value_of(list[tuple[str, str]], snapshot["srdf"], "srdf")
    made = SafetyFilter(parameters, limits, value_of(str, snapshot["urdf"], "urdf"), extra_rules, srdf)
    made.restore(value_of(FilterState, snapshot["state"], "state"))
    return made


def first_difference(header: Mapping[str, Any], snapshot: Mapping[str, Any]) -> str:
    """Return where the parameters or the URDF in a log's header are not those of the snapshot; empty: nowhere."""
    if not isinstance(header.get("parameters"), dict):
        return "the header holds no parameters"
    for line in differences(header["parameters"], snapshot["parameters"], "the header", "the snapshot"):
        return line
    if header.get("urdf", "") != snapshot["urdf"]:
        return "the header has another URDF than the snapshot"
    return ""


def differences(one: Mapping[str, Any], other: Mapping[str, Any], one_name: str, other_name: str) -> list[str]:
    """Return a line for each parameter that is not the same in both, nested mappings of plain values or lists."""
    flat_one, flat_other = flattened(one), flattened(other)
    return [
        f"{one_name} has {key} = {flat_one.get(key)!r:.80}, {other_name} {flat_other.get(key)!r:.80}"
        for key in sorted(flat_one.keys() | flat_other.keys())
        if plain(flat_one.get(key)) != plain(flat_other.get(key))
    ]


def plain(value: Any) -> Any:
    """Return a value of the state as msgpack holds it.

    Raises:
        SnapshotError: it is not made of numbers, text, arrays, lists, maps and dataclasses.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise SnapshotError(f"{type(value).__name__} is no plain value")


def value_of(kind: Any, values: Any, where: str) -> Any:
    """Return the value that `plain` made `values` of.

    Args:
        kind: type of the value, as the annotation of a field says it.
        values: plain values.
        where: the field, for the text of an error.

    Raises:
        SnapshotError: they are not such a value.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return values
    if origin in (types.UnionType, typing.Union):
        if values is None and type(None) in arguments:
            return None
        (kind,) = (each for each in arguments if each is not type(None))
        return value_of(kind, values, where)
    if origin is np.ndarray:
        return _array_of(arguments, values, where)
    if origin in (list, tuple, dict):
        return _container_of(origin, arguments, values, where)
    if dataclasses.is_dataclass(kind):
        return _dataclass_of(kind, values, where)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        try:
            return kind(values)
        except ValueError:
            raise SnapshotError(f"{where}: {values!r:.80} is no {kind.__name__}") from None
    accepted = {float: (int, float), int: (int,), bool: (bool,), str: (str,)}[kind]
    if type(values) not in accepted:
        raise SnapshotError(f"{where}: {values!r:.80} is no {kind.__name__}")
    return values


def _array_of(arguments: tuple[Any, ...], values: Any, where: str) -> Any:
    """The array of a field annotated as NDArray[number]."""
    (number,) = typing.get_args(arguments[1])
    kinds: dict[str, tuple[type, ...]] = {"b": (bool,), "i": (int,), "f": (int, float)}
    accepted = kinds[np.dtype(number).kind]
    if not isinstance(values, list) or any(type(each) not in accepted for each in values):
        raise SnapshotError(f"{where}: {values!r:.80} is no list of numbers")
    return np.array(values, number)


def _container_of(origin: type, arguments: tuple[Any, ...], values: Any, where: str) -> Any:
    if origin is dict:
        if not isinstance(values, dict):
            raise SnapshotError(f"{where}: {values!r:.80} is no map")
        key_kind, kind = arguments
        return {
            value_of(key_kind, key, where): value_of(kind, each, f"{where}.{key!r:.40}") for key, each in values.items()
        }
    if not isinstance(values, list):
        raise SnapshotError(f"{where}: {values!r:.80} is no list")
    if origin is tuple and arguments[-1] is not Ellipsis:
        if len(values) != len(arguments):
            raise SnapshotError(f"{where}: {len(values)} values, {len(arguments)} are expected")
        return tuple(
            value_of(kind, each, f"{where}[{i}]") for i, (kind, each) in enumerate(zip(arguments, values, strict=True))
        )
    return origin(value_of(arguments[0], each, f"{where}[{i}]") for i, each in enumerate(values))


def _dataclass_of(kind: Any, values: Any, where: str) -> Any:
    names = [field.name for field in dataclasses.fields(kind)]
    if not isinstance(values, dict) or set(values) != set(names):
        raise SnapshotError(f"{where}: {list(values) if isinstance(values, dict) else values!r:.80} are not {names}")
    hints = typing.get_type_hints(kind)
    return kind(**{name: value_of(hints[name], values[name], f"{where}.{name}") for name in names})
