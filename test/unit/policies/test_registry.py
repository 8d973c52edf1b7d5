"""Policies by name: halves that know each other, clear words for what does not exist."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vla_ros.bringup.node_parameters import POLICY_NODES, policy_options
from vla_ros.parameters import ParameterError
from vla_ros.policies.registry import GROUP, POLICIES, Policy, Robot, names, policy, system1, system2
from vla_ros.robot.joint_map import JointNamesError
from vla_ros.sim.arm_description import JOINT_NAMES, urdf

ROBOT = Robot(urdf(), JOINT_NAMES)


NEEDED = {"remote": {"binding": {"rate_hz": 20.0}}}
"""Options without which a policy is not made."""
WITH_CHECKPOINT = {"groot", "lerobot", "openvla", "openvla_oft", "pi0", "pi05", "smolvla"}
"""Policies that need a checkpoint of the user's."""


@pytest.mark.parametrize("name", sorted(POLICIES.keys() - WITH_CHECKPOINT))
def test_the_halves_know_each_other(name: str) -> None:
    options = NEEDED.get(name)
    assert system1(name, ROBOT, options).checkpoint == system2(name, ROBOT, options).checkpoint


def test_other_options_are_another_checkpoint() -> None:
    assert system1("classical", ROBOT).checkpoint != system1("classical", ROBOT, {"speed_m_s": 0.2}).checkpoint


def test_an_unknown_policy_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ParameterError) as error:
        policy("magic")
    assert str(error.value) == f"policy: there is no 'magic'; there are {', '.join(sorted(POLICIES))}"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"sped": 1.0}, "classical.sped: no such parameter"),
        ({"speed_m_s": -1.0}, "classical.speed_m_s: must be above 0.0 m/s, got -1.0"),
        (
            {"motion": {"acceleration_rad_s2": [1.0]}},
            "motion.acceleration_rad_s2: has 1 values, but 7 joints move the tool",
        ),
        ({"gripper_joint": "thumb"}, "classical.gripper_joint: the robot has no joint 'thumb'"),
    ],
)
def test_a_wrong_option_is_refused_by_name(options: dict[str, object], text: str) -> None:
    with pytest.raises(ParameterError) as error:
        system1("classical", ROBOT, options)
    assert text in str(error.value)


def test_a_robot_that_does_not_bind_is_refused() -> None:
    with pytest.raises(JointNamesError, match="joint1"):
        system1("classical", Robot(urdf(), JOINT_NAMES[1:]))


def test_the_registry_imports_no_policy() -> None:
    code = "import sys, vla_ros.policies.registry; print(sorted(sys.modules))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "vla_ros.policies.registry" in output
    for heavy in ("pinocchio", "cv2", "ruckig", "torch"):
        assert f"'{heavy}'" not in output


PLUGIN = """
import dataclasses
from vla_ros.parameters import parameter
from vla_ros.policies.registry import Policy

@dataclasses.dataclass(frozen=True)
class Options:
    gain: float = parameter(1.0, description="gain", above=0.0)

@dataclasses.dataclass(frozen=True)
class Undeclared:
    gain: float = 1.0

class Half:
    checkpoint, dt_s = "none", 0.02
    def __init__(self, robot, parameters):
        self.gain = parameters.gain
    def plan(self, frames, instruction, joint_state): ...
    def chunk(self, plan, joint_state, previous, delay, start_ns): ...

class Empty:
    def __init__(self, robot, parameters): ...

GOOD = Policy("plugin_of_test:Half", "plugin_of_test:Half", Options)
EMPTY = Policy("plugin_of_test:Empty", "plugin_of_test:Empty", Options)
ABSENT = Policy("plugin_of_test:Absent", "nowhere.at_all:Half", Options)
UNDECLARED = Policy("plugin_of_test:Half", "plugin_of_test:Half", Undeclared)
OTHER = {"system2": Half}
"""


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make packages on sys.path, each with entry points: register(package={"name": "module:object"})."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "plugin_of_test.py").write_text(PLUGIN)
    monkeypatch.delitem(sys.modules, "plugin_of_test", raising=False)

    def made(**packages: dict[str, str]) -> None:
        for package, entries in packages.items():
            metadata = tmp_path / f"{package}-1.0.dist-info"
            metadata.mkdir()
            (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
            lines = [f"{name} = {value}" for name, value in entries.items()]
            (metadata / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines, ""]))

    return made


