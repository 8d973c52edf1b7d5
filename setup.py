"""Installs nodes, launch files, configuration and the compiled interfaces, for colcon and pip alike."""

import sys
from pathlib import Path

from setuptools import Extension, find_packages, setup

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))
from build_interfaces import (
    PACKAGE,
    BuildPy,
    control_msgs_files,
    interface_files,
    launcher_files,
    place_modules,
    ros_wheels,
)

NODES = (
    "camera",
    "planner",
    "action_expert",
    "safety_filter",
    "safety_monitor",
    "sim_arm",
    "dashboard",
    "motion_paths",
    "task_server",
)


def command_file() -> tuple[str, list[str]]:
    """The program vla-ros for bin/, which colcon puts on PATH; the one that setuptools makes lies in lib/vla_ros."""
    file = ROOT / "build" / "launchers" / "vla-ros"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('#!/bin/sh\nexec "$(dirname "$0")/../lib/vla_ros/vla-ros" "$@"\n')
    file.chmod(0o755)
    return "bin", [str(file)]


data_files = [
    ("share/ament_index/resource_index/packages", ["resource/vla_ros"]),
    ("share/vla_ros", ["package.xml"]),
    ("share/bash-completion/completions", ["completion/vla-ros.bash"]),
    ("share/zsh/site-functions", ["completion/_vla-ros"]),
]
for folder in ("launch", "config", "checkpoints", "completion"):
    for path in sorted((ROOT / folder).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            name = path.relative_to(ROOT)
            data_files.append((f"share/vla_ros/{name.parent}", [str(name)]))

commands = set(sys.argv[1:])
if commands & {"install", "develop", "bdist_wheel", "editable_wheel"}:
    data_files += interface_files()
if commands & {"bdist_wheel", "editable_wheel"}:
    data_files.append(launcher_files(NODES))
if commands & {"install", "develop"} and not commands & {"bdist_wheel", "editable_wheel"}:
    data_files.append(command_file())  # of colcon; pip puts the program on PATH itself
if "develop" in commands:  # colcon build --symlink-install: the checkout itself is imported, and build_py is not run
    place_modules(PACKAGE)
    data_files += control_msgs_files()

setup(
    name="vla_ros",
    version="0.1.0",
    description="A vision-language-action model on a ROS 2 robot arm, behind a deterministic safety filter",
    license="Apache-2.0",
    maintainer="Seed ee87352b maintainers",
    maintainer_email="maintainers@users.noreply.b-seed-ee87352b.example",
    python_requires=">=3.11",
    packages=find_packages(include=["vla_ros", "vla_ros.*"], exclude=["vla_ros.msg", "vla_ros.srv", "vla_ros.action"]),
    package_data={
        "vla_ros": ["py.typed"],
        "vla_ros.dashboard": ["page/*"],
        "vla_ros.safety": ["kernels.c", "kernels.pyi"],
    },
    # A product and a sum contracted into one operation would change the last bit. Optional: each kernel has a Python form.
    ext_modules=[
        Extension(
            "vla_ros.safety.kernels",
            ["vla_ros/safety/kernels.c"],
            extra_compile_args=["-O2", "-ffp-contract=off"],
            optional=True,
        )
    ],
    data_files=data_files,
    install_requires=[*(ROOT / "requirements.txt").read_text().splitlines(), *ros_wheels(compiling=False)],
    extras_require={
        "models": ["torch>=2.13", "transformers>=5", "onnx>=1.17"],
        "lerobot": [
            f"{line.partition('#')[0].strip()}; python_version >= '3.12'"
            for line in (ROOT / "requirements-models.txt").read_text().splitlines()
            if not line.startswith("#")
        ],
    },
    cmdclass={"build_py": BuildPy},
    entry_points={
        "console_scripts": [
            "vla-ros = vla_ros.cli.main:main",
            *(f"{node} = vla_ros.nodes.{node}:main" for node in NODES),
        ]
    },
    zip_safe=False,
)
