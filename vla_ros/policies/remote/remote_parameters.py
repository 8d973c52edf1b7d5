"""What the policy `remote` can be told. This file imports no client and no library of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from vla_ros.parameters import ParameterError, parameter
from vla_ros.policies.binding.binding_parameters import BindingParameters
from vla_ros.policies.policy_parameters import MotionParameters

GROOT_LAYOUTS = ("auto", "flat", "nested", "simulation")


@dataclass(frozen=True)
class ProtocolDefaults:
    """What a protocol's servers listen on and expect, where nothing else is configured."""

    schemes: tuple[str, ...]
    url: str
    images: tuple[str, ...]
    state: tuple[str, ...]
    actions: tuple[str, ...]
    prompt: str


PROTOCOLS: Mapping[str, ProtocolDefaults] = {
    "openpi": ProtocolDefaults(
        ("ws", "wss"),
        "ws://127.0.0.1:8000",
        ("observation/image",),
        ("observation/state",),
        ("actions",),
        "prompt",
    ),
    "groot": ProtocolDefaults(
        ("tcp",), "tcp://127.0.0.1:5555", ("front",), ("state",), ("action",), "annotation.human.task_description"
    ),
    "lerobot": ProtocolDefaults(
        ("grpc", "grpcs"), "grpc://127.0.0.1:8080", ("observation.images.front",), ("state",), ("action",), "task"
    ),
    "openvla": ProtocolDefaults(
        ("http", "https"), "http://127.0.0.1:8000/act", ("image",), (), ("action",), "instruction"
    ),
}


@dataclass(frozen=True)
class LerobotServerParameters:
    """What LeRobot's policy server is to load."""

    policy_type: str = parameter("", description="act, smolvla, pi0, ...: protocol lerobot only")
    checkpoint: str = parameter("", description="folder on the server's machine, or name on the hub")
    device: str = parameter("cuda", description="of torch, on the server's machine")


@dataclass(frozen=True)
class RemoteParameters:
    """A policy server that runs somewhere else."""

    binding: BindingParameters
    motion: MotionParameters
    lerobot: LerobotServerParameters
    protocol: str = parameter("openpi", description="what the server speaks", choices=tuple(PROTOCOLS))
    url: str = parameter(
        "",
        description="ws://host:8000 (openpi), tcp://host:5555 (groot), grpc://host:8080 (lerobot), http://host:8000/act "
        "(openvla); empty: that port of this machine",
    )
    api_key_file: str = parameter("", description="file with the server's key or token; empty: none")
    timeout_s: float = parameter(
        1.0, description="an answer later than this is not used, and the arm holds", unit="s", above=0.0, maximum=30.0
    )
    connect_timeout_s: float = parameter(2.0, description="time for connecting", unit="s", above=0.0, maximum=60.0)
    load_timeout_s: float = parameter(
        180.0, description="time that the server may take to load its model (lerobot)", unit="s", above=0.0
    )
    image_keys: list[str] = parameter(
        [], description="image inputs as the server names them; a>b: nested maps; empty: the protocol's usual ones"
    )
    state_keys: list[str] = parameter(
        [], description="key, or key=width of each part of the state; none: no state is sent; empty: the usual ones"
    )
    action_keys: list[str] = parameter(
        [], description="key, or key=width of each part of the actions; empty: the usual ones"
    )
    prompt_key: str = parameter("", description="key of the instruction; empty: the usual one")
    extra: list[str] = parameter([], description="key=text sent with each request, e.g. unnorm_key=bridge_orig")
    expect: list[str] = parameter(
        [], description="key=value that the server's metadata must have; another server is refused"
    )
    image_size: list[int] = parameter(
        [224, 224],
        description="rows and columns of the images sent, resized without distortion and padded black; 0 0: as they are",
        unit="pixel",
        minimum=0,
        maximum=4096,
        length=2,
    )
    channels_first: bool = parameter(False, description="send images as (3, rows, columns)")
    chunk_size: int = parameter(50, description="rows of a chunk that are used at most", minimum=1, maximum=4096)
    action_scale: list[float] = parameter(
        [], description="factor on each value of an action, e.g. 0.2 rad a step for DROID's velocities; empty: 1"
    )
    action_min: list[float] = parameter(
        [], description="smallest of each value of the actions in training, for the unit check; empty: not known"
    )
    action_max: list[float] = parameter([], description="likewise the largest")
    groot_layout: str = parameter(
        "auto",
        description="flat: N1.5; nested: N1.6, N1.7; simulation: these behind --use-sim-policy-wrapper; "
        "auto: by the server's own keys",
        choices=GROOT_LAYOUTS,
    )
    seed: int = parameter(0, description="of the jitter between attempts to reconnect", minimum=0)

    def __post_init__(self) -> None:
        usual = PROTOCOLS[self.protocol]
        _check_url(self.server_url, usual.schemes)
        if not self.binding.rate_hz:
            raise ParameterError("binding.rate_hz: required: how many rows of a chunk the server means per second")
        if bool(self.image_size[0]) != bool(self.image_size[1]):
            raise ParameterError(f"image_size: both or none, got {self.image_size}")
        if len(self.action_min) != len(self.action_max):
            raise ParameterError(
                f"action_max: has {len(self.action_max)} values, but action_min has {len(self.action_min)}"
            )
        for number, (low, high) in enumerate(zip(self.action_min, self.action_max, strict=True)):
            if not low < high:
                raise ParameterError(f"action_max[{number}]: must be above action_min[{number}], {low:g}; got {high:g}")
        if self.protocol == "lerobot" and not (self.lerobot.policy_type and self.lerobot.checkpoint):
            raise ParameterError("lerobot.policy_type and lerobot.checkpoint: required by protocol lerobot")
        if self.protocol == "lerobot" and self.api_key_file:
            raise ParameterError("api_key_file: LeRobot's server knows no keys; tunnel the connection instead")

    @property
    def server_url(self) -> str:
        """Where the server is."""
        return self.url or PROTOCOLS[self.protocol].url

    @property
    def images(self) -> tuple[str, ...]:
        """Image inputs."""
        return tuple(self.image_keys) or PROTOCOLS[self.protocol].images

    @property
    def state_parts(self) -> tuple[str, ...]:
        """Parts of the state; (): the model sees none."""
        if self.state_keys == ["none"]:
            return ()
        return tuple(self.state_keys) or PROTOCOLS[self.protocol].state

    @property
    def action_parts(self) -> tuple[str, ...]:
        """Parts of an action."""
        return tuple(self.action_keys) or PROTOCOLS[self.protocol].actions

    @property
    def prompt(self) -> str:
        """Key of the instruction."""
        return self.prompt_key or PROTOCOLS[self.protocol].prompt


def _check_url(url: str, schemes: tuple[str, ...]) -> None:
    """Check the address of a server.

    Raises:
        ParameterError: it is none of these schemes, or has no host, a port that is none, or a key in it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ParameterError(f"url: {url!r}: {error}") from None
    if parts.scheme not in schemes or not parts.hostname:
        raise ParameterError(f"url: {url!r} must begin with {' or '.join(f'{scheme}://host' for scheme in schemes)}")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ParameterError("url: holds a user, a password or a query, which logs would repeat; use api_key_file")
    if port is None and parts.scheme in ("tcp", "grpc", "grpcs"):
        raise ParameterError(f"url: {url!r} needs a port: {parts.scheme}://{parts.hostname}:port")
