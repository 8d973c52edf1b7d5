"""A report for people: Markdown with tables, pictures and films of the first successes and failures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vla_ros.arrays import Image
from vla_ros.lab.evaluation.report import EvaluationReport, Outcome, count_cells
from vla_ros.parameters import ParameterError

RATE_HZ = 10.0  # of a film: that of the plans
SIDE = 384  # pixels of a film
FOOT = 56  # pixels below it, for words
STILLS = 6  # pictures of an episode
CODEC = "vp09"
"""VP9: every browser plays it, and OpenCV's wheels bring its encoder; MPEG-4 part 2 ("mp4v") plays in none."""
CODEC_OPTIONS = "deadline;realtime|cpu-used;8|threads;1"
"""Of libvpx, by OPENCV_FFMPEG_WRITER_OPTIONS: its best quality takes ten times as long."""
GREEN, RED, WHITE = (90, 200, 90), (80, 80, 235), (235, 235, 235)  # BGR


def write(report: EvaluationReport, folder: Path) -> Path:
    """Write report.md and its films and pictures into `folder`; returns the path of the report.

    Raises:
        ParameterError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        seen = sorted((outcome for outcome in report.outcomes if outcome.film), key=lambda outcome: not outcome.success)
        films = [(outcome, _shown(outcome, folder)) for outcome in seen]
        page = folder / "report.md"
        page.write_text("\n".join(_lines(report, films)) + "\n")
    except OSError as error:
        raise ParameterError(f"--report {folder}: {error.strerror}") from None
    return page


def _lines(report: EvaluationReport, films: list[tuple[Outcome, str]]) -> Iterator[str]:
    yield f"# {report.policy}, {report.suite}, seeds from {report.seed}"
    yield ""
    if report.about:
        yield ", ".join(f"{key} {value}" for key, value in report.about.items()) + "."
        yield ""
    yield "| case | task | success | of | rate | 95 % interval | median s | failures |"
    yield "|---|---|---:|---:|---:|---|---:|---|"
    for case, task, counts, failures in report.rows():
        yield f"| {case} | {task or 'all'} | {' | '.join(count_cells(counts))} | {failures} |"
    disturbed = sum(outcome.disturbed for outcome in report.outcomes)
    if disturbed:
        yield from ("", f"Disturbed: {disturbed} of {len(report.outcomes)} episodes.")
    yield from _filter(report)
    yield from _discontinuities(report)
    yield from _calibration(report)
    yield from _rates(report)
    if films:
        yield from ("", "## Seen")
    for outcome, name in films:
        ending = "done" if outcome.success else f"failed: {outcome.reason or outcome.ended}"
        yield from ("", f"**{outcome.case} seed {outcome.seed}**, *{outcome.instruction}*: {ending}.", "")
        yield f"[![{outcome.instruction}]({name}.jpg)]({name}.mp4)"
    failures_ = [outcome for outcome in report.outcomes if not outcome.success]
    if failures_:
        yield from ("", "## Failures", "", "| case | seed | task | words | truth | the planner said | s |")
        yield "|---|---:|---|---|---|---|---:|"
    for o in failures_:
        yield f"| {o.case} | {o.seed} | {o.task} | {o.instruction} | {o.reason} | {o.ended} | {o.seconds:.1f} |"


def _filter(report: EvaluationReport) -> Iterator[str]:
    acted = report.interventions()
    total = sum(values["per_minute"] for values in acted.values())
    yield from ("", "## The filter", "", f"{total:.2f} interventions a minute.")
    if acted:
        yield from ("", "| rule | began, per minute | share of the time |", "|---|---:|---:|")
    for rule, values in acted.items():
        yield f"| `{rule}` | {values['per_minute']:.2f} | {values['share']:.2%} |"


def _discontinuities(report: EvaluationReport) -> Iterator[str]:
    rough = report.roughness()
    if not rough.seams:
        return
    yield from (
        "",
        "## Chunk discontinuities",
        "",
        f"{rough.seams} transitions; the largest jump of any joint of the arm.",
        "",
    )
    yield "| | mean | largest | between transitions, mean |"
    yield "|---|---:|---:|---:|"
    yield f"| velocity, rad/s | {rough.velocity:.4f} | {rough.largest_velocity:.3f} | {rough.between_velocity:.4f} |"
    yield (
        f"| acceleration, rad/s² | {rough.acceleration:.2f} | {rough.largest_acceleration:.1f} "
        f"| {rough.between_acceleration:.2f} |"
    )


def _calibration(report: EvaluationReport) -> Iterator[str]:
    for name, found in report.calibrations().items():
        yield from ("", f"## Confidence against {name}", "")
        yield from (f"Expected calibration error {found.error:.3f}, n = {found.count}.", "")
        yield from (f"| confidence | episodes | mean | {name} |", "|---|---:|---:|---:|")
        for entry in found.bins:
            span = f"{entry.low:.1f} to {entry.high:.1f}"
            yield f"| {span} | {entry.count} | {entry.confidence:.2f} | {entry.right:.0%} |"


def _rates(report: EvaluationReport) -> Iterator[str]:
    if not report.rates:
        return
    yield from ("", "## Rates", "", "Through the graph, in real time. Pictures and films are made offline only.", "")
    yield from ("| | |", "|---|---|")
    for name, values in report.rates.items():
        yield f"| {name} | {', '.join(f'{key} {value}' for key, value in values.items())} |"


def _shown(outcome: Outcome, folder: Path) -> str:
    """Write film and pictures of an episode; returns their name without its end."""
    name = f"{outcome.case}_{outcome.task}_{outcome.seed}".replace(" ", "_")
    frames = [_frame(outcome, *shot) for shot in outcome.film]
    frames += [_frame(outcome, *outcome.film[-1], ended=True)] * round(RATE_HZ)
    height, width = frames[0].shape[:2]
    os.environ.setdefault("OPENCV_FFMPEG_WRITER_OPTIONS", CODEC_OPTIONS)
    film = cv2.VideoWriter(str(folder / f"{name}.mp4"), cv2.VideoWriter.fourcc(*CODEC), RATE_HZ, (width, height))
    if not film.isOpened():
        raise ParameterError(f"--report {folder}: OpenCV cannot write a film in VP9 there")
    for frame in frames:
        film.write(frame)
    film.release()
    rows = np.linspace(0, len(frames) - 1, STILLS).astype(int)
    strip = [cv2.resize(frames[row], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for row in rows]
    cv2.imwrite(str(folder / f"{name}.jpg"), np.hstack(strip), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return name


def _frame(outcome: Outcome, seconds: float, subtask: str, jpeg: bytes, ended: bool = False) -> Image:
    """One picture of a film, BGR: what the policy saw, and words below."""
    seen: Any = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    frame = np.zeros((SIDE + FOOT, SIDE, 3), np.uint8)
    frame[:SIDE] = cv2.resize(seen, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    words, colour = f"{seconds:5.1f} s  {subtask}", WHITE
    if ended:
        words, colour = ("done", GREEN) if outcome.success else (outcome.reason or outcome.ended, RED)
    for line, (text, shade) in enumerate(((outcome.instruction, WHITE), (words, colour))):
        at = (8, SIDE + 22 + 22 * line)
        scale = min(0.45, 0.45 * (SIDE - 16) / cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)[0][0])
        cv2.putText(frame, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, shade, 1, cv2.LINE_AA)
    return frame
