"""Plans through bytes and through shared memory: whole or not at all."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import time
from multiprocessing.connection import Connection

import numpy as np
import pytest

from vla_ros.policies import latents
from vla_ros.policies.latents import LatentHandle, LatentLost, LatentReader, LatentWriter, from_bytes, read, to_bytes


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


def test_bfloat16_without_its_package_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(ValueError, match="pip install ml_dtypes"):
        from_bytes("bfloat16", [2], b"1234")


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


def test_what_is_read_is_not_overwritten() -> None:
    """A view pins its block: the writer goes round it, and says so when all are pinned."""
    writer, reader = LatentWriter("vla_ros_test_pinned", capacity=8, blocks=2), LatentReader()
    try:
        pinned = reader.view(*writer.write(b"pinned"))
        for number in range(5):
            again = writer.write(b"%d" % number)
        assert pinned.tobytes() == b"pinned"
        also = reader.view(*again)
        with pytest.raises(LatentLost, match="all 2 blocks"):
            writer.write(b"more")
        assert (pinned.tobytes(), also.tobytes()) == (b"pinned", b"4")
        del pinned
        gc.collect()
        assert read(*writer.write(b"free")) == b"free"
        assert also.tobytes() == b"4"
    finally:
        writer.close()


def test_a_block_that_is_being_written_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    writer, refused = LatentWriter("vla_ros_test_torn", capacity=100, blocks=1), []
    place = writer.write(b"old")

    class Torn:
        """Stands in for the header: while the data are being written somebody reads."""

        size, unpack_from = latents.HEADER.size, latents.HEADER.unpack_from

        def pack_into(self, buffer: memoryview, offset: int, *values: int) -> None:
            with pytest.raises(LatentLost, match="is being overwritten") as error:
                read(*place)
            refused.append(error)
            struct_header.pack_into(buffer, offset, *values)

    struct_header = latents.HEADER
    monkeypatch.setattr(latents, "HEADER", Torn())
    try:
        writer.write(b"new")
        assert len(refused) == 2  # while it is void, and before the new generation stands
    finally:
        writer.close()


@pytest.mark.parametrize("offset", [-1, 1 << 40])
def test_a_place_outside_the_segment_is_refused(offset: int) -> None:
    writer = LatentWriter("vla_ros_test_outside", capacity=10)
    try:
        name, _, generation = writer.write(b"x")
        with pytest.raises(LatentLost, match="has no block"):
            read(name, offset, generation)
    finally:
        writer.close()


def test_a_truncated_segment_is_refused() -> None:
    writer = LatentWriter("vla_ros_test_truncated", capacity=100_000, blocks=1)
    try:
        place = writer.write(bytes(100_000))
        os.truncate(f"/dev/shm/{place[0]}", 4096)
        with pytest.raises(LatentLost, match="has no block of 100000 bytes"):
            read(*place)
    finally:
        writer.close()


def test_the_data_cannot_be_written_by_a_reader() -> None:
    writer = LatentWriter("vla_ros_test_readonly", capacity=10)
    try:
        data = LatentReader().view(*writer.write(b"x"))
        with pytest.raises(ValueError, match="read-only"):
            data[0] = 1
    finally:
        writer.close()


def test_a_segment_left_by_a_killed_writer_is_replaced() -> None:
    left = LatentWriter("vla_ros_test_left", capacity=10)
    again, reader = LatentWriter("vla_ros_test_left", capacity=20), LatentReader()
    try:
        assert reader.view(*again.write(b"x" * 20)).tobytes() == b"x" * 20
    finally:
        again.close()
        left.close()


def _read_many(name: str, connection: Connection) -> None:
    """Read what comes, as long as it comes, and tell of how many plans all values were equal."""
    reader, equal, torn, lost = LatentReader(), 0, 0, 0
    while (handle := connection.recv()) is not None:
        try:
            values = reader.array(handle)
            time.sleep(0.001)
            if (values == values[0]).all():
                equal += 1
            else:
                torn += 1
        except LatentLost:
            lost += 1
    connection.send((equal, torn, lost))


def test_two_processes_never_see_a_torn_plan() -> None:
    """The writer does not wait: a block is written whenever the reader has not pinned it."""
    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_read_many, args=("", theirs), daemon=True)
    process.start()
    writer = LatentWriter("vla_ros_test_many", capacity=800_000, blocks=2)
    sent = 0
    try:
        end = time.monotonic() + 5.0
        while sent < 400 and time.monotonic() < end:
            try:
                handle = writer.handle(np.full(100_000, sent, np.float64))
            except LatentLost:
                continue
            mine.send(handle)
            sent += 1
        mine.send(None)
        equal, torn, lost = mine.recv()
    finally:
        writer.close()
        process.join(5.0)
    assert torn == 0
    assert equal > 0
    assert equal + lost == sent


def test_a_handle_brings_dtype_and_shape() -> None:
    writer = LatentWriter("vla_ros_test_handle", capacity=1000)
    try:
        handle = writer.handle(np.arange(6, dtype=np.float32).reshape(2, 3))
        assert LatentReader().array(handle).tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
        wrong = LatentHandle(handle.name, handle.offset, handle.generation, "float64", (2, 3))
        with pytest.raises(ValueError, match="are not float64"):
            LatentReader().array(wrong)
    finally:
        writer.close()


def test_what_is_written_in_place_is_not_copied() -> None:
    writer = LatentWriter("vla_ros_test_place", 64)
    try:
        for number in range(8):
            place = writer.empty((4, 2), np.dtype(np.float32))
            place[:] = number
            handle = writer.handle(place)
            seen = LatentReader().array(handle)
            assert seen.shape == (4, 2) and (seen == number).all()
            place[0, 0] = 99  # the same memory
            assert seen[0, 0] == 99
            del seen
    finally:
        writer.close()
    assert place[1, 1] == 7, "it outlives the segment"


def test_a_place_that_is_given_up_is_used_again() -> None:
    writer = LatentWriter("vla_ros_test_given_up", 64, blocks=1)
    try:
        writer.empty((4,), np.dtype(np.float32))
        writer.empty((8,), np.dtype(np.float32))
        name, offset, generation = writer.write(b"abc")
        assert read(name, offset, generation) == b"abc"
        with pytest.raises(ValueError, match="68 bytes does not fit into blocks of 64"):
            writer.empty((17,), np.dtype(np.float32))
    finally:
        writer.close()


def test_a_block_that_is_read_is_not_given_out() -> None:
    writer, reader = LatentWriter("vla_ros_test_given_out", 64, blocks=1), LatentReader()
    try:
        seen = reader.view(*writer.write(b"abc"))
        with pytest.raises(LatentLost, match="all 1 blocks"):
            writer.empty((4,), np.dtype(np.float32))
        assert seen.tobytes() == b"abc"
        del seen
        assert writer.empty((4,), np.dtype(np.float32)).shape == (4,)
    finally:
        writer.close()
