"""Compiles msg/, srv/ and action/ with CMake and hands the result to setuptools.

A sourced ROS installation is used where there is one; otherwise the ROS wheels that constraints/ pins. control_msgs has no
wheel: where it is not installed, the part of it that vla_ros speaks is compiled from interfaces/control_msgs.
Results are kept in build/interfaces, one folder for each state of the interfaces and of ROS.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
PACKAGE = ROOT / "vla_ros"
CONTROL_MSGS = ROOT / "interfaces" / "control_msgs"
USABLE_TARGETS = ROOT / "interfaces" / "usable_targets.cmake"
KINDS = ("msg", "srv", "action")


def ros_installation() -> list[str]:
    """Prefixes of the sourced ROS installation and its overlays; empty when none is there that can compile messages."""
    prefixes = [entry for entry in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if entry]
    return prefixes if any(Path(prefix, "share/rosidl_default_generators").is_dir() for prefix in prefixes) else []


def ros_wheels(compiling: bool) -> list[str]:
    """The ROS wheels of the distribution ROS_DISTRO (default: jazzy), pinned; none where ROS is installed.

    Args:
        compiling: also those that are needed to compile interfaces, not only to run.
    """
    if ros_installation():
        return []
    name = os.environ.get("ROS_DISTRO", "jazzy")
    pins = ROOT / "constraints" / f"{name}.txt"
    if not pins.is_file():
        known = ", ".join(sorted(path.stem for path in pins.parent.glob("*.txt")))
        sys.exit(
            f"vla_ros: ROS_DISTRO={name}: there are no wheels of it; source its installation, or choose of {known}"
        )
    lines = pins.read_text() if compiling else pins.read_text().partition("# To compile")[0]
    return [line for line in lines.splitlines() if line.startswith("ros-")]


def prefixes() -> list[str]:
    """Where CMake finds ROS: the sourced installation, then the environments that wheels were installed into."""
    # A wheel's data files lie three levels above its modules: <prefix>/lib/python3.x/site-packages.
    wheels = [str(Path(folder).parents[2]) for folder in sys.path if Path(folder).name == "site-packages"]
    found = [prefix for prefix in wheels if Path(prefix, "share/rosidl_default_generators").is_dir()]
    return list(dict.fromkeys([*ros_installation(), *found]))


def control_msgs_is_missing() -> bool:
    """Whether no control_msgs but the one made here is installed."""
    own = (CONTROL_MSGS / "package.xml").read_bytes()
    found = [Path(prefix, "share/control_msgs/package.xml") for prefix in prefixes()]
    return all(path.read_bytes() == own for path in found if path.is_file())


def projects() -> list[Path]:
    """The folders whose interfaces are compiled."""
    return [ROOT, CONTROL_MSGS] if control_msgs_is_missing() else [ROOT]


def interface_sources(project: Path) -> list[Path]:
    """What the compiled interfaces of a project are made of."""
    definitions = [path for kind in KINDS for path in sorted(project.glob(f"{kind}/*.{kind}"))]
    return [project / "CMakeLists.txt", USABLE_TARGETS, *definitions]


def fingerprint(project: Path) -> str:
    """Hash of everything that the compiled interfaces depend on."""
    digest = hashlib.sha256(f"{sys.version} {sysconfig.get_platform()}".encode())
    ros = ("rosidl_default_generators", "rosidl_generator_py", "std_msgs")
    found = [Path(prefix, "share", name, "package.xml") for prefix in prefixes() for name in ros]
    for path in interface_sources(project) + found:
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def compiled(project: Path) -> Path:
    """Compile the interfaces of a project unless that is done; return the folder laid out like an install prefix."""
    stage = ROOT / "build" / "interfaces" / fingerprint(project)
    install = stage / "install"
    if not (stage / "done").exists():
        shutil.rmtree(stage, ignore_errors=True)
        compile_into(project, stage, install)
        (stage / "done").touch()
    return install


def compile_into(project: Path, stage: Path, install: Path) -> None:
    if not prefixes():
        sys.exit("vla_ros: no ROS 2 to compile the messages with: source an installation, or run `make setup`")
    if not any(shutil.which(compiler) for compiler in (os.environ.get("CXX", "c++"), "g++", "clang++")):
        sys.exit("vla_ros: no C++ compiler found; on Debian and Ubuntu: apt-get install g++")
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        sys.exit(f"vla_ros: {sys.executable} lacks Python.h; on Debian and Ubuntu: apt-get install python3-dev")
    # CMake refuses to export a target that includes a folder below its sources, as numpy's is when the virtual
    # environment lies in the checkout: so it compiles a copy.
    source, build = stage / "source", str(stage / "build")
    for path in [project / "package.xml", *interface_sources(project)]:
        target = source / path.relative_to(project) if path != USABLE_TARGETS else source / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    path = os.pathsep.join(prefixes())
    libraries = os.pathsep.join(f"{prefix}/lib" for prefix in prefixes())
    environment = os.environ | {
        "AMENT_PREFIX_PATH": path,
        "CMAKE_PREFIX_PATH": path,
        "LD_LIBRARY_PATH": os.pathsep.join(filter(None, [libraries, os.environ.get("LD_LIBRARY_PATH")])),
        "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)]),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    configure = ["cmake", "-S", str(source), "-B", build, "-DBUILD_TESTING=OFF", "-DCMAKE_BUILD_TYPE=Release"]
    configure += [f"-D{name}={sys.executable}" for name in ("Python3_EXECUTABLE", "PYTHON_EXECUTABLE")]
    configure += [f"-DCMAKE_INSTALL_PREFIX={install}", "-DCMAKE_INSTALL_LIBDIR=lib"]
    make = ["cmake", "--build", build, "--target", "install", "--parallel", str(os.cpu_count() or 1)]
    for command in (configure, make):
        code, printed = run_showing_percent(command, environment)
        if code:
            what = project.name if project != ROOT else "msg/, srv/ and action/"
            sys.exit(f"{printed[-4000:]}\nvla_ros: compiling {what} failed at `{' '.join(command[:3])}`")
    shutil.rmtree(build)


def run_showing_percent(command: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Run CMake or make, pass on the lines that begin with a percentage, and return its exit code and all that it printed."""
    lines: list[str] = []
    with subprocess.Popen(
        command, env=environment, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as program:
        for line in program.stdout or ():
            lines.append(line)
            if line.startswith("[") and "%]" in line:
                print(line, end="", flush=True)
    return program.returncode, "".join(lines)


def python_modules(project: Path) -> Path:
    """The generated Python package of a project: msg/, srv/, action/ and the type support modules."""
    name = CONTROL_MSGS.name if project == CONTROL_MSGS else PACKAGE.name
    (found,) = [path.parent.parent for path in compiled(project).rglob(f"{name}/msg/__init__.py")]
    return found


def interface_files() -> Iterator[tuple[str, list[str]]]:
    """Headers, libraries, index entries and CMake files of the interfaces, as setuptools' `data_files`."""
    for project in projects():
        install, python = compiled(project), python_modules(project).parent
        for folder in sorted(path for path in install.rglob("*") if path.is_dir()):
            target = str(folder.relative_to(install))
            # package.xml and the index entry of vla_ros come from setup.py; environment hooks are colcon's.
            mine = project == ROOT and target.endswith("resource_index/packages")
            if mine or target.endswith(("parent_prefix_path", "/environment")) or python in (folder, *folder.parents):
                continue
            own = ("package.", "local_setup.") if target == "share/vla_ros" else ("local_setup.",)
            files = [str(path) for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(own)]
            if files:
                yield target, files


def control_msgs_files() -> Iterator[tuple[str, list[str]]]:
    """The Python package control_msgs as data files, where nothing else places it; nothing where it is installed."""
    if not control_msgs_is_missing():
        return
    package = python_modules(CONTROL_MSGS)
    site = Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    for folder in (package, *(path for path in package.rglob("*") if path.is_dir())):
        files = [str(path) for path in sorted(folder.iterdir()) if path.suffix in (".py", ".so")]
        if files:
            yield str(site / folder.relative_to(package.parent)), files


def launcher_files(nodes: tuple[str, ...]) -> tuple[str, list[str]]:
    """One executable per node for lib/vla_ros, where `ros2 run` and launch look; colcon makes its own, pip none."""
    folder = ROOT / "build" / "launchers"
    folder.mkdir(parents=True, exist_ok=True)
    for node in nodes:
        (folder / node).write_text(
            '#!/bin/sh\npython=$(dirname "$(readlink -f "$0")")/../../bin/python3\n'
            f'[ -x "$python" ] || python=python3\nexec "$python" -m vla_ros.nodes.{node} "$@"\n'
        )
        (folder / node).chmod(0o755)
    return "lib/vla_ros", [str(folder / node) for node in nodes]


def place_modules(target: Path) -> None:
    """Put the generated msg/, srv/, action/ and type support modules into the package folder `target`.

    The type support modules are named for the Python that they are compiled for: the environments of two Pythons can
    share a checkout.
    """
    source = python_modules(ROOT)
    suffix = str(sysconfig.get_config_var("EXT_SUFFIX"))
    for old in target.glob("vla_ros_s__*.so"):
        if old.name.endswith(suffix) or old.name.count(".") == 1:
            old.unlink()
    for name in KINDS:
        shutil.rmtree(target / name, ignore_errors=True)
        shutil.copytree(source / name, target / name)
    for module in source.glob("*.so"):
        shutil.copy2(module, target / f"{module.name.partition('.')[0]}{suffix}")


class BuildPy(build_py):
    """`build_py` that also places the generated Python modules into the package.

    An editable installation imports the checkout itself, so there they go beside the sources; and since setuptools
    installs no data files for it, they are copied into the environment here.
    """

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            place_modules(Path(self.build_lib) / "vla_ros")
            if control_msgs_is_missing():
                target = Path(self.build_lib) / CONTROL_MSGS.name
                unused = shutil.ignore_patterns("__pycache__", "*.c")
                shutil.copytree(python_modules(CONTROL_MSGS), target, dirs_exist_ok=True, ignore=unused)
            return
        place_modules(PACKAGE)
        for folder, files in [*self.distribution.data_files, *control_msgs_files()]:
            (Path(sys.prefix) / folder).mkdir(parents=True, exist_ok=True)
            for name in files:
                shutil.copy2(ROOT / name, Path(sys.prefix) / folder)
