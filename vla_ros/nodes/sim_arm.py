"""sim_arm: the simulated arm, on exactly the topics of a real one behind ros2_control."""

from __future__ import annotations

import contextlib
import json
import sys
import time

import numpy as np
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_msgs.msg import Float64MultiArray, String
from trajectory_msgs.msg import JointTrajectory

from vla_ros.ros.diagnostics import ERROR, OK, WARN, Diagnostics
from vla_ros.ros.discovery import unmatched_publishers
from vla_ros.ros.node import StartRefused, run
from vla_ros.ros.parameter_declaration import declare_parameters
from vla_ros.ros.polling import PacedLoop, polled, take
from vla_ros.ros.qos import IMAGE, LATCHED, NEWEST, SENSOR
from vla_ros.ros.stamps import time_message
from vla_ros.scheduling import use_real_time_scheduling
from vla_ros.sim.arm_description import FINGER_JOINT, JOINT_NAMES, urdf
from vla_ros.sim.controller import PERIOD_S
from vla_ros.sim.model import CAMERAS, intrinsics
from vla_ros.sim.rendering import RenderProcess, add_sensor_noise
from vla_ros.sim.sim_arm_parameters import SimArmParameters
from vla_ros.sim.simulation import Simulation
from vla_ros.sim.trajectory_controller import CommandRefused
from vla_ros.srv import GroundTruth, ResetScene
from vla_ros.time import NS_PER_S, Rate, Window

REALTIME_PRIORITY = 18
MAX_CATCH_UP_TICKS = 25
"""0.1 s: after a longer stall simulated time falls behind real time instead of catching up."""
TICKS_PER_SERVICE_CALL = 25
REST_SPEED, REST_TICKS = 0.01, 50
"""At rest: no joint has been quicker (rad/s, m/s) for so many ticks."""
MAX_ENDING_TICKS = 1250
"""5 s: an arm that never rests, because it is pushed, ends nevertheless."""
TOPICS = {
    "arm_controller/commands": "std_msgs/msg/Float64MultiArray",
    "arm_controller/joint_trajectory": "trajectory_msgs/msg/JointTrajectory",
    "gripper_controller/commands": "std_msgs/msg/Float64MultiArray",
}


