"""Compiles msg/ and srv/ with CMake and hands the results to setuptools.

The result is kept in build/interfaces and made again only when an interface, CMakeLists.txt or the environment changes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
STAGE = ROOT / "build" / "interfaces"


def fingerprint() -> str:
    """Hash of everything that the compiled interfaces depend on."""
    digest = hashlib.sha256()
    for path in (ROOT / "CMakeLists.txt", *sorted(ROOT.glob("msg/*.msg")), *sorted(ROOT.glob("srv/*.srv"))):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    for text in (sys.prefix, sys.version, os.environ.get("AMENT_PREFIX_PATH", "")):
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()


def prefixes() -> str:
    """Where CMake finds ROS: the sourced installation, and the folders that the wheels were installed into."""
    found = [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)]
    for folder in sys.path:
        # A wheel's data files lie three levels above its modules: <prefix>/lib/python3.x/site-packages.
        prefix = Path(folder).parent.parent.parent
        if (prefix / "share" / "rosidl_default_generators").is_dir():
            found.append(str(prefix))
    found.append(sys.prefix)
    return os.pathsep.join(dict.fromkeys(entry for entry in found if entry))


def compiled() -> Path:
    """Compile the interfaces if they are not up to date; return the folder laid out like an install prefix."""
    install, stamp = STAGE / "install", STAGE / "fingerprint"
    wanted = fingerprint()
    if stamp.is_file() and stamp.read_text() == wanted:
        return install
    shutil.rmtree(STAGE, ignore_errors=True)
    STAGE.mkdir(parents=True)
    where = prefixes()
    environment = dict(os.environ, AMENT_PREFIX_PATH=where, CMAKE_PREFIX_PATH=where)
    environment["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)
    libraries = [str(Path(prefix) / "lib") for prefix in where.split(os.pathsep)]
    environment["LD_LIBRARY_PATH"] = os.pathsep.join([*libraries, os.environ.get("LD_LIBRARY_PATH", "")])
    environment["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
    # CMake refuses to export a target that includes a folder below its sources, as numpy's is when the virtual
    # environment lies in the checkout: so it compiles a copy.
    source, build = STAGE / "source", str(STAGE / "build")
    for name in ("msg", "srv"):
        shutil.copytree(ROOT / name, source / name)
    for name in ("CMakeLists.txt", "package.xml"):
        shutil.copy2(ROOT / name, source)
    configure = ["cmake", "-S", str(source), "-B", build, "-DBUILD_TESTING=OFF", "-DCMAKE_BUILD_TYPE=Release"]
    configure += [f"-DPython3_EXECUTABLE={sys.executable}", f"-DPYTHON_EXECUTABLE={sys.executable}"]
    configure += [f"-DCMAKE_INSTALL_PREFIX={install}"]
    for command in (
        configure,
        ["cmake", "--build", build, "--parallel", str(os.cpu_count() or 1)],
        ["cmake", "--install", build],
    ):
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit(f"{done.stdout[-4000:]}\nvla_ros: compiling msg/ and srv/ failed at `{' '.join(command[:3])}`")
    stamp.write_text(wanted)
    return install


def generated(install: Path) -> Path:
    """The generated Python package in the compiled tree: msg/, srv/ and the type support modules."""
    (found,) = [path.parent.parent for path in install.rglob("vla_ros/msg/__init__.py")]
    return found


def data_files() -> list[tuple[str, list[str]]]:
    """Headers, libraries and CMake files of the interfaces, as setuptools wants them."""
    install = compiled()
    python = generated(install).parent
    files: dict[str, list[str]] = {}
    for path in sorted(install.rglob("*")):
        if path.is_file() and python not in path.parents:
            target = str(path.parent.relative_to(install))
            # package.xml and the index entry come from the checkout; the environment hooks are colcon's own.
            if path.name == "package.xml" or target.startswith(("share/ament_index/resource_index/packages",)):
                continue
            if "environment" in target or (target == "share/vla_ros" and path.name.startswith(("local_setup", "package."))):
                continue
            files.setdefault(target, []).append(os.path.relpath(path, ROOT))
    return sorted(files.items())


class BuildPy(build_py):
    """`build_py` that also places the generated Python modules into the package.

    An editable installation imports the checkout itself, so there they go beside the sources; and since setuptools
    installs no data files for it, libraries and share/ are copied into the environment here.
    """

    def run(self) -> None:
        super().run()
        source = generated(compiled())
        if not self.editable_mode:
            place(source, Path(self.build_lib) / "vla_ros")
            return
        place(source, ROOT / "vla_ros")
        for folder, files in self.distribution.data_files:
            (Path(sys.prefix) / folder).mkdir(parents=True, exist_ok=True)
            for name in files:
                shutil.copy2(ROOT / name, Path(sys.prefix) / folder)


def place(source: Path, target: Path) -> None:
    """Copy msg/, srv/ and the type support modules from `source` into the package folder `target`."""
    for name in ("msg", "srv"):
        shutil.rmtree(target / name, ignore_errors=True)
        shutil.copytree(source / name, target / name)
    for module in source.glob("*.so"):
        shutil.copy2(module, target / module.name)
