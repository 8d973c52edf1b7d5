"""Configurations and URDFs as nobody should write them, changed in their tree and in their bytes.

What is read is either a filter that can be made, or one line that says what is wrong.
"""

from __future__ import annotations

import copy
import math
import random
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from messages import damaged
from surroundings import URDF

from vla_ros import graph
from vla_ros.parameters import ParameterError, from_mapping, nested
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.limits import joint_limits
from vla_ros.safety.parameters import SafetyFilterParameters

ROOT = Path(__file__).parents[2]
VALUES: tuple[Any, ...] = (
    *(
        math.nan,
        math.inf,
        -math.inf,
        0.0,
        -0.0,
        -1.0,
        1e308,
        5e-324,
        1e-12,
        0,
        1,
        -1,
        2**63,
        10**400,
        True,
        False,
        None,
    ),
    *("", "x", "joint1", "nan", "1e-3", "☃", "a\nb", "x" * 3000, b"joint1"),
    *(
        [],
        [1.0],
        [1.0] * 8,
        [None] * 8,
        [math.nan] * 8,
        ["joint1"] * 8,
        [[1.0]] * 8,
        {},
        {"a": 1},
        {1: 2, "b": 3},
        (1.0,) * 8,
    ),
)


def sim() -> dict[str, Any]:
    """The simulator's configuration of the filter, as a tree."""
    blocks = yaml.safe_load((ROOT / "config" / "sim.yaml").read_text())
    return {**blocks["/**"]["ros__parameters"], **blocks["safety_filter"]["ros__parameters"]}


def fuzz_trees(seed: int, count: int) -> Counter[str]:
    """Values replaced, keys lost, added and moved in the tree; what passes is made a filter of."""
    draw, tree = random.Random(seed), sim()
    seen: Counter[str] = Counter()
    for _ in range(count):
        changed = copy.deepcopy(tree)
        for _ in range(draw.randint(1, 3)):
            _change(draw, changed)
        _tell(seen, "tree", lambda changed=changed: _filter(changed, URDF))  # type: ignore[misc]
    return seen


def fuzz_yaml(seed: int, count: int) -> Counter[str]:
    """Bytes of the filter's block changed."""
    draw = random.Random(seed)
    raw = yaml.safe_dump({"safety_filter": {"ros__parameters": sim()}}).encode()
    seen: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "robot.yaml"
        for _ in range(count):
            text = damaged(draw, raw)
            if draw.random() < 0.3:
                at = draw.randrange(len(text) or 1)
                text = text[:at] + draw.choice(TOKENS) + text[at:]
            path.write_bytes(text)

            def load() -> None:
                _filter(nested(graph.read(path).get("safety_filter", {})), URDF)

            _tell(seen, "YAML", load)
    return seen


TOKENS = (
    b"{",
    b"[" * 2000,
    b"&a *a",
    b"!!python/object:os.system",
    b"2001-99-99",
    b": ",
    b"\t",
    b"\xff",
    b"? ",
    b"<<: 1",
)


def fuzz_urdfs(seed: int, count: int) -> Counter[str]:
    """Bytes of the URDF changed."""
    draw, raw, tree = random.Random(seed), URDF.encode(), sim()
    parameters = from_mapping(SafetyFilterParameters, tree)
    seen: Counter[str] = Counter()
    for _ in range(count):
        text = damaged(draw, raw).decode(errors="replace")
        _tell(seen, "URDF", lambda text=text: joint_limits(text, parameters))  # type: ignore[misc]
    return seen


def _filter(tree: Any, urdf: str) -> None:
    parameters = from_mapping(SafetyFilterParameters, tree, "safety_filter.")
    SafetyFilter(parameters, joint_limits(urdf, parameters))


def _tell(seen: Counter[str], what: str, load: Callable[[], Any]) -> None:
    """Count what became of one input; everything but a filter or one line of a ParameterError is a fault."""
    try:
        load()
        seen[f"{what} accepted"] += 1
    except ParameterError as error:
        seen[f"{what} refused"] += 1
        if "\n" in str(error):
            seen[f"FAULT {what}: more than one line in {_where(error)}"] += 1
    except Exception as error:
        seen[f"FAULT {what}: {type(error).__name__} in {_where(error)}"] += 1


def _where(error: Exception) -> str:
    """The last place of the project that it passed."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "vla_ros" in frame.filename]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"


def _change(draw: random.Random, tree: dict[Any, Any]) -> None:
    """One change, at any depth."""
    branch = tree
    while draw.random() < 0.7:
        groups = [value for value in branch.values() if isinstance(value, dict) and value]
        if not groups:
            break
        branch = draw.choice(groups)
    key = draw.choice(list(branch) or ["x"])
    kind = draw.random()
    if kind < 0.65:
        branch[key] = copy.deepcopy(draw.choice(VALUES))
    elif kind < 0.75 and key in branch:
        del branch[key]
    elif kind < 0.85:
        branch[draw.choice(("x", "limits", "a.b", "", 1, None, "period_s"))] = copy.deepcopy(draw.choice(VALUES))
    elif isinstance(branch.get(key), list) and branch[key]:
        values = branch[key]
        values[draw.randrange(len(values))] = copy.deepcopy(draw.choice(VALUES))
    else:
        branch[key] = copy.deepcopy(draw.choice(list(tree.values()) or [1]))
