"""A block that waits is ended at its deadline, also by whoever catches everything, and leaves no alarm behind."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time

import pytest

from vla_ros.lab.faults import deadline as module
from vla_ros.lab.faults.deadline import CaseOverdue, deadline


def wait_for_a_process() -> None:
    subprocess.run([sys.executable, "-c", "import time; time.sleep(60)"], check=True)


def test_a_wait_in_the_system_ends() -> None:
    with pytest.raises(CaseOverdue, match="^not over after 0.2 s; it was in "), deadline(0.2):
        wait_for_a_process()


def test_who_catches_the_exception_meets_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_S", 0.1)
    with pytest.raises(CaseOverdue), deadline(0.1):
        with contextlib.suppress(CaseOverdue):
            time.sleep(60.0)
        time.sleep(60.0)


@pytest.mark.parametrize("fails", [False, True])
def test_no_alarm_is_left_behind(fails: bool) -> None:
    before = signal.getsignal(signal.SIGALRM)
    with contextlib.suppress(OSError), deadline(60.0):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0.0
        if fails:
            raise OSError
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before
