"""Parameters of the simulated arm."""

from __future__ import annotations

from dataclasses import dataclass

from vla_ros.parameters import ParameterError, parameter


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
    controller: str = parameter(
        "jtc",
        description="what leads the arm: jtc, as joint_trajectory_controller on arm_controller/joint_trajectory; forward, as "
        "forward_command_controller on arm_controller/commands",
        choices=("jtc", "forward"),
    )
    update_rate_hz: int = parameter(
        250, description="cycles of that controller per second: 250, 500 or 1000", unit="Hz", minimum=250, maximum=1000
    )
    publish_clock: bool = parameter(False, description="publish simulated time on /clock")
    log_file: str = parameter("", description="CSV file for the log of the controller's cycles; empty: none")

    def __post_init__(self) -> None:
        if self.update_rate_hz not in (250, 500, 1000):
            raise ParameterError(f"update_rate_hz: must be 250, 500 or 1000; got {self.update_rate_hz}")
