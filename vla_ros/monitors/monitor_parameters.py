"""Parameters of the monitors: when a run looks wrong, and what the planner does about it."""

from __future__ import annotations

from dataclasses import dataclass

from vla_ros.parameters import ParameterError, parameter

MONITORS = ("drift", "disagreement", "failure", "oscillation", "progress")
HOLD_BY_DEFAULT = ["progress"]
"""An arm that makes no progress does not get better by going on. The other monitors can warn about a policy that copes: with
light that it was not trained in, with an object that is moved, with a fourth try, with plans that come late."""


@dataclass(frozen=True)
class DriftParameters:
    """Compares what the policy sees with the data that it was trained on."""

    image_sigma: float = parameter(
        1.0, description="deviation of an image's mean colour from the training mean, in standard deviations", above=0.0
    )
    contrast: float = parameter(2.5, description="factor between an image's contrast and the training's", above=1.0)
    state_margin: float = parameter(
        0.1, description="deviation of a joint from the training range, as a share of the range", minimum=0.0
    )
    seconds: float = parameter(1.0, description="how long such a deviation lasts until it warns", unit="s", minimum=0.0)


@dataclass(frozen=True)
class DisagreementParameters:
    """Compares plans with the previous plans."""

    endpoint_m: float = parameter(
        0.08, description="median distance of the path's end from plan to plan within one subtask", unit="m", above=0.0
    )
    plans: int = parameter(6, description="number of plans in that median", minimum=3, maximum=100)
    changes: int = parameter(6, description="changes of the subtask within 2 s", minimum=2)


@dataclass(frozen=True)
class FailureParameters:
    """Counts repeated and failed attempts."""

    repeats: int = parameter(4, description="beginnings of one subtask within an instruction", minimum=2)
    failures: int = parameter(3, description="instructions in a row that failed", minimum=1)


@dataclass(frozen=True)
class OscillationParameters:
    """Counts reversals of joints."""

    reversals: int = parameter(6, description="changes of direction of a joint", minimum=2)
    seconds: float = parameter(2.0, description="time window of these changes", unit="s", above=0.0)
    amplitude: float = parameter(0.01, description="least motion of a joint that counts", unit="rad or m", above=0.0)


@dataclass(frozen=True)
class ProgressParameters:
    """Measures the time without progress."""

    seconds: float = parameter(
        30.0,
        description="without a new subtask or a rise of `progress`, while the filter lets the arm move",
        unit="s",
        above=0.0,
    )


@dataclass(frozen=True)
class MonitorsParameters:
    """Each monitor warns in /diagnostics; those named in `hold` also stop the arm and ask on vla/question."""

    drift: DriftParameters
    disagreement: DisagreementParameters
    failure: FailureParameters
    oscillation: OscillationParameters
    progress: ProgressParameters
    hold: list[str] = parameter(
        HOLD_BY_DEFAULT,
        description="monitors that hold the arm and ask: of drift, disagreement, failure, oscillation, progress",
    )
    statistics: str = parameter(
        "",
        description="the training data's meta/stats.json (LeRobotDataset v3); empty: those of the policy, or none",
    )

    def __post_init__(self) -> None:
        unknown = [name for name in self.hold if name not in MONITORS]
        if unknown:
            raise ParameterError(f"hold: there is no monitor {unknown[0]!r}; there are {', '.join(MONITORS)}")
