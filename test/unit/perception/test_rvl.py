"""Depth packed by run lengths is unpacked to the same values."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.perception.rvl import decode_rvl
from vla_ros.perception.wrong_encoding import WrongEncoding


def pack(depth: np.ndarray) -> bytes:
    """Pack (H, W) value by value, as the paper writes it down."""
    nibbles: list[int] = []

    def number(value: int) -> None:
        while True:
            value, low = value >> 3, value & 7
            nibbles.append(low | 8 * (value > 0))
            if not value:
                return

    flat, at, before = depth.ravel().tolist(), 0, 0
    while at < len(flat):
        zeros = next((n for n, value in enumerate(flat[at:]) if value), len(flat) - at)
        at += zeros
        others = next((n for n, value in enumerate(flat[at:]) if not value), len(flat) - at)
        number(zeros)
        number(others)
        for value in flat[at : at + others]:
            delta, before = value - before, value
            number(delta << 1 if delta >= 0 else (-delta << 1) - 1)
        at += others
    nibbles += [0] * (-len(nibbles) % 8)
    words = [int("".join(f"{nibble:x}" for nibble in nibbles[i : i + 8]), 16) for i in range(0, len(nibbles), 8)]
    return np.array([depth.shape[1], depth.shape[0], *words], "<u4").tobytes()


@pytest.mark.parametrize("seed", range(6))
def test_values_arrive(seed: int) -> None:
    random = np.random.default_rng(seed)
    depth = random.integers(0, 65536, (9, 11)).astype(np.uint16)
    depth[random.random(depth.shape) < 0.2 * seed] = 0
    assert (decode_rvl(pack(depth)) == depth).all()


def test_an_image_without_readings_arrives() -> None:
    assert not decode_rvl(pack(np.zeros((4, 5), np.uint16))).any()


@pytest.mark.parametrize("data", [b"", b"\1\0\0\0", pack(np.full((4, 5), 9))[:12], np.full(4, 2**31, "<u4").tobytes()])
def test_bytes_that_are_cut_off_are_named(data: bytes) -> None:
    with pytest.raises(WrongEncoding, match=rf"^{len(data)} bytes for \d+x\d+ depth packed by run lengths \(rvl\)$"):
        decode_rvl(data)
