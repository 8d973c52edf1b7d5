"""Moves Ethernet frames between two TAP devices under the conditions of `Link`: `python -m test.network.relay FD FD SEED`.

Its standard input takes a line of JSON for each change: {"direction": 0 or 1, ...fields of Conditions}. Each line is answered
with one: how many frames, lost ones and bytes there have been in that direction.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys
import time

from test.network.link import Conditions, Link

LONGEST_FRAME = 65_536
MOST_AT_ONCE = 64
"""Frames that are read from one side before the other side is looked at."""


def relay(taps: tuple[int, int], seed: int) -> None:
    """Relay until standard input ends. taps: descriptors that do not block; direction 0 is from the first to the second."""
    links = Link(2 * seed), Link(2 * seed + 1)
    commands = sys.stdin.fileno()
    while True:
        now_s = time.monotonic()
        for link, out in zip(links, reversed(taps), strict=True):
            for frame in link.arrived(now_s):
                with contextlib.suppress(OSError):  # the host is gone, or does not take more
                    os.write(out, frame)
        waits_s = [wait_s for link in links if (wait_s := link.wait_s(time.monotonic())) is not None]
        ready, _, _ = select.select([*taps, commands], [], [], min(waits_s, default=None))
        for tap, link in zip(taps, links, strict=True):
            if tap in ready:
                _read(tap, link)
        if commands in ready:
            line = sys.stdin.readline()
            if not line:
                return
            _change(json.loads(line), links)


def _read(tap: int, link: Link) -> None:
    with contextlib.suppress(OSError):  # nothing more, or the host is gone
        for _ in range(MOST_AT_ONCE):
            link.offer(os.read(tap, LONGEST_FRAME), time.monotonic())


def _change(wanted: dict[str, object], links: tuple[Link, Link]) -> None:
    link = links[int(str(wanted.pop("direction")))]
    link.become(Conditions(**wanted), time.monotonic())  # type: ignore[arg-type]
    counts = {"offered": link.offered, "dropped": link.dropped, "bytes": link.bytes}
    print(json.dumps(counts), flush=True)


if __name__ == "__main__":
    with contextlib.suppress(OSError):
        os.nice(-10)
    relay((int(sys.argv[1]), int(sys.argv[2])), int(sys.argv[3]))
