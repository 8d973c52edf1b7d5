"""The newest document: readers wait for it, skip what they missed, and are counted."""

from __future__ import annotations

import asyncio
import struct
import threading

from test.unit.dashboard.rig import document
from vla_ros.dashboard.document import Document, LatestDocument


def test_images_are_sent_to_those_who_lack_them() -> None:
    document = Document(1, b"{}", b"jpeg", 7)
    assert document.body(6) == struct.pack("<I", 2) + b"{}jpeg"
    assert document.body(7) == document.body(None) == struct.pack("<I", 2) + b"{}"


def test_a_reader_is_woken_by_another_thread() -> None:
    latest = LatestDocument()
    latest.publish(document(1))

    async def read() -> Document | None:
        threading.Timer(0.1, latest.publish, [document(2)]).start()
        return await latest.newer_than(1, "reader", 10.0)

    found = asyncio.run(read())
    assert found is not None and found.number == 2


def test_a_slow_reader_skips_what_it_missed() -> None:
    latest = LatestDocument()
    for number in range(1, 10):
        latest.publish(document(number))
    found = asyncio.run(latest.newer_than(1, "reader", 10.0))
    assert found is not None and found.number == 9


def test_a_reader_gets_nothing_where_nothing_new_comes_in_time() -> None:
    latest = LatestDocument()
    assert asyncio.run(latest.newer_than(-1, "reader", 0.05)) is None
    latest.publish(document(1))
    assert asyncio.run(latest.newer_than(1, "reader", 0.05)) is None
    latest.publish(document(2))  # the loop that waited is closed: nobody is woken, nothing fails
    assert latest.newest() == document(2)


def test_all_readers_are_woken_and_counted_once_each() -> None:
    latest = LatestDocument()

    async def read() -> list[Document | None]:
        readers = [asyncio.create_task(latest.newer_than(-1, f"reader{i % 3}", 10.0)) for i in range(6)]
        await asyncio.sleep(0.05)
        latest.publish(document(5))
        return await asyncio.gather(*readers)

    assert [found.number for found in asyncio.run(read()) if found is not None] == [5] * 6
    assert latest.viewers() == 3
