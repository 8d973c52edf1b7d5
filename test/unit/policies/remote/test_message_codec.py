"""A codec reads what it wrote, and says of other bytes that they are none."""

from __future__ import annotations

from typing import Any

import pytest

from vla_ros.policies.remote.message_codec import MessageCodec


def encoded(value: object) -> object:
    if isinstance(value, complex):
        return {"complex": [value.real, value.imag]}
    raise TypeError(f"{type(value).__name__} cannot be sent")


def decoded(value: dict[Any, Any]) -> Any:
    return complex(*value["complex"]) if "complex" in value else value


CODEC = MessageCodec(encoded, decoded)


def test_a_message_comes_back_with_what_msgpack_does_not_know() -> None:
    message = {"a": [1, 2.5, None, "text", b"bytes"], "z": 1 + 2j}
    assert CODEC.decode(CODEC.encode(message)) == message


def test_what_nothing_stands_for_is_not_sent() -> None:
    with pytest.raises(TypeError, match="object cannot be sent"):
        CODEC.encode({"a": object()})


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x92\x01", b"\x01\x02", b"\x91" * 5000])
def test_other_bytes_are_no_message(data: bytes) -> None:
    with pytest.raises(ValueError):
        CODEC.decode(data)
