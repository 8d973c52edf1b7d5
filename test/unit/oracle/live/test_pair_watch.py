"""A pair is named when it comes within its margin, whatever was measured before; few distances are computed for that."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.oracle.live.pair_watch import PairWatch
from vla_ros.oracle.pair_distances import JudgedPair, PairDistances
from vla_ros.oracle.robot import JudgedBody, pose

ROD = np.array([0.3, 0.0, 0.0])


def poses(gap: float, turn: float = 0.0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Two rods next to each other, `gap` apart; the second one is turned about its centre."""
    R = pose((0, 0, 0), (0.0, 0.0, turn))[:3, :3]
    return {
        "a": (np.eye(3)[None], np.zeros((1, 3))),
        "b": (R[None], np.array([[0.0, gap + 0.02, 0.0]])),
    }


@pytest.fixture
def watch() -> PairWatch:
    rods = [JudgedBody(link, ROD, 0.01, np.eye(4)) for link in "ab"]
    return PairWatch(PairDistances([JudgedPair("keep", 0.05, rods[0], rods[1])]), np.zeros(1))


def test_it_names_pair_row_and_distance(watch: PairWatch) -> None:
    assert watch.look(poses(0.06)) is None
    found = watch.look(poses(0.04))
    assert found is not None
    assert found[:2] == (0, 0)
    assert found[2] == pytest.approx(0.04)


@pytest.mark.parametrize("steps", [1, 7, 60])
def test_a_turn_that_brings_the_ends_together_is_seen(watch: PairWatch, steps: int) -> None:
    """The centres stand still all the while."""
    seen = [watch.look(poses(0.2, angle)) for angle in np.linspace(0.0, 1.2, steps + 1)]
    assert seen[0] is None
    assert seen[-1] is not None


def test_far_pairs_are_not_measured_again_for_small_motions(watch: PairWatch, monkeypatch: pytest.MonkeyPatch) -> None:
    computed = []
    distance = PairDistances.distance
    monkeypatch.setattr(PairDistances, "distance", lambda *args: (computed.append(1), distance(*args))[1])
    for i in range(100):
        assert watch.look(poses(0.2 + 1e-4 * (i % 2))) is None
    assert 1 <= len(computed) < 20


def test_a_tolerance_is_of_its_row() -> None:
    rods = [JudgedBody(link, ROD, 0.01, np.eye(4)) for link in "ab"]
    watch = PairWatch(PairDistances([JudgedPair("keep", 0.05, rods[0], rods[1])]), np.array([0.02, 0.0]))
    both = {link: (np.repeat(R, 2, 0), np.repeat(p, 2, 0)) for link, (R, p) in poses(0.04).items()}
    found = watch.look(both)
    assert found is not None
    assert found[1] == 1
