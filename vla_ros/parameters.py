"""Parameters: one frozen dataclass per core is the declaration, the check and the documentation.

A core says what it needs as a frozen dataclass whose fields are made by `parameter`; `from_mapping` turns a
(nested) mapping, as YAML or ROS gives it, into a checked instance, or raises `ParameterError` that names the key.
`vla_ros.ros.parameter_declaration` declares the same fields to ROS and `docs/parameters.md` is generated from them.
"""

from __future__ import annotations

import dataclasses
import math
import os
import re
import typing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import yaml

T = TypeVar("T")

REQUIRED = dataclasses.MISSING
LARGEST = 1e9
"""No quantity of a robot is larger in SI units; far beyond it sums and products would overflow."""


class ParameterError(ValueError):
    """Parameters are missing, unknown, of the wrong type or out of bounds. The text names each key and the remedy.

    faults: one line each, none twice, whatever line breaks the names and values in it have. The text is all of them.
    """

    def __init__(self, *faults: str) -> None:
        self.faults = tuple(dict.fromkeys(" ".join(fault.splitlines()) for fault in faults))
        super().__init__("; ".join(self.faults))


class Faults:
    """Collects what is wrong, so that all of it is told together."""

    def __init__(self) -> None:
        self.found: list[str] = []

    @contextmanager
    def collected(self, prefix: str = "") -> Iterator[None]:
        """Go on after a block that is refused, and keep why; `prefix` is put before each fault."""
        try:
            yield
        except ParameterError as error:
            self.found += [f"{prefix}{fault}" for fault in error.faults]

    def require(self, holds: bool, fault: str) -> None:
        """Keep a fault unless something holds."""
        if not holds:
            self.found.append(fault)

    def refuse(self) -> None:
        """Raise ParameterError with all that was found, if anything was."""
        if self.found:
            raise ParameterError(*self.found)


