"""Self-collision: which pairs are checked, and that the arm keeps away from itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from test.unit.safety.simulated_arm import OFF, URDF, Arm, parameters
from vla_ros.parameters import ParameterError
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.geometry import self_collision
from vla_ros.sim.arm_description import HOME


def test_the_arm_does_not_hit_itself() -> None:
    arm = Arm(**{**OFF, "self_collision.check": True}).armed()
    folded = HOME.tolist()
    folded[3], folded[5], folded[1] = -3.0, 0.3, -1.6
    assert "self_collision" in arm.towards(folded, 900)
    nearest = arm.filter.nearest()
    assert nearest is not None
    assert nearest.distance_m >= 0.006


def test_pairs_that_may_touch() -> None:
    arm = Arm(**{**OFF, "self_collision.check": True})
    kept = {pair.description for pair in arm.filter._constraints._clearance._pairs}  # type: ignore[union-attr]
    assert "base and hand" in kept
    assert not kept & {"left_finger and right_finger", "link1 and link2", "hand and left_finger"}
    assert "link4 and link6" not in kept, "they can never meet, which is proved at the start"
    with pytest.raises(ParameterError, match=r"self_collision.allowed: 'hand nose' is not two links"):
        Arm(**{"self_collision.allowed": ["hand nose"]})


def test_an_srdf_disables_pairs(tmp_path: Path) -> None:
    file = tmp_path / "arm.srdf"
    file.write_text('<robot name="a"><disable_collisions link1="base" link2="hand" reason="Never"/></robot>')
    arm = Arm(**{**OFF, "self_collision.check": True, "self_collision.srdf": str(file)})
    assert "base and hand" not in {pair.description for pair in arm.filter._constraints._clearance._pairs}  # type: ignore[union-attr]
    file.write_bytes(b"<robot name='\xff'/>")
    with pytest.raises(ParameterError, match=r"self_collision.srdf: .*arm.srdf cannot be read"):
        Arm(**{**OFF, "self_collision.check": True, "self_collision.srdf": str(file)})
    with pytest.raises(ParameterError, match=r"self_collision.srdf: .*nothing.srdf cannot be read"):
        Arm(**{**OFF, "self_collision.check": True, "self_collision.srdf": str(tmp_path / "nothing.srdf")})


def test_an_arm_without_pairs_of_its_own_has_nothing_to_check() -> None:
    links = "|".join(("base", *(f"link{i}" for i in range(1, 8))))
    off = {**OFF, "self_collision.check": True}
    only_hand = re.sub(rf'(<link name="(?:{links})">.*?)<collision.*?(</link>)', r"\1\2", URDF, flags=re.DOTALL)
    filter_ = SafetyFilter.from_urdf(parameters(**off), only_hand)
    assert filter_.nearest() is None


def test_which_pairs_must_be_checked_is_found_once_in_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Arm().filter
    monkeypatch.setattr(self_collision, "_must_be_checked", lambda *_: pytest.fail("looked for again"))
    again = Arm().filter
    assert first._constraints._clearance._pairs == again._constraints._clearance._pairs  # type: ignore[union-attr]
