"""What the filter must be told of the space around the arm, of its bodies and loads. Each rule is off unless configured."""

from __future__ import annotations

import dataclasses

from vla_ros.parameters import parameter

_MARGIN = "distance that every body of the arm keeps, now and on the whole path to rest"
_LINKS = 'tighter ones for single links: "link m/s" each; "tool" is the tool centre point; empty: none'
_SLOW = "the arm slows down from this distance beyond the margin on; 0: it does not"


@dataclasses.dataclass(frozen=True)
class FenceParameters:
    """A convex space, in the base frame, that the arm does not leave."""

    box: list[float] = parameter([], description="x_min y_min z_min x_max y_max z_max; empty: no box", unit="m")
    planes: list[float] = parameter(
        [], description="further sides: nx ny nz d each, the arm stays where n.p <= d; empty: none", unit="m"
    )
    margin_m: float = parameter(0.0, description=_MARGIN, unit="m", minimum=0.0)
    slow_m: float = parameter(0.05, description=_SLOW, unit="m", minimum=0.0)


@dataclasses.dataclass(frozen=True)
class TableParameters:
    """The plane that the arm works on."""

    height_m: list[float] = parameter([], description="z of the plane in the base frame; empty: no table", unit="m")
    margin_m: float = parameter(0.0, description=_MARGIN, unit="m", minimum=0.0)
    slow_m: float = parameter(0.0, description=_SLOW, unit="m", minimum=0.0)


@dataclasses.dataclass(frozen=True)
class KeepOutParameters:
    """Boxes, fixed in the base frame, that the arm stays out of."""

    boxes: list[float] = parameter(
        [], description="centre x y z, size x y z, roll pitch yaw (fixed axes) each; empty: none", unit="m, rad"
    )
    margin_m: float = parameter(0.0, description=_MARGIN, unit="m", minimum=0.0)
    slow_m: float = parameter(0.05, description=_SLOW, unit="m", minimum=0.0)


@dataclasses.dataclass(frozen=True)
class SelfCollisionParameters:
    """Bodies of the arm against each other; neighbours in the chain are always allowed to touch."""

    check: bool = parameter(False, description="whether the arm's bodies keep away from each other")
    allowed: list[str] = parameter([], description='further pairs of links that may touch: "link_a link_b" each')
    srdf: str = parameter("", description="SRDF file whose disable_collisions pairs may touch; empty: none")
    margin_m: float = parameter(0.0, description=_MARGIN, unit="m", minimum=0.0)
    slow_m: float = parameter(0.0, description=_SLOW, unit="m", minimum=0.0)


@dataclasses.dataclass(frozen=True)
class ObstacleParameters:
    """Boxes, balls and capsules from vla/obstacles."""

    timeout_s: float = parameter(
        0.0,
        description="without a valid message for this long the arm comes to rest; 0: nothing is subscribed to",
        unit="s",
        minimum=0.0,
        maximum=10.0,
    )
    frame_id: str = parameter("base", description="frame that the messages must be in: the URDF's root link")
    maximum: int = parameter(
        16, description="most obstacles at once; a message with more is refused", minimum=1, maximum=64
    )
    margin_m: float = parameter(0.02, description=_MARGIN, unit="m", minimum=0.0)
    slow_m: float = parameter(0.1, description=_SLOW, unit="m", minimum=0.0)


@dataclasses.dataclass(frozen=True)
class ToolParameters:
    """What is mounted on the arm beyond its URDF."""

    link: str = parameter("", description="link that carries the tool; empty: no tool")
    capsules: list[float] = parameter(
        [], description="in the link's frame: start x y z, end x y z, radius each; empty: none", unit="m"
    )
    point: list[float] = parameter(
        [0.0, 0.0, 0.0], description="tool centre point in the link's frame", unit="m", length=3
    )
    axis: list[float] = parameter(
        [0.0, 0.0, 1.0], description="direction in which the tool points, in the link's frame", length=3
    )


