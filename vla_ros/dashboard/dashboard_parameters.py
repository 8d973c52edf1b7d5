"""Parameters of the browser page."""

from __future__ import annotations

from dataclasses import dataclass

from vla_ros.parameters import ParameterError, parameter

LOOPBACK = ("127.0.0.1", "localhost", "::1")
EXAMPLES = [
    "put the red cube in the bowl",
    "put the orange ball on the plate",
    "push the blue cylinder to the left",
    "pick up the green cylinder",
]


@dataclass(frozen=True)
class DashboardParameters:
    """Who may see and press what, and how often the page is renewed."""

    joint_names: list[str] = parameter(description="joints that are plotted, in this order")
    host: str = parameter("127.0.0.1", description="address to listen on; any other than localhost requires the token")
    port: int = parameter(
        8080,
        description="port to listen on; one that is taken: the next free one of ten; 0: any",
        minimum=0,
        maximum=65535,
    )
    token: str = parameter(
        "", description="what a browser must present; empty: none on localhost, elsewhere a random one"
    )
    read_only: bool = parameter(False, description="the page shows everything and sends nothing, not even a stop")
    rate_hz: float = parameter(10.0, description="updates of the page per second", unit="Hz", minimum=1.0, maximum=30.0)
    image_rate_hz: float = parameter(
        5.0, description="camera images per second at most", unit="Hz", minimum=0.0, maximum=30.0
    )
    history_s: float = parameter(20.0, description="how far back the plots reach", unit="s", minimum=2.0, maximum=300.0)
    examples: list[str] = parameter(EXAMPLES, description="sentences offered below the instruction box")
    tool_frame: str = parameter("tool", description="link of the URDF whose proposed path is drawn")
    base_frame: str = parameter(
        "", description="link that no joint moves, in which camera_poses were measured; empty: the URDF's root link"
    )
    cameras: list[str] = parameter(
        [], description="cameras with a pose that the URDF lacks, in the order of camera_poses"
    )
    camera_poses: list[float] = parameter(
        [], description="x y z qx qy qz qw of each camera's optical frame in base_frame", unit="m"
    )
    camera_links: list[str] = parameter(
        [],
        description="link on which each of cameras is mounted, in their order; empty, or an empty name: the base frame",
    )
    mesh_folders: list[str] = parameter(
        [],
        description="folders that relative and package:// addresses of the URDF's meshes begin in, besides the folder of the "
        "file `urdf` and the sourced ROS installations; vla-ros up and the launch file give those of safety_filter",
    )
    urdf: str = parameter("", description="file with the robot's URDF; empty: wait for the topic robot_description")

    def __post_init__(self) -> None:
        if len(self.camera_poses) != 7 * len(self.cameras):
            raise ParameterError(
                f"camera_poses: {len(self.camera_poses)} values for {len(self.cameras)} cameras; each needs 7"
            )
        if self.camera_links and len(self.camera_links) != len(self.cameras):
            raise ParameterError(f"camera_links: {len(self.camera_links)} names for {len(self.cameras)} cameras")
        if self.token and not self.token.isalnum():
            raise ParameterError("token: letters and digits only, so that it can stand in an address")

    @property
    def local(self) -> bool:
        """Whether only programs on this machine can reach the page."""
        return self.host in LOOPBACK
