"""Mutants of the rules on the arm's bodies, their speeds and distances."""

from __future__ import annotations

from test.mutation.mutant import switched_off

GEOMETRY_MUTANTS = (
    *(
        switched_off(rule, "whole", f"    {name},\n", "", "filter")
        for rule, name in (
            ("tool_orientation", "ToolOrientation"),
            ("stop_distance", "StopDistance"),
            ("momentum", "Momentum"),
            ("cartesian_speed", "CartesianSpeed"),
            ("reduced_mode", "ReducedMode"),
            ("separation", "Separation"),
        )
    ),
    switched_off("clearance", "not a number", "if math.isnan(distance):", "if False:", "geometry.arm_model"),
    switched_off("clearance", "work, speed", "if not _within_budget(state, 1):", "if False:", "geometry.clearance"),
    switched_off("clearance", "work, stale", "state.queries += len(outdated)", "pass", "geometry.clearance"),
    switched_off("obstacle", "frame of the arm", "if self._frame != arm.root:", "if False:", "geometry.obstacle"),
    switched_off(
        "obstacle",
        "not placed",
        'state.refused = "the newest obstacles could not be placed"',
        "pass",
        "geometry.obstacle",
    ),
    switched_off(
        "cartesian_speed", "links", "limits[link] = min(limits[link], limit)", "pass", "geometry.cartesian_speed"
    ),
    switched_off("cartesian_speed", "slower", "if least >= 1000:", "if True:", "arm_motion"),
    switched_off(
        "cartesian_speed",
        "curvature",
        "remainder = products.dot(parts.curvature) + ",
        "remainder = ",
        "geometry.path_bounds",
    ),
    switched_off(
        "cartesian_speed",
        "way to rest",
        "bound: Array = np.maximum.reduceat(at_corners, self._cuts.corner_begins) + remainder",
        "bound: Array = np.maximum.reduceat(at_corners, self._cuts.corner_begins) * 0.9 + remainder",
        "geometry.path_bounds",
    ),
    switched_off(
        "reduced_mode", "silence", "or state.now_ns - heard_ns > self._timeout_ns", "", "geometry.reduced_mode"
    ),
    switched_off(
        "reduced_mode",
        "not heard yet",
        "or heard_ns is None or",
        "or heard_ns is not None and",
        "geometry.reduced_mode",
    ),
    switched_off(
        "reduced_mode",
        "planes",
        "pieces = self._pieces_beyond(path)",
        "pieces = self._pieces_beyond(path) & False",
        "geometry.reduced_mode",
    ),
    switched_off(
        "reduced_mode",
        "before the plane",
        "return self._beyond(reach + moved[:, :, None])",
        "return self._beyond(reach - 0.1)",
        "geometry.reduced_mode",
    ),
    switched_off(
        "reduced_mode", "joints", "over = rates > self._rates + 1e-9", "over = rates > np.inf", "geometry.reduced_mode"
    ),
    switched_off(
        "stop_distance",
        "time",
        "if self._time_s and path.quick_ticks > self._ticks and path.ticks > self._ticks:",
        "if False:",
        "geometry.stop_distance",
    ),
    switched_off("stop_distance", "distance", "if not self._distance_m or", "if True or", "geometry.stop_distance"),
    switched_off(
        "momentum",
        "momentum",
        "if self._momentum and not momentum <= self._momentum:",
        "if False:",
        "geometry.momentum",
    ),
    switched_off("momentum", "power", "if self._power and not power <= self._power:", "if False:", "geometry.momentum"),
    switched_off("momentum", "masses", "if missing:", "if False:", "geometry.momentum"),
    switched_off("separation", "distance", "if not distance >= needed:", "if False:", "geometry.separation"),
    switched_off(
        "separation",
        "age",
        "return 0.0 if heard_ns is None else max(0, state.now_ns - heard_ns) / NANO",
        "return 0.0",
        "geometry.separation",
    ),
    switched_off(
        "separation",
        "intrusion",
        "(self._own.intrusion_m if obstacle.kind == HUMAN else 0.0)",
        "0.0",
        "geometry.separation",
    ),
    switched_off(
        "separation",
        "unknown velocity",
        "return self._own.human_speed_m_s if obstacle.velocity is None else",
        "return 0.0 if obstacle.velocity is None else",
        "geometry.separation",
    ),
    switched_off(
        "tool_orientation",
        "way to rest",
        "self._bounds(path.placement, path.boxes[1])",
        "self._angles(path.placement) * 0.0",
        "geometry.tool_orientation",
    ),
    switched_off(
        "tool_orientation",
        "arm",
        "            return self._verdict(angle)\n",
        "            return None\n",
        "geometry.tool_orientation",
    ),
    switched_off(
        "fence",
        "pairs",
        "= (Fence, Table, KeepOut, Obstacles, SelfCollision)",
        "= (Table, KeepOut, Obstacles, SelfCollision)",
        "geometry.collision_constraints",
    ),
    switched_off(
        "table",
        "pairs",
        "= (Fence, Table, KeepOut, Obstacles, SelfCollision)",
        "= (Fence, KeepOut, Obstacles, SelfCollision)",
        "geometry.collision_constraints",
    ),
    switched_off(
        "keep_out",
        "pairs",
        "= (Fence, Table, KeepOut, Obstacles, SelfCollision)",
        "= (Fence, Table, Obstacles, SelfCollision)",
        "geometry.collision_constraints",
    ),
    switched_off(
        "self_collision",
        "pairs",
        "= (Fence, Table, KeepOut, Obstacles, SelfCollision)",
        "= (Fence, Table, KeepOut, Obstacles)",
        "geometry.collision_constraints",
    ),
    switched_off(
        "obstacle",
        "pairs",
        "= (Fence, Table, KeepOut, Obstacles, SelfCollision)",
        "= (Fence, Table, KeepOut, SelfCollision)",
        "geometry.collision_constraints",
    ),
    switched_off("obstacle", "feed, tick", "    ObstacleFeed,\n", "", "filter"),
    switched_off(
        "obstacle", "feed, arm", "first_verdict(setup.feed, state, now_ns) or setup.motion", "setup.motion", "takeover"
    ),
    switched_off(
        "obstacle", "refused list", "state.refused = self._fault(obstacles)", 'state.refused = ""', "geometry.obstacle"
    ),
    switched_off(
        "obstacle",
        "moved",
        "active_set.shapes_moved(distances, self._first_pair(k), self._pairs_per_slot, displacement_m)",
        "pass",
        "geometry.obstacle",
    ),
    switched_off(
        "obstacle",
        "new",
        "active_set.shapes_replaced(distances, self._first_pair(k), self._pairs_per_slot, in_use=True)",
        "pass",
        "geometry.obstacle",
    ),
    switched_off(
        "obstacle",
        "shape",
        "self._arm.replace_fixed_shape(self._shapes[k], shape, pose)",
        "pass",
        "geometry.obstacle",
    ),
    switched_off(
        "obstacle", "moved, model", "self._arm.move_fixed_shape(self._shapes[k], pose)", "pass", "geometry.obstacle"
    ),
    switched_off(
        "clearance",
        "arm",
        "verdict = self.constraints.restart(state)",
        "verdict = None",
        "arm_motion",
    ),
    switched_off(
        "clearance",
        "candidate",
        "        return self.constraints.violation(state, before)",
        "        return None",
        "arm_motion",
    ),
    switched_off(
        "tool_orientation",
        "slides",
        "of_joints = np.where(nearing, np.minimum(shares, 1.0)[:, None], 1.0).min(axis=0, initial=1.0)",
        "of_joints = np.minimum(shares, 1.0).min(initial=1.0) * np.ones(len(rates))",
        "geometry.approach",
    ),
    switched_off(
        "reduced_mode",
        "slower before a plane",
        "return self._permille_before(q, rates, rooms[0])",
        "return 1000",
        "geometry.reduced_mode",
    ),
    switched_off(
        "clearance",
        "slower before a margin",
        "state.slides |= bool((found < margin + SLIDE_AHEAD_M).any())",
        "pass",
        "geometry.clearance",
    ),
    switched_off(
        "clearance",
        "slower along it",
        "left = np.minimum(left, int(shares.min(initial=1000.0)))",
        "pass",
        "geometry.clearance",
    ),
    switched_off(
        "clearance",
        "slides",
        "            state.distances.slides = True",
        "            pass",
        "geometry.collision_constraints",
    ),
    switched_off("clearance", "smaller step", "if self._violation(state, before) is None:", "if True:", "arm_motion"),
    switched_off(
        "clearance",
        "slower near",
        "permille, nearest = (1000, None) if constraints is None else constraints.speed_permille(state)",
        "permille, nearest = (1000, None)",
        "arm_motion",
    ),
    switched_off(
        "clearance",
        "bound follows the arm",
        "            state.active_distance -= approach_bound(self.pairs(state).lever_arms, lengths)",
        "            pass",
        "geometry.active_set",
    ),
    switched_off(
        "clearance",
        "bound of what is far follows the arm",
        "state.travelled = [travelled + length for travelled, length in zip(state.travelled, lengths, strict=True)]",
        "pass",
        "geometry.active_set",
    ),
    switched_off(
        "clearance",
        "refresh, tick",
        "if not self.active_set.covers(state, [0] * len(joints)):",
        "if False:",
        "geometry.clearance",
    ),
    switched_off(
        "clearance",
        "refresh, candidate",
        "if not self.active_set.covers(state, path_lengths):",
        "if False:",
        "geometry.clearance",
    ),
    switched_off("clearance", "active", "if not state.may_hold:", "if True:", "geometry.clearance"),
    switched_off(
        "clearance",
        "way to rest",
        "return approach or self._path_violation(state, joints, unproven[~below])",
        "return approach",
        "geometry.clearance",
    ),
    switched_off(
        "clearance",
        "near pairs",
        "return approach or self._path_violation(state, joints, unproven[~below])",
        "return self._path_violation(state, joints, unproven[~below])",
        "geometry.clearance",
    ),
    switched_off(
        "clearance",
        "each near pair by itself",
        "inside = least < margin - SAMPLE_MARGIN_M",
        "inside = least < margin - 1e9",
        "geometry.clearance",
    ),
    switched_off(
        "obstacle",
        "feed, stall",
        "first_verdict((setup.fresh, setup.at_rest, *setup.feed), state, now_ns)",
        "first_verdict((setup.fresh, setup.at_rest), state, now_ns)",
        "takeover",
    ),
)
