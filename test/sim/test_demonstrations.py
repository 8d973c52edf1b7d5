"""The scripted expert does every kind of task, and recovers; what is recorded is what happened."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.data import demonstrations, disturbances
from vla_ros.data.demonstrations import demonstrate
from vla_ros.parameters import ParameterError
from vla_ros.perception.jpeg import decode
from vla_ros.sim.phases import DONE, DOWN, GRASP, PHASES, REACH
from vla_ros.sim.variation import TRAINING, sample_varied
from vla_ros.tasks.hand import FINGER_CLOSED_M, FINGER_OPEN_M
from vla_ros.tasks.task import KINDS


def only(monkeypatch: pytest.MonkeyPatch, kind: str, disturbance: str) -> None:
    """Draw this kind of task and of disturbance."""
    monkeypatch.setattr(demonstrations, "SHARES", {kind: 1.0})
    monkeypatch.setattr(disturbances, "SHARES", {disturbance: 1.0})
    monkeypatch.setattr(disturbances, "ALSO_ODD", 0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_done(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, kind, "none")
    episode = demonstrate(2_000_000, renderer="")
    assert episode is not None
    rows = len(episode.subtasks)
    assert all(len(column) == rows for column in episode.columns.values())
    done = episode.columns["label.done"][:, 0]
    assert (np.diff(done) >= 0).all() and 6 <= done.sum() <= 12
    assert ((episode.columns["label.phase"][:, 0] == DONE) == (done == 1)).all()
    assert episode.columns["label.valid"].all()
    assert (np.diff(episode.columns["label.progress"][:, 0]) > -0.6).all()
    reached = np.abs(episode.columns["observation.state"][1:, :7] - episode.columns["action"][:-1, :7])
    assert reached.max() < 0.02


@pytest.mark.parametrize("disturbance", ("odd start", "slip", "drop", "moved", "wrong object", "kick"))
def test_it_recovers(disturbance: str, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "pick", disturbance)
    episode = demonstrate(2_000_001, renderer="")
    assert episode is not None and episode.about["recovery"] == disturbance
    mistaken = int((episode.columns["label.valid"] == 0).sum())
    assert (mistaken > 0) is (disturbance in ("slip", "drop", "kick"))
    if disturbance == "wrong object":
        assert episode.subtasks[0].startswith("put") and episode.subtasks[0].endswith("aside")
    if disturbance == "drop":
        assert (np.diff(episode.columns["label.phase"][:, 0]) < 0).any()  # an earlier phase followed a later one


@pytest.mark.parametrize(("also_odd", "recovery"), [(0.0, "none"), (1.0, "odd start")])
def test_what_did_not_happen_is_no_recovery(also_odd: float, recovery: str, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "pick", "moved")
    monkeypatch.setattr(disturbances, "ALSO_ODD", also_odd)
    monkeypatch.setattr(disturbances, "SHIFT_M", (5.0, 5.0))  # there is no room so far away
    episode = demonstrate(2_000_001, renderer="")
    assert episode is not None and episode.about["recovery"] == recovery


def test_the_same_seed_gives_the_same_demonstration() -> None:
    first, second = (demonstrate(2_000_010, renderer="") for _ in range(2))
    assert first is not None and second is not None
    assert all((first.columns[key] == second.columns[key]).all() for key in first.columns)


def test_seeds_of_evaluation_are_refused() -> None:
    with pytest.raises(ParameterError, match="kept for evaluation"):
        demonstrate(9999)


def test_labels_are_the_simulators_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "pick", "none")
    episode = demonstrate(2_000_020, renderer="ray")
    assert episode is not None
    columns, about = episode.columns, episode.about
    x = int(columns["label.x"][0, 0])
    assert about["things"][x]["name"] == about["steps"][0]["x"]
    things = columns["label.things"].reshape(-1, 12, 4)
    lifted = things[-1, x, 2] - things[0, x, 2]
    assert lifted > 0.1 and np.abs(things[-1, x, :3] - columns["label.tool"][-1, :3]).max() < 0.02
    assert columns["label.holding"][-1, 0] == x and columns["label.holding"][0, 0] == -1
    phase = columns["label.phase"][:, 0]
    goals = columns["label.waypoints"].reshape(-1, 4, 6)
    going = phase == DOWN
    assert np.abs(goals[going, 0, :2] - things[going, x, :2]).max() < 0.002
    assert (goals[phase == GRASP, 0, 4] == np.float32(FINGER_CLOSED_M)).all()
    assert (goals[phase == REACH, 0, 4] == np.float32(FINGER_OPEN_M)).all()
    assert {PHASES[p].split(" ")[0] for p in phase} == {text.split(" ")[0] for text in episode.subtasks}
    # The wrist camera sees what the hand goes down to, where the label says, in the colour that it is drawn in.
    row = int(np.flatnonzero(going)[-1])
    u, v, seen = columns["label.pixels"].reshape(-1, 2, 12, 3)[row, 1, x]
    assert seen > 0.5
    image = (
        decode(episode.images["wrist"][row])[int(v) - 1 : int(v) + 2, int(u) - 1 : int(u) + 2].reshape(-1, 3).mean(0)
    )
    drawn = np.array(sample_varied(2_000_020, "pick", TRAINING)[0].objects[x].rgb)
    shade = image / np.linalg.norm(image) @ drawn / np.linalg.norm(drawn)
    assert shade > 0.97