def test_a_policy_of_another_package_is_made_with_its_options(register: Callable[..., None]) -> None:
    register(plugin={"gain": "plugin_of_test:GOOD"})
    assert names() == sorted([*POLICIES, "gain"])
    assert vars(system2("gain", ROBOT, {"gain": 2})) == {"gain": 2.0}
    with pytest.raises(ParameterError, match=r"gain\.gain: must be above 0\.0, got -1\.0"):
        system1("gain", ROBOT, {"gain": -1.0})


@pytest.mark.parametrize(
    ("name", "entry", "texts"),
    [
        (
            "other",
            "plugin_of_test:OTHER",
            ("entry point 'plugin_of_test:OTHER' of plugin", "is of type dict", "Policy"),
        ),
        ("broken", "no_such_module:POLICY", ("does not import: ModuleNotFoundError", "no_such_module", "uninstall it")),
        ("broken", "plugin_of_test:NONE", ("does not import: AttributeError", "NONE")),
        ("two-words", "plugin_of_test:GOOD", ("'two-words'", "letters, digits and _")),
        ("undeclared", "plugin_of_test:UNDECLARED", ("Undeclared.gain", "vla_ros.parameters.parameter")),
    ],
)
def test_an_entry_point_that_is_wrong_is_one_line_with_its_package(
    register: Callable[..., None], name: str, entry: str, texts: tuple[str, ...]
) -> None:
    register(plugin={name: entry})
    with pytest.raises(ParameterError) as error:
        policy(name)
    assert str(error.value).startswith(f"policy {name!r}: entry point {entry!r} of plugin")
    assert all(text in str(error.value) for text in texts) and "\n" not in str(error.value)
    assert system1("classical", ROBOT), "a package that is broken takes no other policy with it"


@pytest.mark.parametrize(
    ("name", "half", "text"),
    [
        ("ABSENT", system2, "system2 'plugin_of_test:Absent' does not import"),
        ("ABSENT", system1, "system1 'nowhere.at_all:Half' does not import: No module named 'nowhere'"),
        ("EMPTY", system2, "system2 'plugin_of_test:Empty' has no plan, checkpoint; see"),
        ("EMPTY", system1, "system1 'plugin_of_test:Empty' has no chunk, checkpoint, dt_s; see"),
    ],
)
def test_a_half_that_cannot_be_used_is_refused_by_name(
    register: Callable[..., None], name: str, half: Callable[..., object], text: str
) -> None:
    register(plugin={"mine": f"plugin_of_test:{name}"})
    with pytest.raises(ParameterError) as error:
        half("mine", ROBOT)
    assert text in str(error.value)


def test_a_name_that_two_packages_register_is_refused_with_both(register: Callable[..., None]) -> None:
    register(one={"mine": "plugin_of_test:GOOD", "compact": "plugin_of_test:GOOD"}, two={"mine": "plugin_of_test:GOOD"})
    with pytest.raises(ParameterError, match="'mine' is registered by one and by two; uninstall all but one"):
        policy("mine")
    with pytest.raises(ParameterError, match="'compact' is registered by vla_ros and by one"):
        policy("compact")


@pytest.mark.parametrize("node", POLICY_NODES)
def test_a_name_that_is_a_parameter_of_the_node_is_refused(register: Callable[..., None], node: str) -> None:
    register(plugin={"joint_names": "plugin_of_test:GOOD"})
    with pytest.raises(ParameterError, match=f"policy 'joint_names': {node} has a parameter of that name"):
        policy_options(node, "joint_names")


def test_what_is_absent_is_told_without_importing_it() -> None:
    made = Policy("a:A", "b:B", object, requires=("numpy", "no_such_module", "no_such_package.part"))
    assert made.absent == ("no_such_module", "no_such_package.part")
    assert policy("scripted").absent == ()
