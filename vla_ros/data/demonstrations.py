"""One demonstration: a varied scene, the scripted expert, perhaps a disturbance, recorded frame by frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray
from ruckig import RuckigError

from vla_ros.arrays import Array
from vla_ros.data.disturbances import ArmDisturbance, draw
from vla_ros.data.features import (
    CAMERAS,
    FEATURES,
    FPS,
    LEFT,
    NOTHING,
    PATH_STEPS,
    RIGHT,
    SIZE,
    THINGS,
    WAYPOINTS,
)
from vla_ros.parameters import ParameterError
from vla_ros.perception import jpeg
from vla_ros.robot.kinematics import Kinematics
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf
from vla_ros.sim.controller import PERIOD_S
from vla_ros.sim.expert import Expert
from vla_ros.sim.model import body_name, intrinsics
from vla_ros.sim.motion import DT_S, ToolMotion
from vla_ros.sim.phases import ExpertDecision, ExpertObservation, ToolGoal, heading
from vla_ros.sim.rendering import CameraRenderer, first_hits
from vla_ros.sim.scene import SceneObject
from vla_ros.sim.simulation import Simulation
from vla_ros.sim.variation import TRAINING, Variation, sample_varied
from vla_ros.tasks import seeds
from vla_ros.tasks.phrasings import HELD_OUT_OBJECTS
from vla_ros.tasks.task import Step
from vla_ros.tasks.vocabulary import OBJECTS, STABLE_SHAPES
from vla_ros.transforms import pose as xyz_quaternion

SHARES = {"pick": 0.2, "place": 0.28, "push": 0.2, "stack": 0.17, "sequence": 0.15}  # of the kinds of task
CONTROL_TICKS = round(DT_S / PERIOD_S)
FRAME_STEPS = PATH_STEPS
DONE_S = 0.8  # recorded after the end
LIMIT_S = {"sequence": 36.0}
LIMIT = 20.0  # s
QUALITY = 92  # of JPEG
VARIATIONS = {"varied": TRAINING, "plain": Variation(pairs="training")}
"""How scenes may look. Plain ones have the light, the colours and the camera poses of the evaluation suite `nominal`."""
RIM = 0.7  # of an object's half width: where it is probed for being in view


@dataclass
class RecordedEpisode:
    """A demonstration.

    Attributes:
        columns: as in FEATURES, one row per frame.
        images: JPEG bytes by camera.
        subtasks: in words, one per frame.
        about: what is known of the whole: seed, kind, instruction, recovery, things and more, all of it JSON.
    """

    columns: dict[str, NDArray[Any]]
    images: dict[str, list[bytes]]
    subtasks: list[str]
    about: dict[str, Any]


@dataclass(frozen=True)
class TaskFilter:
    """Which tasks are demonstrated.

    Attributes:
        kinds: of `KINDS`; empty: all, with their usual shares.
        moved: name of the object that the first step moves, e.g. "red cube"; empty: any.
        scenes: of `VARIATIONS`, how they look.
    """

    kinds: tuple[str, ...] = ()
    moved: str = ""
    scenes: str = "varied"

    def __post_init__(self) -> None:
        if unknown := [kind for kind in self.kinds if kind not in SHARES]:
            raise ParameterError(f"tasks: there is no kind {unknown[0]!r}; there are {', '.join(SHARES)}")
        if self.scenes not in VARIATIONS:
            raise ParameterError(f"scenes: there are no {self.scenes!r} ones; there are {', '.join(VARIATIONS)}")
        if self.moved and self.moved not in OBJECTS:
            raise ParameterError(f"object: there is no {self.moved!r}; there are {', '.join(OBJECTS)}")
        colour, _, shape = self.moved.partition(" ")
        if (colour, shape) in HELD_OUT_OBJECTS:
            raise ParameterError(f"object: {self.moved!r} is kept for evaluation and never demonstrated")
        if self.moved and shape not in STABLE_SHAPES and self.kinds and set(self.kinds) <= {"push", "stack"}:
            raise ParameterError(f"object: no {shape} is pushed or stacked; these are {', '.join(STABLE_SHAPES)}")

    def kind(self, rng: np.random.Generator) -> str:
        """Draw a kind of task."""
        shares = {kind: SHARES[kind] for kind in self.kinds or SHARES}
        total = sum(shares.values()) if self.kinds else 1.0
        return str(rng.choice(list(shares), p=[share / total for share in shares.values()]))

    def __str__(self) -> str:
        scenes = "" if self.scenes == "varied" else f", {self.scenes} scenes"
        return f"{','.join(self.kinds) or 'all tasks'}, {self.moved or 'any object'}{scenes}"


ANY_TASK = TaskFilter()


def demonstrate(seed: int, renderer: str = "egl", wanted: TaskFilter = ANY_TASK) -> RecordedEpisode | None:
    """Return the demonstration of a seed, or None where its task is not wanted or the expert did not get it done.

    Args:
        wanted: which tasks.
        renderer: of vla_ros.sim.rendering.BACKENDS; "" leaves the images out. MUJOCO_GL must say the same when mujoco is
            imported, or "disable" for "ray".

    Raises:
        ParameterError: the seed belongs to evaluation.
    """
    if seed < seeds.TRAINING:
        raise ParameterError(f"seed: {seed} is kept for evaluation; training seeds begin at {seeds.TRAINING}")
    rng = np.random.default_rng([seed, 2])
    kind = wanted.kind(rng)
    scene, task = sample_varied(seed, kind, VARIATIONS[wanted.scenes])
    if wanted.moved not in ("", task.steps[0].x):
        return None
    simulation = Simulation.of(scene, task)
    disturbance = draw(rng, simulation)
    recorder = _Recorder(simulation, disturbance, renderer)
    try:
        recorder.run(LIMIT_S.get(kind, LIMIT))
    except RuckigError:  # no way was found; there are other seeds
        return None
    finally:
        recorder.close()
    success, _ = simulation.evaluate_task()
    if not (success and recorder.finished):
        return None
    return recorder.episode(seed, wanted)


class _Recorder:
    """Runs the expert at 50 Hz, the physics at 500 Hz, and looks at FPS."""

    def __init__(self, simulation: Simulation, disturbance: ArmDisturbance, renderer: str) -> None:
        self.simulation, self.disturbance = simulation, disturbance
        self.kinematics = Kinematics(urdf(), JOINT_NAMES)
        self.motion = ToolMotion(self.kinematics, HOME)
        if disturbance.q is not None:
            simulation.place_arm(disturbance.q)
            self.motion.reset(disturbance.q)
        self.renderer = renderer
        self.camera_renderer = CameraRenderer(simulation.model, SIZE, renderer) if renderer else None
        self.rows: dict[str, list[Any]] = {key: [] for key in FEATURES}
        self.images: dict[str, list[bytes]] = {camera: [] for camera in CAMERAS if renderer}
        self.subtasks: list[str] = []
        self.finished = False
        self.fixed = {camera: intrinsics(camera, SIZE, SIZE) for camera in CAMERAS}
        self.probe = _VisibilityProbe(simulation)

    def close(self) -> None:
        if self.camera_renderer is not None:
            self.camera_renderer.close()

    def run(self, limit_s: float) -> None:
        """Record until the expert has been done for DONE_S, or the time is up."""
        if self.disturbance.held:
            self._prepare()
        expert = Expert(self.simulation, self.simulation.task.steps)
        done_steps, step = 0, 0
        path: list[Array] = []
        begin_s = self.simulation.time_s
        while self.simulation.time_s - begin_s < limit_s:
            decision = expert.decide(self._view())
            goals, valid = self.disturbance.act(decision, self.simulation, self.motion.commanded_tool)
            goal = goals[0]
            if step % FRAME_STEPS == 0:
                self._record(decision, expert, valid)
            self._advance(goal)
            step += 1
            path.append(self.motion.q.copy())
            if step % FRAME_STEPS == 0:
                self.rows["action"].append(path[-1])
                self.rows["action.path"].append(np.concatenate(path))
                path = []
            if decision.done:
                done_steps += 1
                if done_steps * DT_S >= DONE_S and step % FRAME_STEPS == 0:
                    self.finished = True
                    return
            else:
                done_steps = 0

    def _prepare(self) -> None:
        """Take what is to be in the hand at the start, unrecorded."""
        expert = Expert(self.simulation, [Step("pick", self.disturbance.held)])
        for _ in range(round(LIMIT / DT_S)):
            decision = expert.decide(self._view())
            if decision.done:
                self.disturbance.happened = True
                return
            self._advance(decision.goals[0])

    def _advance(self, goal: ToolGoal) -> None:
        before, after = self.motion.q, self.motion.step(goal)
        for tick in range(1, CONTROL_TICKS + 1):
            self.simulation.controller.command((before + (after - before) * tick / CONTROL_TICKS).tolist())
            self.simulation.tick()

    def _view(self) -> ExpertObservation:
        q, dq = self.simulation.q, self.simulation.dq
        return ExpertObservation(
            self.simulation.time_s,
            self._tool(q),
            self.motion.commanded_tool,
            float(q[-1]),
            float(dq[-1]),
            self.simulation.gripped(),
        )

    def _tool(self, q: Array) -> Array:
        pose = self.kinematics.forward(q)
        return np.array([*pose[:3, 3], math.atan2(pose[1, 0], pose[0, 0])])

    def _record(self, decision: ExpertDecision, expert: Expert, valid: bool) -> None:
        simulation, rows = self.simulation, self.rows
        mujoco.mj_kinematics(simulation.model, simulation.data)
        mujoco.mj_camlight(simulation.model, simulation.data)
        objects = simulation.scene.objects
        names = [item.name for item in objects]
        rows["observation.state"].append(simulation.q.copy())
        rows["observation.velocity"].append(simulation.dq.copy())
        rows["label.tool"].append(self._tool(simulation.q))
        goals = [list(goal) for goal in decision.goals[:WAYPOINTS]]
        goals += [goals[-1]] * (WAYPOINTS - len(goals))
        rows["label.waypoints"].append(np.array(goals).reshape(-1))
        poses = [simulation.object_pose(name) for name in names]
        table = np.zeros((THINGS, 4))
        for row, item, pose in zip(table, objects, poses, strict=False):
            row[:] = *pose[:3, 3], heading(item.shape, pose)
        rows["label.things"].append(table.reshape(-1))
        pixels = np.zeros((len(CAMERAS), THINGS, 3))
        for index, camera in enumerate(CAMERAS):
            T_base_camera = simulation.camera_pose(camera)
            rows[f"label.camera_{camera}"].append(xyz_quaternion(T_base_camera))
            pixels[index, : len(objects)] = self.probe.measure(camera, T_base_camera, self.fixed[camera], poses)
            if self.camera_renderer is not None:
                image = self.camera_renderer.render(simulation.data, camera)
                self.images[camera].append(jpeg.encode(image, QUALITY))
        rows["label.pixels"].append(pixels.reshape(-1))
        rows["label.start"].append(expert.start.copy())
        rows["label.progress"].append([decision.progress])
        rows["label.phase"].append([decision.phase])
        rows["label.step"].append([decision.step])
        rows["label.x"].append([names.index(decision.x)])
        sides = {"left": LEFT, "right": RIGHT, "": NOTHING}
        rows["label.y"].append([sides[decision.y] if decision.y in sides else names.index(decision.y)])
        held = expert.held
        rows["label.holding"].append([names.index(held) if held else NOTHING])
        rows["label.done"].append([int(decision.done)])
        rows["label.valid"].append([int(valid)])
        self.subtasks.append(decision.subtask)

    def episode(self, seed: int, wanted: TaskFilter) -> RecordedEpisode:
        columns = {
            key: np.asarray(self.rows[key], feature.dtype).reshape(-1, *feature.shape)
            for key, feature in FEATURES.items()
            if key != "subtask_index"
        }
        scene, task = self.simulation.scene, self.simulation.task
        about = {
            "seed": seed,
            "kind": task.kind,
            "instruction": task.instruction,
            "steps": [{"kind": step.kind, "x": step.x, "y": step.y} for step in task.steps],
            "things": [{"name": item.name, "shape": item.shape, "colour": item.colour} for item in scene.objects],
            "recovery": self.disturbance.recovery,
            "renderer": self.renderer,
            "seconds": len(self.subtasks) / FPS,
            "wanted": str(wanted),
        }
        return RecordedEpisode(columns, self.images, self.subtasks, about)


class _VisibilityProbe:
    """Tells where objects are in an image and how much of them is seen, by rays to five points of each."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._objects: tuple[SceneObject, ...] = simulation.scene.objects
        self._bodies = np.array([simulation.model.body(body_name(item)).id for item in self._objects])

    def measure(self, camera: str, T_base_camera: Array, k: Array, poses: list[Array]) -> Array:
        """Return (objects, 3): column, row, visible share 0..1; 0, 0, 0 where an object is behind the camera.

        Args:
            camera: its name. T_base_camera: (4, 4) of the optical frame. k: (3, 3). poses: T_base_object of each object.
        """
        origin, rotation = T_base_camera[:3, 3], T_base_camera[:3, :3]
        targets = []
        for item, pose in zip(self._objects, poses, strict=True):
            centre = pose[:3, 3]
            right, down = rotation[:, 0] * item.radius * RIM, rotation[:, 1] * item.height / 2 * RIM
            targets += [centre, centre + right, centre - right, centre + down, centre - down]
        points = np.array(targets)
        rays = points - origin
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        model = self._simulation.model
        geoms, _ = first_hits(model, self._simulation.data, camera, rays)
        bodies = np.where(geoms >= 0, model.geom_bodyid[geoms], -1)
        hit = bodies.reshape(-1, 5) == self._bodies[:, None]
        local = (points - origin) @ rotation
        pixels = local @ k.T
        with np.errstate(divide="ignore", invalid="ignore"):
            pixels = pixels[:, :2] / pixels[:, 2:]
        inside = (local[:, 2] > 0.02) & (np.abs(pixels - (SIZE - 1) / 2) <= SIZE / 2).all(1)
        seen = (hit & inside.reshape(-1, 5)).mean(1)
        centre = np.where(local[::5, 2:] > 0.02, pixels[::5], 0.0)
        return np.column_stack([np.clip(centre, -SIZE, 2 * SIZE), seen])
