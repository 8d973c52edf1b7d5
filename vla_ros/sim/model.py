"""The MuJoCo model of a scene: arm, table, objects, cameras, light."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import mujoco
import numpy as np

from vla_ros.arrays import Array
from vla_ros.perception.intrinsics import pinhole_matrix
from vla_ros.sim.appearance import Appearance
from vla_ros.sim.arm_description import ARM_JOINTS, FINGER_JOINT, MIMIC_JOINT, mjcf_body, transform, wxyz
from vla_ros.sim.scene import Scene, SceneObject
from vla_ros.tasks.objects import (
    BOWL_HEIGHT_M,
    BOWL_RADIUS_M,
    CYLINDER_HEIGHT_M,
    DISTRACTOR_HALF_SIZES_M,
    OBJECT_HALF_WIDTH_M,
    PLATE_HEIGHT_M,
    PLATE_RADIUS_M,
)

TIMESTEP_S = 0.002
FIELD_OF_VIEW_DEG = {"front": 45.0, "wrist": 75.0}
CAMERAS = tuple(FIELD_OF_VIEW_DEG)
STIFFNESS = (6000.0, 6000.0, 4500.0, 4500.0, 2000.0, 1500.0, 1000.0)  # N m/rad
DAMPING = (300.0, 300.0, 220.0, 220.0, 90.0, 60.0, 40.0)  # N m s/rad, about critical at the arm's inertias
LIGHT_TARGET = np.array([0.36, 0.0, 0.0])  # that the main light points at
EFFORT = (87.0, 87.0, 87.0, 87.0, 12.0, 12.0, 12.0)

HEAD = """
<mujoco model="table">
  <compiler angle="radian"/>
  <option timestep="{step}" integrator="implicitfast" cone="elliptic" impratio="10" noslip_iterations="2"/>
  <statistic extent="1" center="0.36 0 0.2"/>
  <visual>
    <global offwidth="1280" offheight="960"/>
    <quality shadowsize="{shadow}" offsamples="{samples}" numslices="{slices}" numstacks="{stacks}" numquads="2"/>
    <headlight ambient="{a}" diffuse="{d}" specular="0 0 0"/>
    <map znear="0.02" zfar="20"/>
  </visual>
  <default>
    <default class="arm_joint"><joint damping="1" armature="0.1" frictionloss="0.1"/></default>
    <default class="finger_joint"><joint type="slide" damping="10" armature="0.05"/></default>
    <default class="arm"><geom contype="2" conaffinity="1" friction="0.6"/></default>
    <default class="pad">
      <geom contype="2" conaffinity="1" condim="4" friction="1.6 0.02 0.001" solref="0.004 1"/>
    </default>
    <default class="thing">
      <geom contype="1" conaffinity="3" condim="4" friction="0.9 0.01 0.001" solref="0.004 1"/>
    </default>
  </default>
  <asset>
    <texture name="floor" type="2d" builtin="checker" rgb1="{floor1}" rgb2="{floor2}" width="256" height="256"/>
    <material name="floor" texture="floor" texrepeat="8 8"/>
    <texture name="wood" type="2d" builtin="{texture}" rgb1="{table1}" rgb2="{table2}" width="64" height="64"/>
    <material name="wood" texture="wood" texrepeat="{repeat}" specular="0.1" shininess="0.1"/>
  </asset>
  <worldbody>
    <light pos="{light}" dir="{beam}" diffuse="{l}" specular="0.1 0.1 0.1" castshadow="{cast}"/>
    <light pos="1.6 0.9 2.0" dir="-0.5 -0.35 -1" diffuse="{f}" specular="0 0 0" castshadow="false"/>
    <geom type="plane" size="4 4 0.1" pos="0 0 -0.75" material="floor" contype="0" conaffinity="0"/>
    <geom type="box" size="0.02 6 2.4" pos="-1.6 0 0.6" rgba="{wall} 1" contype="0" conaffinity="0"/>
    <geom name="table" class="thing" type="box" size="0.62 0.62 0.02" pos="0.36 0 -0.02" material="wood"/>
    <geom type="box" size="0.56 0.56 0.35" pos="0.36 0 -0.40" rgba=".22 .23 .25 1" contype="0" conaffinity="0"/>
  </worldbody>
