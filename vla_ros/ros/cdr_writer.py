"""Writes a message as the bytes that rclpy would make of it, value by value, without making the message.

The encoding is plain CDR, little-endian (OMG, DDS-XTypes 1.3, 7.4): each value on a multiple of its own size, counted from
behind the four bytes of the head; sequences and strings begin with their length in four bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

HEAD = b"\x00\x01\x00\x00"


class CdrWriter:
    """One message. data: its bytes so far."""

    def __init__(self) -> None:
        self.data = bytearray(HEAD)

    def numbers(self, format_: str, *values: float) -> None:
        """Append numbers of one size; `format_`: a letter of `struct` for each."""
        self._align(struct.calcsize(format_[0]))
        self.data += struct.pack("<" + format_, *values)

    def text(self, text: str) -> None:
        """Append a string."""
        encoded = text.encode() + b"\0"
        self.numbers("I", len(encoded))
        self.data += encoded

    def texts(self, texts: Sequence[str]) -> None:
        """Append a sequence of strings."""
        self.numbers("I", len(texts))
        for text in texts:
            self.text(text)

    def sequence(self, letter: str, values: Sequence[float]) -> None:
        """Append a sequence of numbers."""
        self.numbers("I", len(values))
        if values:
            self.numbers(letter * len(values), *values)

    def _align(self, size: int) -> None:
        self.data += bytes((len(HEAD) - len(self.data)) % size)
