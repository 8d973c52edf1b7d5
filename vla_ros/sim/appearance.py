"""How a scene looks: light, colours, textures, and cameras that are not quite where they should be."""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass, replace

import numpy as np

from vla_ros.arrays import Array

FRONT_SHIFT_M, WRIST_SHIFT_M = 0.03, 0.004
"""Largest offset of a camera. The wrist camera has its housing and the hand around it."""
CAMERA_TURN_RAD = math.radians(5.0)


@dataclass(frozen=True)
class Appearance:
    """Light, surfaces and camera offsets of a scene. Nothing of it changes what a task means, or how objects move.

    Attributes:
        brightness: of the light; 1 is nominal.
        light_rgb: colour of the light.
        light_position: (3,) of the main light, m.
        table, floor: two rgb each, the ends of their textures.
        texture: of the table, a word of MuJoCo ("gradient", "checker", "flat").
        wall: rgb.
        front, wrist: offset of that camera in its own optical frame: x y z in m, and roll pitch yaw in rad.
    """

    brightness: float = 1.0
    light_rgb: tuple[float, ...] = (1.0, 1.0, 1.0)
    light_position: tuple[float, ...] = (0.6, -0.6, 2.4)
    table: tuple[tuple[float, ...], tuple[float, ...]] = ((0.60, 0.55, 0.49), (0.56, 0.51, 0.46))
    texture: str = "gradient"
    floor: tuple[tuple[float, ...], tuple[float, ...]] = ((0.33, 0.34, 0.36), (0.29, 0.30, 0.32))
    wall: tuple[float, ...] = (0.45, 0.48, 0.52)
    front: tuple[float, ...] = (0.0,) * 6
    wrist: tuple[float, ...] = (0.0,) * 6


def sample_appearance(rng: np.random.Generator, surfaces: bool, cameras: bool) -> Appearance:
    """Return an appearance.

    Args:
        rng: source of everything random.
        surfaces: whether light, colours and textures vary.
        cameras: whether poses of the cameras vary.
    """
    appearance = _sample_surfaces(rng) if surfaces else Appearance()
    if cameras:
        front, wrist = _sample_offset(rng, FRONT_SHIFT_M), _sample_offset(rng, WRIST_SHIFT_M)
        appearance = replace(appearance, front=front, wrist=wrist)
    return appearance


def sample_shade(rng: np.random.Generator, nominal: tuple[float, float, float]) -> tuple[float, ...]:
    """Return an rgb that people would still call by the same word as the nominal one."""
    hue, saturation, value = colorsys.rgb_to_hsv(*nominal)
    hue = (hue + rng.uniform(-0.015, 0.015)) % 1.0
    saturation = float(np.clip(saturation * rng.uniform(0.88, 1.08), 0.0, 1.0))
    value = float(np.clip(value * rng.uniform(0.82, 1.12), 0.0, 1.0))
    return tuple(round(part, 4) for part in colorsys.hsv_to_rgb(hue, saturation, value))


def _sample_surfaces(rng: np.random.Generator) -> Appearance:
    # The order of the draws is fixed: it decides what a seed looks like.
    bright, hue = rng.uniform(0.3, 0.85), rng.uniform(0.0, 1.0)
    saturation = rng.uniform(0.0, 0.22)
    table = np.array(colorsys.hsv_to_rgb(hue, saturation, bright))
    floor = np.array(colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.0, 0.2), rng.uniform(0.15, 0.6)))
    wall = colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.0, 0.2), rng.uniform(0.25, 0.8))
    if rng.random() < 0.3:  # near the plain one
        table = np.array(Appearance().table[0]) + rng.uniform(-0.05, 0.05, 3)
    return Appearance(
        brightness=float(rng.uniform(0.65, 1.3)),
        light_rgb=tuple(float(v) for v in rng.uniform(0.86, 1.0, 3)),
        light_position=(float(rng.uniform(-0.2, 1.2)), float(rng.uniform(-1.0, 1.0)), float(rng.uniform(1.8, 2.8))),
        table=(_rgb(table), _rgb(table * rng.uniform(0.8, 1.05))),
        texture=str(rng.choice(["gradient", "gradient", "checker", "flat"])),
        floor=(_rgb(floor), _rgb(floor * rng.uniform(0.8, 1.0))),
        wall=_rgb(np.array(wall)),
    )


def _sample_offset(rng: np.random.Generator, most_m: float) -> tuple[float, ...]:
    """Return a camera's offset: uniform in length, at most `most_m` and CAMERA_TURN_RAD."""
    parts: list[float] = []
    for most in (most_m, CAMERA_TURN_RAD):
        line = rng.normal(size=3)
        parts += [float(v) for v in line / np.linalg.norm(line) * most * rng.uniform()]
    return tuple(parts)


def _rgb(colour: Array) -> tuple[float, ...]:
    return tuple(round(float(part), 4) for part in np.clip(colour, 0.02, 1.0))
