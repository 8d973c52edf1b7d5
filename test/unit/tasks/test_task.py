"""Kinds of tasks."""

from __future__ import annotations

import pytest

from vla_ros.tasks.task import KINDS, check_kind


@pytest.mark.parametrize("kind", ["", *KINDS])
def test_known_kinds_pass(kind: str) -> None:
    check_kind(kind)


def test_an_unknown_kind_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="no kind 'juggle'; there are pick, place, push, stack, sequence"):
        check_kind("juggle")
