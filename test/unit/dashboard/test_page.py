"""The page in a real browser, without a graph: what it shows of documents, what it sends, and how it looks on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from test.unit.dashboard.page_rig import PageWithoutGraph, S, started_browser
from vla_ros.dashboard.observations import CameraImage, FilterStatus, NodeReport, PlanSummary
from vla_ros.sim.arm_description import JOINT_NAMES

PHONES = [(320, 568), (390, 844), (568, 320), (844, 390), (768, 1024)]
TYPED = "put the red cube in the bowl"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from started_browser()


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


def fill(alone: PageWithoutGraph) -> None:
    """Put something into every panel."""
    view, status = (
        alone.view_model,
        FilterStatus("TRACKING", "velocity_limit", "joint4 asks 3 rad/s of 2", "policy", "joint4"),
    )
    view.on_joint_state(alone.now_ns, JOINT_NAMES, [0.1] * len(JOINT_NAMES))
    view.on_status(alone.now_ns, 1.0, status)
    view.on_plan(
        alone.now_ns, 1.0, PlanSummary("ACTIVE", TYPED, 7, "grasp the red cube", "seen", 0.4, 0.9, "compact", 1, 9.0)
    )
    view.on_report(
        alone.now_ns, 1.0, NodeReport("action_expert", 1, "30 late setpoints in the last second", {"rate_hz": "99.8"})
    )
    view.on_question(1.0, "no progress for 20 s")
    view.on_images(
        alone.now_ns,
        0,
        0,
        [CameraImage(name, "", np.zeros((64, 64, 3), np.uint8), None, "ok") for name in ("front", "wrist")],
    )


@pytest.mark.parametrize("size", PHONES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("path", ["?flat", "stop"])
def test_the_stop_is_whole_on_a_phone(alone: PageWithoutGraph, browser: Any, path: str, size: tuple[int, int]) -> None:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, has_touch=True)
    page.goto(f"{alone.server.address}{path}", wait_until="domcontentloaded")
    fill(alone)
    alone.until(page, lambda: "TRACKING" in page.inner_text("#state"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is cut off at the side"
    if path != "stop":
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    box = page.locator("#stop").bounding_box()
    assert box["x"] >= 0 and box["y"] >= 0, box
    assert box["x"] + box["width"] <= size[0] and box["y"] + box["height"] <= size[1], box
    assert min(box["width"], box["height"]) >= 44, "a thumb finds it"
    inner = "e => e.scrollWidth <= e.clientWidth + 1 && e.scrollHeight <= e.clientHeight + 1"
    assert page.locator("#stop").evaluate(inner), "the word is whole"
    page.locator("#stop").tap()
    alone.until(page, lambda: ("estop", "") in alone.actions)
    page.close()


def test_a_dead_page_looks_dead_and_keeps_what_was_typed(alone: PageWithoutGraph, browser: Any) -> None:
    page = browser.new_page()
    page.goto(f"{alone.server.address}?flat", wait_until="domcontentloaded")
    fill(alone)
    alone.until(page, lambda: page.inner_text("#state") == "TRACKING")
    page.route("**/*", lambda route: route.abort())
    page.locator("#disconnected").wait_for()
    assert page.inner_text("#state") == "NO CONNECTION" and "old" in page.inner_text("#reason")
    assert "grayscale" in page.locator("#plan").evaluate("e => getComputedStyle(e).filter")
    page.fill("[name=instruction]", TYPED)
    page.press("[name=instruction]", "Enter")
    page.locator("#result.failed").wait_for()
    assert page.input_value("[name=instruction]") == TYPED and alone.actions == []
    page.unroute("**/*")
    alone.until(page, lambda: page.inner_text("#state") == "TRACKING")
    assert page.locator("#disconnected").is_hidden() and page.locator("body.dead").count() == 0
    page.reload(wait_until="domcontentloaded")
    assert page.input_value("[name=instruction]") == TYPED
    page.press("[name=instruction]", "Enter")
    alone.until(page, lambda: alone.actions == [("say", TYPED)] and page.input_value("[name=instruction]") == "")
    page.close()


def test_the_normal_end_of_a_task_is_no_warning(alone: PageWithoutGraph, browser: Any) -> None:
    page = browser.new_page()
    page.goto(f"{alone.server.address}?flat", wait_until="domcontentloaded")
    view = alone.view_model
    for state, filter_state, rule in (("ACTIVE", "TRACKING", ""), ("DONE", "STOPPING", "open_loop")):
        view.on_plan(0, 1.0, PlanSummary(state, TYPED, 7, "open the gripper", valid_for_s=9.0))
        view.on_status(0, 1.0, FilterStatus(filter_state, rule, "no setpoint from policy for 0.1 s" if rule else ""))
        alone.until(page, lambda shown=filter_state: page.inner_text("#state") == shown)
    assert page.get_attribute("#state", "data-level") == "idle" and page.inner_text("#rule") == ""
    assert page.locator("#events [data-level=warning], #events [data-level=alarm]").count() == 0
    assert "none yet" in page.inner_text("#rules")
    page.close()


@pytest.mark.parametrize("dead", [False, True])
@pytest.mark.parametrize(("path", "width"), [("?flat", 1440), ("?flat", 320), ("stop", 320)])
def test_axe_finds_no_violation(alone: PageWithoutGraph, browser: Any, path: str, width: int, dead: bool) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(f"{alone.server.address}{path}", wait_until="domcontentloaded")
    fill(alone)
    alone.until(page, lambda: "TRACKING" in page.inner_text("#state"))
    if dead:
        page.route("**/*", lambda route: route.abort())
        page.get_by_text("No answer from the dashboard").wait_for()
    found = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found] == []
    page.close()
