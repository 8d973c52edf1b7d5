"""A filter, a perfect arm and a clock; what is asserted in every tick holds whatever arrives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from test.campaign.judge import Judge
from vla_ros.parameters import flattened, from_mapping, nested
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.decision import Decision
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.measured.joint_state_reader import PROBATION
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.states import ACTIVE, LATCHED, State
from vla_ros.safety.verdict import Verdict

MS = 1_000_000
TIMEOUT_NS = 60 * MS
MEASURED_TIMEOUT_NS = 100 * MS
SIGNAL_TIMEOUT_NS = 80 * MS
"""Of the e-stop's heartbeat, the dead-man switch and the obstacles, where a robot has them."""
SETTLE_NS = 200 * MS
"""Joint states must be consistent for so long before the arm is armed."""
PROBATION_NS = PROBATION * MEASURED_TIMEOUT_NS + SETTLE_NS
"""After one was refused: its stamps may have been wrong, and are believed again only after a probation."""
CLOCKS_APART_NS = 10**18
REACH = 0.29
"""Setpoints further from the output than 0.3, or further outside the range than it is wide, are refused."""


def parameters(names: Sequence[str], changes: dict[str, Any] | None = None) -> SafetyFilterParameters:
    """A configuration; changes are given as {"command.timeout_s": 0.1}."""
    joints = len(names)
    mapping = {
        "joint_names": list(names),
        # Of robots without a URDF the limits are given; the keys are required all the same.
        "limits": {"acceleration": [1.0] * joints, "jerk": [1.0] * joints},
        "command": {
            "period_s": 0.01,
            "delay_s": 0.022,
            "timeout_s": TIMEOUT_NS / 1e9,
            "max_age_s": 0.1,
            "max_lead_s": 0.05,
            "step": [0.3] * joints,
        },
        "measured": {
            "timeout_s": MEASURED_TIMEOUT_NS / 1e9,
            "position_tolerance": [0.001] * joints,
            "tracking_error": [0.05] * joints,
            "rest_velocity": [0.01] * joints,
        },
        "override": {"speed_scale": 0.3},
        "controller": {"type": "forward_position", "topic": "c"},
    }
    return from_mapping(SafetyFilterParameters, nested({**flattened(mapping), **(changes or {})}))


