"""LeRobot's messages are encoded as Protocol Buffers encode them; what is cut off is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vla_ros.policies.remote import lerobot_wire as wire


@given(st.binary(max_size=300), st.sampled_from([wire.TRANSFER_BEGIN, wire.TRANSFER_MIDDLE, wire.TRANSFER_END]))
def test_what_is_encoded_is_decoded(data: bytes, state: int) -> None:
    assert wire.observation_fields(wire.observation_message(data, state)) == (state, data)
    assert wire.data_field(wire.data_message(data)) == data


def test_messages_as_the_reference_encoder_writes_them() -> None:
    # observation { transfer_state: TRANSFER_END, data: 300 times "a" }; actions { data: "ab" }
    assert wire.observation_message(b"a" * 300, wire.TRANSFER_END) == b"\x08\x03\x12\xac\x02" + b"a" * 300
    assert wire.data_message(b"ab") == b"\x0a\x02ab"


def test_a_large_observation_travels_in_pieces() -> None:
    data = bytes(2 * wire.PIECE_BYTES + 5)
    fields = [wire.observation_fields(piece) for piece in wire.pieces(data)]
    assert [state for state, _ in fields] == [wire.TRANSFER_BEGIN, wire.TRANSFER_MIDDLE, wire.TRANSFER_END]
    assert b"".join(piece for _, piece in fields) == data


def test_an_empty_message_has_no_data() -> None:
    assert wire.data_field(b"") == b""


@pytest.mark.parametrize(
    "message", [b"\x08\x01", b"\x0a", b"\x0a\x05abc", b"\x0a\xff\xff\xff\xff\xff\xff\x01", b"<html>"]
)
def test_what_is_no_such_message_is_refused(message: bytes) -> None:
    with pytest.raises(ValueError):
        wire.data_field(message)
