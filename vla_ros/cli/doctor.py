"""The command `vla-ros doctor`: what this machine has and lacks for a robot, each with the remedy."""

from __future__ import annotations

import argparse
import importlib.util
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from vla_ros.lab.json_output import add_json_option, write_json
from vla_ros.ros.installation import InstallationFinding, ros_findings

TEXT = "say what this machine has and lacks; exit code 1: nodes would not start"
MODULES = ("aiohttp", "coal", "cv2", "mujoco", "numpy", "onnxruntime", "pinocchio", "psutil", "ruckig", "viser", "yaml")
"""Modules without which a node of the graph does not start."""


def _python() -> InstallationFinding:
    version = sys.version.split()[0]
    if sys.version_info < (3, 11):
        return InstallationFinding("fail", "python", version, "Python 3.11 or newer: make PYTHON=python3.11")
    return InstallationFinding("ok", "python", version)


def _graphics() -> InstallationFinding:
    for backend in ("egl", "osmesa"):
        code = "import mujoco; mujoco.Renderer(mujoco.MjModel.from_xml_string('<mujoco/>'), 8, 8)"
        done = subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "MUJOCO_GL": backend}, capture_output=True, check=False
        )
        if done.returncode == 0:
            return InstallationFinding("ok", "graphics", f"the simulator draws with {backend}")
    remedy = "apt-get install libegl1 libgl1 (or libosmesa6)"
    return InstallationFinding("warn", "graphics", "no OpenGL: cameras are drawn by rays, five times slower", remedy)


def _torch() -> InstallationFinding:
    if importlib.util.find_spec("torch") is None:
        return InstallationFinding("ok", "torch", "absent; only vla-ros train needs it", "make setup MODELS=1")
    import torch  # type: ignore[import-not-found,unused-ignore]

    return InstallationFinding(
        "ok", "torch", f"{torch.__version__}, CUDA {'yes' if torch.cuda.is_available() else 'no'}"
    )


def _machine() -> Iterator[InstallationFinding]:
    cores = len(os.sched_getaffinity(0))
    yield _needed(cores >= 2, "cores", str(cores), "two keep the rates")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    yield _needed(memory >= 3, "memory", f"{memory:.1f} GiB", "3 GiB are used")
    resolution = time.get_clock_info("monotonic").resolution
    source = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
    name = source.read_text().strip() if source.is_file() else "unknown"
    slow = name in ("hpet", "acpi_pm", "jiffies")
    yield _needed(not slow, "clock", f"{name}, resolution {resolution:.0e} s", "tsc is faster")
    governor = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    if governor.is_file():
        setting = governor.read_text().strip()
        yield _needed(setting == "performance", "governor", setting, "cpupower frequency-set -g performance")
    shared = shutil.disk_usage("/dev/shm").free / 2**20 if Path("/dev/shm").is_dir() else 0
    remedy = "docker run --shm-size=256m, or remount /dev/shm larger"
    yield _needed(shared > 64, "/dev/shm", f"{shared:.0f} MiB free", remedy)
    _, hard = resource.getrlimit(resource.RLIMIT_RTPRIO)
    permitted = os.geteuid() == 0 or hard != 0
    remedy = "add `<user> - rtprio 20` and `<user> - nice -10` to /etc/security/limits.conf, log in again"
    text = "SCHED_FIFO is permitted" if permitted else "SCHED_FIFO is not permitted"
    yield _needed(permitted, "real time", text, remedy)


def _modules() -> Iterator[InstallationFinding]:
    """What a node imports when it starts."""
    absent = [name for name in MODULES if importlib.util.find_spec(name) is None]
    if absent:
        remedy = "pip install -r requirements.txt, or make setup"
        yield InstallationFinding("fail", "modules", f"not installed: {', '.join(absent)}", remedy)


def _graph() -> Iterator[InstallationFinding]:
    from vla_ros.ros.camera_infos import camera_info_findings
    from vla_ros.ros.joint_state_sources import joint_state_findings

    yield from joint_state_findings()
    yield from camera_info_findings()


def _start(chosen: argparse.Namespace) -> Iterator[InstallationFinding]:
    """What a start with these files would be refused for, in the words of the start."""
    from vla_ros.bringup.start_check import start_faults
    from vla_ros.parameters import ParameterError

    what = f"{chosen.robot} with {chosen.policy}"
    try:
        faults = start_faults(chosen.robot, chosen.policy, chosen.config, chosen.namespace)
    except OSError as error:
        faults = ParameterError(f"{error.filename}: {error.strerror}").faults
    for fault in faults:
        yield InstallationFinding("fail", "start", fault)
    if not faults:
        yield InstallationFinding("ok", "start", f"{what}: files, parameters and URDF fit")


def _needed(good: bool, what: str, text: str, remedy: str) -> InstallationFinding:
    return InstallationFinding("ok" if good else "warn", what, text, "" if good else remedy)


def examine(chosen: argparse.Namespace) -> list[InstallationFinding]:
    """Return one finding for each thing that the graph needs."""
    ros = list(ros_findings())
    listens = not any(finding.level == "fail" for finding in ros)
    modules = list(_modules())
    files = () if modules else _start(chosen)
    return [_python(), *ros, *modules, *files, *(_graph() if listens else ()), _graphics(), _torch(), *_machine()]


def arguments(command: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    command.add_argument("--robot", default="sim", help="that is to be started: its file is checked as a start would")
    command.add_argument("--policy", default="classical", help="likewise")
    command.add_argument("--config", default="", help="parameter file laid over the robot's")
    command.add_argument("--namespace", default="", help="namespace of the arm")
    add_json_option(command, "the findings")


def run(chosen: argparse.Namespace) -> int:
    """Print what was found; return 1 when something that is needed is missing."""
    from rich.console import Console
    from rich.text import Text

    console = Console()
    colours = {"ok": "green", "warn": "yellow", "fail": "red"}
    findings = examine(chosen)
    for finding in findings:
        remedy = f"  → {finding.remedy}" if finding.remedy and finding.level != "ok" else ""
        text = Text.assemble(
            (f"{finding.level:5}", colours[finding.level]), f" {finding.what:10} {finding.text}{remedy}"
        )
        console.print(text, soft_wrap=True)
    write_json(chosen.json, [asdict(finding) for finding in findings])
    return int(any(finding.level == "fail" for finding in findings))
