"""The pickles that LeRobot's policy server wants, written without LeRobot.

Its server calls `pickle.loads` on what a robot sends and expects instances of two of its own dataclasses. The pickle of an
instance is the name of the class and the plain values of its fields, so that LeRobot need not be installed here.

Source: LeRobot 0.6.1, async_inference/helpers.py; pickletools of the standard library for the opcodes.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

_MODULE = "lerobot.async_inference.helpers"
_PROTOCOL = 3  # without frames, so that the pickle of the fields can stand inside another


def timed_observation(timestamp_s: float, timestep: int, observation: Mapping[str, Any]) -> bytes:
    """Return the pickle of a `TimedObservation` that the server may not skip.

    Args:
        timestamp_s: Unix time, s. timestep: counts up. observation: name → array, number or text.
    """
    fields = {"timestamp": timestamp_s, "timestep": timestep, "observation": dict(observation), "must_go": True}
    return _instance("TimedObservation", fields)


def remote_policy_config(
    policy_type: str, checkpoint: str, features: Mapping[str, Any], actions_per_chunk: int, device: str
) -> bytes:
    """Return the pickle of a `RemotePolicyConfig`.

    Args:
        policy_type: "act", "smolvla", … checkpoint: folder on the server's machine, or name on the hub.
        features: the observation's, as a LeRobotDataset declares them.
        actions_per_chunk: rows of an answer at most. device: of torch, on the server.
    """
    fields = {
        "policy_type": policy_type,
        "pretrained_name_or_path": checkpoint,
        "lerobot_features": dict(features),
        "actions_per_chunk": actions_per_chunk,
        "device": device,
        "rename_map": {},
    }
    return _instance("RemotePolicyConfig", fields)


def _instance(name: str, fields: Mapping[str, Any]) -> bytes:
    """Return the pickle of an instance of a class of `_MODULE`: `object.__new__`, then its `__dict__`."""
    values = pickle.dumps(fields, _PROTOCOL)[2:-1]  # without its PROTO and STOP
    begin = pickle.PROTO + bytes([_PROTOCOL]) + pickle.GLOBAL + f"{_MODULE}\n{name}\n".encode()
    return begin + pickle.EMPTY_TUPLE + pickle.NEWOBJ + values + pickle.BUILD + pickle.STOP
