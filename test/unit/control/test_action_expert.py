"""Which chunk is played, how the next one joins on, when it is asked for, what is void."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from vla_ros.control.action_expert import LEAD_NS, ActionExpert, ChunkRequest
from vla_ros.policies.contract import MOTION_ROWS, Chunk, Instruction, JointState, Plan, PlanState

DT_S, DT_NS = 0.02, 20_000_000
TICK_NS = 10_000_000
PERIOD_S, PERIOD_NS = 0.15, 150_000_000
ROS_NS = 1_000 * 1_000_000_000  # what ROS time is ahead of the monotonic clock
PLAN = Plan(ROS_NS, Instruction(1, "go"), PlanState.ACTIVE)
AT_REST = JointState(ROS_NS, np.zeros(2), np.zeros(2))


class Played:
    """An expert with a clock and a System 1 that adds 0.01 from point to point. The second joint is a gripper."""

    def __init__(self, transition: str = "real_time") -> None:
        self.expert = ActionExpert(transition, PERIOD_S, 0.15, np.array([True, False]))
        self.now_ns = 0
        self.expert.follow(PLAN)

    def request(
        self, joint_state: JointState | None = None, commanded: NDArray[np.float64] | None = None
    ) -> ChunkRequest:
        if joint_state is None:  # where it is told to be
            setpoint = self.expert.player.setpoint(self.stamp_ns)
            joint_state = JointState(self.stamp_ns, AT_REST.q if setpoint is None else setpoint, AT_REST.dq)
        return self.expert.request(joint_state, commanded, self.now_ns, self.ros_ns, self.stamp_ns)

    @property
    def ros_ns(self) -> int:
        return ROS_NS + self.now_ns

    @property
    def stamp_ns(self) -> int:
        return self.ros_ns + TICK_NS

    def accept(self, chunk: Chunk) -> tuple[Chunk, Chunk | None] | None:
        return self.expert.accept(chunk, self.now_ns, self.ros_ns)

    def after(self, ticks: int) -> Played:
        self.now_ns += ticks * TICK_NS
        return self


def computed(request: ChunkRequest, points: int = 30) -> Chunk:
    plan, _, previous, prefix_length, start_ns = request
    prefix = previous.positions[: max(prefix_length, 1)]
    more = prefix[-1] + 0.01 * np.arange(1, points - len(prefix) + 1)[:, None]
    return Chunk(np.concatenate([prefix, more]), DT_S, start_ns, plan.plan_id, plan.frame_stamp_ns, prefix_length)


def moving(transition: str = "real_time") -> Played:
    """One that plays its first chunk."""
    played = Played(transition)
    played.accept(computed(played.request()))
    return played.after(10)


def test_the_first_chunk_begins_at_the_arm_and_no_earlier_than_it_comes() -> None:
    played = Played()
    assert played.expert.due(0, True)
    first = played.request(AT_REST)
    assert (first.plan, first.joint_state, first.prefix_length, first.start_ns) == (
        PLAN,
        AT_REST,
        MOTION_ROWS,
        ROS_NS + LEAD_NS,
    )
    assert (first.previous.chunk_id, first.previous.start_ns) == (0, ROS_NS + LEAD_NS)
    assert np.array_equal(first.previous.positions, np.repeat(AT_REST.q[None, :], MOTION_ROWS, axis=0))
    taken = played.after(5).accept(computed(first))
    assert taken is not None
    chunk, before = taken
    assert (chunk.start_ns, chunk.chunk_id, chunk.prefix_length, before) == (played.ros_ns, 1, 0, None)
    assert played.expert.setpoint(played.ros_ns - 1) is None
    assert played.expert.setpoint(played.ros_ns) == pytest.approx(AT_REST.q)
    assert played.expert.frame_stamp_ns == ROS_NS


def test_the_next_one_goes_on_from_the_committed_points_without_a_jump() -> None:
    played = moving()
    request = played.request()
    assert request.previous.chunk_id and request.prefix_length > 0 and request.start_ns >= played.ros_ns
    alone = played.expert.setpoint(played.after(2).stamp_ns)
    taken = played.accept(computed(request))
    assert taken is not None and taken[1] is not None and taken[0].chunk_id == 2
    assert played.expert.setpoint(played.stamp_ns) == pytest.approx(alone)


@pytest.mark.parametrize("late_ns", [0, 1, 9_000_000], ids=["on time", "a hair late", "late"])
def test_a_chunk_that_comes_before_its_first_point_leaves_no_gap(late_ns: int) -> None:
    """The worker may be so quick that the chunk is there in the next tick, and its first point two ticks away."""
    expert = moving().expert
    asked = None
    for tick in range(10, 30):
        stamp_ns = ROS_NS + tick * TICK_NS
        now_ns, ros_ns = tick * TICK_NS + late_ns, stamp_ns + late_ns
        alone = expert.player.setpoint(stamp_ns)
        if asked is not None:
            assert expert.accept(computed(asked), now_ns, ros_ns) is not None
        assert expert.setpoint(stamp_ns) == pytest.approx(alone)
        joint_state = JointState(stamp_ns, alone, AT_REST.dq)
        asked = expert.request(joint_state, None, now_ns, ros_ns, stamp_ns) if tick % 3 else None
    assert expert.chunks == 14


def test_a_policy_need_not_say_what_it_took_over() -> None:
    played = moving()
    silent = replace(computed(request := played.request()), prefix_length=0)
    taken = played.after(1).accept(silent)
    assert taken is not None and taken[0].prefix_length == request.prefix_length > 0
    late = replace(computed(request := played.request()), prefix_length=0)
    assert played.after(2 * request.prefix_length + 1).accept(late) is None and played.expert.late == 1


def test_a_chunk_that_comes_after_its_committed_points_is_left_out_and_the_next_one_commits_more() -> None:
    played = moving()
    request = played.request()
    ticks = 2 * request.prefix_length + 1
    alone = played.expert.setpoint(played.after(ticks).stamp_ns)
    assert played.accept(computed(request)) is None
    assert (played.expert.chunks, played.expert.late) == (1, 1)
    assert played.expert.setpoint(played.stamp_ns) == pytest.approx(alone)
    assert played.expert.due(played.now_ns, True)
    again = played.request()
    assert again.prefix_length * DT_NS > ticks * TICK_NS
    assert played.after(ticks).accept(computed(again)) is not None


def test_a_late_chunk_is_taken_when_the_one_that_plays_ends_too_soon_for_another_try() -> None:
    played = moving()
    request = played.request()
    taken = played.after(30).accept(computed(request))
    assert taken is not None and taken[1] is not None and taken[1].end_ns > played.ros_ns
    assert (played.expert.chunks, played.expert.late) == (2, 0)


def test_a_chunk_that_comes_when_the_one_before_is_over_is_void() -> None:
    played = moving()
    request = played.request()
    assert played.expert.setpoint(played.after(60).stamp_ns) is None
    assert played.accept(computed(request)) is None
    assert (played.expert.chunks, played.expert.late) == (1, 1)
    assert not played.expert.due(played.now_ns, False), "the filter is still stopping the arm"
    assert played.expert.due(played.now_ns, True) and played.request().previous.chunk_id == 0


def test_a_chunk_is_due_with_a_new_plan_or_after_a_while() -> None:
    played = moving()
    assert not played.expert.due(PERIOD_NS - 1, True) and played.expert.due(PERIOD_NS, True)
    played.request()
    assert not played.expert.due(played.now_ns, True)
    played.expert.follow(replace(PLAN, plan_id=2))
    assert played.expert.due(played.now_ns, True)


@pytest.mark.parametrize(("q", "anew"), [((0.3, 0.0), True), ((0.1, 5.0), False)], ids=["arm", "gripper"])
def test_far_from_the_setpoint_a_chunk_begins_at_the_measured_arm(q: tuple[float, float], anew: bool) -> None:
    played = moving()
    request = played.request(replace(AT_REST, q=np.array(q)))
    assert (request.previous.chunk_id == 0) is anew
    assert not anew or np.array_equal(request.previous.positions[0], q)
    taken = played.after(5).accept(computed(request))
    assert taken is not None
    assert (taken[1] is None) is anew and (taken[0].start_ns == played.ros_ns) is anew


def test_an_arm_on_its_way_is_not_held_because_its_measurement_is_old() -> None:
    played = moving()
    behind = JointState(played.stamp_ns - 100_000_000, np.array([-0.15, 0.0]), np.array([1.5, 0.0]))
    assert played.request(behind).previous.chunk_id
    assert played.request(replace(behind, dq=np.zeros(2))).previous.chunk_id == 0


@pytest.mark.parametrize(
    ("commanded", "begins"),
    [((0.01, -0.5), (0.01, -0.5)), ((0.9, -0.5), (0.0, -0.5)), (None, (0.0, 0.0))],
    ids=["held there", "pushed away", "not known"],
)
def test_from_rest_a_chunk_begins_where_the_arm_is_told_to_be(
    commanded: tuple[float, float] | None, begins: tuple[float, float]
) -> None:
    """So a gripper that holds something, short of where it was told to go, is not told to let go of it."""
    request = Played().request(AT_REST, None if commanded is None else np.array(commanded))
    assert np.array_equal(request.previous.positions[0], begins)


def test_what_is_computed_for_another_instruction_is_void() -> None:
    played = moving()
    chunk = computed(played.request())
    played.expert.follow(replace(PLAN, instruction=Instruction(2, "go")))
    assert played.accept(chunk) is None and played.expert.chunks == 1
    assert played.expert.due(played.now_ns, True)
    assert played.accept(computed(played.request())) is not None


@pytest.mark.parametrize("given_up", ["plan", "path"])
def test_what_is_computed_to_go_on_from_a_path_that_is_given_up_is_void(given_up: str) -> None:
    played = moving()
    chunk = computed(played.request())
    if given_up == "plan":
        played.expert.follow(None)
    else:
        played.expert.clear()
    played.expert.follow(PLAN)
    assert played.accept(chunk) is None


def test_without_a_plan_the_path_ends_at_rest_and_then_begins_anew() -> None:
    played = moving()
    played.expert.follow(None)
    setpoints = []
    while (setpoint := played.expert.setpoint(played.stamp_ns)) is not None:
        setpoints.append(setpoint[0])
        played.after(1).expert.follow(PLAN)
    steps = np.diff(setpoints)
    assert len(steps) > 30 and (np.diff(steps) < 1e-9).all() and steps[-1] < 0.01 * steps[0]
    assert played.expert.due(played.now_ns, True) and played.request().previous.chunk_id == 0


def test_cleared_it_sends_nothing() -> None:
    played = moving()
    played.expert.clear()
    assert played.expert.setpoint(played.stamp_ns) is None and not played.expert.due(PERIOD_NS, True)
    assert played.expert.frame_stamp_ns == 0


@pytest.mark.parametrize("transition", ["naive", "ensemble"])
def test_where_chunks_are_not_continued_the_next_one_begins_when_it_was_asked_for(transition: str) -> None:
    played = moving(transition)
    request = played.request()
    assert request.previous.chunk_id and (request.prefix_length, request.start_ns) == (0, played.ros_ns)
    taken = played.after(3).accept(computed(request))
    assert taken is not None and taken[1] is not None and taken[0].start_ns == request.start_ns
