"""A checkpoint bound to a robot: images, state and actions go through here, each in the order and the unit of the other side.

What does not fit is refused when a `Binding` is made, before anything moves; nothing is passed through as it is because
nobody said what it means.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vla_ros.arrays import Array, Image
from vla_ros.parameters import ParameterError
from vla_ros.perception.frames import Frames
from vla_ros.policies.binding.action_bounds import ActionBounds
from vla_ros.policies.binding.action_mapping import ActionFault, ActionMapping, CartesianActions, JointActions
from vla_ros.policies.binding.binding_parameters import BindingParameters
from vla_ros.policies.binding.binding_row import BindingRow, refusal
from vla_ros.policies.binding.bound_values import NOTHING, ROTATIONS, BoundValue
from vla_ros.policies.binding.camera_slots import CameraFault, match_cameras
from vla_ros.policies.binding.checkpoint_contract import CheckpointContract, VectorSpec
from vla_ros.policies.binding.resolution import resolve
from vla_ros.policies.binding.statistics_check import ValueRange
from vla_ros.policies.binding.tool_pose import components, nearest_values
from vla_ros.policies.contract import JointState
from vla_ros.policies.registry import Robot


class Binding:
    """A checkpoint bound to a robot.

    Args:
        contract: what the checkpoint wants.
        robot: the arm.
        parameters: what its numbers mean here.
        cameras: names of the robot's cameras; empty: the first frames tell; None: System 1, which sees no images.

    Attributes:
        contract, parameters: as given.
        rate_hz: rows of a chunk per second.
        joints: limits and kinematics of the robot.

    Raises:
        ParameterError: something does not fit; the text says what, and what to write.
    """

    def __init__(
        self,
        contract: CheckpointContract,
        robot: Robot,
        parameters: BindingParameters,
        cameras: Sequence[str] | None,
    ) -> None:
        resolution = resolve(contract, robot, parameters, cameras)
        if refused := refusal(resolution.rows, contract.source):
            raise ParameterError(refused)
        if resolution.joints is None:
            raise ParameterError(
                f"{contract.source}: its binding needs the robot's URDF: start robot_description, or name urdf"
            )
        self.contract, self.rate_hz, self.joints = contract, resolution.rate_hz, resolution.joints
        self._rows, self.parameters = resolution.rows, parameters
        self._slots = dict(resolution.slots) if cameras is None or cameras else None
        self._state, self._action = resolution.state, resolution.action
        self._usual = np.zeros(0) if contract.state is None else _centres(contract.state)
        self._fill, self._ignored = np.nan_to_num(self._usual), np.nan_to_num(_centres(contract.action))
        self._scale, self._offset = _scales(resolution.action)
        self._bounds = ActionBounds(contract.action, resolution.action, self.joints, parameters.unit_factor)
        kind, cartesian = parameters.action_kind, parameters.action_space == "cartesian"
        self._mapping: ActionMapping = (
            CartesianActions(self._action, kind, self.joints, self._scale * _centres(contract.action) + self._offset)
            if cartesian
            else JointActions(self._action, kind)
        )

    @property
    def begins_later(self) -> bool:
        """Whether the first row of a chunk is due one row after its frames, at which the arm is where it was measured."""
        return self.parameters.first_row > 0 or self.parameters.action_kind == "step"

    def rows(self) -> list[BindingRow]:
        """Return the table that `vla-ros check` prints."""
        return list(self._rows)

    def images(self, frames: Frames) -> dict[str, Image]:
        """Return image input → (H, W, 3) uint8 rgb, as large as the robot's image is.

        Inputs that are left empty are left out.

        Raises:
            CameraFault: a camera that is bound gives no healthy image.
            ParameterError: the cameras were not known before, and do not fit.
        """
        if self._slots is None:
            slots, rows = match_cameras(self.contract.cameras, tuple(frames.views), self.parameters.cameras)
            if refused := refusal(rows, self.contract.source):
                raise ParameterError(refused)
            self._slots = slots
        images: dict[str, Image] = {}
        for slot in self.contract.cameras:
            camera = self._slots.get(slot.name)
            if camera is None:
                continue
            view = frames.views.get(camera)
            fault = "absent" if view is None else view.fault
            if view is not None and not fault:
                images[slot.name] = view.image
            else:
                raise CameraFault(f"camera {camera} is {fault}, and the checkpoint sees it as {slot.name}")
        return images

    def state(self, joint_state: JointState) -> Array:
        """Return (width,) the state in the checkpoint's order and units; (0,) where the model sees none."""
        values = self._fill.copy()
        pose: dict[str, float] = {}
        for number, value in enumerate(self._state):
            if value.joint >= 0:
                values[number] = (joint_state.q[value.joint] - value.offset) / value.scale
            elif value.component:
                pose = pose or self._pose(joint_state.q)
                values[number] = pose[value.component] / value.scale
        return values

    def _pose(self, q: Array) -> dict[str, float]:
        """Return the components of the tool's pose; of equal rotations, those nearest to what the state usually is."""
        pose = components(self.joints.kinematics.forward(q))
        usual = {value.component: value.scale * self._usual[number] for number, value in enumerate(self._state)}
        for kind in ROTATIONS:
            if set(kind) & usual.keys():
                values = np.array([pose[name] for name in kind])
                reference = np.array([usual.get(name, pose[name]) for name in kind])
                pose |= dict(zip(kind, map(float, nearest_values(kind, values, reference)), strict=True))
        return pose

    def positions(self, actions: Array, q: Array) -> Array:
        """Return (T, n) absolute joint positions inside the limits, rad or m, in the robot's order.

        Args:
            actions: (T, width) un-normalised values of the checkpoint.
            q: (n,) joints at the start of the chunk, rad or m.

        Raises:
            ActionFault: the shape is another one; a value is not finite or far beyond the statistics; or the arm cannot
                bring its tool there.
        """
        actions = np.asarray(actions, np.float64)
        if actions.ndim != 2 or actions.shape[1] != self.contract.action.width or not len(actions):
            raise ActionFault(f"expected rows of {self.contract.action.width} values, got shape {actions.shape}")
        self._bounds.check(actions)
        positions = self._mapping.positions(actions * self._scale + self._offset, q)
        return np.clip(positions, self.joints.lower, self.joints.upper)

    def actions(self, positions: Array, q: Array) -> Array:
        """Return (T, width): the inverse of `positions`, for the prefix of real-time chunking.

        Args:
            positions: (T, n) joint positions. q: (n,) as for `positions`. Values that bind to nothing get their mean.
        """
        values = (self._mapping.actions(np.asarray(positions, np.float64), q) - self._offset) / self._scale
        for number, value in enumerate(self._action):
            if value.entry == NOTHING:
                values[:, number] = self._ignored[number]
        return values


def _scales(values: Sequence[BoundValue]) -> tuple[Array, Array]:
    """Return (w,) factors and (w,) offsets from the checkpoint's units to rad and m."""
    return np.array([value.scale for value in values]), np.array([value.offset for value in values])


def _centres(spec: VectorSpec) -> Array:
    """Return (w,) the mean of each value in the checkpoint's units, NaN where it is not known."""
    known = ValueRange(spec)
    return np.where(np.isfinite(known.mean), known.mean, (known.low + known.high) / 2)
