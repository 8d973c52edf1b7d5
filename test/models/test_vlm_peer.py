"""The endpoint's client against a real server of the protocol, `transformers serve`, with a tiny random model."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("fastapi", reason="the server of transformers needs fastapi, uvicorn and openai")
pytest.importorskip("uvicorn")
pytest.importorskip("openai")

from test.models.tiny_vlm import smolvlm
from vla_ros.policies.vlm.answers import PLAN_SCHEMA
from vla_ros.policies.vlm.asking import VlmRequest, VlmUnavailable
from vla_ros.policies.vlm.endpoint import VlmEndpoint
from vla_ros.policies.vlm.vlm_parameters import VlmParameters

START_S = 180.0
REQUEST = VlmRequest("what is there?", {"front": np.zeros((64, 64, 3), np.uint8)}, PLAN_SCHEMA, "plan")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """URL and model of a server."""
    folder = smolvlm(tmp_path_factory.mktemp("smolvlm"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code = "from transformers.cli.transformers import main; main()"
    command = [
        sys.executable,
        "-c",
        code,
        "serve",
        str(folder),
        "--device",
        "cpu",
        "--port",
        str(port),
        "--host",
        "127.0.0.1",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        )
        end_s = time.monotonic() + START_S
        while time.monotonic() < end_s and process.poll() is None:
            try:
                urlopen(f"http://127.0.0.1:{port}/health", timeout=2.0).close()
                break
            except OSError:
                time.sleep(0.5)
        else:
            process.kill()
            raise AssertionError((folder / "log").read_text()[-2000:])
        yield f"http://127.0.0.1:{port}/v1", folder
        process.kill()
        process.wait()


def test_a_real_server_answers_always_the_same(server: tuple[str, Path]) -> None:
    url, folder = server
    model = VlmEndpoint(VlmParameters(url=url, model=str(folder), max_tokens=16, timeout_s=120.0, retries=0))
    first, second = (model.answer(REQUEST, threading.Event()) for _ in range(2))
    assert first == second and first.strip()


def test_a_wrong_path_on_a_real_server_is_one_line(server: tuple[str, Path]) -> None:
    url, folder = server
    model = VlmEndpoint(VlmParameters(url=url.removesuffix("/v1") + "/v9", model=str(folder), retries=3))
    with pytest.raises(VlmUnavailable, match="HTTP 404: there is no such path or model; see vlm.url") as error:
        model.answer(REQUEST, threading.Event())
    assert error.value.lasting
