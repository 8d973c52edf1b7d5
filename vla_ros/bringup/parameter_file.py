"""Which parameters a ROS parameter file gives to which node: read as rcl reads it, and refused where a name is no one's.

A block's name is the node's full name, or a pattern of it: `*` stands for one word between slashes, `**` for any number of
them. Namespaces may be mappings: `left: {safety_filter: {ros__parameters: …}}`. Of several blocks that match a node, the
later one counts. A plain `safety_filter` is the node of that name in the graph's own namespace, whatever that is.
"""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vla_ros.bringup.node_parameters import PARAMETERS
from vla_ros.parameters import Faults, ParameterError, declarations, flattened, yaml_of

ROS_PARAMETERS = "ros__parameters"
CLOCK = "use_sim_time"
"""A parameter of every node."""


@dataclass(frozen=True)
class ParameterBlock:
    """One block of a file.

    written: its name as in the file. name: with a slash in front, unless it is a plain node's. flat: dotted parameter →
    value.
    """

    written: str
    name: str
    flat: Mapping[str, Any]

    @property
    def wild(self) -> bool:
        """Whether it may be of several nodes."""
        return "*" in self.name

    def matches(self, node: str, namespace: str) -> bool:
        """Return whether a node of the graph in `namespace`, without slashes at its ends, is meant."""
        full = "/".join(("", *filter(None, namespace.split("/")), node))
        if "/" not in self.name:
            return self.name == node
        # Patterns as rclcpp and rclpy make them.
        pattern = re.escape(self.name).replace(r"/\*\*", r"(/\w+)*").replace(r"/\*", r"(/\w+)")
        return re.fullmatch(pattern, full, re.ASCII) is not None


def read_parameter_file(
    path: Path, classes: Mapping[str, type] = PARAMETERS, namespace: str = ""
) -> dict[str, dict[str, Any]]:
    """Read a ROS parameter file and check its names.

    Args:
        classes: dataclass of the parameters of each node.
        namespace: of the graph, without slashes at its ends.

    Returns:
        node → dotted parameter → value, of the nodes that the file has something for.

    Raises:
        ParameterError: all that is wrong, each fault with the file, and the line or the key.
    """
    where = f"config: {path}"
    blocks = _read_blocks(path, where)
    faults = Faults()
    for block in blocks:
        faults.found += [f"{where}: {fault}" for fault in _unknown_names(block, classes)]
    found: dict[str, dict[str, Any]] = {}
    for node, cls in classes.items():
        known = {CLOCK, *(declaration.name for declaration in declarations(cls))}
        given: dict[str, str] = {}
        for block in blocks:
            if not block.matches(node, namespace):
                continue
            for key, value in block.flat.items():
                if key not in known:
                    continue
                if not block.wild and key in given:
                    faults.found.append(
                        f"{where}: {node}.{key} is given by {given[key]} and {block.written}; remove one"
                    )
                if not block.wild:
                    given[key] = block.written
                # Copies: values that share a YAML anchor would become aliases in the node's file, which rcl does not read.
                found.setdefault(node, {})[key] = copy.deepcopy(value)
    faults.refuse()
    return found


def _read_blocks(path: Path, where: str) -> list[ParameterBlock]:
    tree = yaml_of(path, where)
    if not isinstance(tree, dict):
        raise ParameterError(f"{where}: expected blocks `<node>: {ROS_PARAMETERS}: …`")
    faults, blocks = Faults(), []
    for name, branch in tree.items():
        for written, content in _named_blocks(str(name), branch):
            with faults.collected(f"{where}: {written}: "):
                blocks.append(_block(written, content))
    faults.refuse()
    return blocks


def _named_blocks(name: str, branch: Any) -> Iterator[tuple[str, Any]]:
    """Yield the blocks below a name, which may be a namespace."""
    namespace = isinstance(branch, dict) and branch and ROS_PARAMETERS not in branch
    if not namespace or not all(isinstance(inner, dict) for inner in branch.values()):
        yield name, branch
        return
    for inner, content in branch.items():
        yield from _named_blocks(f"{name.rstrip('/')}/{str(inner).lstrip('/')}", content)


def _block(written: str, content: Any) -> ParameterBlock:
    if not isinstance(content, dict) or not isinstance(content.get(ROS_PARAMETERS), dict):
        raise ParameterError(f"expected `{ROS_PARAMETERS}:` with parameters below it")
    beside = [str(key) for key in content if key != ROS_PARAMETERS]
    if beside:
        raise ParameterError(f"{beside[0]} stands beside {ROS_PARAMETERS}; write it below, or in a block of its own")
    plain = "/" not in written and "*" not in written
    name = written if plain else f"/{written.strip('/')}"
    if not plain and not re.fullmatch(r"(/(\w+|\*{1,2}))+", name, re.ASCII):
        raise ParameterError("not the name of a node; between slashes stand words, * or **")
    return ParameterBlock(written, name, _flat_once(content[ROS_PARAMETERS]))


def _flat_once(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten parameters; `a.b` beside `a: {b: }` is one parameter given twice."""
    flat: dict[str, Any] = {}
    for key, branch in tree.items():
        part = flattened({str(key): branch})
        for name, value in part.items():
            if name in flat:
                raise ParameterError(f"{name} is given twice; remove one")
            flat[name] = value
    return flat


def _unknown_names(block: ParameterBlock, classes: Mapping[str, type]) -> Iterator[str]:
    """Yield what of a block is the name of no node or parameter."""
    last = block.name.rsplit("/", 1)[-1]
    nodes = classes if "*" in last else [last]
    if unknown := [node for node in nodes if node not in classes]:
        yield f"no node {block.written!r}{suggestion(unknown[0], classes)}"
        return
    known = {declaration.name for node in nodes for declaration in declarations(classes[node])}
    for key in block.flat:
        if group := sorted(name for name in known if name.startswith(f"{key}.")):
            yield (
                f"{block.written}: {key} is a group of parameters, such as {group[0]}; write them below it, or leave it out"
            )
        elif key not in known and key != CLOCK:
            yield f"{block.written}: no parameter {key!r}{suggestion(key, known)}"


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return the known name that is most like `word`, or all of them, as the end of an error line."""
    if word.startswith("vlm."):
        return "; it belongs to --system2 vlm, or system2:=vlm"
    close = difflib.get_close_matches(word, sorted(known), 1)
    groups = sorted({name.partition(".")[0] for name in known})
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(groups)}"
