"""The paced loop and polled entities that the fast nodes are built on."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

rclpy = pytest.importorskip("rclpy")

from rclpy.context import Context  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.node import Node  # noqa: E402
from std_msgs.msg import String  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

from vla_ros.ros import polling  # noqa: E402
from vla_ros.ros.polling import ALIGNMENT_TOLERANCE_NS, PacedLoop, PolledCallbackGroup, received_ns, serve, take  # noqa: E402

PERIOD_NS = 10_000_000


@pytest.fixture
def node() -> Iterator[Node]:
    context = Context()
    rclpy.init(context=context)
    node = rclpy.create_node("polling", context=context)
    yield node
    node.destroy_node()
    rclpy.try_shutdown(context=context)


def test_deadlines_are_even_on_the_grid_and_missed_ones_are_skipped(node: Node) -> None:
    loop, ticks = PacedLoop(node.context, PERIOD_NS, phase_ns=-2_000_000), []
    for tick in loop:
        ticks.append(tick)
        assert tick.started_ns >= tick.deadline_ns
        if len(ticks) == 5:
            time.sleep(0.035)
        if len(ticks) == 20:
            break
    assert ticks[5].skipped >= 2
    assert loop.ticks == 20
    assert loop.skipped == sum(tick.skipped for tick in ticks)
    assert loop.late >= 1
    for before, tick in itertools.pairwise(ticks):
        spacing_ns = tick.deadline_ns - before.deadline_ns
        assert abs(spacing_ns - (1 + tick.skipped) * PERIOD_NS) <= PERIOD_NS // 100
    system_ns = ticks[-1].deadline_ns + time.time_ns() - time.monotonic_ns()
    off_ns = (system_ns + 2_000_000 + PERIOD_NS // 2) % PERIOD_NS - PERIOD_NS // 2
    assert abs(off_ns) <= 10 * ALIGNMENT_TOLERANCE_NS


def test_the_loop_ends_with_its_context(node: Node) -> None:
    for count, _ in enumerate(PacedLoop(node.context, 1_000_000)):
        if count == 3:
            rclpy.try_shutdown(context=node.context)
        assert count <= 3


def test_polled_messages_wait_for_take_and_never_for_the_executor(node: Node) -> None:
    def never(_: object) -> None:
        raise AssertionError("the executor called a polled callback")

    group = PolledCallbackGroup()
    subscription = node.create_subscription(String, "words", never, 3, callback_group=group)
    publisher = node.create_publisher(String, "words", 10)
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    while not publisher.get_subscription_count():
        executor.spin_once(timeout_sec=0.01)
    for word in "abcde":
        publisher.publish(String(data=word))
    received: list[str] = []
    for _ in range(6000):
        executor.spin_once(timeout_sec=0)
        batch = [(message.data, info) for message, info in take(subscription)]
        assert len(batch) <= 3
        assert all(info["source_timestamp"] > 0 for _, info in batch)
        received += [word for word, _ in batch]
        if received[-1:] == ["e"]:
            break
        time.sleep(0.01)
    assert received == sorted(received)
    assert received[-1] == "e"
    executor.shutdown()


def test_serve_answers_one_request_at_a_time(node: Node) -> None:
    def answer(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success, response.message = True, "done"
        return response

    service = node.create_service(Trigger, "act", answer, callback_group=PolledCallbackGroup())
    assert not serve(service)
    client = node.create_client(Trigger, "act")
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    while not client.service_is_ready():
        executor.spin_once(timeout_sec=0.01)
    future = client.call_async(Trigger.Request())
    for _ in range(6000):
        serve(service)
        executor.spin_once(timeout_sec=0.01)
        if future.done():
            break
    assert future.result().message == "done"
    executor.shutdown()


@pytest.mark.parametrize(
    ("stamp_ns", "expected_ns"),
    [(4_999_999_000, 99_000), (0, 96_000), (5_000_001_000, 96_000), (4_999_995_999, 96_000)],
)
def test_received_ns_trusts_only_stamps_since_the_queue_was_empty(stamp_ns: int, expected_ns: int) -> None:
    assert received_ns(stamp_ns, now_ns=100_000, system_ns=5_000_000_000, since_ns=96_000) == expected_ns


def test_a_message_that_waited_out_a_stall_is_as_old_as_it_is() -> None:
    assert (
        received_ns(2_000_000_000, now_ns=5_000_000_000, system_ns=5_000_000_000, since_ns=1_000_000_000)
        == 2_000_000_000
    )


def test_received_ns_without_a_stamp_is_the_last_look() -> None:
    assert received_ns(0, now_ns=7, system_ns=5_000_000_000, since_ns=3) == 3


def test_lines_that_nobody_reads_are_lost_and_not_waited_for() -> None:
    text = (
        "import rclpy.logging as l; from vla_ros.scheduling import make_output_nonblocking\n"
        "make_output_nonblocking(); log = l.get_logger('gate')"
    )
    command = [sys.executable, "-c", f"{text}\nfor i in range(5000): log.info('a line that is as long as others are')"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.wait(timeout=30) == 0
        assert process.stderr is not None
        assert b"a line that is" in process.stderr.read()


def test_a_stop_within_the_sleep_is_told_in_the_next_turn(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [10**12]
    stops = iter([0.0] * 3 + [0.5])
    monkeypatch.setattr(polling.time, "monotonic_ns", lambda: now[0])
    monkeypatch.setattr(polling.time, "time_ns", lambda: now[0])
    monkeypatch.setattr(
        polling.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + round((seconds + next(stops, 0.0)) * 1e9))
    )
    ticks = [tick for _, tick in zip(range(6), PacedLoop(node.context, 4_000_000), strict=False)]
    late = [tick.started_ns - tick.deadline_ns for tick in ticks]
    assert [tick.skipped for tick in ticks] == [0, 0, 0, 125, 0, 0]
    assert max(late) < 4_000_000, "its deadline is that of the turn that it is"
    assert ticks[3].deadline_ns - ticks[2].deadline_ns == 126 * 4_000_000
