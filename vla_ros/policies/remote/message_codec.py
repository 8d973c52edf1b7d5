"""Messages of msgpack in which a protocol writes arrays in a way of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgpack


class MessageCodec:
    """Messages to bytes and back.

    Args:
        encode_array: returns what stands for a value that msgpack does not know; raises where there is nothing.
        decode_map: returns what a map stands for, or the map itself.
    """

    def __init__(self, encode_array: Callable[[object], object], decode_map: Callable[[dict[Any, Any]], Any]) -> None:
        self._encode_array, self._decode_map = encode_array, decode_map

    def encode(self, message: object) -> bytes:
        """Return the bytes of a message."""
        return bytes(msgpack.packb(message, default=self._encode_array))

    def decode(self, data: bytes) -> Any:
        """Return the message of these bytes.

        Raises:
            ValueError: they are no such message.
        """
        try:
            return msgpack.unpackb(data, object_hook=self._decode_map)
        except (msgpack.UnpackException, RecursionError) as error:
            raise ValueError(f"not msgpack: {type(error).__name__}") from None
