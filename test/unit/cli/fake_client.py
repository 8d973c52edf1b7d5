"""A client without ROS, in place of vla_ros.ros.client."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest


class FakeUnreachable(RuntimeError):
    """As vla_ros.ros.client.Unreachable."""


class FakeClient:
    """Answers as it was told to, and keeps what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.published: list[str] = []
        self.triggered: list[str] = []
        self.status: object = None

    def _answer(self, name: str) -> Any:
        answer = self.answers[name]
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def publish(self, text: str) -> int:
        self.published.append(text)
        return 1

    def spin(self, seconds: float, until: object = None) -> bool:
        return True

    def wait_until_ready(self, timeout_s: float) -> None:
        self._answer("ready")

    def follow(self, text: str) -> tuple[str, str]:
        self.published.append(text)
        answer: tuple[str, str] = self._answer("follow")
        return answer

    def continue_task(self) -> tuple[str, str]:
        answer: tuple[str, str] = self._answer("continued")
        return answer

    def filters(self) -> list[str]:
        answer: list[str] = self._answer("filters")
        return answer

    def trigger(self, name: str) -> tuple[bool, str]:
        self.triggered.append(name)
        answer: tuple[bool, str] = self._answer("trigger")
        return answer

    def arm(self, timeout_s: float) -> tuple[bool, str]:
        return self.trigger("arm")


def install(monkeypatch: pytest.MonkeyPatch, client: FakeClient) -> None:
    """Have commands connect to this client."""

    @contextmanager
    def connect(namespace: str = "", end: object = None) -> Iterator[FakeClient]:
        yield client

    module = SimpleNamespace(connect=connect, Unreachable=FakeUnreachable, Client=FakeClient)
    monkeypatch.setitem(sys.modules, "vla_ros.ros.client", module)  # type: ignore[arg-type]
