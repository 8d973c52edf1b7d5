"""System 2 of `compact`: pictures, words and joints become latent tokens, a subtask in words and waypoints."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vla_ros.policies.compact import projection
from vla_ros.policies.compact.camera_offset import Aim
from vla_ros.policies.compact.checkpoint import bind, load, observations
from vla_ros.policies.compact.checkpoint_folder import folder_of
from vla_ros.policies.compact.features import (
    FINGER_M,
    SPEED_M_S,
    nearest_turn,
    object_features,
    pointing_down,
    push_angle,
    state_features,
    yaw_of,
)
from vla_ros.policies.compact.graphs import Graphs
from vla_ros.policies.compact.model_config import (
    ANCHORS,
    COLOURS,
    FOLDS,
    PUSHES,
    ROLES,
    SIDES,
    SUBTASKS,
    WAYPOINT,
    WORDING,
)
from vla_ros.policies.compact.object_tracker import Memory, Sighting
from vla_ros.policies.compact.subtask_selector import Choice
from vla_ros.policies.compact.vocabulary import words_of
from vla_ros.policies.contract import CameraHealth, CameraView, Frames, Instruction, JointState, Plan, PlanState
from vla_ros.policies.policy_parameters import CompactParameters
from vla_ros.policies.registry import Robot
from vla_ros.robot.kinematics import Kinematics
from vla_ros.sim.scene import CONTAINERS
from vla_ros.tasks.phrasings import ADJECTIVES, NOUNS
from vla_ros.time import NS_PER_S
from vla_ros.transforms import pose

Array = NDArray[np.float64]

KIND = "features"
TOOL = 2  # after x and y, in what was seen
FIXATIONS = 2  # times that a place is looked at again
SAME = 3.0  # cells between two looks, within which it is the same thing
PUSH = "push {x}"
IN_HAND = ("lift {x}", "carry {x} to {y}", "put {x} on {y}", "let go of {x}", PUSH)
PASSED = ("lift {x}",)  # the hand need not stop after these; after all others it waits until they are seen to be done
APART_M = 0.1  # a thing that is seen farther than this from hand, container or tower is not in it or on it
HIDES_M = 0.1  # so far round about itself the hand hides, or holds, what is there
RESTS_M = 0.13  # no thing that another is brought to is higher over the table, on whatever it may stand
DONE_LOOKS = 3  # in a row that must say so before a step counts as done, and the arm rests by then:
RETREAT, CLEAR_M = "leave {x} there", 0.05  # so far back before it goes up: a corner may stand between the fingers
REACH_M = 0.78  # from the first joint's axis; farther out the arm is nearly straight
WRIST_MARGIN = 0.5  # rad from its limits that the wrist keeps where it can: the rest of the arm turns it, too
AT_REST = 0.03  # rad/s of every joint; commands that end in mid-motion are a stop of the filter
SURE = 0.8  # that a word tells a colour or a shape
UNSURE_S = 1.5  # that something may stay out of sight before it is said
STEP_LIMIT_S = 40.0  # that one step may take while the arm may move
BLIND_S = 1.0  # without a picture: the time beyond this does not count
COLOUR_OF = {word: colour for colour in COLOURS[1:] for word in (colour, *ADJECTIVES.get(colour, ()))}
SHAPE_OF = {word: shape for shape, words in NOUNS.items() for word in words}
# What a wish must hold when it is said. Of other nouns not: "can" is a verb too, and a colour finds a thing by itself.
NAMES = COLOUR_OF | {word: shape for word, shape in SHAPE_OF.items() if shape in CONTAINERS} | {s: s for s in SIDES[1:]}
CLAUSE = re.compile(r"[,;.]|\bthen\b")  # what stands between two clauses


class CompactSystem2:
    """The planning half. Args: robot: the arm. parameters: options of the policy.

    Raises:
        ParameterError: there is no such checkpoint. JointNamesError: it is of another robot.
    """

    def __init__(self, robot: Robot, parameters: CompactParameters) -> None:
        self._checkpoint = load(folder_of(parameters))
        self.checkpoint = self._checkpoint.hash
        self._order = bind(self._checkpoint, robot.joint_names)
        self.statistics = observations(self._checkpoint, robot.joint_names)
        self._gripper = self._checkpoint.joint_names.index(self._checkpoint.gripper)
        self._finger = list(robot.joint_names).index(self._checkpoint.gripper)
        self._parameters = parameters
        self._sizes = self._checkpoint.sizes
        self._kinematics = Kinematics(robot.urdf, robot.joint_names, robot.tool_frame)
        self._graphs = Graphs(self._checkpoint, ("language", "look", "fixate", "fuse"))
        self._aims: dict[int, Aim] = {}
        self._p_tool: Array | None = None
        self._begin(Instruction(0, ""))

    def _begin(self, instruction: Instruction) -> None:
        self._instruction = instruction
        self._read = False
        self._end: Plan | None = None
        self._step = 0
        self._begin_step(0)

    @property
    def _bare(self) -> NDArray[np.bool_]:
        """(3,) which of x, y and the tool are things that are named without a colour, though they have one."""
        wish = self._wishes[self._step]
        bare = (
            wish[f"{role}_colour"] == "none" and wish[f"{role}_shape"] not in ("none", *CONTAINERS) for role in ROLES
        )
        return np.array([*bare, False])

    def _begin_step(self, stamp_ns: int) -> None:
        self._memories = (Memory(), Memory())
        self._start: Array | None = None
        self._pushed = False
        self._choice, self._done = Choice(self._parameters.hysteresis), 0
        self._looked_ns = stamp_ns
        self._looked_s = self._tried_s = 0.0

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        """Return what to do now; see `contract.System2`."""
        if instruction != self._instruction:
            self._begin(instruction)
        hold = Plan(frames.stamp_ns, instruction, PlanState.HOLD)
        if not instruction.text.strip():
            return hold
        if self._end is not None:
            return replace(self._end, frame_stamp_ns=frames.stamp_ns)
        views = []
        for name in self._sizes.cameras:
            view = frames.views.get(name)
            if view is None or view.health is not CameraHealth.OK:
                fault = "is absent" if view is None else view.health.name.lower().replace("_", " ")
                return replace(hold, reasoning=f"camera {name!r}: {fault}")
            if view.k is None or view.T_base_camera is None:
                missing = "CameraInfo" if view.k is None else "pose"
                return replace(hold, reasoning=f"camera {name!r}: its {missing} is not known")
            views.append(view)
        if not self._read:
            refused = self._listen(instruction.text)
            if refused:
                return self._ended(hold, PlanState.REFUSED, refused, self._understood)
            self._begin_step(frames.stamp_ns)
        return self._think(hold, views, joint_state)

    # Words: once for each instruction.

    def _listen(self, text: str) -> str:
        """Read the words; returns why they are refused, or nothing."""
        words, self._understood = words_of(text), 0.0
        if len(words) > self._sizes.words:
            return f"not understood; longer than {self._sizes.words} words and signs"
        if "or" in words:
            return 'not understood; say which one, without "or"'
        encoded = self._checkpoint.vocabulary.encode(text, self._sizes.words)
        self._steps, self._queries, wording, understood = self._graphs("language", encoded[None])
        self._wishes = [self._wish(row) for row in wording[0]]
        verbs = [wish["verb"] for wish in self._wishes]
        self._count = verbs.index("none") if "none" in verbs else len(verbs)
        known = all(_told(row) for row in wording[0][: self._count])
        unknown = self._checkpoint.vocabulary.unknown(text)
        # "The red spoon" tells its colour, and yet it is not the red cube that is meant; nor is "the pink cube" any cube.
        strange = any(
            word in unknown and (before in COLOUR_OF or (before == "the" and after in SHAPE_OF))
            for before, word, after in zip(["", *words], words, [*words[1:], ""], strict=False)
        )
        left_over = _left_over(text, self._wishes[: self._count])
        if self._count and known and not strange and not left_over:
            self._understood = 1 / (1 + math.exp(-float(understood[0])))
        if self._understood <= 0 or self._understood < self._parameters.least_understood:
            why = {"unknown words": unknown, "left over": left_over}
            told = (f"{name}: {', '.join(those)}" for name, those in why.items() if those)
            return "; ".join(["not understood", *told])
        self._read = True
        return ""

    def _wish(self, row: NDArray[np.float32]) -> dict[str, str]:
        wish, first = {}, 0
        for name, words in WORDING:
            wish[name] = words[int(row[first : first + len(words)].argmax())]
            first += len(words)
        return wish

    def _name(self, role: str) -> str:
        wish = self._wishes[self._step]
        words = [wish[f"{role}_{part}"] for part in ("colour", "shape")]
        named = " ".join(word for word in words if word != "none")
        return f"the {named}" if named else f"the {wish['side']}"

    # Pictures, each time.

    def _think(self, hold: Plan, views: list[CameraView], joint_state: JointState) -> Plan:
        stamp_ns = hold.frame_stamp_ns
        q = joint_state.q[self._order]
        speed = float(joint_state.dq[self._order][self._gripper])
        T_base_tool = self._kinematics.forward(joint_state.q)
        p_tool, yaw = T_base_tool[:3, 3] - (0.0, 0.0, self._parameters.table_height_m), yaw_of(T_base_tool[:3, :3])
        finger = float(q[self._gripper])
        passed_s, self._looked_ns = (stamp_ns - self._looked_ns) / NS_PER_S, stamp_ns
        counted_s = min(passed_s, BLIND_S)
        self._looked_s += counted_s
        self._tried_s += counted_s if joint_state.may_move else 0.0
        coarse = self._look(views, passed_s, p_tool)
        x, y = self._memories
        wish = self._wishes[self._step]
        needed = [x] + ([y] if wish["y_shape"] != "none" else [])
        seen = self._understood * min(memory.seen for memory in needed)
        if not all(memory.known for memory in needed):
            role = "x" if not x.known else "y"
            words = f"cannot see {self._name(role)}"
            if self._looked_s > UNSURE_S:
                touched = self._step > 0
                return self._ended(hold, PlanState.FAILED if touched else PlanState.REFUSED, words, seen)
            return replace(hold, reasoning=words, confidence=seen)
        if self._start is None:
            self._start = x.p.copy()
        places = np.stack([x.p, y.p if y.known else np.zeros(3)])
        there = np.array([1.0, float(y.known and wish["y_shape"] != "none")])
        features = object_features(
            places * there[:, None],
            np.stack([x.yaw4, y.yaw4]) * there[:, None],
            np.array([x.seen, y.seen]) * there,
            np.array([x.sigma, y.sigma]),
            p_tool,
            np.stack([self._start, x.p]),
        )
        arm = np.delete(q, self._gripper)
        state = state_features(arm, np.array(finger), np.array(speed), p_tool, yaw)
        latents, logits, progress, ways, anchors = self._graphs(
            "fuse",
            self._steps[:, self._step],
            (features * there[:, None]).astype(np.float32)[None],
            state.astype(np.float32)[None],
            coarse,
        )
        share = np.exp(logits[0] - logits[0].max())
        if apart(wish["verb"], x.p, y.p, p_tool):
            share[SUBTASKS.index("done")] = 0.0
        share /= share.sum()
        at_rest = bool(np.abs(np.delete(joint_state.dq, self._finger)).max() < AT_REST)
        subtask = self._choice.look(share, at_rest and joint_state.may_move)
        confidence = float(seen * share[subtask])
        self._pushed |= SUBTASKS[subtask] == PUSH
        if SUBTASKS[subtask] == "done" and share[subtask] > 0.5:
            self._done += 1
            if self._done == DONE_LOOKS and wish["side"] != "none" and not self._pushed:
                self._start, self._done = x.p.copy(), 0  # nobody pushed it: the first look was off
            if self._done >= DONE_LOOKS and at_rest:
                return self._finish_step(hold, confidence)
        else:
            self._done = 0
        if self._tried_s > STEP_LIMIT_S:
            return self._ended(hold, PlanState.FAILED, f"{self._words(subtask)}: it takes too long", confidence)
        waypoints = self._waypoints(subtask, ways[0, subtask], anchors[0, subtask], p_tool, float(yaw), joint_state.q)
        data = np.zeros((self._sizes.latents + len(waypoints), self._sizes.latent), np.float32)
        data[: self._sizes.latents] = latents[0]
        told = waypoints if SUBTASKS[subtask] in PASSED else waypoints[:1]
        data[self._sizes.latents :, : waypoints.shape[1]] = told  # one for all rows, where it waits
        share_done = 1 / (1 + math.exp(-float(progress[0])))
        return Plan(
            stamp_ns,
            self._instruction,
            PlanState.ACTIVE,
            subtask=self._words(subtask),
            reasoning=self._told(needed),
            kind=KIND,
            data=data,
            path=np.stack([self._pose(row) for row in waypoints]),
            progress=(self._step + share_done) / self._count,
            confidence=confidence,
        )

    def _told(self, needed: list[Memory]) -> str:
        """What the subtask was chosen on: which step it is, and where its things are, to the centimetre."""
        places = (
            f"{self._name(role)} at {memory.p[0]:.2f}, {memory.p[1]:.2f} m"
            for role, memory in zip("xy", needed, strict=False)
        )
        return f"step {self._step + 1} of {self._count}; {', '.join(places)}"

    def _look(self, views: list[CameraView], passed_s: float, p_tool: Array) -> NDArray[np.float32]:
        """Take a look into the memories, and a second one at what was found; returns the coarse features."""
        size = self._sizes.image
        sharp = [projection.reduced(view.image, projection.SHARP * size) for view in views]
        queries = self._queries[:, self._step]
        scores, heights, coarse = self._graphs(
            "look", np.stack([projection.reduced(image, size) for image in sharp]), queries
        )
        way = np.inf if self._p_tool is None else float(np.linalg.norm(p_tool - self._p_tool))
        speed, self._p_tool = way / max(passed_s, 1e-3), p_tool
        carried = self._choice.subtask >= 0 and SUBTASKS[self._choice.subtask] in IN_HAND
        for index, view in enumerate(views):
            camera = self._camera(view)
            aim = self._aims.setdefault(index, Aim())
            remembered = np.full((len(self._memories), 3), np.nan)
            for role, memory in enumerate(self._memories):
                if memory.known:
                    pixel = projection.blunter(projection.sharper(camera.project(memory.p)[:2]) + aim.shift)
                    height = p_tool[2] if carried and role == 0 else memory.rest_m
                    remembered[role] = *projection.to_cells(pixel), 10 * height
            pixels, known, seen = self._find(sharp[index], scores[0, index], heights[0, index], queries, remembered)
            aim.look(pixels[TOOL], projection.sharper(camera.project(p_tool)[:2]), float(seen[TOOL]), speed)
            points = camera.at_height(projection.blunter(pixels - aim.shift), projection.height_m(known[:, 2]))
            for role, memory in enumerate(self._memories):
                if role == 1 and other(memory, points[role], p_tool, carried):
                    continue
                if role == 0 and self._bare[role] and hidden(memory, points[role], p_tool):
                    continue
                sigma, there = (
                    float(projection.doubt_m(known[role, 5])),
                    float(projection.there(seen[role], known[role])),
                )
                memory.look(Sighting(points[role], sigma, known[role, 3:5], there), passed_s, carried and role == 0)
        return coarse

    def _camera(self, view: CameraView) -> projection.Pinhole:
        """Return the camera of a view for pictures as the network sees them, over the table."""
        assert view.k is not None and view.T_base_camera is not None
        height, width = view.image.shape[:2]
        T_base_camera = view.T_base_camera.copy()
        T_base_camera[2, 3] -= self._parameters.table_height_m
        return projection.Pinhole(projection.scaled(view.k, height, width, self._sizes.image), T_base_camera)

    def _find(
        self,
        picture: NDArray[np.uint8],
        scores: NDArray[np.float32],
        heights: NDArray[np.float32],
        queries: NDArray[np.float32],
        remembered: Array,
    ) -> tuple[Array, Array, Array]:
        """Return pixels (3, 2) of the sharp picture, what is known there (3, SEEN) and how sure the first look is of it (3,).

        What is remembered is taken, where the second look agrees; else the place that the first look finds best. That is led
        by the colour: of what is named without one it finds several, of which the second look chooses, and the height that
        it says is of all of them.

        Args:
            remembered: (2, 3) cells u, v and height (dm) of x and y where they have been seen before, else not numbers.
        """
        cells, shares, seen = projection.places(scores, projection.PLACES)
        likely = shares > projection.RIVAL * shares[0]
        bare, first, before = self._bare, heights.copy(), np.zeros(len(seen), bool)
        rivals = likely & bare
        for role in np.flatnonzero(np.isfinite(remembered).all(1)):
            away = np.where(likely[:, role], np.abs(cells[:, role] - remembered[role, :2]).max(-1), np.inf)
            nearest = int(away.argmin())
            before[role] = away[nearest] < SAME
            if before[role] and (nearest or bare[role]):
                cells[[0, nearest], role], first[role] = cells[[nearest, 0], role], remembered[role, 2]
                rivals[nearest, role] = True
        pixels, known = self._again(picture, cells[0], first, queries)
        for cell, rival in zip(cells[1:], rivals[1:], strict=True):
            sought = rival & ~(before & (known[:, projection.MEANT] > 0))
            if not sought.any():
                continue
            near, told = self._again(picture, np.where(sought[:, None], cell, cells[0]), heights, queries)
            better = (sought & (told[:, projection.MEANT] > known[:, projection.MEANT]))[:, None]
            pixels, known = np.where(better, near, pixels), np.where(better, told, known)
        return pixels, known, seen

    def _again(
        self, picture: NDArray[np.uint8], cells: Array, heights: NDArray[np.float32], queries: NDArray[np.float32]
    ) -> tuple[Array, Array]:
        """Return pixels (3, 2) of the sharp picture near cells (3, 2), and what is known there (3, SEEN): looked at twice,
        the second time where the first one led."""
        side, pixels = self._sizes.fovea, projection.sharper(projection.to_pixels(cells))
        for _ in range(FIXATIONS):
            middles = np.rint(pixels).astype(int)
            patches = np.stack([projection.patch(picture, middle, side) for middle in middles])
            spots = np.concatenate([projection.spot(middles, len(picture)), heights[:, None]], 1).astype(np.float32)
            known = self._graphs("fixate", patches[None], queries, spots[None])[0][0].astype(np.float64)
            pixels = middles + np.clip(known[:, :2], -1.5, 1.5) * projection.REACH_PX
        return pixels, known

    def _words(self, subtask: int) -> str:
        words = SUBTASKS[subtask]
        if self._wishes[self._step]["y_shape"] == "bowl":
            words = words.replace(" on ", " in ")
        return words.format(x=self._name("x"), y=self._name("y"))

    def _waypoints(
        self, subtask: int, ways: NDArray[np.float32], anchors: NDArray[np.float32], p_tool: Array, yaw: float, q: Array
    ) -> Array:
        """Return rows x, y, z over the table, yaw, gripper (m), speed (m/s) of the waypoints ahead."""
        x, y = self._memories
        start = x.p if self._start is None else self._start
        ahead = push_angle(self._wishes[self._step]["side"], start, y.p)
        places = dict(zip(ANCHORS, (x.p, y.p if y.known else p_tool, start, p_tool), strict=True))
        rows = []
        for number, (way, anchor) in enumerate(zip(ways.astype(np.float64), anchors, strict=True)):
            assert len(way) == WAYPOINT
            fold = FOLDS[min(subtask + number, len(FOLDS) - 1)]
            way_of = ahead if PUSHES[min(subtask + number, len(FOLDS) - 1)] else 0.0
            c, s = math.cos(way_of), math.sin(way_of)
            offset = np.array([c * way[0] - s * way[1], s * way[0] + c * way[1]]) / 10
            spot = places[ANCHORS[int(anchor.argmax())]][:2] + offset
            spot *= REACH_M / max(REACH_M, float(np.hypot(*spot)))
            turned = np.array(math.atan2(way[4], way[3]) / fold + way_of)
            angle = nearest_turn(turned, fold, np.array(yaw), self._room(q, p_tool, yaw, spot))
            gripper, speed = np.clip(way[5], 0.0, 1.0) * FINGER_M, np.clip(way[6], 0.1, 1.0) * SPEED_M_S
            height = max(way[2] / 10, self._parameters.least_height_m)
            if SUBTASKS[subtask] == RETREAT and float(np.hypot(*(p_tool - x.p)[:2])) < CLEAR_M:
                height = min(height, max(p_tool[2], self._parameters.least_height_m))
            rows.append([*spot, height, float(angle), gripper, speed])
        return np.array(rows)

    def _room(self, q: Array, p_tool: Array, yaw: float, spot: Array) -> tuple[float, float]:
        """Return the least and the largest yaw of the hand at `spot` (2,) that its wrist can follow: the last joint, which
        turns the other way round, and with the arm as a whole."""
        wrist = self._kinematics.arm[-1]
        lower, upper = self._kinematics.lower[wrist] + WRIST_MARGIN, self._kinematics.upper[wrist] - WRIST_MARGIN
        round_base = math.atan2(spot[1], spot[0]) - math.atan2(p_tool[1], p_tool[0])
        here = yaw + float(q[wrist]) + round_base
        return here - upper, here - lower

    def _pose(self, row: Array) -> Array:
        """Return xyz and quaternion xyzw in the base frame of a waypoint."""
        T_base_tool = np.eye(4)
        T_base_tool[:3, :3] = pointing_down(row[3])
        T_base_tool[:3, 3] = *row[:2], row[2] + self._parameters.table_height_m
        return pose(T_base_tool)

    def _finish_step(self, hold: Plan, confidence: float) -> Plan:
        if self._step + 1 == self._count:
            return self._ended(hold, PlanState.DONE, "seen to be done", confidence)
        self._step += 1
        self._begin_step(hold.frame_stamp_ns)
        return replace(
            hold, subtask="done", reasoning=f"next: step {self._step + 1}", progress=self._step / self._count
        )

    def _ended(self, hold: Plan, state: PlanState, why: str, confidence: float) -> Plan:
        done = state is PlanState.DONE
        self._end = replace(
            hold,
            state=state,
            subtask="done" if done else "",
            reasoning=why,
            progress=1.0 if done else math.nan,
            confidence=confidence,
        )
        return self._end


def apart(verb: str, x: Array, y: Array, p_tool: Array) -> bool:
    """Return whether x (3,) is seen so far from the hand, or from y (3,), that a step of this verb cannot be done."""
    there = {"pick": p_tool, "place": y, "stack": y}.get(verb, x)
    return float(np.hypot(*(x - there)[:2])) > APART_M


def hidden(memory: Memory, p: Array, p_tool: Array) -> bool:
    """Return whether the hand hides what is remembered, so that what is seen at p (3,), far from it, is another thing."""
    away, over = (float(np.hypot(*way[:2])) for way in (p - memory.p, p_tool - memory.p))
    return memory.known and away > HIDES_M > over


def other(memory: Memory, p: Array, p_tool: Array, carried: bool) -> bool:
    """Return whether what is seen at p (3,) is another thing than the one remembered, which the hand brings something to: it
    is hidden, or the hand holds what is seen, which may be near. What is remembered in the air was seen wrong.

    Args:
        carried: whether the hand has something in it.
    """
    away, held = (float(np.hypot(*way[:2])) for way in (p - memory.p, p_tool - p))
    nearer = carried and bool(np.linalg.norm(p - p_tool) < np.linalg.norm(p - memory.p))
    rests = memory.known and float(memory.p[2]) < RESTS_M
    return rests and (nearer or away > HIDES_M > held or hidden(memory, p, p_tool))


def _told(row: NDArray[np.float32]) -> bool:
    """Return whether a known word tells what a step moves, and where to if that is a thing: its colour, or its shape."""
    ends = np.cumsum([len(words) for _, words in WORDING])[:-1]
    shares = {
        name: np.exp(part - part.max()) / np.exp(part - part.max()).sum()
        for (name, _), part in zip(WORDING, np.split(row.astype(np.float64), ends), strict=True)
    }
    sure = {role: max(shares[f"{role}_colour"][1:].max(), shares[f"{role}_shape"][1:].max()) for role in ROLES}
    return bool(sure["x"] > SURE and (sure["y"] > SURE or shares["y_shape"].argmax() == 0))


def _left_over(text: str, wishes: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the colours, containers and sides of `text` that no wish holds: of what was said, something has been left out.

    One that several clauses name is in as many wishes. A wish whose thing has no colour may be about any.
    """
    clauses = [{NAMES[word] for word in words_of(clause) if word in NAMES} for clause in CLAUSE.split(text.lower())]
    said = Counter(name for clause in clauses for name in clause)
    left = said - Counter(name for wish in wishes for name in wish.values())
    shapes = [wish[f"{role}_shape"] for wish in wishes for role in ROLES if wish[f"{role}_colour"] == "none"]
    bare = sum(shape not in ("none", *CONTAINERS) for shape in shapes)
    return sorted(left) if left.total() > bare else []
