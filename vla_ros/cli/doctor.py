"""What this machine has and lacks for a robot, each with the remedy."""

from __future__ import annotations

import importlib.util
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Finding:
    """level: "ok", "warn" or "fail"."""

    level: str
    what: str
    says: str
    remedy: str = ""


def _python() -> Finding:
    version = sys.version.split()[0]
    if sys.version_info < (3, 11):
        return Finding("fail", "python", version, "Python 3.11 or newer: make PYTHON=python3.11")
    return Finding("ok", "python", version)


def _ros() -> Iterator[Finding]:
    if importlib.util.find_spec("rclpy") is None:
        yield Finding("fail", "ROS 2", "rclpy is not found", "make setup, or source a ROS installation")
        return
    from vla_ros.ros.installation import findings

    yield from findings()


def _graphics() -> Finding:
    for backend in ("egl", "osmesa"):
        code = "import mujoco; mujoco.Renderer(mujoco.MjModel.from_xml_string('<mujoco/>'), 8, 8)"
        done = subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "MUJOCO_GL": backend}, capture_output=True, check=False
        )
        if done.returncode == 0:
            return Finding("ok", "graphics", f"the simulator draws with {backend}")
    remedy = "apt-get install libegl1 libgl1 (or libosmesa6)"
    return Finding("warn", "graphics", "no OpenGL: cameras are drawn by rays, five times slower", remedy)


def _torch() -> Finding:
    if importlib.util.find_spec("torch") is None:
        return Finding("ok", "torch", "absent; only vla-ros train needs it", "make setup MODELS=1")
    import torch  # type: ignore[import-not-found,unused-ignore]

    return Finding("ok", "torch", f"{torch.__version__}, CUDA {'yes' if torch.cuda.is_available() else 'no'}")


def _machine() -> Iterator[Finding]:
    cores = len(os.sched_getaffinity(0))
    yield Finding("ok" if cores >= 2 else "warn", "cores", str(cores), "" if cores >= 2 else "two keep the rates")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    yield Finding(
        "ok" if memory >= 3 else "warn", "memory", f"{memory:.1f} GiB", "" if memory >= 3 else "3 GiB are used"
    )
    resolution = time.get_clock_info("monotonic").resolution
    source = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
    name = source.read_text().strip() if source.is_file() else "unknown"
    level = "warn" if name in ("hpet", "acpi_pm", "jiffies") else "ok"
    yield Finding(level, "clock", f"{name}, resolution {resolution:.0e} s", "" if level == "ok" else "tsc is faster")
    governor = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    if governor.is_file():
        set_to = governor.read_text().strip()
        good = set_to == "performance"
        yield Finding(
            "ok" if good else "warn", "governor", set_to, "" if good else "cpupower frequency-set -g performance"
        )
    shared = shutil.disk_usage("/dev/shm").free / 2**20 if Path("/dev/shm").is_dir() else 0
    remedy = "" if shared > 64 else "docker run --shm-size=256m, or remount /dev/shm larger"
    yield Finding("ok" if shared > 64 else "warn", "/dev/shm", f"{shared:.0f} MiB free", remedy)
    _, hard = resource.getrlimit(resource.RLIMIT_RTPRIO)
    permitted = os.geteuid() == 0 or hard != 0
    yield Finding(
        "ok" if permitted else "warn",
        "real time",
        "SCHED_FIFO is permitted" if permitted else "SCHED_FIFO is not permitted",
        ""
        if permitted
        else "add `<user> - rtprio 20` and `<user> - nice -10` to /etc/security/limits.conf, log in again",
    )


def examine() -> list[Finding]:
    """Look at everything."""
    return [_python(), *_ros(), _graphics(), _torch(), *_machine()]


def main() -> int:
    """Print what was found; 1 when something that is needed is missing."""
    from rich.console import Console

    console = Console()
    colours = {"ok": "green", "warn": "yellow", "fail": "red"}
    findings = examine()
    for finding in findings:
        remedy = f"  → {finding.remedy}" if finding.remedy and finding.level != "ok" else ""
        console.print(f"[{colours[finding.level]}]{finding.level:5}[/] {finding.what:10} {finding.says}{remedy}")
    return int(any(finding.level == "fail" for finding in findings))
