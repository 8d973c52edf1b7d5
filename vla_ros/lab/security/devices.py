"""What is not a node of this package: the robot's driver, cameras, people's devices and terminals. One enclave each.

Their names are those of the default topics. Who gives a device less gives it less here.
"""

from __future__ import annotations

from collections.abc import Mapping

from vla_ros.lab.security.policy import Profile

OF_ALL = Profile(
    publish=frozenset({"/rosout", "/parameter_events"}),
    subscribe=frozenset({"/clock", "/parameter_events"}),
    reply=frozenset(
        f"~/{name}"
        for name in (
            *("describe_parameters", "get_parameter_types", "get_parameters", "get_type_description"),
            *("list_parameters", "set_parameters", "set_parameters_atomically"),
        )
    ),
)
"""What rclpy and rclcpp open in every node."""


def device(publish: str = "", subscribe: str = "", request: str = "", call: str = "") -> Profile:
    """Return a profile of names in one string each, besides what every node opens."""
    return Profile(
        OF_ALL.publish | frozenset(publish.split()),
        OF_ALL.subscribe | frozenset(subscribe.split()),
        OF_ALL.reply,
        frozenset(request.split()),
        call=frozenset(call.split()),
    )


DEVICES: Mapping[str, Profile] = {
    # ros2_control's controller_manager runs driver and controllers in one process.
    "controller_manager": device(
        "joint_states arm_controller/controller_state gripper_controller/controller_state /diagnostics",
        "arm_controller/commands arm_controller/joint_trajectory robot_description "
        "gripper_controller/commands gripper_controller/joint_trajectory",
    ),
    "robot_state_publisher": device("robot_description /tf /tf_static", "joint_states"),
    "front_camera": device("front_camera/image_raw front_camera/camera_info"),
    "wrist_camera": device("wrist_camera/image_raw wrist_camera/camera_info"),
    "estop_button": device("vla/estop vla/estop_heartbeat"),
    "deadman_switch": device("vla/deadman"),
    "enabling_device": device("vla/enabling"),
    "mode_switch": device("vla/reduced", "vla/safety_status vla/safe_home"),
    "teleop": device("vla/override", "joint_states vla/safety_status"),
    "obstacle_detector": device("vla/obstacles", "joint_states"),
    "speed_scale": device("vla/speed_scale", "vla/safety_status"),
    # Commands of vla-ros, people at terminals and behaviour trees: instructions and services, no setpoints and no plans.
    "operator": device(
        "task_instruction",
        "vla/answer vla/latent_plan vla/safety_status vla/question /diagnostics",
        "vla/arm vla/disarm vla/estop vla/reset vla/release_lost_estop vla/continue",
        "vla/execute",
    ),
}
