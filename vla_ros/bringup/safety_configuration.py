"""The safety filter's parameters and its URDF, as `vla-ros up` with the same options gives them."""

from __future__ import annotations

from vla_ros.bringup.graph import parameters_of
from vla_ros.parameters import ParameterError, from_mapping, nested
from vla_ros.robot.urdf import read_urdf
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.sim import arm_description


def safety_configuration(
    robot: str = "sim", config: str = "", urdf_file: str = ""
) -> tuple[SafetyFilterParameters, str]:
    """Return the filter's parameters and the text of the URDF.

    Args:
        robot: a file, or the name of one in config/.
        config: parameter file laid over the robot's; empty: none.
        urdf_file: empty: the configuration's, or the simulated arm's.

    Raises:
        ParameterError: a file cannot be read, or there is no URDF.
    """
    flat = parameters_of("safety_filter", robot=robot, config=config)
    parameters = from_mapping(SafetyFilterParameters, nested(flat), "safety_filter.")
    file = urdf_file or parameters.urdf
    if not file and robot != "sim":
        raise ParameterError("urdf: the configuration names no URDF file; give one with --urdf FILE")
    return parameters, read_urdf(file) if file else arm_description.urdf()
