"""Configurations and URDFs as nobody should write them, changed in their tree and in their bytes.

What is read is either a filter that can be made, or one line that says what is wrong.
"""

from __future__ import annotations

import copy
import math
import random
import re
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml

from test.campaign.judge import Judge
from test.campaign.messages import damaged
from test.campaign.surroundings import URDF
from vla_ros.bringup.parameter_file import read_parameter_file
from vla_ros.parameters import ParameterError, from_mapping, nested
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.joint.joint_limits import joint_limits
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.sim.arm_description import HOME, JOINT_NAMES

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
MOVED_TICKS = 60
"""Ticks in which a filter that was accepted is tried."""
ENTERED_TICKS = 3000
"""After so many ticks a stream ought to have begun."""


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
    """The text of the filter's block, changed as somebody mistypes it, or its bytes; what is accepted keeps the limits."""
    draw = random.Random(seed)
    seen: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        path, srdf = Path(folder) / "robot.yaml", Path(folder) / "arm.srdf"
        srdf.write_bytes(SRDF)
        raws = [yaml.safe_dump({"safety_filter": {"ros__parameters": tree}}) for tree in (sim(), whole(srdf))]
        for i in range(count):
            raw = raws[i % GEOMETRY == 0]
            path.write_bytes(mistyped(draw, raw).encode() if draw.random() < 0.9 else _broken(draw, raw.encode()))

            def load() -> str:
                return moved(_filter(nested(read_parameter_file(path).get("safety_filter", {})), URDF))

            _tell(seen, "YAML", load)
    return seen


def mistyped(draw: random.Random, text: str) -> str:
    """A few characters of a text changed as fingers do: digits, points, signs, letters of keys, whole lines."""
    for _ in range(draw.choice((1, 1, 2))):
        kind = draw.random()
        numbers = list(re.finditer(r"-?[0-9.]+", text))
        if kind < 0.7 and numbers:
            found = draw.choice(numbers)
            number, at = found[0], draw.randrange(len(found[0]))
            digit = draw.choice("0123456789")
            changed, added, lost = number[:at] + digit + number[at + 1 :], number[:at] + digit + number[at:], number[1:]
            word = draw.choice(
                ("true", "nan", "inf", "1e-3", "1.0e-3", "0", "x", f"'{number}'", number[:at] + "-" + number[at:])
            )
            typed = draw.choice((changed, changed, changed, added, added, lost, number.replace(".", "", 1), word))
            text = text[: found.start()] + typed + text[found.end() :]
        elif kind < 0.85:
            at = draw.choice([i for i, character in enumerate(text) if character.isalpha()])
            text = text[:at] + draw.choice((text[at].swapcase(), text[at] * 2, "", "_", "e")) + text[at + 1 :]
        else:
            lines = text.splitlines()
            k = draw.randrange(len(lines))
            lines[k : k + 1] = draw.choice(([], [lines[k]] * 2, [" " + lines[k]], ["# " + lines[k]], ["", lines[k]]))
            text = "\n".join(lines) + "\n"
    return text


def moved(safety: SafetyFilter) -> str:
    """What a filter makes of setpoints as far away as it takes them: the limits as they are written are kept, or it raises.

    Raises:
        AssertionError: an output broke the URDF's range or velocity, or an acceleration or jerk of the configuration.
    """
    names, own = safety.parameters.joint_names, safety.parameters.limits
    draw, home = random.Random(1), dict(zip(JOINT_NAMES, HOME.tolist(), strict=True))
    written = {joint.name: joint for joint in joint_limits(URDF, from_mapping(SafetyFilterParameters, sim()))}
    rates = zip(names, own.acceleration, own.jerk, strict=True)
    judge = Judge([replace(written[name], acceleration=a, jerk=j) for name, a, j in rates], safety.period_s)
    now_ns, q = 10**12, [home[name] for name in names]
    ranges = [(written[name].lower, written[name].upper) for name in names]
    period_ns, rest = round(safety.period_s * 1e9), [0.0] * len(names)
    settle = min(2000, round(safety.parameters.measured.settle_s * 1e9) // period_ns + 2)
    tick, left = 0, MOVED_TICKS
    while left:
        now_ns, tick = now_ns + period_ns, tick + 1
        safety.joint_state(now_ns, names, q, rest)
        safety.obstacles(now_ns, [])
        safety.enabling(now_ns, 1)
        safety.reduced(now_ns, False)
        if tick == settle:
            if not safety.arm(now_ns)[0]:
                return "not armed"
            judge.begin(q)
        if tick >= settle and (not safety.values.entry_ticks or tick > ENTERED_TICKS):
            left -= 1
            if left % 3 == 0:
                steps = (draw.choice((-0.9, 0.9)) * step for step in safety.parameters.command.step)
                goal = [max(low, min(high, x + step)) for x, step, (low, high) in zip(q, steps, ranges, strict=True)]
                safety.command(Setpoint("policy", "policy", tick, now_ns, 0, now_ns, names, goal))
        positions = safety.tick(now_ns).positions
        if positions is not None:
            judge.sent(positions)
            q = list(positions)
    judge.finish()
    return "moved" if max(abs(x - home[name]) for name, x in zip(names, q, strict=True)) > 1e-6 else "stood still"


def _broken(draw: random.Random, raw: bytes) -> bytes:
    """Bytes of a file changed, and what YAML reads in a way of its own put in between."""
    text = damaged(draw, raw)
    at = draw.randrange(len(text) or 1)
    return text[:at] + draw.choice(TOKENS) + text[at:] if draw.random() < 0.3 else text


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


def _filter(tree: Any, urdf: str) -> SafetyFilter:
    return SafetyFilter.from_urdf(from_mapping(SafetyFilterParameters, tree, "safety_filter."), urdf)


def _tell(seen: Counter[str], what: str, load: Callable[[], Any]) -> None:
    """Count what became of one input; everything but a filter or one line of a ParameterError is a fault."""
    try:
        told = load()
        seen[f"{what} accepted, {told}" if isinstance(told, str) else f"{what} accepted"] += 1
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
