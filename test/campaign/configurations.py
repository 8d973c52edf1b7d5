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
from xml.etree import ElementTree

import yaml

from test.campaign.messages import damaged
from test.campaign.surroundings import URDF
from vla_ros.bringup.parameter_file import read_parameter_file
from vla_ros.parameters import ParameterError, from_mapping, nested
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.safety_parameters import SafetyFilterParameters

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


SRDF = b"""<?xml version="1.0"?>
<robot name="sim_arm">
  <disable_collisions link1="left_finger" link2="right_finger" reason="User"/>
  <disable_collisions link1="link5" link2="link7" reason="Never"/>
</robot>
"""
GEOMETRY = 10
"""One URDF in so many is to have all that needs a model of the arm, which may take a second or two to make."""


def sim() -> dict[str, Any]:
    """The simulator's configuration of the filter, as a tree, without what needs a model of the arm."""
    blocks = yaml.safe_load((ROOT / "config" / "sim.yaml").read_text())
    tree = {**blocks["/**"]["ros__parameters"], **blocks["safety_filter"]["ros__parameters"]}
    left_out = "fence", "table", "self_collision", "effort", "cartesian_speed", "safety_monitor"
    return {key: value for key, value in tree.items() if key not in left_out}


def whole(srdf: Path) -> dict[str, Any]:
    """The same with all of that."""
    tree = sim()
    return {
        **tree,
        "measured": {**tree["measured"], "tcp_speed_m_s": 1.5},
        "fence": {"box": [-0.7, -0.8, -0.05, 0.95, 0.8, 1.3], "planes": [1.0, 0.2, 1.0, 1.7], "margin_m": 0.01},
        "table": {"height_m": [0.0], "margin_m": 0.002, "slow_m": 0.1},
        "keep_out": {"boxes": [0.6, 0.5, 0.3, 0.1, 0.2, 0.3, 0.0, 0.5, 0.0], "margin_m": 0.01, "slow_m": 0.05},
        "self_collision": {"check": True, "margin_m": 0.005, "allowed": ["link4 link6"], "srdf": str(srdf)},
        "obstacle": {"timeout_s": 0.1, "maximum": 2, "margin_m": 0.02, "slow_m": 0.1, "frame_id": "base"},
        "tool": {
            **{"link": "hand", "capsules": [0.0, 0.0, 0.1, 0.0, 0.05, 0.2, 0.015]},
            **{"point": [0.0, 0.0, 0.1], "axis": [0.0, 0.0, 1.0]},
        },
        "cartesian_speed": {"limit_m_s": 1.0, "links": ["link4 0.5", "tool 0.8"]},
        "reduced_mode": {
            **{"input": True, "timeout_s": 0.5, "planes": [0.0, 1.0, 0.0, 0.5], "speed_m_s": 0.25},
            **{"links": ["link4 0.1"], "joint_share": 0.5},
        },
        "stop_distance": {"time_s": 0.8, "distance_m": 0.4},
        "momentum": {"limit_kg_m_s": 30.0, "power_w": 300.0},
        "separation": {
            **{"check": True, "human_speed_m_s": 1.6, "reaction_s": 0.1, "intrusion_m": 0.85},
            **{"position_uncertainty_m": 0.05, "arm_uncertainty_m": 0.01},
        },
        "tool_orientation": {"direction": [0.0, 0.0, -1.0], "angle_rad": 1.0},
        "enabling": {"timeout_s": 0.2},
        "home": {"position": [0.0, -0.9, 0.0, -2.6, 0.0, 1.7, 0.8, 0.04], "tolerance": [0.02] * 8},
        "payload": {"link": "hand", "mass_kg": 0.3, "centre": [0.0, 0.0, 0.1]},
        "effort": {"check": True, "limit": [80.0] * 4 + [11.0] * 3 + [60.0]},
        "contact": {"threshold": [40.0] * 8, "duration_s": 0.02},
    }


