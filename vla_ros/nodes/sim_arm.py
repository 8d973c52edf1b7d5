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
from std_msgs.msg import String

from vla_ros.ros.diagnostics import ERROR, OK, WARN, Diagnostics
from vla_ros.ros.discovery import unmatched_publishers
from vla_ros.ros.node import StartRefused, run
from vla_ros.ros.parameter_declaration import declare_parameters
from vla_ros.ros.polling import PacedLoop, Tick, system_ahead_ns
from vla_ros.ros.qos import IMAGE, LATCHED, SENSOR
from vla_ros.ros.ros_clock import RosClock
from vla_ros.ros.simulated_controllers import TOPICS, SimulatedControllers
from vla_ros.ros.stamps import time_message
from vla_ros.safety.trajectory import CLOCK_STEP_NS
from vla_ros.scheduling import use_real_time_scheduling
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf
from vla_ros.sim.controller import PERIOD_S, SimulatedController
from vla_ros.sim.model import CAMERAS, intrinsics
from vla_ros.sim.rendering import RenderProcess, add_sensor_noise
from vla_ros.sim.sim_arm_parameters import SimArmParameters
from vla_ros.sim.simulation import Simulation
from vla_ros.srv import GroundTruth, ResetScene
from vla_ros.time import NS_PER_S, Rate, Window

REALTIME_PRIORITY = 18
PERIOD_NS = round(PERIOD_S * NS_PER_S)
MAX_CATCH_UP_TICKS = 250
"""1 s: after a longer stall of the machine simulated time falls behind real time instead of catching up."""
ARRIVING = 2 * MAX_CATCH_UP_TICKS
"""A controller on a machine of its own misses no command while this one stands still: each is handed over at its own time."""
TICKS_PER_SERVICE_CALL = 25
REST_SPEED, REST_TICKS = 0.01, 50
"""At rest: no joint has been quicker (rad/s, m/s) for so many ticks."""
MAX_ENDING_TICKS = 1250
"""5 s: an arm that never rests, because it is pushed, ends nevertheless."""


class SimArmNode(Node):
    """Hands commands to the simulation, ticks it in real time, publishes joint states and images."""

    def __init__(self) -> None:
        super().__init__("sim_arm")
        self.parameters = p = declare_parameters(self, SimArmParameters)
        try:
            controller = SimulatedController(HOME, p.controller, p.update_rate_hz, p.log_file)
            self.simulation = Simulation(p.seed, p.task, controller)
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
        self.controllers = SimulatedControllers(self, controller, ARRIVING)
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
        self.camera_error = self.scheduling = ""
        self.ticks_behind = self.reported_ticks_behind = 0
        self.ros_clock = RosClock(self)
        self.system_ns = self.ros_ns = 0  # nominal times of the newest turn
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
        loop = PacedLoop(self.context, PERIOD_NS, phase_ns=PERIOD_NS // 2)
        resting_ticks = ending_ticks = 0
        for tick in loop:
            resting_ticks = resting_ticks + 1 if np.abs(self.simulation.dq).max() < REST_SPEED else 0
            ending_ticks += self._ending
            if self._ending and (resting_ticks > REST_TICKS or ending_ticks > MAX_ENDING_TICKS):
                return
            self.rate.tick(tick.started_ns)
            self.controllers.receive()
            late = min(tick.skipped, MAX_CATCH_UP_TICKS)
            self.ticks_behind += tick.skipped - late
            began = time.perf_counter()
            self.advance_clock(tick)
            for behind in range(late, -1, -1):
                self.simulate((behind + 1) * PERIOD_NS)
            self.step_time.add(time.perf_counter() - began)
            self.publish_state(loop.ticks)
            # A simulated clock reaches the node through the executor, so it must then have every tick.
            if self.ros_clock.simulated or loop.ticks % TICKS_PER_SERVICE_CALL == 0:
                executor.spin_once(timeout_sec=0)

    def advance_clock(self, tick: Tick) -> None:
        """Move the nominal times on to those of a turn; where a clock has been set, to what it says."""
        passed_ns = (1 + tick.skipped) * PERIOD_NS
        system_ns, ros_ns = (tick.deadline_ns + ahead for ahead in (system_ahead_ns(), self.ros_clock.ahead_ns()))
        self.system_ns = nominal(self.system_ns + passed_ns, system_ns, CLOCK_STEP_NS)
        self.ros_ns = nominal(self.ros_ns + passed_ns, ros_ns, self.ros_clock.step_ns)

    def simulate(self, behind_ns: int) -> None:
        """Advance by one tick, which began so long before the turn.

        The controller's clock is the nominal one of its cycles: like hardware it does not wake up late.
        """
        began_ns = self.system_ns - behind_ns
        start_ns = self.ros_ns - behind_ns if self.clock_publisher is None else self.simulated_ns
        self.simulation.tick(
            start_ns, lambda since_ns: self.controllers.hand_over(began_ns + since_ns, start_ns + since_ns)
        )
        self.simulated_ns += PERIOD_NS

    def end(self) -> None:
        """Leave `spin` once the arm is at rest: who asks everybody to end asks the filter too, which is still braking it."""
        self._ending = True

    def publish_state(self, ticks: int) -> None:
        """Publish the joint state, what the controllers tell, the clock, and images that are ready."""
        now_ns = self.get_clock().now().nanoseconds if self.clock_publisher is None else self.simulated_ns
        self.joint_state.header.stamp = time_message(now_ns)
        self.joint_state.position = self.simulation.q.tolist()
        self.joint_state.velocity = self.simulation.dq.tolist()
        self.joint_state.effort = self.simulation.effort.tolist()
        self.joint_state_publisher.publish(self.joint_state)
        self.controllers.publish_states(ticks, now_ns, self.simulation.dq)
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
        refused, self.controllers.refused = self.controllers.refused, ""
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


def nominal(expected_ns: int, read_ns: int, step_ns: int) -> int:
    """Return the time that is expected, or the one that is read where they differ by more than `step_ns`."""
    return expected_ns if abs(read_ns - expected_ns) <= step_ns else read_ns


def main() -> None:
    sys.exit(run("sim_arm", SimArmNode, SimArmNode.spin, SimArmNode.end))


if __name__ == "__main__":
    main()