</mujoco>
"""


def _text(*values: float) -> str:
    return " ".join(f"{value:.9g}" for value in values)


def xml(scene: Scene, beautiful: bool = False) -> str:
    """Return the MJCF of a scene.

    Args:
        scene: objects and appearance.
        beautiful: with shadows and multisampling, for pictures rather than for policies.
    """
    root = ElementTree.fromstring(_head(scene.appearance, beautiful))
    world = root.find("worldbody")
    assert world is not None
    arm = mjcf_body()
    for body in list(arm.iter("body")):
        body.set("gravcomp", "1")
    _add_cameras(arm, scene.appearance)
    world.append(arm)
    for item in scene.objects:
        world.append(_body(item))
    _add_actuators(root)
    return ElementTree.tostring(root, encoding="unicode")


def _head(appearance: Appearance, beautiful: bool) -> str:
    """Return the MJCF of table, floor, wall and light."""
    light = np.array(appearance.light_position)

    def shade(share: float) -> str:
        return _text(*(share * appearance.brightness * part for part in appearance.light_rgb))

    return HEAD.format(
        step=TIMESTEP_S,
        shadow=4096 if beautiful else 0,
        samples=8 if beautiful else 0,
        # Round geoms cost by their facets: 16 of them instead of 28 halve the time of a frame in software GL.
        slices=48 if beautiful else 16,
        stacks=24 if beautiful else 8,
        cast="true" if beautiful else "false",
        a=shade(0.32),
        d=shade(0.22),
        l=shade(0.50),
        f=shade(0.18),
        light=_text(*light),
        beam=_text(*(LIGHT_TARGET - light) / (light[2] - LIGHT_TARGET[2])),
        table1=_text(*appearance.table[0]),
        table2=_text(*appearance.table[1]),
        texture=appearance.texture,
        repeat="10 10" if appearance.texture == "checker" else "1 1",
        floor1=_text(*appearance.floor[0]),
        floor2=_text(*appearance.floor[1]),
        wall=_text(*appearance.wall),
    )


def _add_cameras(arm: ElementTree.Element, appearance: Appearance) -> None:
    """Put a camera beside each optical frame of the arm, moved by the appearance's offset."""
    parents = {child: parent for parent in [arm, *arm.iter("body")] for child in parent}
    for site in list(arm.iter("site")):
        name = str(site.get("name"))
        site.set("group", "4")  # frames, which no camera sees
        if not name.endswith("_camera_optical"):
            continue
        camera = name.removesuffix("_camera_optical")
        offset = getattr(appearance, camera)
        pose = np.eye(4)
        mujoco.mju_quat2Mat(rotation := np.zeros(9), np.array(str(site.get("quat")).split(), np.float64))
        pose[:3, :3] = rotation.reshape(3, 3)
        pose[:3, 3] = np.array(str(site.get("pos")).split(), np.float64)
        pose = pose @ transform(offset[:3], offset[3:])
        w, x, y, z = wxyz(pose)
        # MuJoCo's cameras look along -z with y up: half a turn about x from the optical frame.
        ElementTree.SubElement(
            parents[site],
            "camera",
            name=camera,
            pos=_text(*pose[:3, 3]),
            quat=_text(-x, w, z, -y),
            fovy=_text(FIELD_OF_VIEW_DEG[camera]),
        )


def _add_actuators(root: ElementTree.Element) -> None:
    """Add the position and velocity servos of the arm, and the coupling of the fingers."""
    equality = ElementTree.SubElement(root, "equality")
    ElementTree.SubElement(equality, "joint", joint1=MIMIC_JOINT, joint2=FINGER_JOINT, solref="0.004 1")
    actuator = ElementTree.SubElement(root, "actuator")
    for joint, stiffness, effort in zip(ARM_JOINTS, STIFFNESS, EFFORT, strict=True):
        ElementTree.SubElement(
            actuator, "position", joint=joint, kp=_text(stiffness), forcerange=_text(-effort, effort)
        )
    ElementTree.SubElement(actuator, "position", joint=FINGER_JOINT, kp="3000", kv="120", forcerange="-40 40")
    for joint, damping in zip(ARM_JOINTS, DAMPING, strict=True):
        ElementTree.SubElement(actuator, "velocity", joint=joint, kv=_text(damping))