class SimArmNode(Node):
    """Hands commands to the simulation, ticks it in real time, publishes joint states and images."""

    def __init__(self) -> None:
        super().__init__("sim_arm")
        self.parameters = p = declare_parameters(self, SimArmParameters)
        try:
            self.simulation = Simulation(p.seed, p.task, p.command_timeout_s, p.log_file)
        except (ValueError, OSError) as error:
            raise StartRefused(str(error)) from None
        self.cameras: RenderProcess | None = None
        self.camera_infos: dict[str, CameraInfo] = {}
        if p.camera_rate_hz:
            try:
                self.cameras = RenderProcess(self.simulation.xml, p.camera_size, p.renderer, live=True)
            except RuntimeError as error:
                raise StartRefused(str(error)) from None
            self.get_logger().info(f"cameras are drawn by {self.cameras.backend}")
            self.camera_infos = {camera: self.camera_info(camera) for camera in CAMERAS}
        self.commands = polled(self, Float64MultiArray, "arm_controller/commands", NEWEST)
        self.trajectories = polled(self, JointTrajectory, "arm_controller/joint_trajectory", NEWEST)
        self.gripper_commands = polled(self, Float64MultiArray, "gripper_controller/commands", NEWEST)
        self.joint_state_publisher = self.create_publisher(JointState, "joint_states", SENSOR)
        self.image_publishers = {
            c: self.create_publisher(Image, f"{c}_camera/image_raw", IMAGE) for c in self.camera_infos
        }
        self.info_publishers = {
            c: self.create_publisher(CameraInfo, f"{c}_camera/camera_info", IMAGE) for c in self.camera_infos
        }
        self.description_publisher = self.create_publisher(String, "robot_description", LATCHED)
        self.description_publisher.publish(String(data=urdf()))
        self.clock_publisher = self.create_publisher(Clock, "/clock", IMAGE) if p.publish_clock else None
        self.create_service(ResetScene, "sim/reset_scene", self.reset_scene)
        self.create_service(GroundTruth, "sim/ground_truth", self.ground_truth)
        self.refused_command = self.camera_error = self.scheduling = ""
        self.ticks_behind = self.reported_ticks_behind = 0
        self._ending = False
        self.simulated_ns = 0  # since the start: a new scene does not set the clock back
        self.requested_tick = -(10**9)
        self.joint_state = JointState(name=list(JOINT_NAMES))
        self.rate = Rate(PERIOD_S, 0.5 * PERIOD_S)
        self.camera_rate = Rate(1.0 / p.camera_rate_hz if p.camera_rate_hz else 1.0, 0.05)
        self.step_time = Window(1000)
        self.diagnostics = Diagnostics(self, self.report)

    def camera_info(self, camera: str) -> CameraInfo:
        """Return the intrinsics of a camera as a message."""
        size = self.parameters.camera_size
        k = intrinsics(camera, size, size)
        info = CameraInfo(height=size, width=size, distortion_model="plumb_bob", d=[0.0] * 5, k=k.ravel().tolist())
        info.r = np.eye(3).ravel().tolist()
        info.p = np.hstack([k, np.zeros((3, 1))]).ravel().tolist()
        info.header.frame_id = f"{camera}_camera_optical"
        return info

    def spin(self) -> None:
        """Tick at 250 Hz in real time until shutdown: like hardware, it does not wait for a free core."""
        self.scheduling = use_real_time_scheduling(REALTIME_PRIORITY)
        executor = SingleThreadedExecutor(context=self.context)
        executor.add_node(self)
        loop = PacedLoop(self.context, round(PERIOD_S * NS_PER_S), phase_ns=round(PERIOD_S * 0.5e9))
        resting_ticks = ending_ticks = 0
        for tick in loop:
            resting_ticks = resting_ticks + 1 if np.abs(self.simulation.dq).max() < REST_SPEED else 0
            ending_ticks += self._ending
            if self._ending and (resting_ticks > REST_TICKS or ending_ticks > MAX_ENDING_TICKS):
                return
            self.rate.tick(tick.started_ns)
            self.receive_commands()
            late = min(tick.skipped, MAX_CATCH_UP_TICKS)
            self.ticks_behind += tick.skipped - late
            began = time.perf_counter()
            for _ in range(1 + late):
                self.simulation.tick()
            self.simulated_ns += round((1 + late) * PERIOD_S * NS_PER_S)
            self.step_time.add(time.perf_counter() - began)
            self.publish_state(loop.ticks)
            if loop.ticks % TICKS_PER_SERVICE_CALL == 0:
                executor.spin_once(timeout_sec=0)

    def end(self) -> None:
        """Leave `spin` once the arm is at rest: who asks everybody to end asks the filter too, which is still braking it."""
        self._ending = True

    def receive_commands(self) -> None:
        """Hand the newest commands to the simulated controller."""
        controller = self.simulation.controller
        try:
            for message, _ in take(self.commands):
                names = JOINT_NAMES if len(message.data) == len(JOINT_NAMES) else JOINT_NAMES[:-1]
                controller.command(message.data, names)
            for message, _ in take(self.gripper_commands):
                controller.command(message.data, [FINGER_JOINT])
            for message, _ in take(self.trajectories):
                if len(message.points) != 1:
                    raise CommandRefused(f"a trajectory of {len(message.points)} points; this controller takes one")
                if any(message.points[0].velocities):
                    raise CommandRefused("the last point moves; joint_trajectory_controller takes none that does")
                controller.command(message.points[0].positions, message.joint_names)
        except CommandRefused as error:
            if str(error) != self.refused_command:
                self.get_logger().error(f"command refused: {error}")
            self.refused_command = str(error)

    def publish_state(self, ticks: int) -> None:
        """Publish the joint state, the clock, and images that are ready."""
        now_ns = self.get_clock().now().nanoseconds if self.clock_publisher is None else self.simulated_ns
        self.joint_state.header.stamp = time_message(now_ns)
        self.joint_state.position = self.simulation.q.tolist()
        self.joint_state.velocity = self.simulation.dq.tolist()
        self.joint_state.effort = self.simulation.effort.tolist()
        self.joint_state_publisher.publish(self.joint_state)
        if self.clock_publisher is not None:
            self.clock_publisher.publish(Clock(clock=time_message(now_ns)))
        if self.cameras is not None:
            try:
                self.publish_images(self.cameras, ticks, now_ns)
            except RuntimeError as error:  # the arm goes on without its cameras
                self.camera_error, self.cameras = str(error), None
                self.get_logger().error(self.camera_error)

    def publish_images(self, cameras: RenderProcess, ticks: int, now_ns: int) -> None:
        """Publish images that are ready, and request the next ones."""
        drawn = cameras.poll()
        if drawn is not None:
            self.camera_rate.tick(time.monotonic_ns())
            for camera, pixels in drawn[1].items():
                size = self.parameters.camera_size
                add_sensor_noise(pixels, drawn[0])
                image = Image(height=size, width=size, encoding="rgb8", step=3 * size, data=pixels.tobytes())
                image.header.frame_id = f"{camera}_camera_optical"
                image.header.stamp = time_message(drawn[0])
                self.image_publishers[camera].publish(image)
                self.camera_infos[camera].header.stamp = image.header.stamp
                self.info_publishers[camera].publish(self.camera_infos[camera])
        every = round(1.0 / self.parameters.camera_rate_hz / PERIOD_S)
        if ticks - self.requested_tick >= every and cameras.request(now_ns, self.simulation.data.qpos):
            self.requested_tick = ticks if ticks - self.requested_tick > 2 * every else self.requested_tick + every

    def reset_scene(self, request: ResetScene.Request, response: ResetScene.Response) -> ResetScene.Response:
        """Build another scene, with the arm at home."""
        try:
            self.simulation.reset(request.seed, request.task)
        except ValueError as error:
            response.message = str(error)
            return response
        if self.cameras is not None:
            with contextlib.suppress(RuntimeError):  # the next tick reports it
                self.cameras.scene(self.simulation.xml)
        response.success = True
        response.instruction = self.simulation.task.instruction
        return response

    def ground_truth(self, request: GroundTruth.Request, response: GroundTruth.Response) -> GroundTruth.Response:
        """Return the judge's verdict and the state that it judged."""
        response.task_success, measures = self.simulation.evaluate_task()
        bodies = {
            name: {"p_base": body.p_base.round(5).tolist(), "speed": round(body.speed_m_s, 4), "held": bool(body.held)}
            for name, body in self.simulation.truth().items()
        }
        task = self.simulation.task
        state = {
            "task": task.kind,
            "instruction": task.instruction,
            "measures": measures,
            "bodies": bodies,
            "behind_s": self.ticks_behind * PERIOD_S,
        }
        response.state = json.dumps(state, default=float)
        return response

    def report(self) -> tuple[bytes, str, dict[str, object]]:
        """Return level, message and values for /diagnostics."""
        steps = self.step_time.summary()
        values: dict[str, object] = {
            **self.rate.values(),
            "step_p50_ms": 1e3 * steps.p50,
            "step_p99_ms": 1e3 * steps.p99,
            "camera_rate_hz": self.camera_rate.hz,
            "ticks_behind_real_time": self.ticks_behind,
            "scheduling": self.scheduling,
            "renderer": self.cameras.backend if self.cameras else "none",
        }
        # Only what happened since the last report.
        refused, self.refused_command = self.refused_command, ""
        late, self.reported_ticks_behind = self.ticks_behind - self.reported_ticks_behind, self.ticks_behind
        wrong = unmatched_publishers(self, TOPICS)
        if wrong or refused:
            return ERROR, wrong[0] if wrong else f"command refused: {refused}", values
        if self.camera_error:
            return ERROR, self.camera_error, values
        if late:
            return WARN, f"fell {late * PERIOD_S:.2f} s behind real time in the last second", values
        return OK, "running", values

    def destroy_node(self) -> None:
        if self.cameras is not None:
            self.cameras.close()
        self.simulation.controller.close()
        super().destroy_node()


def main() -> None:
    sys.exit(run("sim_arm", SimArmNode, SimArmNode.spin, SimArmNode.end))


if __name__ == "__main__":
    main()
