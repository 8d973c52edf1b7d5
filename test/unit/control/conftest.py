"""What tests of the planner share."""

from __future__ import annotations

import pytest

from test.unit.control.planner_desk import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()
