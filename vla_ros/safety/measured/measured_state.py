"""What the filter knows of the measured arm: plain values, part of `FilterState`."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class ClockState:
    """What is known of the clock that stamps a stream of messages.

    stamp_ns: newest stamp; None: none was seen. receive_ns: reception of its message. offset_ns: the receiver's clock minus
    the sender's, by the message that took least time on its way. probation_ns: since when a clock that was not right runs
    again; None: it is believed.
    """

    stamp_ns: int | None = None
    receive_ns: int = 0
    offset_ns: int = 0
    probation_ns: int | None = None


@dataclass(slots=True)
class JointStateStream:
    """The messages of one publisher about the same joints.

    publisher: its GUID. joints: indices of the joints that it reports. accepted_ns: reception of its newest message that was
    accepted; None: none was. consistent_ns: since when all of them have been; None: the newest was not. refused: why the
    newest was refused; empty: it was not. history: (stamp on the sender's clock, q of the joints) of the last 0.2 s,
    oldest first, 10 ms apart or more.
    """

    publisher: str
    joints: list[int]
    clock: ClockState = field(default_factory=ClockState)
    accepted_ns: int | None = None
    consistent_ns: int | None = None
    refused: str = ""
    history: list[tuple[int, list[int]]] = field(default_factory=list)


@dataclass(slots=True)
class MeasuredState:
    """The newest values of each joint, each with its own age and source. Lists are in the order of joint_names.

    q: nanoradian or nanometre; empty: nothing was heard yet. dq: rad/s or m/s; NaN: not known. velocity_reported: whether
    the driver said it; else it is the change of position. efforts: N m or N; NaN: not reported. received_ns: when the value
    was measured or later, on the receiver's monotonic clock; None: the joint was not heard yet. stamps_ns: on the sender's
    clock; None: not to be compared with the next one. sources: publisher that the joint belongs to; None: none. heard_ns:
    reception of its newest message, accepted or not. resolutions: smallest step that was seen, nanoradian or nanometre.
    receive_ns: `received_ns` of the oldest joint; None: a joint was not heard yet.
    streams: see `JointStateStream`. refused: why the newest message was refused that belongs to no stream. refusals: number
    of messages refused. objection: the newest contradiction. jumps_ns: reception of the newest steps that no joint can make.
    overspeed_ns, tcp_overspeed_ns: since when a joint, the tool is too fast; None: it is not. standing_ns: since when the
    output is held still, standing_q: where the arm came to rest then, nanoradian or nanometre; None: it is not held still.
    rival: joint and the two publishers that report it; empty: none. rival_ns: when both were heard last.
    """

    q: list[int] = field(default_factory=list)
    dq: list[float] = field(default_factory=list)
    velocity_reported: list[bool] = field(default_factory=list)
    efforts: list[float] = field(default_factory=list)
    received_ns: list[int | None] = field(default_factory=list)
    stamps_ns: list[int | None] = field(default_factory=list)
    sources: list[str | None] = field(default_factory=list)
    heard_ns: list[int] = field(default_factory=list)
    resolutions: list[int] = field(default_factory=list)
    receive_ns: int | None = None
    streams: list[JointStateStream] = field(default_factory=list)
    refused: str = ""
    refusals: int = 0
    objection: str = ""
    jumps_ns: list[int] = field(default_factory=list)
    rival: list[str] = field(default_factory=list)
    rival_ns: int = 0
    overspeed_ns: int | None = None
    tcp_overspeed_ns: int | None = None
    standing_ns: int | None = None
    standing_q: list[int] = field(default_factory=list)

    def stream_of(self, joint: int) -> JointStateStream | None:
        """Return the stream that a joint's values come from; None: it has not been heard."""
        for stream in self.streams:
            if stream.publisher == self.sources[joint] and joint in stream.joints:
                return stream
        return None