class Arm:
    """Outputs are judged in blocks, so call `judge.finish()` at the end.

    q: where the arm is. reach: how far from there a setpoint may lie. measured, beating, held: whether the joint states,
    the heartbeat and the dead-man switch are there. raising: a rule was made to raise. signs, wave: of the present attack.
    rules: how often each rule spoke. states: ticks in each state. outputs: what was sent, if `keep`. worst_rest: largest
    share of the ticks in which a stop must end that one took.

    Args:
        limits: of the robot.
        period_ns: of a tick.
        changes: to the configuration.
        urdf: of a robot with surroundings; the limits are then its filter's.
        keep: whether to keep the outputs.
    """

    def __init__(
        self,
        limits: Sequence[JointLimits],
        period_ns: int = 4 * MS,
        changes: dict[str, Any] | None = None,
        urdf: str = "",
        keep: bool = True,
    ) -> None:
        self.limits = tuple(limits)
        self.names = [joint.name for joint in limits]
        self.parameters = parameters(self.names, {"period_s": period_ns / 1e9, **(changes or {})})
        self.filter = SafetyFilter(self.parameters, self.limits, urdf)
        self.judge = Judge(self.limits, period_ns / 1e9)
        self.period_ns = period_ns
        self.q = [(joint.lower + joint.upper) / 2 for joint in limits]
        self.reach = [min(REACH, 0.99 * (joint.upper - joint.lower)) for joint in limits]
        self.now_ns = 10**12
        self.measured = self.beating = self.held = True
        self.raising = False
        self.ambiguous: set[str] = set()
        self.disarming = False
        self.outputs: list[tuple[float, ...] | None] = []
        self.rules: Counter[str] = Counter()
        self.states: Counter[State] = Counter()
        self.worst_rest = 0.0
        self.signs = [1] * len(limits)
        self.wave = self.q, 1.0, 0.0
        self._keep = keep
        self._heartbeat = bool(self.parameters.estop.heartbeat_s)
        self._deadman = bool(self.parameters.deadman.timeout_s)
        self._seq = 0
        self._followed = ""
        self._accepted_ns = self._measured_ns = self._held_ns = 0
        self._sending = self._stalled = False
        self._settle_ns = SETTLE_NS
        self._step = [0.0] * len(limits)
        self._cause_ticks = self._allowed_ticks = 0

    def tick(self, count: int = 1, late: int = 0) -> Decision:
        """`count` ticks, each `late` periods too late."""
        for _ in range(count):
            self.now_ns += self.period_ns * (1 + late)
            if self._heartbeat and self.beating:
                self.filter.heartbeat(self.now_ns)
            if self._deadman:
                self.filter.deadman(self.now_ns, self.held)
                self._held_ns = self.now_ns if self.held else 0
            if self.measured:
                self.measure()
            self.hear()
            before = self.filter.state
            decision = self.filter.tick(self.now_ns)
            self._judge(before, decision)
        return decision

    def hear(self) -> None:
        """What else is heard in every tick."""

    def measure(self, q: Sequence[float] | None = None) -> Verdict | None:
        """Tell the filter where the arm is, or another place."""
        return self.listen(self.now_ns, self.names, q or self.q, [0.0] * len(self.q))

    def listen(self, receive_ns: int, *values: Sequence[Any]) -> Verdict | None:
        """Hand over a joint state: names, positions, velocities, efforts."""
        verdict = self.filter.joint_state(receive_ns, *values)
        if verdict is None:
            self._measured_ns = receive_ns
        else:
            self._settle_ns = PROBATION_NS
        return verdict

    def command(self, positions: Sequence[float], **changes: Any) -> Verdict | None:
        """Offer a setpoint that arrives now, 1 ms after its stamp."""
        self._seq += 1
        age_ns = changes.pop("age_ns", MS)
        fields = {
            "channel": "policy",
            "source": changes.get("channel", "policy"),
            "seq": self._seq,
            "stamp_ns": self.now_ns + CLOCKS_APART_NS - age_ns,
            "age_ns": age_ns,
            "receive_ns": self.now_ns,
            "joint_names": self.names,
            "positions": positions,
        }
        return self.offer(Setpoint(**{**fields, **changes}))

    def offer(self, setpoint: Setpoint) -> Verdict | None:
        """Offer a setpoint."""
        verdict = self.filter.command(setpoint)
        if verdict is None:
            self._accepted_ns, self._followed = setpoint.receive_ns, setpoint.channel
        else:
            self.rules[verdict.rule] += 1
        return verdict

    def publishers(self, source: str, count: int) -> None:
        """So many publish on the topic of a source now."""
        self.filter.publishers(source, [f"/n{i}" for i in range(count)])
        (self.ambiguous.add if count > 1 else self.ambiguous.discard)(source)

    def arm(self) -> tuple[bool, str]:
        """Settle and arm; where it is done, a stream of outputs begins here."""
        if self.filter.state is State.DISARMED:
            self.tick(self._settle_ns // self.period_ns + 2)
        done, reason = self.filter.arm(self.now_ns)
        if done:
            self._settle_ns = SETTLE_NS
            self.disarming = False
            self.judge.begin([max(j.lower, min(j.upper, q)) for j, q in zip(self.limits, self.q, strict=True)])
            self._step, self._sending, self._accepted_ns = [0.0] * len(self.q), True, 0
        return done, reason

    def disarm(self) -> None:
        """Disarm."""
        self.disarming = self.filter.disarm()[0] or self.disarming

    def rest(self) -> None:
        """Be left alone until at rest."""
        self.tick(TIMEOUT_NS // self.period_ns + 1)
        self.tick(self.judge.ticks_to_rest(self._step) + 1)

    def again(self) -> None:
        """From a latch or disarmed: to rest, reset, arm. A reset moves nothing."""
        self.measured = self.beating = self.held = True
        self.disarming = self.disarming and self.filter.state is not State.DISARMED
        self.tick(self.judge.ticks_to_rest(self._step) + 1)
        if self.filter.state in LATCHED:
            assert not self.filter.arm(self.now_ns)[0], "armed out of a latch"
            done, reason = self.filter.reset(self.now_ns)
            assert done, reason
            assert self.tick().positions is None, "a reset moves the arm"
        if self.filter.state is State.DISARMED:
            done, reason = self.arm()
            assert done, reason

    @property
    def at_rest(self) -> bool:
        """Whether the last output was where the one before was."""
        return not any(self._step)

    def forbidden(self) -> bool:
        """Whether nothing may move now, by what the outside knows."""
        return (
            self.filter.state in LATCHED
            or self.disarming
            or self.now_ns - self._accepted_ns > TIMEOUT_NS
            or self.now_ns - self._measured_ns > MEASURED_TIMEOUT_NS
            or (self._deadman and self.now_ns - self._held_ns > SIGNAL_TIMEOUT_NS)
            or self._followed in self.ambiguous
        )

    def _judge(self, before: State, decision: Decision) -> None:
        state, verdict = decision.state, decision.verdict
        self.states[state] += 1
        if self._keep:
            self.outputs.append(decision.positions)
        if verdict is not None:
            self.rules[verdict.rule] += 1
            assert verdict.rule != "last_check", verdict
            assert self.raising or "raised" not in verdict.reason, verdict
        assert before not in LATCHED or state in (before, State.ESTOP), "a tick left a latch"
        assert before is not State.DISARMED or state in (before, State.ESTOP), "a tick armed"
        if decision.positions is None:
            self._stalled = state in ACTIVE
            if self._stalled:
                assert state in (State.STALLED, State.DISARMING) and verdict is not None
                assert "stood still" in verdict.reason
            else:
                self._sending = False
            self._step = [0.0] * len(self.q)
            return
        assert self._sending, "an output that nobody armed"
        if self._stalled:  # after a stall a stream begins anew, where the arm stands
            self._stalled = False
            self.judge.begin([max(j.lower, min(j.upper, q)) for j, q in zip(self.limits, self.q, strict=True)])
        self.judge.sent(decision.positions)
        forbidden = self.forbidden()
        if forbidden and not self._cause_ticks:
            self._allowed_ticks = self.judge.ticks_to_rest(self._step)
        self._cause_ticks = self._cause_ticks + 1 if forbidden else 0
        self._step = [b - a for a, b in zip(self.q, decision.positions, strict=True)]
        self.q = list(decision.positions)
        if forbidden and not self.at_rest:
            self.worst_rest = max(self.worst_rest, self._cause_ticks / self._allowed_ticks)
            assert self._cause_ticks < self._allowed_ticks, (
                f"moves {self._cause_ticks} ticks after it had to stop; {self._allowed_ticks} are allowed"
            )
