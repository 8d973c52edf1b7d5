"""Asking never waits: one request at a time, a cancelled one is forgotten, whatever a model raises is a reason."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from vla_ros.perception.jpeg import decode
from vla_ros.policies.vlm.asking import Asker, DirectAsker, ThreadAsker, VlmRequest, VlmUnavailable, jpeg_of


class Slow:
    """A model that answers when it is let; interrupted: number of times that it was."""

    def __init__(self) -> None:
        self.gate, self.interrupted, self.closed = threading.Event(), 0, False
        self.error: Exception | None = None
        self.at_once = self.most_at_once = 0

    def answer(self, request: VlmRequest, cancelled: threading.Event) -> str:
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        self.gate.wait(10.0)
        self.at_once -= 1
        if self.error is not None:
            raise self.error
        return f"to {request.text}"

    def interrupt(self) -> None:
        self.interrupted += 1

    def close(self) -> None:
        self.closed = True


def taken(asker: Asker, timeout_s: float = 5.0) -> str | VlmUnavailable:
    end_s = time.monotonic() + timeout_s
    while time.monotonic() < end_s:
        answer = asker.poll()
        if answer is not None:
            return answer
        time.sleep(0.005)
    raise AssertionError("no answer")


def test_asking_does_not_wait() -> None:
    model = Slow()
    asker = ThreadAsker(model)
    began_s = time.monotonic()
    asker.ask(VlmRequest("a"))
    assert asker.busy and asker.poll() is None
    assert time.monotonic() - began_s < 1.0
    model.gate.set()
    assert taken(asker) == "to a"
    assert not asker.busy and asker.poll() is None


def test_a_cancelled_request_is_forgotten_and_the_next_one_is_answered() -> None:
    model = Slow()
    asker = ThreadAsker(model)
    asker.ask(VlmRequest("old"))
    asker.cancel()
    assert not asker.busy and model.interrupted == 1
    asker.ask(VlmRequest("new"))
    model.gate.set()
    assert taken(asker) == "to new"
    assert model.most_at_once == 1
    asker.cancel()
    assert model.interrupted == 1  # nothing was under way
    asker.close()
    assert model.closed


@pytest.mark.parametrize("make", [ThreadAsker, DirectAsker])
def test_whatever_a_model_raises_is_a_reason(make: type[ThreadAsker] | type[DirectAsker]) -> None:
    model = Slow()
    model.gate.set()
    asker: Asker = make(model)
    for error, text in (
        (VlmUnavailable("gone\nfor good", True), "gone for good"),
        (KeyError("x"), "the VLM failed: KeyError: 'x'"),
    ):
        model.error = error
        asker.ask(VlmRequest("a"))
        answer = taken(asker)
        assert isinstance(answer, VlmUnavailable)
        assert str(answer) == text
    assert not answer.lasting


def test_a_direct_asker_has_the_answer_at_once() -> None:
    model = Slow()
    model.gate.set()
    asker = DirectAsker(model)
    asker.ask(VlmRequest("a"))
    assert asker.busy
    assert asker.poll() == "to a"
    assert not asker.busy
    asker.ask(VlmRequest("b"))
    asker.cancel()
    assert asker.poll() is None
    asker.close()
    assert model.closed


@pytest.mark.parametrize(
    ("shape", "size"),
    [((480, 640), (192, 256)), ((640, 480), (256, 192)), ((100, 50), (100, 50)), ((1, 3000), (1, 256))],
)
def test_an_image_is_made_smaller_and_never_larger(shape: tuple[int, int], size: tuple[int, int]) -> None:
    image = np.full((*shape, 3), (10, 200, 30), np.uint8)
    small = decode(jpeg_of(image, 256))
    assert small.shape == (*size, 3)
    assert small.mean((0, 1)) == pytest.approx((10, 200, 30), abs=6)
