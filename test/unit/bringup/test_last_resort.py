"""What a killed supervisor leaves behind is killed where it does not end by itself."""

from __future__ import annotations

import subprocess
import sys

from vla_ros.bringup import last_resort

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
)


def test_only_who_stays_is_killed() -> None:
    stays = subprocess.Popen([sys.executable, "-ESc", STUBBORN], stdout=subprocess.PIPE)
    ends = subprocess.Popen([sys.executable, "-ESc", "input()"], stdin=subprocess.PIPE)
    not_asked = subprocess.Popen([sys.executable, "-ESc", STUBBORN])
    guard = subprocess.Popen(
        [sys.executable, "-ES", last_resort.__file__, "0.5"], stdin=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        guard.communicate(f"{stays.pid}\nno number\n{ends.pid}\n999999999\n", timeout=0.1)
    except subprocess.TimeoutExpired:
        ends.communicate(b"\n")
    assert guard.wait(60) == 0
    assert stays.wait(60) < 0
    assert ends.wait(60) == 0, "it ended in time"
    assert not_asked.poll() is None
    not_asked.kill()
    not_asked.wait()


def test_who_has_ended_is_not_waited_for() -> None:
    done = subprocess.Popen([sys.executable, "-ESc", ""])
    done.wait()
    last_resort.end(last_resort.watched([f"{done.pid}"]), 600.0)
