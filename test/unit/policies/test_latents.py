"""Plans through bytes and through shared memory: whole or not at all."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.policies.latents import LatentLost, LatentWriter, from_bytes, read, to_bytes


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "uint8"])
def test_arrays_survive(dtype: str) -> None:
    data = np.arange(24).reshape(2, 3, 4).astype(dtype)
    again = from_bytes(*to_bytes(data))
    assert again.dtype == data.dtype
    assert (again == data).all()


@pytest.mark.parametrize(
    ("dtype", "shape", "raw"), [("float32", [2], b"1234"), ("object", [1], b"12345678"), ("nonsense", [0], b"")]
)
def test_bytes_that_do_not_fit_are_refused(dtype: str, shape: list[int], raw: bytes) -> None:
    with pytest.raises(ValueError):
        from_bytes(dtype, shape, raw)


def test_a_block_is_read_until_it_is_overwritten() -> None:
    writer = LatentWriter("vla_ros_test_latents", capacity=100, blocks=2)
    try:
        first = writer.write(b"first")
        second = writer.write(b"second")
        assert read(*first) == b"first"
        writer.write(b"third")
        with pytest.raises(LatentLost, match="overwritten"):
            read(*first)
        assert read(*second) == b"second"
        with pytest.raises(ValueError, match="does not fit"):
            writer.write(bytes(101))
    finally:
        writer.close()
    with pytest.raises(LatentLost, match="is gone"):
        read(*second)


def test_a_torn_block_is_dropped() -> None:
    writer = LatentWriter("vla_ros_test_torn", capacity=100)
    try:
        name, offset, generation = writer.write(b"whole")
        assert writer._segment.buf is not None
        writer._segment.buf[offset + 22] ^= 1
        with pytest.raises(LatentLost):
            read(name, offset, generation)
    finally:
        writer.close()


def test_a_segment_left_by_a_killed_writer_is_replaced() -> None:
    left = LatentWriter("vla_ros_test_left", capacity=10)
    again = LatentWriter("vla_ros_test_left", capacity=20)
    try:
        assert read(*again.write(b"x" * 20)) == b"x" * 20
    finally:
        again.close()
        left.close()
