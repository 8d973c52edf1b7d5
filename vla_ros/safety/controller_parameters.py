"""Where does the output go? The controllers of one robot, each with its joints, and every other way to move them.

ros2_control's controllers listen on names below their own: <controller>/joint_trajectory and <controller>/commands take a
topic, <controller>/follow_joint_trajectory and <controller>/gripper_cmd are actions. Whoever uses another one than the
filter does moves the arm past it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vla_ros.parameters import ParameterError, parameter

DELIVERY_S = 0.005
"""Time from a tick that is sent until the controller that it is sent to updates, at most."""
LATENESS_S = 0.001
"""A tick must be allowed to be as late as this."""
TOPIC_TYPES = ("joint_trajectory", "forward_position")
ACTIONS = ("gripper_command", "parallel_gripper_command")
"""Types that are actions; the others are topics."""
TOPICS_BELOW = ("commands", "joint_trajectory")
ARM_ACTION, GRIPPER_ACTION, STATE = "follow_joint_trajectory", "gripper_cmd", "controller_state"


@dataclass(frozen=True)
class ControllerParameters:
    """Where the filtered setpoints go."""

    type: str = parameter(
        description="joint_trajectory: trajectory_msgs/JointTrajectory; forward_position: std_msgs/Float64MultiArray",
        choices=TOPIC_TYPES,
    )
    topic: str = parameter(
        description="topic of the arm controller, e.g. arm_controller/joint_trajectory; empty: topics names several"
    )
    topics: list[str] = parameter(
        [], description="topics of the arm's controllers, when there are several; empty: topic is the only one"
    )
    types: list[str] = parameter([], description="type of each of topics; empty: all are of type", choices=TOPIC_TYPES)
    joints: list[str] = parameter(
        [],
        description='joints of each of topics, in one text: "joint1 joint2"; needed when there are several topics',
    )
    gripper_joint: str = parameter("", description="joint that a controller of its own moves; empty: none")
    gripper_topic: str = parameter(
        "", description="topic or action of the gripper's controller; empty: the gripper is an arm joint"
    )
    gripper_type: str = parameter(
        "forward_position",
        description="of gripper_topic: a topic as in type, or one of control_msgs' actions GripperCommand "
        "(gripper_command) and ParallelGripperCommand (parallel_gripper_command)",
        choices=(*TOPIC_TYPES, *ACTIONS),
    )
    gripper_step: float = parameter(
        0.002,
        description="an action gets a new goal when the gripper's output is so far from its last one, or has come to rest",
        unit="rad or m",
        above=0.0,
    )
    gripper_goal_period_s: float = parameter(
        0.1, description="least time between two goals of an action", unit="s", minimum=0.0, maximum=10.0
    )
    gripper_max_effort: float = parameter(
        0.0,
        description="largest effort in the goals of an action; 0: the controller's own",
        unit="N or N m",
        minimum=0.0,
    )
    gripper_timeout_s: float = parameter(
        1.0,
        description="a gripper that does not move for so long though it is sent elsewhere latches; 0: this is not watched",
        unit="s",
        minimum=0.0,
        maximum=60.0,
    )
    state_timeout_s: float = parameter(
        0.5,
        description="a controller that has told its state (controller_state) and is silent for so long latches; "
        "0: states are not heeded",
        unit="s",
        minimum=0.0,
        maximum=60.0,
    )
    other_topics: list[str] = parameter(
        [], description="further topics by which the arm or gripper can be moved: nobody may publish there"
    )
    other_actions: list[str] = parameter(
        [], description="further actions by which they can be moved: a goal of somebody else latches"
    )
    horizon_s: float = parameter(
        0.024,
        description="a joint_trajectory is stamped so far ahead: two ticks, one period of the controller, delivery, lateness",
        unit="s",
        above=0.0,
        maximum=0.3,
    )
    update_rate_hz: float = parameter(
        250.0,
        description="update rate of the controller that follows a joint_trajectory; when in doubt the lower one",
        unit="Hz",
        minimum=20.0,
        maximum=10000.0,
    )

    clock_tolerance_s: float = parameter(
        0.003,
        description="the clock that stamps joint_states may be off by so much where a trajectory is sent, else arm is "
        "refused; 0: it is not compared",
        unit="s",
        minimum=0.0,
        maximum=1.0,
    )
    scaling_topic: str = parameter(
        "",
        description="topic (std_msgs/Float64) on which the driver says at what share of the speed it executes, e.g. "
        "speed_scaling_state_broadcaster/speed_scaling of a UR; empty: it has none",
    )
    scaling_full: float = parameter(100.0, description="what scaling_topic says at full speed", above=0.0)

    @property
    def stamped(self) -> bool:
        """Whether a controller gets a stamped trajectory that ends at rest."""
        types = self.types or [self.type]
        gripper = self.gripper_type if self.gripper_joint else ""
        return "joint_trajectory" in (*types, gripper)

    def shortest_horizon_s(self, period_s: float) -> float:
        """Return the shortest horizon with which a tick may be late by LATENESS_S."""
        return 2.0 * period_s + 1.0 / self.update_rate_hz + DELIVERY_S + LATENESS_S


@dataclass(frozen=True)
class Output:
    """One controller. type: of its messages. name: of the topic or action. joints: indices into joint_names."""

    type: str
    name: str
    joints: tuple[int, ...]
    is_gripper: bool = False

    @property
    def is_action(self) -> bool:
        """Whether the name is that of an action."""
        return self.type in ACTIONS

    @property
    def controller(self) -> str:
        """Name of the controller, below which its topics and actions lie; empty: the name does not tell it."""
        return self.name.rpartition("/")[0]

    @property
    def state_topic(self) -> str:
        """Topic on which a joint_trajectory_controller tells its state; empty: there is none."""
        return f"{self.controller}/{STATE}" if self.type == "joint_trajectory" and self.controller else ""


def outputs_of(controller: ControllerParameters, joint_names: Sequence[str]) -> list[Output]:
    """Return the controllers: those of the arm in the order of the configuration, then the gripper's.

    Raises:
        ParameterError: a joint has no controller or several, or lists do not belong together; the text names the key.
    """
    gripper = controller.gripper_joint
    if bool(gripper) != bool(controller.gripper_topic):
        raise ParameterError("controller.gripper_topic: give it together with controller.gripper_joint, or neither")
    if gripper and gripper not in joint_names:
        raise ParameterError(
            f"controller.gripper_joint: {gripper!r} is not one of joint_names ({', '.join(joint_names)})"
        )
    if bool(controller.topic) == bool(controller.topics):
        raise ParameterError(
            "controller.topic: must name the topic of the arm controller, or controller.topics several; got "
            f"{controller.topic!r} and {controller.topics}"
        )
    if len(controller.topics) > 1 and not controller.joints:
        raise ParameterError("controller.joints: must name the joints of each of controller.topics")
    arm = [name for name in joint_names if name != gripper]
    topics = controller.topics or [controller.topic]
    types = controller.types or [controller.type] * len(topics)
    groups = [entry.split() for entry in controller.joints] or [arm]
    for key, values in (("types", types), ("joints", groups)):
        if len(values) != len(topics):
            raise ParameterError(f"controller.{key}: expected {len(topics)} entries, one per topic, got {len(values)}")
    if "" in topics or len(set(topics)) < len(topics):
        raise ParameterError(f"controller.topics: must be names, each once; got {topics}")
    named = [name for group in groups for name in group]
    if sorted(named) != sorted(arm):
        unknown, missing = sorted(set(named) - set(arm)), sorted(set(arm) - set(named))
        twice = sorted({name for name in named if named.count(name) > 1})
        wrong = [
            f"{text} {', '.join(names)}"
            for text, names in (("names no joint of the arm:", unknown), ("lacks", missing), ("names twice", twice))
            if names
        ]
        raise ParameterError(f"controller.joints: {'; '.join(wrong)}; each joint of the arm has one controller")
    outputs = [
        Output(kind, topic, tuple(joint_names.index(name) for name in group))
        for kind, topic, group in zip(types, topics, groups, strict=True)
    ]
    if gripper:
        joint = joint_names.index(gripper)
        outputs.append(Output(controller.gripper_type, controller.gripper_topic, (joint,), is_gripper=True))
    return outputs


def moving_topics(outputs: Sequence[Output], others: Sequence[str]) -> list[str]:
    """Return every topic by which the joints can be moved: the filter's own first, those beside them, `others`."""
    own = [output.name for output in outputs if not output.is_action]
    beside = [f"{output.controller}/{name}" for output in outputs if output.controller for name in TOPICS_BELOW]
    return list(dict.fromkeys([*own, *beside, *others]))


def moving_actions(outputs: Sequence[Output], others: Sequence[str]) -> list[str]:
    """Return every action by which the joints can be moved: the filter's own first, those beside them, `others`."""
    own = [output.name for output in outputs if output.is_action]
    beside = [f"{output.controller}/{ARM_ACTION}" for output in outputs if output.controller and not output.is_action]
    beside += [f"{output.controller}/{GRIPPER_ACTION}" for output in outputs if output.controller and output.is_gripper]
    return list(dict.fromkeys([*own, *beside, *others]))
