"""The ring between the filter and the writer of its log: nothing is changed, nothing waits, nothing left behind."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator

import pytest

from vla_ros.safety.audit.ring import SIZE, Ring, create_memory

Ends = tuple[Ring, Ring]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """The filter's and the writer's."""
    memory = create_memory()
    ours, theirs = socket.socketpair()
    yield Ring(memory, ours), Ring(memory, theirs)
    ours.close()
    theirs.close()


def taken(reader: Ring, polls: int = 1) -> list[bytes]:
    """What comes out in so many polls."""
    found, batches = [], reader.batches(0.0)
    while polls:
        batch = next(batches)
        polls -= batch is None
        found += [batch] if batch is not None else []
    return found


def test_what_goes_in_comes_out_round_and_round(ends: Ends) -> None:
    filter_, writer = ends
    draw = random.Random(1)
    total = 0
    while total < 3 * SIZE:
        batches = [draw.randbytes(draw.randrange(1, 300_000)) for _ in range(5)]
        for batch in batches:
            filter_.send(batch)
            total += len(batch)
        assert taken(writer) == batches


def test_a_full_ring_refuses_and_keeps_what_it_has(ends: Ends) -> None:
    filter_, writer = ends
    whole = bytes(range(256)) * 4096
    sent = 0
    with pytest.raises(BlockingIOError, match="no room"):
        while True:
            filter_.send(whole)
            sent += 1
    assert sent * (len(whole) + 4) <= SIZE < (sent + 1) * (len(whole) + 4)
    assert taken(writer) == [whole] * sent
    filter_.send(whole)
    assert taken(writer) == [whole]


def test_what_was_put_in_before_the_end_is_taken(ends: Ends) -> None:
    filter_, writer = ends
    for batch in (b"one", b"two"):
        filter_.send(batch)
    filter_.close()
    assert [batch for batch in writer.batches(10.0) if batch is not None] == [b"one", b"two"]


def test_a_reader_that_is_gone_is_noticed(ends: Ends) -> None:
    filter_, writer = ends
    taken(writer)
    writer.close()
    with pytest.raises(BrokenPipeError, match="it has ended"):
        for _ in range(200):
            filter_.send(b"batch")
    with pytest.raises(BrokenPipeError, match="it has ended"):
        filter_.send(b"batch")


def test_a_reader_that_is_only_slow_loses_nothing(ends: Ends) -> None:
    filter_, writer = ends
    for _ in range(500):
        filter_.send(b"batch")
    assert taken(writer) == [b"batch"] * 500


def test_a_message_is_heard_once_and_only_the_newest(ends: Ends) -> None:
    filter_, writer = ends
    assert filter_.receive_message() == b""
    writer.send_message(b"one")
    writer.send_message(b"and the other")
    assert filter_.receive_message() == b"and the other"
    assert filter_.receive_message() == b""
    writer.send_message(b"3")
    assert filter_.receive_message() == b"3"
