"""A model behind a server, as `monolithic.ChunkModel` wants it: asks, checks the answer, and raises what is not usable."""

from __future__ import annotations

import json
import math
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError
from vla_ros.policies.binding.checkpoint_contract import CameraSlot, CheckpointContract, VectorSpec
from vla_ros.policies.monolithic import ModelUnavailable, Observation
from vla_ros.policies.registry import Robot, parameters_hash
from vla_ros.policies.remote.observation_layout import ObservationLayout, key_values, vector_parts
from vla_ros.policies.remote.plan_report import SERVER_KEY
from vla_ros.policies.remote.policy_client import PolicyClient, PolicyRequest, ServerFault
from vla_ros.policies.remote.remote_parameters import RemoteParameters
from vla_ros.policies.remote.server_connection import ServerConnection

MAX_ROWS = 4096
LONGEST_KEY = 4096


class RemoteModel:
    """The model of a server.

    Args:
        robot: the arm.
        parameters: where the server is, what it speaks, under which keys.

    Attributes:
        checkpoint: hash of the options that both halves must share; the weights are the server's.
        contract: what the configuration says that the server wants.
        report: what a server of this project said of the plan behind the newest answer; empty from others.

    Raises:
        ParameterError: an option is wrong, the key cannot be read, or a library of the protocol is not installed.
    """

    def __init__(self, robot: Robot, parameters: RemoteParameters) -> None:
        self.checkpoint = parameters_hash("remote", robot, parameters)
        self.contract = contract_of(robot, parameters)
        self.report: Mapping[str, Any] = {}
        self._parameters = parameters
        self._name = f"{parameters.protocol} server {parameters.server_url}"
        self._expected = key_values(parameters.expect, "remote.expect")
        self._metadata: Mapping[str, Any] | None = None
        self._joint_names = robot.joint_names
        self._scale = self._scales()
        self._episode = 0
        client = client_of(parameters, self.contract, robot, read_key(parameters.api_key_file))
        self._connection = ServerConnection(
            client,
            parameters.timeout_s,
            parameters.connect_timeout_s,
            _judge(self),
            parameters.seed,
            getattr(client, "load", None),
            parameters.load_timeout_s,
        )
        # Who drops the model ends the connection: its thread must not keep a place at the server.
        weakref.finalize(self, self._connection.close)

    def reset(self) -> None:
        """A new instruction begins."""
        self._episode += 1
        self.report = {}

    def infer(self, observation: Observation) -> Array:
        """Return (T, action.width): the server's actions, row k for observation.stamp_ns + k / rate.

        Raises:
            ModelUnavailable: there is no answer, or it cannot be used. One line, with the server's address.
        """
        request = PolicyRequest(
            observation.images,
            observation.state if self.contract.state is not None else None,
            observation.instruction,
            observation.stamp_ns,
            self._episode,
        )
        try:
            answer = self._connection.ask(request)
            actions = self._checked(np.asarray(answer.actions))
        except ServerFault as fault:
            raise ModelUnavailable(f"{self._name} {fault}") from None
        self.report = answer.report
        return actions

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _checked(self, actions: Any) -> Array:
        width = self.contract.action.width
        if actions.ndim != 2 or actions.shape[1] != width or not 1 <= len(actions) <= MAX_ROWS:
            raise ServerFault(
                f"answers actions of shape {actions.shape}; wanted: 1 to {MAX_ROWS} rows of {width} values. "
                "Another model, or correct remote.binding.action"
            )
        rows = actions[: self._parameters.chunk_size].astype(np.float64)
        if not np.isfinite(rows).all():
            row, value = np.argwhere(~np.isfinite(rows))[0]
            raise ServerFault(
                f"answers {rows[row, value]} as value {value} of row {row}: its weights or its input are broken"
            )
        scaled: Array = rows * self._scale
        return scaled

    def _scales(self) -> Array:
        scale, width = self._parameters.action_scale, self.contract.action.width
        if scale and len(scale) != width:
            raise ParameterError(f"remote.action_scale: has {len(scale)} values, but an action has {width}")
        return np.array(scale) if scale else np.ones(width)

    def _why_another(self, metadata: Mapping[str, Any]) -> str:
        """Return why the server is not the one that is meant; empty: it is."""
        for key, value in self._expected.items():
            found = metadata.get(key)
            if key not in metadata or str(found) != value:
                told = f"{key} is {_short(found)}" if key in metadata else f"it says no {key}"
                return f"holds another model: {told}, and remote.expect wants {value}"
        ours = metadata.get(SERVER_KEY)
        if isinstance(ours, Mapping) and (why := self._why_not_bound(ours)):
            return why
        if self._metadata is not None and (changed := _difference(self._metadata, metadata)):
            return f"holds another model than before: {changed}; restart the planner if that is meant"
        self._metadata = dict(metadata)
        return ""

    def _why_not_bound(self, ours: Mapping[str, Any]) -> str:
        """Return what a server of this project says that contradicts the binding; empty: nothing."""
        names, rate = ours.get("joint_names"), ours.get("rate_hz")
        wanted = self.contract.action.names
        if isinstance(names, list) and tuple(names) != wanted:
            return (
                f"holds a policy for the joints {', '.join(map(str, names))}, not {', '.join(wanted)}; "
                "start it for this robot, or name its joints in remote.binding.state and remote.binding.action"
            )
        hz = self._parameters.binding.rate_hz
        if isinstance(rate, int | float) and not math.isclose(rate, hz, rel_tol=1e-3):
            return f"sends {rate:g} rows a second, and remote.binding.rate_hz is {hz:g}; correct it"
        return ""


