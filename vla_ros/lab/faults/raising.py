"""The program safety_filter with rules that can be made to raise: `python -m vla_ros.lab.faults.raising FILE --ros-args ...`.

FILE holds the name of the rule that raises, or nothing; with `off` behind the name the rule is skipped. It is read at the
start and at SIGUSR1. The node's own program has no such switch.
"""

from __future__ import annotations

import importlib
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

CODE = {
    "authority": "command.authority:SetpointAuthority.check",
    "schema": "command.schema:Schema.check",
    "freshness": "command.freshness:Freshness.check",
    "sequence": "command.sequence:SetpointSequence.check",
    "resumption": "command.resumption:Resumption.check",
    "entry": "command.entry:Entry.check",
    "continuity": "command.continuity:Continuity.check",
    "joint_state": "measured.joint_state:JointStateFresh.check",
    "joint_source": "measured.joint_source:JointSource.check",
    "overspeed": "measured.overspeed:Overspeed.check",
    "tcp_overspeed": "measured.tcp_overspeed:TcpOverspeed.check",
    "standstill": "measured.standstill:Standstill.check",
    "measured_clearance": "measured.measured_clearance:MeasuredClearance.check",
    "tracking_error": "measured.tracking_error:TrackingError.check",
    "contact": "measured.contact:Contact.check",
    "controller_state": "measured.controller_state:ControllerState.check",
    "speed_scaling": "measured.speed_scaling:SpeedScaling.check",
    "safety_monitor": "command.safety_monitor:SafetyMonitor.check",
    "obstacle": "geometry.obstacle:ObstacleFeed.check",
    "estop": "command.estop:EStop.check",
    "deadman": "command.deadman:Deadman.check",
    "enabling": "command.enabling:Enabling.check",
    "open_loop": "command.open_loop:OpenLoop.check",
    "velocity_limit": "joint.velocity_limit:VelocityLimit.acceleration_bounds",
    "acceleration_limit": "joint.acceleration_limit:AccelerationLimit.acceleration_bounds",
    "jerk_limit": "joint.jerk_limit:JerkLimit.acceleration_toward",
    "position_limit": "joint.position_limit:PositionLimit.viable",
    "effort_limit": "joint.effort_limit:EffortLimit.check",
    "tool_orientation": "geometry.tool_orientation:ToolOrientation.check",
    "stop_distance": "geometry.stop_distance:StopDistance.check",
    "momentum": "geometry.momentum:Momentum.check",
    "cartesian_speed": "geometry.cartesian_speed:CartesianSpeed.check",
    "reduced_mode": "geometry.reduced_mode:ReducedMode.check",
    "separation": "geometry.separation:Separation.check",
    "clearance": "geometry.clearance:Clearance.violation",
    "last_check": "joint.last_check:LastCheck.violation",
    "fence": "geometry.fence:Fence.distance_pairs",
    "table": "geometry.table:Table.distance_pairs",
    "keep_out": "geometry.keep_out:KeepOut.distance_pairs",
    "self_collision": "geometry.self_collision:SelfCollision.distance_pairs",
}
"""Rule → module below vla_ros.safety and, behind the colon, the function that runs for it. The last four only make pairs,
at the start, for clearance, which does their work from tick to tick."""
OFF = "off"
"""Behind a rule's name: its code is skipped, as if it had nothing against anything."""
AT_START = ("fence", "table", "keep_out", "self_collision")


class RuleFaultSwitch:
    """Makes the code of one rule raise.

    Args:
        file: holds the name of the rule.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.rule = ""
        self.read()

    def read(self, *_: object) -> None:
        """Read the name of the rule from the file; also a signal handler."""
        self.rule = self._file.read_text().strip() if self._file.exists() else ""

    def install(self) -> None:
        """Replace every function of CODE by one that can raise."""
        for rule, path in CODE.items():
            name, _, attribute_path = path.partition(":")
            attributes = attribute_path.split(".")
            module: Any = importlib.import_module(f"vla_ros.safety.{name}")
            owner = module
            for attribute in attributes[:-1]:
                owner = getattr(owner, attribute)
            original = getattr(owner, attributes[-1])
            setattr(owner, attributes[-1], self.with_fault(rule, original, str(module.__file__)))

    def with_fault(self, rule: str, original: Callable[..., Any], file: str) -> Callable[..., Any]:
        """Return a function that calls `original` of `file`, or raises while the rule is switched on."""
        # Compiled under the name of the rule's file, so that the traceback ends there as it does for a real error.
        source = f"def fault(): raise RuntimeError('injected into {rule}')"
        space: dict[str, Any] = {}
        exec(compile(source, file, "exec"), space)
        fault = space["fault"]

        def switched(*arguments: Any, **named: Any) -> Any:
            if self.rule == rule:
                fault()
            if self.rule == f"{rule} {OFF}":
                return None
            return original(*arguments, **named)

        return switched


def main() -> int:
    """Install the switch and run the node."""
    switch = RuleFaultSwitch(Path(sys.argv[1]))
    switch.install()
    signal.signal(signal.SIGUSR1, switch.read)
    from vla_ros.nodes import safety_filter

    code: int = safety_filter.main()
    return code


if __name__ == "__main__":
    raise SystemExit(main())
