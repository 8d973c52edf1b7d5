"""The messages of LeRobot's gRPC service `transport.AsyncInference`, as Protocol Buffers encode them.

    service AsyncInference {
      rpc SendObservations(stream Observation) returns (Empty);    rpc GetActions(Empty) returns (Actions);
      rpc SendPolicyInstructions(PolicySetup) returns (Empty);     rpc Ready(Empty) returns (Empty);
    }
    message Observation { TransferState transfer_state = 1; bytes data = 2; }
    message Actions { bytes data = 1; }    message PolicySetup { bytes data = 1; }

An observation travels in pieces of at most 2 MB, the last one marked TRANSFER_END.

Source: LeRobot 0.6.1, transport/services.proto and transport/utils.py.
"""

from __future__ import annotations

from collections.abc import Iterator

SERVICE = "transport.AsyncInference"
PIECE_BYTES = 2 * 1024 * 1024
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
TRANSFER_BEGIN, TRANSFER_MIDDLE, TRANSFER_END = 1, 2, 3
_DATA_1, _STATE_1, _DATA_2 = 0x0A, 0x08, 0x12  # tags: field number, kind


def pieces(data: bytes) -> Iterator[bytes]:
    """Yield the `Observation` messages that carry these bytes."""
    for start in range(0, len(data), PIECE_BYTES):
        state = TRANSFER_END if start + PIECE_BYTES >= len(data) else TRANSFER_MIDDLE if start else TRANSFER_BEGIN
        yield observation_message(data[start : start + PIECE_BYTES], state)


def observation_message(piece: bytes, state: int) -> bytes:
    """Encode `Observation`."""
    return bytes([_STATE_1, state, _DATA_2]) + _varint(len(piece)) + piece


def observation_fields(message: bytes) -> tuple[int, bytes]:
    """Decode `Observation`: transfer state and data."""
    return message[1], _bytes_at(message, 2)


def data_message(data: bytes) -> bytes:
    """Encode `Actions` or `PolicySetup`."""
    return bytes([_DATA_1]) + _varint(len(data)) + data


def data_field(message: bytes) -> bytes:
    """Decode `Actions` or `PolicySetup`; empty: the field is not there, as in an `Empty`.

    Raises:
        ValueError: it is neither.
    """
    if not message:
        return b""
    if message[0] != _DATA_1:
        raise ValueError(f"a message that begins with {message[:8].hex()}")
    return _bytes_at(message, 0)


def _bytes_at(message: bytes, at: int) -> bytes:
    """Return the length-delimited field whose tag is at `at`."""
    size = shift = 0
    while True:
        at += 1
        if at >= len(message) or shift > 35:
            raise ValueError("a message that is cut off")
        size |= (message[at] & 0x7F) << shift
        if message[at] < 0x80:
            break
        shift += 7
    if len(message) < at + 1 + size:
        raise ValueError("a message that is cut off")
    return message[at + 1 : at + 1 + size]


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])
