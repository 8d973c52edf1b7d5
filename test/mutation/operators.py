"""Mutants of single operators: comparisons, sums, constants, `not`, min and max, and and or."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

MODULES = (
    *(
        "joint.stopping_distance",
        "joint.joint_motion",
        "joint.jerk_limit",
        "joint.velocity_limit",
        "joint.acceleration_limit",
        "joint.position_limit",
    ),
    *(
        "command.open_loop",
        "command.freshness",
        "command.sequence",
        "command.authority",
        *("filter", "tick", "takeover", "messages", "services"),
        "arm_motion",
        "geometry.active_set",
    ),
)
COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
SWAPPED = {"min": "max", "max": "min"}


@dataclass(frozen=True)
class Change:
    """One mutated line. number: of the mutant within its module. before, after: source text of the expression."""

    module: str
    number: int
    line: int
    before: str
    after: str


def mutants(module: str, source: str) -> Iterator[tuple[Change, ast.Module]]:
    """Yield every mutant of a module: what is changed, and the changed tree."""
    tree = ast.parse(source)
    number = 0
    for index, node in enumerate(ast.walk(tree)):
        for kind in _kinds(node):
            changed = copy.deepcopy(tree)
            target = list(ast.walk(changed))[index]
            before = ast.unparse(target)
            _apply(target, kind)
            yield Change(module, number, node.lineno, before, ast.unparse(target)), changed
            number += 1


def _kinds(node: ast.AST) -> Iterator[int]:
    """Yield one number for each way in which a node can be changed."""
    if isinstance(node, ast.Compare):
        yield from (k for k, op in enumerate(node.ops) if type(op) in COMPARED)
    elif (
        (isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC)
        or isinstance(node, ast.BoolOp)
        or (isinstance(node, ast.Constant) and type(node.value) is int)
        or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SWAPPED)
    ):
        yield 0


def _apply(node: ast.AST, kind: int) -> None:
    if isinstance(node, ast.Compare):
        node.ops[kind] = COMPARED[type(node.ops[kind])]()
    elif isinstance(node, ast.BinOp):
        node.op = ARITHMETIC[type(node.op)]()
    elif isinstance(node, ast.BoolOp):
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif isinstance(node, ast.Constant):
        node.value = node.value + 1  # type: ignore[operator]
    elif isinstance(node, ast.UnaryOp):
        node.op = ast.UAdd()
        node.operand = ast.Call(ast.Name("bool", ast.Load()), [node.operand], [])
        ast.fix_missing_locations(node)
    elif isinstance(node, ast.Call):
        assert isinstance(node.func, ast.Name)
        node.func.id = SWAPPED[node.func.id]
