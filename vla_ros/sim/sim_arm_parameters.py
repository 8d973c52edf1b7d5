"""Parameters of the simulated arm."""

from __future__ import annotations

from dataclasses import dataclass

from vla_ros.parameters import parameter


@dataclass(frozen=True)
class SimArmParameters:
    """What stands on the table and how fast the cameras look."""

    seed: int = parameter(0, description="seed of the first scene", minimum=0)
    task: str = parameter("", description="task kind of the first scene; empty: any")
    camera_rate_hz: float = parameter(
        10.0, description="images per second and camera; 0: no cameras", unit="Hz", minimum=0.0, maximum=60.0
    )
    camera_size: int = parameter(
        256, description="rows and columns of the images", unit="pixel", minimum=32, maximum=1024
    )
    renderer: str = parameter("auto", description="what renders the images", choices=("auto", "egl", "osmesa", "ray"))
    command_timeout_s: float = parameter(
        0.02, description="without a command for this long the controller brings the arm to rest", unit="s", above=0.0
    )
    publish_clock: bool = parameter(False, description="publish simulated time on /clock")
    log_file: str = parameter("", description="CSV file for the controller's log at 250 Hz; empty: none")
