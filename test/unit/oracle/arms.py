"""Variants of the simulated arm."""

from __future__ import annotations

from vla_ros.sim.arm_description import urdf


def with_bodies(**links: str) -> str:
    """The simulated arm's URDF with one more collision element in some links."""
    text = urdf()
    for link, geometry in links.items():
        element = f"<collision><geometry>{geometry}</geometry></collision>"
        text = text.replace(f'<link name="{link}">', f'<link name="{link}">{element}')
    return text
