"""The page in a browser, with documents of a test: no graph."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from test.graph.dashboard_pages import S
from vla_ros.dashboard.arm import Arm
from vla_ros.dashboard.dashboard_parameters import DashboardParameters
from vla_ros.dashboard.document import LatestDocument
from vla_ros.dashboard.observations import CameraImage
from vla_ros.dashboard.server import DashboardServer
from vla_ros.dashboard.view_model import ViewModel
from vla_ros.sim.arm_description import JOINT_NAMES, urdf


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


@pytest.fixture
def alone() -> Iterator[PageWithoutGraph]:
    made = PageWithoutGraph()
    yield made
    made.server.close()


def test_the_page_asks_for_the_history_until_it_has_it(alone: PageWithoutGraph, browser: Any) -> None:
    page = browser.new_page()
    asked: list[str] = []

    def fail_twice(route: Any) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            route.abort()
        elif len(asked) == 2:
            route.fulfill(status=500, body="")
        else:
            route.continue_()

    page.route("**/history", fail_twice)
    page.goto(f"{alone.server.address}?flat", wait_until="domcontentloaded")
    alone.until(page, lambda: page.locator("#joints button").count() == len(JOINT_NAMES))
    assert len(asked) == 3
    catch = """async () => {
        const { Plots } = await import("/plots.js");
        const add = Plots.prototype.add;
        Plots.prototype.add = function (...row) { window.plots = this; add.apply(this, row); };
    }"""
    page.evaluate(catch)
    alone.until(page, lambda: page.evaluate("window.plots?.seconds") == alone.parameters.history_s)
    fill = """() => {
        const { plots } = window, joints = plots.joints, row = plots.rows[0];
        plots.start(joints, [], 40);
        plots.draw = () => {};
        for (let i = 0; i <= 1000; i++) plots.add([i / 10, ...row.slice(1)], joints);
        const kept = plots.rows.length;
        for (let i = 0; i < 10000; i++) plots.add([100, ...row.slice(1)], joints);
        return [kept, plots.rows.length];
    }"""
    assert page.evaluate(fill) == [401, 9000]
    page.close()


def test_images_that_do_not_come_any_more_are_called_old(alone: PageWithoutGraph, browser: Any) -> None:
    page = browser.new_page()
    page.goto(f"{alone.server.address}?flat", wait_until="domcontentloaded")
    alone.view_model.on_images(0, 0, 0, [CameraImage("front", "", np.zeros((64, 64, 3), np.uint8), None, "ok")])
    caption = page.locator("#cameras figcaption")
    alone.until(page, lambda: caption.count() == 1)
    assert (caption.inner_text(), caption.get_attribute("class")) == ("front", "")
    alone.now_ns = 4 * S
    alone.until(page, lambda: caption.inner_text() == "front: 4.0 s old")
    assert caption.get_attribute("class") == "alarm"
    page.close()


def test_a_long_instruction_is_sent_whole(alone: PageWithoutGraph, browser: Any) -> None:
    page = browser.new_page()
    page.goto(f"{alone.server.address}?flat", wait_until="domcontentloaded")
    words = f"{'tidy up ' * 60}stop"
    page.focus("[name=instruction]")
    page.keyboard.insert_text(words)
    page.keyboard.press("Enter")
    alone.until(page, lambda: alone.actions == [("say", words)])
    page.close()


@pytest.mark.parametrize(("path", "place"), [("?flat", "#disconnected"), ("stop", "#state")])
def test_a_page_whose_address_serves_another_arm_says_so(
    alone: PageWithoutGraph, browser: Any, path: str, place: str
) -> None:
    page = browser.new_page()
    page.goto(f"{alone.server.address}{path}", wait_until="domcontentloaded")
    page.keyboard.press("Escape")
    alone.until(page, lambda: alone.actions == [("estop", "")])
    alone.until(page, lambda: "/right" not in page.inner_text("body"))
    alone.view_model, alone.server.routes.namespace = alone.make_view_model("/right"), "/right"
    alone.until(page, lambda: page.inner_text(place) == "This address now serves arm /right: reload this page.")
    page.keyboard.press("Escape")
    alone.until(page, lambda: "serves arm /right: use the robot's own e-stop" in page.inner_text("#result"))
    assert alone.actions == [("estop", "")]
    page.close()
