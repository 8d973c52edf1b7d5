"""Reports: counted by task and case, told in JSON, Markdown, pictures and films."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from test.unit.dashboard.page_rig import started_browser
from vla_ros.lab.evaluation.chunk_discontinuities import DiscontinuityStatistics
from vla_ros.lab.evaluation.report import FILMS, EvaluationReport, Outcome, count_cells
from vla_ros.lab.evaluation.report_page import FOOT, SIDE, write
from vla_ros.parameters import ParameterError


def jpeg(shade: int) -> bytes:
    return bytes(cv2.imencode(".jpg", np.full((64, 64, 3), shade, np.uint8))[1])


@pytest.fixture
def report() -> EvaluationReport:
    made = EvaluationReport("compact", "robust", 1000, about={"checkpoint": "0123", "chunk_transition": "real_time"})
    for seed in range(8):
        case, good = "light" if seed < 4 else "blur", seed != 6
        made.add(
            Outcome(
                "pick",
                seed,
                "lift it",
                good,
                "done: seen",
                30.0 if good else 60.0,
                case=case,
                interventions={"jerk_limit": 50},
                begun={"jerk_limit": 2},
                reason="" if good else "slipped",
                confidence=0.9,
                meant=True,
                disturbed=case == "blur",
                roughness=DiscontinuityStatistics(10, 0.01, 0.02, 0.1, 0.2, 0.005, 0.05),
                film=tuple((0.1 * i, "reach", jpeg(20 * i)) for i in range(4)),
            )
        )
    return made


def test_episodes_in_which_the_machine_fell_behind_real_time_are_told_apart(report: EvaluationReport) -> None:
    assert report.kept_time() == report.counts() and report.table().caption is None
    report.outcomes[6] = replace(report.outcomes[6], behind_s=0.2)
    report.outcomes[0] = replace(report.outcomes[0], behind_s=0.1)
    kept = report.json()["kept_time"]
    assert (kept["successes"], kept["episodes"]) == (7, 7)
    assert "behind real time in 1 episodes; of the other 7, 7 succeeded" in str(report.table().caption)


def test_counts_by_case_and_task(report: EvaluationReport) -> None:
    assert report.counts(case="light")["successes"] == 4 and report.counts("pick", "blur")["successes"] == 3
    assert [(case, task) for case, task, *_ in report.rows()] == [
        ("light", "pick"),
        ("light", ""),
        ("blur", "pick"),
        ("blur", ""),
        ("all", ""),
    ]
    assert report.reasons() == {"slipped": 1} and report.reasons(case="light") == {}


def test_interventions_are_told_per_minute(report: EvaluationReport) -> None:
    assert report.interventions() == {"jerk_limit": {"per_minute": round(16 / 4.5, 3), "share": round(400 / 67500, 5)}}


def test_the_median_time_is_that_of_successes() -> None:
    made = EvaluationReport("compact", "nominal", 0)
    for seconds, good in ((60.0, False), (10.0, True), (5.0, True), (60.0, False)):
        made.add(Outcome("pick", 0, "lift it", good, "", seconds))
    assert made.counts()["median_s"] == 7.5
    lost = EvaluationReport("compact", "nominal", 0, [Outcome("pick", 0, "lift it", False, "refused", 1.0)])
    assert lost.counts()["median_s"] is None
    assert count_cells(lost.counts())[-1] == ""


def test_what_cannot_be_done_is_not_done_by_refusing_it() -> None:
    """Who refuses it and says that he is unsure is calibrated; who acts on it, sure that he may, is not."""
    made = EvaluationReport("compact", "unknown", 0)
    made.add(Outcome("pick", 0, "lift the spoon", True, "refused", 1.0, confidence=0.0, unknown=True))
    assert made.calibrations()["task done"].error == 0.0 and "right thing" not in made.calibrations()
    made.add(Outcome("pick", 1, "lift the fork", False, "done", 5.0, confidence=1.0, meant=True, unknown=True))
    assert made.calibrations()["task done"].error == 0.5
    assert made.calibrations()["right thing"].error == 1.0


def test_films_are_kept_of_the_first_few(report: EvaluationReport) -> None:
    assert [bool(outcome.film) for outcome in report.outcomes] == [True] * FILMS + [False] * 3 + [True, False]


def test_json_holds_everything_but_films(report: EvaluationReport) -> None:
    made = json.loads(json.dumps(report.json()))
    assert made["cases"]["blur"]["episodes"] == 4
    assert made["calibration"]["task done"]["error"] == pytest.approx(abs(7 / 8 - 0.9))
    assert made["calibration"]["task done"]["count"] == 8
    assert made["seams"]["seams"] == 80
    assert [episode["disturbed"] for episode in made["episodes"]] == [False] * 4 + [True] * 4
    assert len(made["episodes"]) == 8 and "film" not in made["episodes"][0]


def test_a_page_has_tables_pictures_and_films(report: EvaluationReport, tmp_path: Path) -> None:
    text = write(report, tmp_path / "made").read_text()
    assert "| light | pick | 4 | 4 | 100% | 51% to 100% | 30.0 |  |" in text
    assert "| blur | 6 | pick | lift it | slipped | done: seen | 60.0 |" in text
    assert "| `jerk_limit` | 3.56 | 0.59% |" in text
    assert "Disturbed: 4 of 8 episodes." in text
    assert "Expected calibration error 0.025, n = 8." in text
    assert "## Rates" not in text
    films = sorted(path.name for path in (tmp_path / "made").glob("*.mp4"))
    assert films == ["blur_pick_6.mp4", "light_pick_0.mp4", "light_pick_1.mp4", "light_pick_2.mp4"]
    film = cv2.VideoCapture(str(tmp_path / "made" / films[0]))
    assert int(film.get(cv2.CAP_PROP_FRAME_COUNT)) == 14
    assert int(film.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little") == b"VP90"
    assert cv2.imread(str(tmp_path / "made" / "blur_pick_6.jpg")) is not None


def test_a_film_plays_in_a_browser(report: EvaluationReport, tmp_path: Path) -> None:
    write(report, tmp_path)
    for browser in started_browser():
        page = browser.new_page()
        page.goto((tmp_path / "light_pick_0.mp4").as_uri())
        page.wait_for_function("document.querySelector('video')?.readyState >= 2")  # it has a picture to show
        read = "({videoWidth, videoHeight, error}) => [videoWidth, videoHeight, error]"
        assert page.locator("video").evaluate(read) == [SIDE, SIDE + FOOT, None]


def test_a_page_of_the_graph_has_rates_and_interventions_and_says_that_it_has_no_pictures(
    report: EvaluationReport, tmp_path: Path
) -> None:
    report.rates = {"cpu_cores": {"planner": 0.18}, "action_expert": {"rate_hz": "99.8", "chunk_rate_hz": "8.4"}}
    report.outcomes = [replace(outcome, film=()) for outcome in report.outcomes]
    text = write(report, tmp_path).read_text()
    assert "checkpoint 0123, chunk_transition real_time." in text
    assert "| cpu_cores | planner 0.18 |" in text and "chunk_rate_hz 8.4 |" in text
    assert "Pictures and films are made offline only." in text
    assert "| `jerk_limit` | 3.56 | 0.59% |" in text


def test_a_folder_that_cannot_be_written_is_named(report: EvaluationReport, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(ParameterError, match=r"--report .*taken"):
        write(report, tmp_path / "taken")


def test_ends_of_sentences_are_counted() -> None:
    report = EvaluationReport("compact", "honest", 1)
    for success, reason in ((True, "right"), (True, "rightly refused"), (False, "wrong but done"), (True, "right")):
        report.add(Outcome("pick", 1, "", success, "", 1.0, reason=reason))
    assert report.scores() == {
        "right": 2,
        "rightly refused": 1,
        "wrongly refused": 0,
        "wrong but done": 1,
        "wrong and told": 0,
    }
    assert report.json()["scores"]["wrong but done"] == 1
    assert "wrong but done: 1 (25.0%)" in str(report.table().caption)
    report.add(Outcome("pick", 1, "", False, "", 1.0, reason="slipped"))
    assert report.scores() == {}