def fuzz_trees(seed: int, count: int) -> Counter[str]:
    """Values replaced, keys lost, added and moved in the tree, and bytes of the SRDF; what passes is made a filter of."""
    draw = random.Random(seed)
    seen: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        srdf = Path(folder) / "arm.srdf"
        tree = whole(srdf)
        for _ in range(count):
            srdf.write_bytes(damaged(draw, SRDF) if draw.random() < 0.1 else SRDF)
            changed = copy.deepcopy(tree)
            for _ in range(draw.randint(1, 3)):
                _change(draw, changed)
            _tell(seen, "tree", lambda changed=changed: _filter(changed, URDF))  # type: ignore[misc]
    return seen


def fuzz_yaml(seed: int, count: int) -> Counter[str]:
    """Bytes of the filter's block changed."""
    draw = random.Random(seed)
    seen: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        path, srdf = Path(folder) / "robot.yaml", Path(folder) / "arm.srdf"
        srdf.write_bytes(SRDF)
        raw = yaml.safe_dump({"safety_filter": {"ros__parameters": whole(srdf)}}).encode()
        for _ in range(count):
            text = damaged(draw, raw)
            if draw.random() < 0.3:
                at = draw.randrange(len(text) or 1)
                text = text[:at] + draw.choice(TOKENS) + text[at:]
            path.write_bytes(text)

            def load() -> None:
                _filter(nested(read_parameter_file(path).get("safety_filter", {})), URDF)

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


WORDS = (
    *("nan", "inf", "-inf", "1e308", "5e-324", "0", "-1", "1e-12", "", " ", "x", "1 2", "0 0 0", "1 0 0", "1e200 0 0"),
    *(
        "revolute",
        "continuous",
        "prismatic",
        "fixed",
        "floating",
        "planar",
        "base",
        "link1",
        "link4",
        "hand",
        "nowhere",
    ),
    *("joint1", "joint4", "finger_joint", "finger_joint_mimic", "package://x/y.stl", "/dev/null", "a\nb"),
)
"""For attributes of a URDF."""
TAGS = ("box", "cylinder", "sphere", "mesh", "mimic", "axis", "limit", "collision", "joint", "link", "origin", "x")


def fuzz_urdfs(seed: int, count: int) -> Counter[str]:
    """Bytes of the URDF changed, or its elements; some of the filters are to have all that needs a model of the arm."""
    draw, raw, plain = random.Random(seed), URDF.encode(), sim()
    seen: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        srdf = Path(folder) / "arm.srdf"
        srdf.write_bytes(SRDF)
        geometry = whole(srdf)
        for i in range(count):
            text = damaged(draw, raw).decode(errors="replace") if draw.random() < 0.5 else rearranged(draw, URDF)
            what, tree = ("URDF", plain) if i % GEOMETRY else ("URDF with geometry", geometry)
            _tell(seen, what, lambda tree=tree, text=text: _filter(tree, text))  # type: ignore[misc]
    return seen


def rearranged(draw: random.Random, urdf: str) -> str:
    """A URDF with some elements changed, lost, doubled and moved to where they do not belong."""
    root = ElementTree.fromstring(urdf)
    for _ in range(draw.randint(1, 3)):
        element, other = draw.choices(list(root.iter()), k=2)
        kind = draw.random()
        if kind < 0.6:
            element.set(draw.choice(list(element.attrib) or ["name"]), draw.choice(WORDS))
        elif kind < 0.7:
            element.tag = draw.choice(TAGS)
        elif kind < 0.8:
            element.append(copy.deepcopy(other))
        elif len(element):
            element.remove(draw.choice(list(element)))
    return ElementTree.tostring(root, encoding="unicode")


def _filter(tree: Any, urdf: str) -> None:
    SafetyFilter.from_urdf(from_mapping(SafetyFilterParameters, tree, "safety_filter."), urdf)


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
