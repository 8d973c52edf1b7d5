"""LeRobot's messages are encoded as Protocol Buffers encode them, and its service carries observation and chunk."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from test.unit.lab.bench.peer_server import assert_round_trips
from vla_ros.lab.bench import lerobot


@settings(deadline=None)
@given(
    st.binary(max_size=300), st.sampled_from([lerobot.TRANSFER_BEGIN, lerobot.TRANSFER_MIDDLE, lerobot.TRANSFER_END])
)
def test_messages_are_those_of_protocol_buffers(data: bytes, state: int) -> None:
    assert lerobot.observation_fields(lerobot.observation_message(data, state)) == (state, data)
    assert lerobot._bytes_at(lerobot.actions_message(data), 0) == data


def test_messages_as_the_reference_encoder_writes_them() -> None:
    # observation { transfer_state: TRANSFER_END, data: 300 times "a" }; actions { data: "ab" }
    assert lerobot.observation_message(b"a" * 300, lerobot.TRANSFER_END) == b"\x08\x03\x12\xac\x02" + b"a" * 300
    assert lerobot.actions_message(b"ab") == b"\x0a\x02ab"


def test_a_large_observation_travels_in_pieces() -> None:
    data = bytes(2 * lerobot.PIECE_BYTES + 5)
    fields = [lerobot.observation_fields(piece) for piece in lerobot._pieces(data)]
    assert [state for state, _ in fields] == [lerobot.TRANSFER_BEGIN, lerobot.TRANSFER_MIDDLE, lerobot.TRANSFER_END]
    assert b"".join(piece for _, piece in fields) == data


def test_the_service_carries_the_observation_and_the_chunk() -> None:
    pytest.importorskip(lerobot.NEEDS[0])
    assert_round_trips(lerobot)
