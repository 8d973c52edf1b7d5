"""Writes type stubs (.pyi) of ROS interfaces for mypy and editors: python interface_stubs.py.

rosidl generates Python without annotations. The stubs of this package's interfaces go beside the generated modules, in
vla_ros/msg/, vla_ros/srv/ and vla_ros/action/; those of the ROS packages that package.xml names, and of what they refer to,
go into build/stubs, where pyproject.toml makes mypy look. All these folders are ignored by git.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree

from rosidl_adapter.parser import (
    MessageSpecification,
    Type,
    parse_action_file,
    parse_message_file,
    parse_service_file,
)

from build_interfaces import KINDS, PACKAGE, ROOT, prefixes

STUBS = ROOT / "build" / "stubs"
SCALARS = {"bool": "bool", "byte": "bytes", "string": "str", "wstring": "str", "float32": "float", "float64": "float"}
"""ROS type → Python type; every other primitive is an int."""
NUMPY = {"float32": "float32", "float64": "float64", "char": "uint8"}
"""ROS type → numpy type of a fixed-size array; integers have the same name in both."""
SEPARATE = ("bool", "byte", "string", "wstring")
"""Types whose arrays are lists in Python, not array.array or numpy.ndarray."""
HEADER = """import array
from collections.abc import Sequence
from typing import ClassVar, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
"""


def scalar(kind: Type) -> str:
    """Return the Python type of one element."""
    if not kind.is_primitive_type():
        return f"{kind.pkg_name}.msg.{kind.type}"
    return SCALARS.get(kind.type, "int")


def read_type(kind: Type) -> str:
    """Return the type that a field has when it is read."""
    element = scalar(kind)
    if not kind.is_array:
        return element
    if not kind.is_primitive_type() or kind.type in SEPARATE:
        return f"list[{element}]"
    if kind.array_size is not None and not kind.is_upper_bound:
        return f"NDArray[np.{NUMPY.get(kind.type, kind.type)}]"
    return f"array.array[{element}]"


def written_type(kind: Type) -> str:
    """Return the type that a field takes when it is set: the setters turn sequences of numbers into arrays."""
    read = read_type(kind)
    if not kind.is_array:
        return read
    return f"{read} | Sequence[{scalar(kind)}]" if read.startswith("NDArray") else f"Sequence[{scalar(kind)}]"


def class_lines(name: str, specification: MessageSpecification) -> Iterator[str]:
    """Yield the lines of the class of a message, or of half a service."""
    yield f"class {name}:"
    for constant in specification.constants:
        yield f"    {constant.name}: Final[{SCALARS.get(constant.type, 'int')}]"
    yield "    SLOT_TYPES: ClassVar[tuple[object, ...]]"
    arguments = "".join(f", {field.name}: {written_type(field.type)} = ..." for field in specification.fields)
    yield f"    def __init__(self{', *' if arguments else ''}{arguments}) -> None: ..."
    yield "    @classmethod"
    yield "    def get_fields_and_field_types(cls) -> dict[str, str]: ..."
    for field in specification.fields:
        read, written = read_type(field.type), written_type(field.type)
        if read == written:
            yield f"    {field.name}: {read}"
            continue
        yield "    @property"
        yield f"    def {field.name}(self) -> {read}: ..."
        yield f"    @{field.name}.setter"
        yield f"    def {field.name}(self, value: {written}) -> None: ..."
    yield ""


def service_lines(name: str) -> Iterator[str]:
    """Yield the class that ties the halves of a service together."""
    yield f"class {name}:"
    yield f"    Request: TypeAlias = {name}_Request"
    yield f"    Response: TypeAlias = {name}_Response"
    yield ""


def action_lines(name: str) -> Iterator[str]:
    """Yield the class that ties the parts of an action together."""
    yield f"class {name}:"
    for part in ("Goal", "Result", "Feedback"):
        yield f"    {part}: TypeAlias = {name}_{part}"
    yield ""


def halves_of(package: str, file: Path) -> dict[str, MessageSpecification]:
    """Return the messages that an interface file defines, by name."""
    if file.suffix == ".msg":
        return {file.stem: parse_message_file(package, str(file))}
    if file.suffix == ".srv":
        service = parse_service_file(package, str(file))
        return {f"{file.stem}_Request": service.request, f"{file.stem}_Response": service.response}
    action = parse_action_file(package, str(file))
    return {f"{file.stem}_{part}": getattr(action, part.lower()) for part in ("Goal", "Result", "Feedback")}


def stub(package: str, folder: Path) -> tuple[str, set[str]]:
    """Return the stub of a folder of interface files, and the packages that it refers to."""
    lines: list[str] = []
    used: set[str] = set()
    for file in sorted(path for kind in KINDS for path in folder.glob(f"*.{kind}")):
        for name, half in halves_of(package, file).items():
            used |= {field.type.pkg_name for field in half.fields if not field.type.is_primitive_type()}
            lines += class_lines(name, half)
        if file.suffix == ".srv":
            lines += service_lines(file.stem)
        elif file.suffix == ".action":
            lines += action_lines(file.stem)
    imports = "".join(f"import {name}.msg\n" for name in sorted(used))
    return f"{HEADER}{imports}\n" + "\n".join(lines), used


def write(file: Path, text: str) -> None:
    """Write a file unless it says that already."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.is_file() or file.read_text() != text:
        file.write_text(text)


def write_ros_stubs(packages: Iterable[str]) -> None:
    """Write the stubs of installed ROS packages that have interfaces, and of those that they refer to."""
    waiting, known = list(packages), {"vla_ros"}
    while waiting:
        package = waiting.pop()
        if package in known:
            continue
        known.add(package)
        shares = (Path(prefix, "share", package) for prefix in prefixes())
        share = next((each for each in shares if any((each / kind).is_dir() for kind in KINDS)), None)
        if share is None:
            continue
        write(STUBS / package / "__init__.pyi", "")
        for kind in KINDS:
            if any((share / kind).glob(f"*.{kind}")):
                text, used = stub(package, share / kind)
                write(STUBS / package / kind / "__init__.pyi", text)
                waiting += used


def main() -> None:
    """Write all stubs."""
    for kind in KINDS:
        text, used = stub("vla_ros", ROOT / kind)
        write(PACKAGE / kind / "__init__.pyi", text)
        write_ros_stubs(used)
    depends = ElementTree.parse(ROOT / "package.xml").getroot()
    write_ros_stubs(str(each.text).strip() for each in depends if each.tag in ("depend", "exec_depend"))


if __name__ == "__main__":
    main()
