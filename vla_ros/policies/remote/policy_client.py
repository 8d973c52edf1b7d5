"""What the clients of all protocols have in common: request, answer, faults, limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import NDArray

from vla_ros.arrays import Array, Image

MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""An answer is a chunk of some ten kB; whatever is longer is no answer, and is not read."""
LONGEST_QUOTE = 160
"""Characters of a server's own words that a line repeats."""


class ServerFault(Exception):
    """The server has answered something that is no chunk of actions. One line; the connection may go on."""

    def __init__(self, text: str) -> None:
        super().__init__(" ".join(text.split()))


class ConnectionLost(ServerFault):
    """The server is gone, silent, or of another kind. The connection must be made anew."""


@dataclass(frozen=True)
class PolicyRequest:
    """What a server is asked.

    Attributes:
        images: slot → (H, W, 3) uint8 rgb.
        state: (state.width,) in the checkpoint's order and units; None: the model sees no state.
        instruction: in words.
        stamp_ns: ROS time of the images, ns.
        episode: counts the instructions; where it changes, the server is to forget what was before.
    """

    images: Mapping[str, Image]
    state: Array | None
    instruction: str
    stamp_ns: int
    episode: int


@dataclass(frozen=True)
class PolicyAnswer:
    """What a server has answered, not yet checked.

    Attributes:
        actions: numbers of any shape.
        report: what a server of this project says of its plan, see `plan_report`; empty from others.
    """

    actions: NDArray[Any]
    report: Mapping[str, Any] = field(default_factory=dict)


class PolicyClient(Protocol):
    """One protocol. All methods run in one event loop; the caller bounds their time and cancels them.

    A client whose server must load a model first also has `load(request)`; see `server_connection`.
    """

    async def connect(self) -> Mapping[str, Any]:
        """Connect, and return what the server says of its model; empty where the protocol has no such thing.

        Raises:
            ServerFault: it is no such server, or holds another model.
            OSError: nobody is there.
        """
        ...

    async def infer(self, request: PolicyRequest) -> PolicyAnswer:
        """Return the answer to one request.

        Raises:
            ServerFault: it says an error, or nonsense. ConnectionLost: the connection is of no more use.
        """
        ...

    async def wait_lost(self) -> None:
        """Return when the connection has ended; never, where only a request would tell."""
        ...

    async def close(self) -> None:
        """End the connection; without one, do nothing."""
        ...


def quoted(text: object) -> str:
    """Return the end of a server's words as one short line: of a traceback that is the error."""
    lines = [line for line in str(text).strip().splitlines() if line.strip()] or [""]
    line = " ".join(lines[-1].split())
    return line if len(line) <= LONGEST_QUOTE else line[: LONGEST_QUOTE - 1] + "…"
