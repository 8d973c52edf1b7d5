"""Who else has a say: a human's override, e-stop, dead-man switch and enabling device, and the second channel."""

from __future__ import annotations

import dataclasses

from vla_ros.parameters import ParameterError, parameter


@dataclasses.dataclass(frozen=True)
class OverrideParameters:
    """A human's device on vla/override; it has priority over the policy."""

    speed_scale: float = parameter(
        description="share of the velocity limits that it may use", minimum=0.01, maximum=1.0
    )
    delay_s: float = parameter(
        0.028,
        description="as command.delay_s, for its setpoints: a device does not know what it will send",
        unit="s",
        minimum=0.0,
        maximum=1.0,
    )


@dataclasses.dataclass(frozen=True)
class EStopParameters:
    """Besides the service vla/estop and the topic vla/estop."""

    heartbeat_s: float = parameter(
        0.0,
        description="vla/estop_heartbeat silent for this long is an e-stop; 0: there is no heartbeat",
        unit="s",
        minimum=0.0,
        maximum=10.0,
    )


@dataclasses.dataclass(frozen=True)
class SafetyMonitorParameters:
    """The second channel: the node safety_monitor judges what is sent and measured; the filter wants its reports."""

    timeout_s: float = parameter(
        0.0,
        description="without a report of the node safety_monitor for this long the arm comes to rest, and it is not armed; "
        "0: there is no second channel",
        unit="s",
        minimum=0.0,
        maximum=10.0,
    )
    rate_hz: float = parameter(
        50.0, description="how often the node safety_monitor judges", unit="Hz", minimum=50.0, maximum=500.0
    )
    measured_tolerance_m: float = parameter(
        0.01,
        description="how much nearer than a margin the measured arm may be: tracking error and sensor noise",
        unit="m",
        minimum=0.0,
        maximum=0.5,
    )

    def __post_init__(self) -> None:
        if 0.0 < self.timeout_s < 0.2:
            raise ParameterError(
                f"timeout_s: {self.timeout_s} is less than 0.2, two reports of the monitor; 0: there is none"
            )


@dataclasses.dataclass(frozen=True)
class DeadmanParameters:
    """A switch that a human holds on vla/deadman."""

    timeout_s: float = parameter(
        0.0,
        description="without a pressed switch for this long the arm comes to rest; 0: there is no switch",
        unit="s",
        minimum=0.0,
        maximum=10.0,
    )


@dataclasses.dataclass(frozen=True)
class EnablingParameters:
    """A three-position enabling device on vla/enabling: 0 released, 1 pressed, 2 pressed through."""

    timeout_s: float = parameter(
        0.0,
        description="without a message that it is pressed for this long the arm comes to rest; 0: there is no device",
        unit="s",
        minimum=0.0,
        maximum=10.0,
    )