def body_name(item: SceneObject) -> str:
    """Return the name of an object's body in the model."""
    return item.name.replace(" ", "_")


def _body(item: SceneObject) -> ElementTree.Element:
    half = item.height / 2
    body = ElementTree.Element(
        "body",
        name=body_name(item),
        pos=_text(item.x, item.y, half + 0.0005),
        quat=_text(math.cos(item.yaw / 2), 0, 0, math.sin(item.yaw / 2)),
    )
    ElementTree.SubElement(body, "freejoint")
    colour = {"class": "thing", "rgba": _text(*item.rgb, 1.0)}
    if item.shape == "cube":
        ElementTree.SubElement(body, "geom", colour, type="box", size=_text(*[OBJECT_HALF_WIDTH_M] * 3), mass="0.05")
    elif item.shape == "cylinder":
        ElementTree.SubElement(
            body, "geom", colour, type="cylinder", size=_text(OBJECT_HALF_WIDTH_M, CYLINDER_HEIGHT_M / 2), mass="0.05"
        )
    elif item.shape in DISTRACTOR_HALF_SIZES_M:
        ElementTree.SubElement(
            body, "geom", colour, type="box", size=_text(*DISTRACTOR_HALF_SIZES_M[item.shape]), mass="0.03"
        )
    elif item.shape == "ball":
        # Rolling friction: a ball on a real table comes to rest.
        rolling = {"condim": "6", "friction": "0.9 0.01 0.002"}
        ElementTree.SubElement(
            body, "geom", {**colour, **rolling}, type="sphere", size=_text(OBJECT_HALF_WIDTH_M), mass="0.04"
        )
    elif item.shape == "plate":
        ElementTree.SubElement(
            body, "geom", colour, type="cylinder", size=_text(PLATE_RADIUS_M, PLATE_HEIGHT_M / 2), mass="0.5"
        )
    else:
        _add_bowl(body, colour, half)
    return body


def _add_bowl(body: ElementTree.Element, colour: dict[str, str], half: float) -> None:
    """Add a floor and a ring of staves. Args: half: of the bowl's height, m."""
    floor, sides = 0.004, 16
    ElementTree.SubElement(
        body, "geom", colour, type="cylinder", size=_text(0.052, floor), pos=_text(0, 0, floor - half), mass="0.3"
    )
    for angle in np.arange(sides) * 2 * math.pi / sides:
        # Staves that lean outwards by 25 degrees.
        lean = math.radians(25.0)
        middle = BOWL_RADIUS_M - 0.0135
        quat = _product(
            (math.cos(angle / 2), 0, 0, math.sin(angle / 2)), (math.cos(lean / 2), 0, math.sin(lean / 2), 0)
        )
        ElementTree.SubElement(
            body,
            "geom",
            colour,
            type="box",
            size=_text(0.003, 0.0145, BOWL_HEIGHT_M / 2 / math.cos(lean) - 0.0015),
            pos=_text(middle * math.cos(angle), middle * math.sin(angle), 0),
            quat=_text(*quat),
            mass="0.02",
        )


def _product(a: tuple[float, ...], b: tuple[float, ...]) -> tuple[float, ...]:
    w, x, y, z = a
    s, i, j, k = b
    return (
        w * s - x * i - y * j - z * k,
        w * i + x * s + y * k - z * j,
        w * j - x * k + y * s + z * i,
        w * k + x * j - y * i + z * s,
    )


def intrinsics(camera: str, height: int, width: int) -> Array:
    """Return the (3, 3) pinhole matrix of a camera's images, pixel centres at whole numbers."""
    return pinhole_matrix(height, width, math.radians(FIELD_OF_VIEW_DEG[camera]))
