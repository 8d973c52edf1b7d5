"""`remote` and `vla-ros serve` against the peers themselves: openpi's client to our server, LeRobot's server to our client.

GR00T's and OpenVLA's servers are in no package; json-numpy, which OpenVLA's speak, is.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from test.unit.bringup.test_policy_server import KEY, Served, observation
from vla_ros.parameters import from_mapping
from vla_ros.perception.frames import CameraView, Frames
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState
from vla_ros.policies.registry import Robot
from vla_ros.policies.remote import numpy_json, openpi_encoding
from vla_ros.policies.remote.plan_report import SERVER_KEY
from vla_ros.policies.remote.remote_parameters import RemoteParameters
from vla_ros.policies.remote.remote_policy import RemoteSystem2
from vla_ros.policies.remote.resize_with_pad import resize_with_pad
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf
from vla_ros.time import NS_PER_S

os.environ["HF_HUB_OFFLINE"] = "1"
SIDE, CHUNK = 64, 10
ROBOT = Robot(urdf(), JOINT_NAMES, cameras=("front",))


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    pytest.importorskip("openpi_client")
    made = Served(api_key=KEY)
    yield made
    made.stop()


@pytest.fixture
def policy(served: Served) -> Iterator[Any]:
    """openpi's client, connected."""
    from openpi_client.websocket_client_policy import WebsocketClientPolicy

    end_s = time.monotonic() + 10.0
    while not served.server._free and time.monotonic() < end_s:
        time.sleep(0.02)
    made = WebsocketClientPolicy("127.0.0.1", served.server.port, api_key=KEY)
    yield made
    made._ws.close()


def test_openpis_client_asks_our_server(served: Served, policy: Any) -> None:
    metadata = policy.get_server_metadata()
    assert metadata[SERVER_KEY]["joint_names"] == list(JOINT_NAMES)
    for _ in range(3):
        answer = policy.infer(observation())
        assert answer["actions"].shape[1] == 8 and np.allclose(answer["actions"][0], HOME, atol=0.05)
        assert answer["server_timing"]["infer_ms"] > 0
    with pytest.raises(RuntimeError, match="Error in inference server:\nbad observation: prompt"):
        policy.infer(observation(prompt=None))
    assert "actions" in policy.infer(observation())


def test_openpis_broker_plays_the_rows_one_by_one(policy: Any) -> None:
    pytest.importorskip("tree")
    from openpi_client.action_chunk_broker import ActionChunkBroker

    broker = ActionChunkBroker(policy, action_horizon=5)
    rows = [broker.infer(observation())["actions"] for _ in range(12)]
    assert all(row.shape == (8,) for row in rows)


def test_both_sides_encode_alike() -> None:
    theirs = pytest.importorskip("openpi_client.msgpack_numpy")
    message = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "n": np.float64(2.5),
        "s": "text",
        "l": [1, {"b": None}],
    }
    assert openpi_encoding.encode(message) == theirs.packb(message)
    back = theirs.unpackb(openpi_encoding.encode(message))
    assert np.array_equal(back["a"], message["a"]) and back["n"] == 2.5


def test_images_are_resized_as_openpis_clients_do() -> None:
    theirs = pytest.importorskip("openpi_client.image_tools")
    rng = np.random.default_rng(0)
    for height, width in [(256, 256), (480, 640), (720, 1280), (100, 60)]:
        image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        apart = resize_with_pad(image, 224, 224).astype(int) - theirs.resize_with_pad(image, 224, 224)
        assert np.abs(apart).max() <= 2 and abs(apart.mean()) < 0.05