def _judge(model: RemoteModel) -> Callable[[Mapping[str, Any]], str]:
    """Return the model's judgement of metadata, for a thread that does not keep the model alive."""
    method = weakref.WeakMethod(model._why_another)

    def why_another(metadata: Mapping[str, Any]) -> str:
        judge = method()
        return judge(metadata) if judge is not None else ""

    return why_another


def contract_of(robot: Robot, parameters: RemoteParameters) -> CheckpointContract:
    """Return what the configuration says that the server wants and gives.

    Raises:
        ParameterError: the options contradict each other.
    """
    binding = parameters.binding
    state_names = tuple(binding.state) or robot.joint_names
    action_names = tuple(binding.action) or robot.joint_names
    vector_parts(parameters.state_parts, len(state_names), "remote.state_keys")
    vector_parts(parameters.action_parts, len(action_names), "remote.action_keys")
    if parameters.action_min and len(parameters.action_min) != len(action_names):
        raise ParameterError(
            f"remote.action_min: has {len(parameters.action_min)} values, but an action has {len(action_names)}"
        )
    scale = np.array(parameters.action_scale or [1.0] * len(action_names))
    limits = {"min": parameters.action_min, "max": parameters.action_max} if parameters.action_min else {}
    statistics = {name: np.array(values) * scale for name, values in limits.items()} if _same(limits, scale) else {}
    return CheckpointContract(
        family=parameters.protocol,
        source=f"{parameters.protocol} server {parameters.server_url}",
        cameras=tuple(CameraSlot(name, 0, 0) for name in parameters.images),
        state=VectorSpec(state_names, len(state_names)) if parameters.state_parts else None,
        action=VectorSpec(action_names, len(action_names), statistics),
        chunk_size=parameters.chunk_size,
        normalization={"state": "identity", "action": "identity"},
        rate_hz=binding.rate_hz,
    )


def _same(limits: Mapping[str, list[float]], scale: Array) -> bool:
    return all(len(values) == len(scale) for values in limits.values())


def client_of(parameters: RemoteParameters, contract: CheckpointContract, robot: Robot, key: str) -> PolicyClient:
    """Return the client of the configured protocol; only its module is imported.

    Raises:
        ParameterError: a library of the protocol is not installed.
    """
    rows, columns = parameters.image_size
    layout = ObservationLayout(
        vector_parts(parameters.state_parts, contract.state.width if contract.state else 0, "remote.state_keys"),
        vector_parts(parameters.action_parts, contract.action.width, "remote.action_keys"),
        parameters.prompt,
        key_values(parameters.extra, "remote.extra"),
        (rows, columns),
        parameters.channels_first,
    )
    url = parameters.server_url
    match parameters.protocol:
        case "openpi":
            from vla_ros.policies.remote.openpi import OpenpiClient

            return OpenpiClient(url, layout, key)
        case "groot":
            from vla_ros.policies.remote.groot import GrootClient

            rate_hz = parameters.binding.rate_hz
            return GrootClient(url, layout, parameters.images, parameters.groot_layout, key, rate_hz)
        case "lerobot":
            from vla_ros.policies.remote.lerobot import LerobotClient

            wanted, names = parameters.lerobot, contract.state.names if contract.state else ()
            return LerobotClient(
                url,
                layout,
                parameters.images,
                names,
                wanted.policy_type,
                wanted.checkpoint,
                wanted.device,
                parameters.chunk_size,
            )
        case _:
            from vla_ros.policies.remote.openvla import OpenvlaClient

            return OpenvlaClient(url, layout, key)


def read_key(file: str) -> str:
    """Return the key in a file; "" without a file. The key itself is in no error text.

    Raises:
        ParameterError: the file cannot be read, is empty, or holds more than one line of printable characters.
    """
    if not file:
        return ""
    path = Path(file).expanduser()
    try:
        key = path.read_bytes()[: LONGEST_KEY + 1].decode("ascii").strip()
    except OSError as error:
        raise ParameterError(f"remote.api_key_file: {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        key = ""
    if not key or not key.isprintable() or len(key) > LONGEST_KEY:
        raise ParameterError(f"remote.api_key_file: {path}: expected one line with the key")
    return key


def _difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return the first key whose value has changed, with both; empty: none has."""
    for key in sorted({*map(str, before), *map(str, now)}):
        old, new = _short(before.get(key)), _short(now.get(key))
        if old != new:
            return f"{key} was {old} and is {new}"
    return ""


def _short(value: object) -> str:
    text = json.dumps(value, default=str, sort_keys=True)
    return text if len(text) <= 80 else text[:79] + "…"