@dataclasses.dataclass(frozen=True)
class PayloadParameters:
    """What the arm carries."""

    link: str = parameter("", description="link that carries it; empty: no payload")
    mass_kg: float = parameter(0.0, description="its mass", unit="kg", minimum=0.0)
    centre: list[float] = parameter(
        [0.0, 0.0, 0.0], description="its centre of mass in the link's frame", unit="m", length=3
    )


@dataclasses.dataclass(frozen=True)
class EffortParameters:
    """Inverse dynamics against the URDF's effort limits; the URDF's inertias must be right."""

    check: bool = parameter(False, description="whether efforts are limited")
    limit: list[float] = parameter(
        [],
        description="largest effort per joint, in the order of joint_names; "
        "may only be tighter than the URDF; empty: the URDF's",
        unit="N m or N",
        above=0.0,
    )


@dataclasses.dataclass(frozen=True)
class CartesianSpeedParameters:
    """How fast the tool, the elbow and every other body may be."""

    limit_m_s: float = parameter(
        0.0, description="largest speed of any point of the arm; 0: not limited", unit="m/s", minimum=0.0
    )
    links: list[str] = parameter([], description=_LINKS)


@dataclasses.dataclass(frozen=True)
class ReducedModeParameters:
    """A mode with limits of its own, entered by an input or by a plane."""

    input: bool = parameter(
        False, description="whether vla/reduced is heard: true begins reduced mode, only false ends it"
    )
    timeout_s: float = parameter(
        0.5, description="vla/reduced silent for this long counts as true", unit="s", above=0.0, maximum=60.0
    )
    planes: list[float] = parameter(
        [], description="nx ny nz d each, in the base frame: reduced where n.p > d; empty: none", unit="m"
    )
    speed_m_s: float = parameter(0.25, description="largest speed of any point of the arm", unit="m/s", above=0.0)
    links: list[str] = parameter([], description=_LINKS)
    joint_share: float = parameter(0.5, description="share of the joints' velocity limits", minimum=0.01, maximum=1.0)


@dataclasses.dataclass(frozen=True)
class StopDistanceParameters:
    """How long and how far the arm may take to come to rest; its speed is kept so low that it does not take more."""

    time_s: float = parameter(0.0, description="longest time to rest; 0: not limited", unit="s", minimum=0.0)
    distance_m: float = parameter(
        0.0, description="longest way to rest of any point of the arm; 0: not limited", unit="m", minimum=0.0
    )


@dataclasses.dataclass(frozen=True)
class MomentumParameters:
    """What the arm's motion may amount to, by the URDF's inertias, which must be right."""

    limit_kg_m_s: float = parameter(
        0.0, description="largest sum of mass times speed; 0: not limited", unit="kg m/s", minimum=0.0
    )
    power_w: float = parameter(
        0.0, description="largest power that moves the arm; 0: not limited", unit="W", minimum=0.0
    )


@dataclasses.dataclass(frozen=True)
class SeparationParameters:
    """The protective distance to people and to what moves, after ISO 13855 and ISO 10218-2."""

    check: bool = parameter(False, description="whether the protective distance is kept; needs obstacle.timeout_s")
    human_speed_m_s: float = parameter(
        1.6, description="of a human whose velocity is not told", unit="m/s", minimum=0.0, maximum=20.0
    )
    reaction_s: float = parameter(
        0.1, description="from what is sensed until the filter brakes, T_r", unit="s", minimum=0.0, maximum=5.0
    )
    intrusion_m: float = parameter(
        0.85, description="how far a human may reach before the sensor sees it, C", unit="m", minimum=0.0
    )
    position_uncertainty_m: float = parameter(0.05, description="of the obstacles' places, Z_d", unit="m", minimum=0.0)
    arm_uncertainty_m: float = parameter(
        0.01, description="of the arm's place: tracking error, Z_r", unit="m", minimum=0.0
    )


@dataclasses.dataclass(frozen=True)
class ToolOrientationParameters:
    """A cone in which the tool's axis stays; tool.link and tool.axis say which axis."""

    direction: list[float] = parameter([], description="axis of the cone in the base frame, x y z; empty: no cone")
    angle_rad: float = parameter(
        0.5, description="largest angle between the tool's axis and direction", unit="rad", above=0.0, maximum=3.15
    )
