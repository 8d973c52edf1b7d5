"""A URDF as pinocchio's model. What its parsers object to becomes one line, without the places in their own source files.

urdfdom tells the cause on stderr alone, with paths of the machine that compiled it; the exception says only that there is
one.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree

import pinocchio

from vla_ros.parameters import LARGEST, ParameterError
from vla_ros.robot.urdf import urdf_joints, urdf_root, urdf_text

SOURCE_PLACE = re.compile(r"^(From file:|in function:|at line:).*$|^\s*at line \d+ in \S+$", re.MULTILINE)
"""A line that names a place in a library's source."""
UNBOUNDED = f"{LARGEST:.0f}"


def robot_model(urdf: str) -> Any:
    """Return pinocchio's model of a URDF.

    Raises:
        ParameterError: it cannot be read as one; the text has the parser's own cause.
    """
    with _standard_error() as written:
        try:
            return pinocchio.buildModelFromXML(urdf_text(urdf))
        except (ValueError, RuntimeError) as error:
            causes = re.findall(r"^Error:\s+(.*)$", written(), re.MULTILINE)
            cause = causes[0] if causes else library_line(error)
            raise ParameterError(f"urdf: cannot be read as a model: {cause}") from None


def bounded_model(urdf: str) -> Any:
    """Return the model with one number for each joint's position; continuous joints have infinite limits.

    pinocchio keeps cosine and sine of a continuous joint, which is why it is read as a revolute one here.

    Raises:
        ParameterError: as `robot_model`.
    """
    root = urdf_root(urdf)
    turning = [name for name, element in urdf_joints(root).items() if element.get("type") == "continuous"]
    if not turning:
        return robot_model(urdf)
    for name in turning:
        element = urdf_joints(root)[name]
        element.set("type", "revolute")
        limit = element.find("limit")
        if limit is None:
            limit = ElementTree.SubElement(element, "limit")
        limit.attrib.setdefault("velocity", UNBOUNDED)
        limit.attrib.setdefault("effort", UNBOUNDED)
        limit.attrib.update(lower=f"-{UNBOUNDED}", upper=UNBOUNDED)
    model = robot_model(ElementTree.tostring(root, encoding="unicode"))
    lower, upper = model.lowerPositionLimit, model.upperPositionLimit
    for name in turning:
        if model.existJointName(name):
            index = model.joints[model.getJointId(name)].idx_q
            lower[index], upper[index] = -float("inf"), float("inf")
    model.lowerPositionLimit, model.upperPositionLimit = lower, upper
    return model


def collision_geometry(model: Any, urdf: str) -> Any:
    """Return pinocchio's collision shapes of a URDF, whose meshes are named by their paths.

    Raises:
        ParameterError: a mesh file cannot be read.
    """
    with _standard_error():
        try:
            return pinocchio.buildGeomFromUrdfString(model, urdf, pinocchio.GeometryType.COLLISION)
        except (ValueError, RuntimeError) as error:
            raise ParameterError(f"urdf: {library_line(error)}") from None


def library_line(error: BaseException) -> str:
    """Return what an error of pinocchio or coal says, as one line without the places in their source."""
    text = " ".join(SOURCE_PLACE.sub("", str(error)).replace("message:", "").split())
    return text or type(error).__name__


@contextmanager
def _standard_error() -> Iterator[Callable[[], str]]:
    """Keep what is written to the process's stderr meanwhile; yields a function that returns it."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as file:

        def written() -> str:
            file.seek(0)
            return file.read().decode(errors="replace")

        kept = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield written
        finally:
            os.dup2(kept, 2)
            os.close(kept)
