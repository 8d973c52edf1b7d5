"""Reports: counted by task and case, told in JSON, Markdown, pictures and films."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from vla_ros.evaluation.pages import write
from vla_ros.evaluation.report import FILMS, Outcome, Report
from vla_ros.evaluation.seams import Roughness
from vla_ros.parameters import ParameterError


def jpeg(shade: int) -> bytes:
    return bytes(cv2.imencode(".jpg", np.full((64, 64, 3), shade, np.uint8))[1])


@pytest.fixture
def report() -> Report:
    made = Report("compact", "robust", 1000, about={"splicing": "real_time"})
    for seed in range(8):
        case, good = "light" if seed < 4 else "blur", seed != 6
        made.add(
            Outcome(
                "pick",
                seed,
                "lift it",
                good,
                "done: seen",
                30.0,
                case=case,
                interventions={"jerk_limit": 50},
                begun={"jerk_limit": 2},
                reason="" if good else "slipped",
                confidence=0.9,
                meant=True,
                roughness=Roughness(10, 0.01, 0.02, 0.1, 0.2, 0.005, 0.05),
                film=tuple((0.1 * i, "reach", jpeg(20 * i)) for i in range(4)),
            )
        )
    return made


def test_counts_by_case_and_task(report: Report) -> None:
    assert report.counts(case="light")["successes"] == 4 and report.counts("pick", "blur")["successes"] == 3
    assert [(case, task) for case, task, _ in report.rows()] == [
        ("light", "pick"),
        ("light", ""),
        ("blur", "pick"),
        ("blur", ""),
        ("all", ""),
    ]
    assert report.reasons() == {"slipped": 1} and report.reasons(case="light") == {}


def test_interventions_are_told_per_minute(report: Report) -> None:
    assert report.interventions() == {"jerk_limit": {"per_minute": 4.0, "share": round(50 / 7500, 5)}}


def test_films_are_kept_of_the_first_few(report: Report) -> None:
    assert [bool(outcome.film) for outcome in report.outcomes] == [True] * FILMS + [False] * 3 + [True, False]


def test_json_holds_everything_but_films(report: Report) -> None:
    told = json.loads(json.dumps(report.json()))
    assert told["cases"]["blur"]["episodes"] == 4
    assert told["calibration"]["success"]["error"] == pytest.approx(abs(7 / 8 - 0.9))
    assert told["seams"]["seams"] == 80
    assert len(told["episodes"]) == 8 and "film" not in told["episodes"][0]


def test_a_page_has_tables_pictures_and_films(report: Report, tmp_path: Path) -> None:
    text = write(report, tmp_path / "made").read_text()
    assert "| light | pick | 4 | 4 | 100% | 51% to 100% | 30.0 |  |" in text
    assert "| blur | 6 | pick | lift it | slipped | done: seen | 30.0 |" in text
    assert "| `jerk_limit` | 4.00 | 0.67% |" in text
    films = sorted(path.name for path in (tmp_path / "made").glob("*.mp4"))
    assert films == ["blur_pick_6.mp4", "light_pick_0.mp4", "light_pick_1.mp4", "light_pick_2.mp4"]
    film = cv2.VideoCapture(str(tmp_path / "made" / films[0]))
    assert int(film.get(cv2.CAP_PROP_FRAME_COUNT)) == 14
    assert cv2.imread(str(tmp_path / "made" / "blur_pick_6.jpg")) is not None


def test_a_folder_that_cannot_be_written_is_named(report: Report, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(ParameterError, match=r"--report .*taken"):
        write(report, tmp_path / "taken")
