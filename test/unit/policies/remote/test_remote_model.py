"""What a server answers is checked before it is used; another model is refused; the key is in no text."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from test.unit.policies.remote.websocket_server import Reply, chunk, openpi_server
from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.policies.monolithic import ModelUnavailable, Observation
from vla_ros.policies.registry import Robot
from vla_ros.policies.remote.plan_report import SERVER_KEY
from vla_ros.policies.remote.remote_model import RemoteModel, contract_of, read_key
from vla_ros.policies.remote.remote_parameters import RemoteParameters
from vla_ros.sim.arm_description import JOINT_NAMES, urdf

ROBOT = Robot(urdf(), JOINT_NAMES, cameras=("front", "wrist"))
OBSERVATION = Observation({"observation/image": np.zeros((32, 32, 3), np.uint8)}, np.zeros(8), "go", 1_000, 0.1)


def parameters(port: int = 8000, **changes: Any) -> RemoteParameters:
    binding = {"cameras": ["observation/image=front"], "rate_hz": 20.0, **changes.pop("binding", {})}
    return from_mapping(RemoteParameters, {"url": f"ws://127.0.0.1:{port}", "binding": binding, **changes}, "remote.")


@contextmanager
def model(port: int, **changes: Any) -> Iterator[RemoteModel]:
    made = RemoteModel(ROBOT, parameters(port, **changes))
    end_s = time.monotonic() + 5.0
    while made._connection.fault == "is being connected to" and time.monotonic() < end_s:
        time.sleep(0.005)
    try:
        yield made
    finally:
        made.close()


def refused(reply: Reply, metadata: Any = None, **changes: Any) -> str:
    """The one line in which an answer is refused."""
    with (
        openpi_server(reply, metadata) as server,
        model(server.port, **changes) as made,
        pytest.raises(ModelUnavailable) as caught,
    ):
        made.infer(OBSERVATION)
    text = str(caught.value)
    assert text.startswith(f"openpi server ws://127.0.0.1:{server.port} ") and "\n" not in text
    return text


def test_actions_are_returned_scaled_and_not_more_rows_than_wanted() -> None:
    with (
        openpi_server(lambda _: chunk(50)) as server,
        model(server.port, chunk_size=10, action_scale=[0.2] * 7 + [1.0]) as made,
    ):
        actions = made.infer(OBSERVATION)
    assert actions.shape == (10, 8) and actions.dtype == np.float64
    assert actions[0].tolist() == pytest.approx([0.05] * 7 + [0.25])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_refused(value: float) -> None:
    broken = chunk()
    broken["actions"][3, 2] = value
    assert f"answers {value} as value 2 of row 3: its weights or its input are broken" in refused(lambda _: broken)


@pytest.mark.parametrize(("rows", "width"), [(10, 7), (10, 32), (0, 8), (5000, 8)])
def test_another_shape_is_refused(rows: int, width: int) -> None:
    assert f"answers actions of shape ({rows}, {width})" in refused(lambda _: chunk(rows, width))


def test_a_server_with_other_metadata_than_expected_is_refused() -> None:
    said = refused(lambda _: chunk(), {"model": "pi0"}, expect=["model=pi05_droid"])
    assert 'holds another model: model is "pi0", and remote.expect wants pi05_droid' in said
    assert "it says no model" in refused(lambda _: chunk(), {}, expect=["model=pi05_droid"])


def test_a_server_of_this_project_for_another_robot_is_refused() -> None:
    ours = {"joint_names": ["left_knee"], "rate_hz": 20.0}
    assert "holds a policy for the joints left_knee, not joint1, joint2" in refused(
        lambda _: chunk(), {SERVER_KEY: ours}
    )
    ours = {"joint_names": list(JOINT_NAMES), "rate_hz": 50.0}
    said = refused(lambda _: chunk(), {SERVER_KEY: ours})
    assert "sends 50 rows a second, and remote.binding.rate_hz is 20; correct it" in said


def test_a_model_that_changes_while_the_planner_runs_is_refused() -> None:
    with openpi_server(lambda _: chunk(), {"checkpoint": "a"}) as server, model(server.port) as made:
        made.infer(OBSERVATION)
        port = server.port
        server.stop()
        with openpi_server(lambda _: chunk(), {"checkpoint": "b"}, port):
            end_s = time.monotonic() + 10.0
            while "another model" not in made._connection.fault and time.monotonic() < end_s:
                time.sleep(0.02)
            with pytest.raises(ModelUnavailable, match='than before: checkpoint was "a" and is "b"'):
                made.infer(OBSERVATION)
        with openpi_server(lambda _: chunk(), {"checkpoint": "a"}, port):
            end_s = time.monotonic() + 15.0
            while made._connection.fault and time.monotonic() < end_s:
                time.sleep(0.02)
            assert made.infer(OBSERVATION).shape == (10, 8)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"url": "http://127.0.0.1:8000"},
            "remote.url: 'http://127.0.0.1:8000' must begin with ws://host or wss://host",
        ),
        ({"url": "ws://user:secret@host:1"}, "remote.url: holds a user, a password or a query"),
        ({"url": "ws://host:1/?key=secret"}, "remote.url: holds a user, a password or a query"),
        ({"url": "ws://host:99999999"}, "remote.url: 'ws://host:99999999': Port"),
        ({"url": "tcp://host", "protocol": "groot"}, "needs a port: tcp://host:port"),
        ({"protocol": "lerobot", "url": "grpc://h:1"}, "remote.lerobot.policy_type and lerobot.checkpoint: required"),
        ({"binding": {"rate_hz": 0.0}}, "remote.binding.rate_hz: required: how many rows of a chunk"),
        ({"protocol": "ros"}, "remote.protocol: must be one of openpi, groot, lerobot, openvla"),
        ({"image_size": [224, 0]}, "remote.image_size: both or none"),
        ({"action_min": [0.0]}, "remote.action_max: has 0 values, but action_min has 1"),
        ({"action_min": [1.0] * 8, "action_max": [0.0] * 8}, "remote.action_max[0]: must be above action_min[0], 1"),
        ({"timeout_s": 0.0}, "remote.timeout_s: must be above 0.0 s"),
    ],
)
def test_options_that_are_wrong_are_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        parameters(**changes)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state_keys": ["arm=7", "hand"]}, "remote.state_keys: with several keys each needs its width"),
        ({"state_keys": ["arm=7", "hand=2"]}, "are 9 values, but the binding has 8"),
        ({"action_keys": ["arm=x"]}, "remote.action_keys: 'arm=x' must be"),
        ({"action_min": [0.0], "action_max": [1.0]}, "remote.action_min: has 1 values, but an action has 8"),
    ],
)
def test_options_that_do_not_fit_the_robot_are_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        contract_of(ROBOT, parameters(**changes))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"action_scale": [1.0]}, "remote.action_scale: has 1 values, but an action has 8"),
        ({"expect": ["model"]}, "remote.expect: 'model' must be \"key=value\""),
        ({"extra": ["=x"]}, "remote.extra: '=x' must be"),
        ({"api_key_file": "/nowhere/key"}, "remote.api_key_file: /nowhere/key: No such file or directory"),
    ],
)
def test_options_are_checked_before_anything_is_connected_to(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        RemoteModel(ROBOT, parameters(**changes))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "module", "said"),
    [
        ({"protocol": "groot", "url": ""}, "zmq", "groot needs pyzmq, which is not installed: pip install pyzmq"),
        (
            {"protocol": "lerobot", "url": "", "lerobot": {"policy_type": "act", "checkpoint": "/models/act"}},
            "grpc",
            "lerobot needs grpcio, which is not installed: pip install grpcio",
        ),
    ],
)
def test_a_library_that_is_not_installed_is_named(
    changes: dict[str, Any], module: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    changes |= {"binding": {"cameras": []}, "image_keys": ["front"]}
    with pytest.raises(ParameterError) as caught:
        RemoteModel(ROBOT, parameters(**changes))
    assert str(caught.value) == f"remote.protocol: {said}"


def test_the_contract_says_what_the_configuration_says() -> None:
    contract = contract_of(ROBOT, parameters(action_min=[-1.0] * 8, action_max=[2.0] * 8, action_scale=[0.5] * 8))
    assert [slot.name for slot in contract.cameras] == ["observation/image"]
    assert contract.state is not None and contract.state.width == contract.action.width == 8
    assert contract.action.statistics["max"].tolist() == [1.0] * 8  # in the units that `infer` returns
    assert contract.rate_hz == 20.0
    assert contract_of(ROBOT, parameters(state_keys=["none"])).state is None


@pytest.mark.parametrize(("content", "key"), [(b"k3y\n", "k3y"), (b"  k3y  ", "k3y")])
def test_a_key_is_read_from_its_file(tmp_path: Path, content: bytes, key: str) -> None:
    (tmp_path / "key").write_bytes(content)
    assert read_key(str(tmp_path / "key")) == key
    assert read_key("") == ""


@pytest.mark.parametrize("content", [b"", b"\n", b"k3y\nother", b"\xff\xfe", b"k" * 5000, b"k3y\r\nX-Header: 1"])
def test_a_file_that_holds_no_key_is_named_without_its_content(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(ParameterError, match="expected one line with the key") as caught:
        read_key(str(tmp_path / "key"))
    assert "k3y" not in str(caught.value)


def test_a_folder_is_no_key(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="Is a directory"):
        read_key(str(tmp_path))


def test_who_drops_the_model_ends_the_connection() -> None:
    with openpi_server(lambda _: chunk()) as server:
        made = RemoteModel(ROBOT, parameters(server.port))
        end_s = time.monotonic() + 5.0
        while not server.connections and time.monotonic() < end_s:
            time.sleep(0.01)
        assert len(server.connections) == 1
        thread = made._connection._thread
        del made
        assert not thread.is_alive()
        while server.connections and time.monotonic() < end_s:
            time.sleep(0.01)
        assert not server.connections
