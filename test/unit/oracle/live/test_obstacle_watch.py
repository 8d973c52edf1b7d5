"""An obstacle that came is no fault; from then on no body comes nearer to it, each by itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from vla_ros.oracle.clearances import ball
from vla_ros.oracle.live.obstacle_watch import NOISE_M, ObstacleWatch
from vla_ros.oracle.pair_distances import JudgedPair, PairDistances
from vla_ros.oracle.robot import JudgedBody, pose

BRAKED_NS = 1_000
HAND = JudgedBody("hand", np.zeros(3), 0.1, pose((0, 0, 0)))


def pairs_of(obstacles: Sequence[JudgedBody]) -> PairDistances:
    return PairDistances([JudgedPair("obstacle", 0.02, HAND, obstacle) for obstacle in obstacles])


def hand_at(x: float) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    still = np.broadcast_to(np.eye(3), (2, 3, 3))
    return {"hand": (still, np.full((2, 3), [x, 0.0, 0.0])), "": (still, np.zeros((2, 3)))}


@pytest.fixture
def watch() -> ObstacleWatch:
    made = ObstacleWatch(np.array([0.0, 0.01]))
    made.put(ball((0.5, 0.0, 0.0), 0.05), pairs_of, BRAKED_NS)
    return made


def test_while_the_arm_brakes_and_from_then_on(watch: ObstacleWatch) -> None:
    assert watch.look(hand_at(0.30), 0) is None
    assert watch.look(hand_at(0.34), 500) is None, "it brakes towards it"
    assert watch.look(hand_at(0.345), BRAKED_NS) is None, "here it stands: 5 mm apart"
    assert watch.look(hand_at(0.342), BRAKED_NS) is None
    found = watch.look(hand_at(0.345), BRAKED_NS)
    assert found is not None, "nearer than it was"
    assert found[1] == 0
    assert found[2] == pytest.approx(0.005)


def test_outside_its_margin_it_may_come_up_to_it(watch: ObstacleWatch) -> None:
    assert watch.look(hand_at(0.2), BRAKED_NS) is None
    assert watch.look(hand_at(0.329), BRAKED_NS) is None
    assert watch.look(hand_at(0.331), BRAKED_NS) is not None


def test_noise_lowers_the_floor_by_as_much_and_a_move_puts_it_anew(watch: ObstacleWatch) -> None:
    assert watch.look(hand_at(0.345), BRAKED_NS) is None
    watch.put(ball((0.5 - NOISE_M / 2, 0.0, 0.0), 0.05), pairs_of, 5 * BRAKED_NS)
    assert watch.look(hand_at(0.345), 2 * BRAKED_NS) is None
    assert watch.look(hand_at(0.347), 2 * BRAKED_NS) is not None
    watch.put(ball((0.4, 0.0, 0.0), 0.05), pairs_of, 5 * BRAKED_NS)
    assert watch.look(hand_at(0.36), 3 * BRAKED_NS) is None, "it came to the arm"