def parameter(
    default: Any = REQUIRED,
    *,
    description: str,
    unit: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
    choices: tuple[str, ...] = (),
    length: int | None = None,
) -> Any:
    """Declare one field of a parameter dataclass.

    Args:
        default: value when none is given; leave it out to make the parameter required (as limits are).
        description: one sentence for `ros2 param describe` and for docs/parameters.md.
        unit: SI unit as printed, e.g. "rad/s"; empty for none.
        minimum, maximum: inclusive bounds of a number, or of every element of a list.
        above: exclusive lower bound, likewise.
        choices: the allowed words of a string.
        length: exact number of elements of a list.
    """
    metadata = {
        "description": description,
        "unit": unit,
        "minimum": minimum,
        "maximum": maximum,
        "above": above,
        "choices": choices,
        "length": length,
    }
    if isinstance(default, list):
        # A factory, because dataclasses refuse mutable defaults; each instance gets its own copy.
        return dataclasses.field(default_factory=lambda: list(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Declaration:
    """One leaf parameter of a core, ready to be declared to ROS or printed. `default` is REQUIRED when there is none."""

    name: str
    type: Any
    default: Any
    metadata: Mapping[str, Any]


def declarations(cls: type, prefix: str = "") -> Iterator[Declaration]:
    """Yield every leaf of the dataclass `cls`, nested dataclasses flattened to dotted names."""
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        name = f"{prefix}{field.name}"
        hint = hints[field.name]
        if dataclasses.is_dataclass(hint):
            yield from declarations(typing.cast(type, hint), f"{name}.")
            continue
        default = field.default
        if default is REQUIRED and field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        yield Declaration(name, hint, default, field.metadata)


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Turn {"a.b": 1} into {"a": {"b": 1}}."""
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *parents, leaf = name.split(".")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[leaf] = value
    return tree


def flattened(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Turn {"a": {"b": 1}} into {"a.b": 1}: the inverse of `nested`."""
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            flat.update(flattened(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat


class DuplicateKey(yaml.MarkedYAMLError):  # type: ignore[misc]
    """A mapping has a key twice."""


class StrictLoader(yaml.SafeLoader):  # type: ignore[misc]
    """Refuses a key that is given twice in one mapping, of which the last would count silently; 4e-3 is a number to it."""

    def compose_mapping_node(self, anchor: Any) -> Any:
        """Compose a mapping; its keys are compared before merge keys (<<) bring others."""
        node = super().compose_mapping_node(anchor)
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if (key.tag, key.value) in seen:
                    problem = f"{key.value!r} is given twice; remove one"
                    raise DuplicateKey(problem=problem, problem_mark=key.start_mark)
                seen.add((key.tag, key.value))
        return node


# PyYAML takes a number with an exponent and no point for text.
StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$", re.ASCII), list("-+.0123456789")
)


def yaml_of(path: Path, where: str) -> Any:
    """Read a YAML file.

    Raises:
        ParameterError: it cannot be read, or a key is given twice; the text begins with `where` and has the line.
    """
    try:
        return yaml.load(path.read_text(), StrictLoader)
    except OSError as error:
        raise ParameterError(f"{where}: {os.strerror(error.errno or 0)}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        what = "" if isinstance(error, DuplicateKey) else "not YAML: "
        raise ParameterError(f"{where}{line}: {what}{getattr(error, 'problem', None) or error}") from None
    except (ValueError, RecursionError) as error:  # bytes that are no text, dates that are none, nesting without end
        raise ParameterError(f"{where}: not YAML that this package reads: {error}") from None


def from_mapping(cls: type[T], mapping: Mapping[str, Any], where: str = "") -> T:
    """Make a checked instance of the parameter dataclass `cls`.

    Args:
        cls: a frozen dataclass whose fields are made by `parameter` or are such dataclasses themselves.
        mapping: nested mapping of its fields; unknown keys are refused.
        where: prefix of the keys in error texts, e.g. "safety_filter.".

    Raises:
        ParameterError: a key is unknown, missing, of the wrong type, not finite, beyond LARGEST, out of bounds or of the
            wrong length; or the dataclass's own check across fields (`__post_init__`) failed.
    """
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(cls)
    faults = Faults()
    unknown = ", ".join(f"{where}{name}" for name in sorted(map(str, set(mapping) - set(fields))))
    faults.require(not unknown, f"{unknown}: no such parameter; known here: {', '.join(sorted(fields))}")
    values: dict[str, Any] = {}
    for name, field in fields.items():
        with faults.collected():
            values[name] = _value_of(f"{where}{name}", hints[name], name, field, mapping)
    faults.refuse()
    try:
        return cls(**{name: value for name, value in values.items() if value is not dataclasses.MISSING})
    except ParameterError as error:
        raise ParameterError(*(f"{where}{fault}" for fault in error.faults)) from None


def _value_of(key: str, hint: Any, name: str, field: dataclasses.Field[Any], mapping: Mapping[str, Any]) -> Any:
    """Return the checked value of one field, MISSING where its default counts."""
    if dataclasses.is_dataclass(hint):
        branch = mapping.get(name, {})
        if not isinstance(branch, Mapping):
            raise ParameterError(f"{key}: expected a group of parameters, got {branch!r}")
        return from_mapping(typing.cast(type, hint), branch, f"{key}.")
    if name in mapping:
        return _checked(key, hint, mapping[name], field.metadata)
    if field.default is REQUIRED and field.default_factory is dataclasses.MISSING:
        unit = field.metadata.get("unit")
        raise ParameterError(
            f"{key}: required and missing ({field.metadata['description']}{f', in {unit}' if unit else ''})"
        )
    return dataclasses.MISSING


def _checked(key: str, hint: Any, value: Any, metadata: Mapping[str, Any]) -> Any:
    if typing.get_origin(hint) is list:
        (element,) = typing.get_args(hint)
        if isinstance(value, str | Mapping) or not hasattr(value, "__iter__"):
            raise ParameterError(f"{key}: expected a list of {element.__name__}, got {value!r}")
        items = list(value)
        if metadata.get("length") is not None and len(items) != metadata["length"]:
            raise ParameterError(f"{key}: expected {metadata['length']} values, got {len(items)}")
        return [_checked_scalar(f"{key}[{i}]", element, item, metadata) for i, item in enumerate(items)]
    return _checked_scalar(key, hint, value, metadata)


def _checked_scalar(key: str, hint: type, value: Any, metadata: Mapping[str, Any]) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            value = float(value)
        except OverflowError:
            raise ParameterError(f"{key}: must be finite, got a whole number beyond the range of a float") from None
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise ParameterError(f"{key}: expected {hint.__name__}, got {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ParameterError(f"{key}: must be finite, got {value}")
    if isinstance(value, float) and abs(value) > LARGEST:
        raise ParameterError(f"{key}: must be within +-{LARGEST:g}, got {value}")
    if isinstance(value, int | float) and not isinstance(value, bool):
        unit = f" {metadata['unit']}" if metadata.get("unit") else ""
        if metadata.get("minimum") is not None and value < metadata["minimum"]:
            raise ParameterError(f"{key}: must be at least {metadata['minimum']}{unit}, got {value}")
        if metadata.get("maximum") is not None and value > metadata["maximum"]:
            raise ParameterError(f"{key}: must be at most {metadata['maximum']}{unit}, got {value}")
        if metadata.get("above") is not None and value <= metadata["above"]:
            raise ParameterError(f"{key}: must be above {metadata['above']}{unit}, got {value}")
    if metadata.get("choices") and value not in metadata["choices"]:
        raise ParameterError(f"{key}: must be one of {', '.join(metadata['choices'])}; got {value!r}")
    return value