def test_json_numpy_reads_and_writes_the_same() -> None:
    theirs = pytest.importorskip("json_numpy")
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert np.array_equal(theirs.loads(numpy_json.dumps({"image": image}).decode())["image"], image)
    back = numpy_json.loads(theirs.dumps([np.arange(7.0), np.float32(1.5)]))
    assert np.array_equal(back[0], np.arange(7.0)) and back[1] == 1.5
    assert json.loads(numpy_json.dumps(image)) == json.loads(theirs.dumps(image))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch = pytest.importorskip("torch")
    pytest.importorskip("lerobot")
    from lerobot.configs import FeatureType, PolicyFeature
    from lerobot.policies.act.configuration_act import ACTConfig
    from lerobot.policies.act.modeling_act import ACTPolicy
    from lerobot.policies.factory import make_pre_post_processors

    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = ACTConfig(
        input_features={
            "observation.images.front": PolicyFeature(FeatureType.VISUAL, (3, SIDE, SIDE)),
            "observation.state": PolicyFeature(FeatureType.STATE, (8,)),
        },
        output_features={"action": PolicyFeature(FeatureType.ACTION, (8,))},
        pretrained_backbone_weights=None,
        dim_model=64,
        n_heads=2,
        dim_feedforward=128,
        n_encoder_layers=1,
        n_vae_encoder_layers=1,
        chunk_size=CHUNK,
        n_action_steps=CHUNK,
        device="cpu",
        push_to_hub=False,
    )
    folder = tmp_path_factory.mktemp("act")
    ACTPolicy(config).save_pretrained(folder)
    ones, home = torch.ones(8), torch.tensor(HOME, dtype=torch.float32)
    image = {"mean": torch.full((3, 1, 1), 0.5), "std": torch.full((3, 1, 1), 0.25)}
    vector = {"mean": home, "std": 0.01 * ones, "min": home - 1, "max": home + 1}
    statistics = {"observation.images.front": image, "observation.state": vector, "action": vector}
    for processor in make_pre_post_processors(config, dataset_stats=statistics):
        processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    grpc = pytest.importorskip("grpc")
    pytest.importorskip("lerobot")
    before = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("logs"))  # it writes logs/ where it is started
    try:
        from lerobot.async_inference.configs import PolicyServerConfig
        from lerobot.async_inference.policy_server import PolicyServer
        from lerobot.transport import services_pb2_grpc

        service = PolicyServer(PolicyServerConfig(host="127.0.0.1", port=8080, inference_latency=0.0))
    finally:
        os.chdir(before)
    server = grpc.server(futures.ThreadPoolExecutor(4))
    services_pb2_grpc.add_AsyncInferenceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None)


def lerobot_policy(port: int, folder: Path, **changes: Any) -> RemoteSystem2:
    options = {
        "protocol": "lerobot",
        "url": f"grpc://127.0.0.1:{port}",
        "timeout_s": 20.0,
        "image_size": [0, 0],
        "lerobot": {"policy_type": "act", "checkpoint": str(folder), "device": "cpu"},
        "binding": {"rate_hz": 30.0},
        **changes,
    }
    return RemoteSystem2(ROBOT, from_mapping(RemoteParameters, options, "remote."))


def test_lerobots_server_answers_a_chunk_of_act(port: int, folder: Path) -> None:
    system = lerobot_policy(port, folder)
    image = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
    frames = Frames(NS_PER_S, {"front": CameraView(image)})
    state = JointState(NS_PER_S, HOME.copy(), np.zeros(8))
    plan = _until(lambda: system.plan(frames, Instruction(1, "go"), state))
    assert plan.data.shape == (16, 8)  # 9 steps of 33 ms, 20 ms apart
    again = system.plan(frames, Instruction(1, "go"), state)
    system.model.close()
    assert np.array_equal(plan.data, again.data)
    assert np.allclose(plan.data, reference(folder, image), atol=2e-6)


def reference(folder: Path, image: np.ndarray) -> np.ndarray:
    """The same folder, run here by LeRobot's own classes."""
    import torch
    from lerobot.policies.act.modeling_act import ACTPolicy
    from lerobot.policies.factory import make_pre_post_processors

    from vla_ros.policies.monolithic import resampled

    policy = ACTPolicy.from_pretrained(folder).eval()
    before, after = make_pre_post_processors(policy.config, pretrained_path=str(folder))
    batch = before(
        {
            "observation.images.front": torch.from_numpy(image).permute(2, 0, 1).float()[None] / 255,
            "observation.state": torch.tensor(HOME, dtype=torch.float32)[None],
            "task": "go",
        }
    )
    with torch.no_grad():
        rows = policy.predict_action_chunk(batch)
    actions = torch.stack([after(rows[:, k]) for k in range(CHUNK)], 1)[0].numpy()
    from vla_ros.robot.kinematics import Kinematics

    limits = Kinematics(ROBOT.urdf, ROBOT.joint_names, ROBOT.tool_frame)
    return resampled(np.clip(actions.astype(np.float64), limits.lower, limits.upper), 30.0)


def test_lerobots_server_without_the_folder_is_named(port: int, tmp_path: Path) -> None:
    system = lerobot_policy(port, tmp_path / "nothing")
    frames = Frames(NS_PER_S, {"front": CameraView(np.full((SIDE, SIDE, 3), 90, np.uint8))})
    state = JointState(NS_PER_S, HOME.copy(), np.zeros(8))
    plan = _until(
        lambda: system.plan(frames, Instruction(1, "go"), state), lambda plan: "cannot load" in plan.reasoning
    )
    system.model.close()
    assert plan.state is PlanState.HOLD and "\n" not in plan.reasoning
    assert f"cannot load act '{tmp_path / 'nothing'}'" in plan.reasoning


def _until(
    make: Callable[[], Plan], true: Callable[[Plan], bool] = lambda plan: plan.state is PlanState.ACTIVE
) -> Plan:
    end_s = time.monotonic() + 120.0
    while not true(plan := make()):
        assert time.monotonic() < end_s, plan
        time.sleep(0.05)
    return plan
