"""What a case can do to the running graph. `vla_ros.lab.faults.graph_rig` is the one that does it over ROS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from vla_ros.lab.faults.stream import Measured, Setpoint
from vla_ros.safety.geometry.obstacle_shape import Obstacle

if TYPE_CHECKING:
    from vla_ros.lab.faults.case import Seen

Alter = Callable[[Setpoint, float], Sequence[Setpoint]]
"""(the right setpoint, s since the fault) → what is sent instead."""
Relay = Callable[[Measured, float], Measured | None]
"""(the right state, s since the fault) → what is sent instead; None: nothing."""


class Rig(Protocol):
    """The policy, the arm's driver, the human with buttons, and the operating system, in one hand.

    Attributes:
        graph: which one runs. lines: what its processes have printed.
        alter, relay: what is made of setpoints and joint states; None: nothing. policy: whether setpoints are sent at all.
        beats, held: whether the e-stop's heartbeat and the dead-man switch are sent. obstacles: what the feed says; None: it
        is silent. image: "frozen" or empty, the front camera. measured: the newest state of the arm.
        state, rule, speed: of the filter's newest status, the speed that of the fastest joint, rad/s or m/s; state "-": there
        is no filter, empty: it has not spoken yet. stall_s: for how long the rig or the filter stood still, at most.
    """

    graph: str
    lines: list[str]
    alter: Alter | None
    relay: Relay | None
    policy: bool
    beats: bool
    held: bool
    obstacles: Sequence[Obstacle] | None
    image: str
    measured: Measured
    state: str
    rule: str
    speed: float
    stall_s: float

    def begin(self) -> Seen:
        """A case begins: what is seen from now on."""

    def mark(self) -> None:
        """The fault begins now; how fast the arm is goes into what is seen."""

    def judged(self) -> Seen:
        """What was seen since the mark, with what the arm's controller did."""

    def play(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Let it run for so long, or until something holds; whether it does."""

    def home(self) -> None:
        """Put the arm where it starts; the filter is disarmed."""

    def move(self) -> None:
        """The swing begins."""

    def awake(self) -> bool:
        """Whether all of the whole graph say in their diagnostics that they are active."""

    def forget(self) -> None:
        """What the nodes have said so far."""

    def say(self, text: str) -> None:
        """An instruction, once planner and action expert listen."""

    def call(self, name: str) -> tuple[bool, str]:
        """Call the filter's service vla/NAME; the answer is noted."""

    def press(self, pressed: bool) -> None:
        """The e-stop button on vla/estop."""

    def scale(self, value: float) -> None:
        """Ask for another speed scale."""

    def override(self, alter: Alter | None) -> None:
        """A human's device begins to send setpoints, or ends."""

    def extra_publishers(self, count: int, setpoints: bool) -> None:
        """So many nodes more publish setpoints, or are only there; 0: none any more."""

    def publishers(self) -> int:
        """How many are known to publish on the policy's topic."""

    def flood(self, processes: int) -> None:
        """So many processes flood the policy's topic; 0: none any more."""

    def burst(self, count: int) -> None:
        """So many setpoints at once."""

    def hog(self, processes: int) -> None:
        """So many processes compute; 0: none any more."""

    def set_parameter(self, name: str, value: float) -> None:
        """Try to change a parameter of the filter; the answer is noted."""

    def kill(self, name: str) -> None:
        """SIGKILL."""

    def restart(self, name: str) -> None:
        """Start a killed process again and wait until it speaks."""

    def stall(self, name: str, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after so long."""

    def raise_in(self, rule: str) -> None:
        """The code of a rule raises from now on; empty: none does."""

    def step_clock(self, seconds: float) -> None:
        """Step the simulated clock."""

    def fill_disk(self, full: bool) -> None:
        """Writing of the audit log fails, or works again."""

    def remove_log(self) -> None:
        """Take the folder of the audit log away."""

    def replay_log(self) -> None:
        """Wait for the file with which the audit log goes on after one of these, replay it, and note what comes of it."""

    def note_diagnostics(self, *keys: str) -> None:
        """Note what the filter's diagnostics say."""

    def refuse_to_start(self, parameters: dict[str, object], urdf_of: Callable[[str], str] | None = None) -> None:
        """Start a filter with these parameters changed, or another URDF; its last line is noted."""
