"""Asking a vision-language model without waiting for it: one request at a time, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import cv2
import numpy as np

from vla_ros.arrays import Image
from vla_ros.perception.jpeg import encode

JPEG_QUALITY = 90


class VlmUnavailable(Exception):
    """The model has not answered; the text says why and what to do, in one line.

    Attributes:
        lasting: asking again does not help: the key is refused, or there is no such model.
    """

    def __init__(self, text: str, lasting: bool = False) -> None:
        super().__init__(" ".join(text.split()))
        self.lasting = lasting


@dataclass(frozen=True)
class VlmRequest:
    """What a model is asked.

    Attributes:
        text: the prompt.
        images: camera → (H, W, 3) uint8 rgb.
        schema: JSON schema of the answer.
        name: of the schema: letters, digits and _.
    """

    text: str
    images: Mapping[str, Image] = field(default_factory=dict)
    schema: Mapping[str, Any] = field(default_factory=dict)
    name: str = "answer"


class VisionLanguageModel(Protocol):
    """A model that answers in words. It is used by one thread at a time."""

    def answer(self, request: VlmRequest, cancelled: threading.Event) -> str:
        """Return the text of the answer.

        Args:
            request: what it is asked.
            cancelled: set when nobody waits for the answer any more.

        Raises:
            VlmUnavailable: there is none.
        """
        ...

    def interrupt(self) -> None:
        """Nobody waits for the answer under way: end it where that is possible. Called from any thread."""
        ...

    def close(self) -> None:
        """End what the model runs in. Called from any thread; an answer under way ends soon."""
        ...


class Asker(Protocol):
    """Asks a model. Attributes: busy: a request is under way, or its answer has not been taken."""

    @property
    def busy(self) -> bool: ...

    def ask(self, request: VlmRequest) -> None:
        """Begin a request. Only when not `busy`."""
        ...

    def poll(self) -> str | VlmUnavailable | None:
        """Return the answer, why there is none, or None while it is awaited. Each answer is returned once."""
        ...

    def cancel(self) -> None:
        """Nobody waits for what is under way any more: `busy` is False from now on."""
        ...

    def close(self) -> None:
        """End the model."""
        ...


class ThreadAsker:
    """Asks in a daemon thread, so that the caller is never kept waiting. Args: model: who answers."""

    def __init__(self, model: VisionLanguageModel) -> None:
        self._model = model
        self._lock = threading.Lock()  # the model is used by one thread at a time
        self._cancelled = threading.Event()
        self._answer: list[str | VlmUnavailable] | None = None  # of the request under way; None: there is none

    @property
    def busy(self) -> bool:
        return self._answer is not None

    def ask(self, request: VlmRequest) -> None:
        self._cancelled, self._answer = threading.Event(), []
        arguments = (request, self._cancelled, self._answer)
        threading.Thread(target=self._work, args=arguments, daemon=True, name="vlm").start()

    def _work(self, request: VlmRequest, cancelled: threading.Event, answer: list[str | VlmUnavailable]) -> None:
        with self._lock:
            if not cancelled.is_set():
                answer.append(answer_of(self._model, request, cancelled))

    def poll(self) -> str | VlmUnavailable | None:
        if not self._answer:
            return None
        answer, self._answer = self._answer[0], None
        return answer

    def cancel(self) -> None:
        self._cancelled.set()
        if self._answer == []:
            self._model.interrupt()
        self._answer = None

    def close(self) -> None:
        self.cancel()
        self._model.close()


class DirectAsker:
    """Asks at once and waits, for evaluation on a simulated clock, where an answer takes no time. Args: model: answers."""

    def __init__(self, model: VisionLanguageModel) -> None:
        self._model = model
        self._answer: str | VlmUnavailable | None = None

    @property
    def busy(self) -> bool:
        return self._answer is not None

    def ask(self, request: VlmRequest) -> None:
        self._answer = answer_of(self._model, request, threading.Event())

    def poll(self) -> str | VlmUnavailable | None:
        answer, self._answer = self._answer, None
        return answer

    def cancel(self) -> None:
        self._answer = None

    def close(self) -> None:
        self._model.close()


def answer_of(model: VisionLanguageModel, request: VlmRequest, cancelled: threading.Event) -> str | VlmUnavailable:
    """Return the answer, or why there is none. Whatever a model raises is a reason."""
    try:
        return model.answer(request, cancelled)
    except VlmUnavailable as error:
        return error
    except Exception as error:
        return VlmUnavailable(f"the VLM failed: {type(error).__name__}: {error}")


def jpeg_of(image: Image, longer_side: int) -> bytes:
    """Return the JPEG of an image (H, W, 3) uint8 rgb whose longer side has at most so many pixels."""
    height, width = image.shape[:2]
    scale = longer_side / max(height, width)
    if scale < 1.0:
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return encode(image, JPEG_QUALITY)
