"""Installs nodes, launch files, configuration and the compiled interfaces, for colcon and pip alike."""

import sys
from glob import glob
from pathlib import Path

from setuptools import find_packages, setup

sys.path.insert(0, str(Path(__file__).resolve().parent))
from build_interfaces import BuildPy, compiled, data_files, generated, place

NODES = ("camera", "planner", "action_expert", "safety_filter", "sim_arm")

if "develop" in sys.argv:  # colcon build --symlink-install imports the checkout itself
    place(generated(compiled()), Path(__file__).resolve().parent / "vla_ros")

building = {"develop", "install", "bdist_wheel", "editable_wheel", "build", "dist_info"} & set(sys.argv)

setup(
    name="vla_ros",
    version="0.1.0",
    description="A vision-language-action model on a ROS 2 robot arm, behind a deterministic safety filter",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["vla_ros", "vla_ros.*"]),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/vla_ros"]),
        ("share/vla_ros", ["package.xml"]),
        ("share/vla_ros/launch", glob("launch/*.launch.py")),
        ("share/vla_ros/config", glob("config/*.*")),
        ("share/vla_ros/config/scripted", glob("config/scripted/*.yaml")),
        *(data_files() if building else []),
    ],
    install_requires=Path("requirements.txt").read_text().splitlines(),
    extras_require={"models": ["torch", "transformers"]},
    cmdclass={"build_py": BuildPy},
    entry_points={
        "console_scripts": ["vla-ros = vla_ros.cli:main", *(f"{node} = vla_ros.nodes.{node}:main" for node in NODES)]
    },
    zip_safe=False,
)
