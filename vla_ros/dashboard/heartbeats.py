"""Which parts of the graph are silent that should have spoken by now."""

from __future__ import annotations

from vla_ros.time import NS_PER_S

SILENCE_LIMIT_S = {"safety_filter": 0.5, "joint_states": 0.5, "planner": 0.7}
"""Longest healthy silence of what speaks more often than once a second; for other nodes REPORT_SILENCE_LIMIT_S holds."""
REPORT_SILENCE_LIMIT_S = 2.5  # /diagnostics comes once a second
PLAN_SILENCE_LIMIT_S = 0.5  # during a task; longer where the plans say that they are valid for longer
EXPECTED = ("camera", "planner", "action_expert", "safety_filter", "joint_states")
STARTUP_NS = 10 * NS_PER_S
"""For this long after the dashboard's own start nothing counts as silent."""
PLANNER_RESTART_NS = 3 * NS_PER_S // 2


class Heartbeats:
    """Knows when each part of the graph spoke last.

    Times are monotonic, ns. During a task the planner must send plans, not just any message.

    Args:
        started_ns: start of the dashboard.
    """

    def __init__(self, started_ns: int) -> None:
        self._heard_ns = dict.fromkeys(EXPECTED, started_ns + STARTUP_NS)
        self._plan_ns = 0
        self._plan_limit_s = 0.0  # 0: no plan is due

    def on_message(self, name: str, now_ns: int) -> None:
        """Note that `name` has spoken."""
        self._heard_ns[name] = now_ns

    def on_plan(self, now_ns: int, active: bool, valid_for_s: float) -> None:
        """Note a plan. active: a task is carried out, so a next plan is due. valid_for_s: of this plan, s."""
        self.on_message("planner", now_ns)
        self._plan_ns = now_ns
        self._plan_limit_s = max(PLAN_SILENCE_LIMIT_S, valid_for_s) if active else 0.0

    def on_planner_restart(self) -> None:
        """Note that the planner knows of no task any more: no plan is due."""
        self._plan_limit_s = 0.0

    def plan_is_fresh(self, now_ns: int) -> bool:
        """Whether a task is carried out and its newest plan is not overdue."""
        return now_ns - self._plan_ns < self._plan_limit_s * NS_PER_S

    def planner_has_restarted(self, now_ns: int) -> bool:
        """Whether a planner that speaks now must have been started again: its task's plans have been missing for long."""
        missing_ns = now_ns - self._plan_ns
        return self._plan_limit_s > 0.0 and missing_ns > max(PLANNER_RESTART_NS, self._plan_limit_s * NS_PER_S)

    def age_s(self, name: str, now_ns: int) -> float:
        """Return the time since `name` spoke last, s."""
        return (now_ns - self._heard_ns[name]) / NS_PER_S

    def silent(self, now_ns: int) -> dict[str, float]:
        """Return who should have spoken by now: name → s since it spoke last."""
        silent = {}
        for name in self._heard_ns:
            limit_s, age_s = SILENCE_LIMIT_S.get(name, REPORT_SILENCE_LIMIT_S), self.age_s(name, now_ns)
            if name == "planner" and self._plan_limit_s:
                limit_s, age_s = self._plan_limit_s, (now_ns - self._plan_ns) / NS_PER_S
            if age_s > limit_s:
                silent[name] = age_s
        return silent
