"""Where the links of an arm are, from its URDF and its joints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pinocchio

from vla_ros.arrays import Array
from vla_ros.robot.urdf import followers, urdf_root, urdf_text


class LinkPoses:
    """Every link that the named joints move, or that stands still.

    Args:
        urdf: the URDF's text.
        joint_names: order of every q.

    Attributes:
        root: name of the link that no joint moves, in whose frame poses are.

    Raises:
        ValueError: the text is no URDF.
    """

    def __init__(self, urdf: str, joint_names: Sequence[str]) -> None:
        self._model: Any = pinocchio.buildModelFromXML(urdf_text(urdf))
        self._data: Any = self._model.createData()
        self._neutral: Array = pinocchio.neutral(self._model)
        self._names = list(joint_names)
        robot = urdf_root(urdf)
        self._mimics = followers(robot, self._names)
        children = {child.get("link") for child in robot.iterfind("joint/child")}
        self.root = next(
            (str(link.get("name")) for link in robot.findall("link") if link.get("name") not in children), ""
        )
        self._known = {*self._names, *self._mimics}

    def knows(self, link: str) -> bool:
        """Whether the URDF has such a link."""
        return bool(self._model.existFrame(link))

    def unnamed_joints(self, link: str) -> list[str]:
        """Return the joints that move a link of the URDF and whose positions are not known here."""
        supports = self._model.supports[self._model.frames[self._model.getFrameId(link)].parentJoint]
        return [self._model.names[joint] for joint in list(supports)[1:] if self._model.names[joint] not in self._known]

    def pose(self, link: str, q: Array) -> Array | None:
        """Return T_root_link (4, 4), m, at q (n,), rad or m; None: there is no such link, or an unnamed joint moves it."""
        if not self.knows(link) or self.unnamed_joints(link):
            return None
        values = dict(zip(self._names, q.tolist(), strict=True))
        for name, mimic in self._mimics.items():
            values[name] = mimic.multiplier * values[mimic.leader] + mimic.offset
        configuration = self._neutral.copy()
        for name, value in values.items():
            if not self._model.existJointName(name):
                continue
            joint = self._model.joints[self._model.getJointId(name)]
            # pinocchio holds a continuous joint as cosine and sine.
            numbers = value if joint.nq == 1 else (math.cos(value), math.sin(value))
            configuration[joint.idx_q : joint.idx_q + joint.nq] = numbers
        pinocchio.framesForwardKinematics(self._model, self._data, configuration)
        return np.array(self._data.oMf[self._model.getFrameId(link)].homogeneous)
