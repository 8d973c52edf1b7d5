"""A page that shows the documents of a test, and the browser that opens it: Debian's Chromium, driven by playwright."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from vla_ros.dashboard.arm import Arm
from vla_ros.dashboard.dashboard_parameters import DashboardParameters
from vla_ros.dashboard.document import LatestDocument
from vla_ros.dashboard.server import DashboardServer
from vla_ros.dashboard.view_model import ViewModel
from vla_ros.sim.arm_description import JOINT_NAMES, urdf

S = 1_000_000_000


def started_browser() -> Iterator[Any]:
    """Yield a Chromium. Where there is none tests are skipped."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.skip("playwright is not installed: make setup")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("there is no Chromium: make browser")
    with sync_playwright() as driver:
        flags = ["--no-sandbox", "--enable-unsafe-swiftshader"]
        made = driver.chromium.launch(executable_path=chromium, args=flags, timeout=120_000)
        yield made
        made.close()


class PageWithoutGraph:
    """A page that shows documents of a test."""

    def __init__(self) -> None:
        self.actions: list[tuple[str, str]] = []
        self.parameters = DashboardParameters(joint_names=list(JOINT_NAMES), port=0, history_s=40.0)
        self.arm = Arm(urdf(), JOINT_NAMES, "tool")
        self.view_model = self.make_view_model("/left")
        self.latest = LatestDocument()
        self.server = DashboardServer(
            self.parameters, "", self.latest, self.view_model.history.rows, self.act, 1, "/left"
        )
        self.now_ns = 0

    def make_view_model(self, namespace: str) -> ViewModel:
        return ViewModel(self.parameters, self.arm, "run", 0, namespace)

    def act(self, name: str, instruction: str) -> tuple[bool, str]:
        self.actions.append((name, instruction))
        return True, "done"

    def until(self, page: Any, condition: Callable[[], bool]) -> None:
        """Publish documents until the page shows something."""
        end_s = time.monotonic() + 120.0
        while not condition():
            assert time.monotonic() < end_s, page.inner_text("body")
            self.latest.publish(self.view_model.document(self.now_ns, self.now_ns, self.now_ns / S))
            page.wait_for_timeout(50)
