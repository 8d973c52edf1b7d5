"""All monitors together: what they take in, what they warn of, and when the arm is held to ask people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from vla_ros.arrays import Array
from vla_ros.monitors.disagreement import Disagreement
from vla_ros.monitors.drift import Drift
from vla_ros.monitors.failure import Failure
from vla_ros.monitors.monitor_parameters import MonitorsParameters
from vla_ros.monitors.oscillation import Oscillation
from vla_ros.monitors.progress import Progress
from vla_ros.monitors.training_statistics import TrainingStatistics, load_statistics, parse_statistics
from vla_ros.perception.frames import CameraView
from vla_ros.policies.contract import Plan, PlanState


class Monitor(Protocol):
    """One monitor. It is told what it watches, in ns of the caller's time, and asked for its warning."""

    def warning(self) -> str:
        """Return what is wrong, in one line; empty when nothing is."""
        ...


class Monitors:
    """The monitors of one planner. Times are the caller's, in ns; `on_motion` may have a clock of its own.

    Args:
        parameters: thresholds, and which monitors hold the arm.
        joint_names: (n,) the policy's, in its order.
        statistics: of the policy's training data; None: unknown.
    """

    @classmethod
    def for_policy(
        cls, parameters: MonitorsParameters, joint_names: Sequence[str], brought: Mapping[str, Any] | None
    ) -> Monitors:
        """Return the monitors of a loaded policy.

        Args:
            parameters, joint_names: as above.
            brought: content of the stats.json that the policy brings along; None: it brings none. A file named in
                `parameters` goes first.

        Raises:
            ParameterError: the statistics cannot be read, or are not for these joints.
        """
        if parameters.statistics:
            return cls(parameters, joint_names, load_statistics(parameters.statistics, joint_names))
        return cls(parameters, joint_names, None if brought is None else parse_statistics(brought, joint_names))

    def __init__(
        self, parameters: MonitorsParameters, joint_names: Sequence[str], statistics: TrainingStatistics | None = None
    ) -> None:
        self._hold = frozenset(parameters.hold)
        self._drift = Drift(parameters.drift, statistics, joint_names)
        self._disagreement = Disagreement(parameters.disagreement)
        self._failure = Failure(parameters.failure)
        self._oscillation = Oscillation(parameters.oscillation)
        self._progress = Progress(parameters.progress)
        self._monitors: dict[str, Monitor] = {
            "drift": self._drift,
            "disagreement": self._disagreement,
            "failure": self._failure,
            "oscillation": self._oscillation,
            "progress": self._progress,
        }
        self._acknowledged: set[str] = set()
        self._may_move = False

    def on_instruction(self) -> None:
        """A new instruction. It answers an open question: a warning that stands now asks again only after it has gone."""
        self._acknowledged = set(self.warnings())
        for monitor in (self._disagreement, self._failure, self._oscillation, self._progress):
            monitor.reset()

    def on_observation(self, now_ns: int, views: Mapping[str, CameraView], q: Array) -> None:
        """Take in what the policy is about to be given. views: by camera. q: (n,) measured joints, rad or m."""
        self._drift.on_images(now_ns, views)
        self._drift.on_joint_positions(now_ns, q)

    def on_plan(self, now_ns: int, plan: Plan) -> None:
        """Take in a plan."""
        self._failure.on_plan(plan)
        if plan.state is PlanState.ACTIVE:
            self._disagreement.on_plan(now_ns, plan)
            self._progress.on_plan(now_ns, plan, self._may_move)

    def on_motion(self, now_ns: int, may_move: bool, names: Sequence[str], positions: Sequence[float]) -> None:
        """Take in what the safety filter does.

        Args:
            now_ns: when it did so.
            may_move: whether the policy may move the arm.
            names, positions: (n,) what it sent, rad or m; empty: nothing.
        """
        self._may_move = may_move
        self._oscillation.on_setpoint(now_ns, names, positions)

    def warnings(self) -> dict[str, str]:
        """Return name → text of each monitor that warns."""
        texts = {name: monitor.warning() for name, monitor in self._monitors.items()}
        return {name: text for name, text in texts.items() if text}

    def question(self) -> str:
        """Return what to ask people while the arm is held; empty when there is nothing to hold for."""
        warnings = self.warnings()
        self._acknowledged &= set(warnings)
        for name, text in warnings.items():
            if name in self._hold and name not in self._acknowledged:
                return f"{name}: {text}. What shall I do?"
        return ""
