"""A model in a folder, in a process of its own: bad folders, and a child that dies, hangs, or speaks nonsense."""

from __future__ import annotations

import json
import struct
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vla_ros.parameters import ParameterError
from vla_ros.policies.vlm import local
from vla_ros.policies.vlm.asking import VlmRequest, VlmUnavailable
from vla_ros.policies.vlm.local import LocalModel, check_folder
from vla_ros.policies.vlm.vlm_parameters import VlmParameters

HEADER = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
WEIGHTS = struct.pack("<Q", len(HEADER)) + HEADER + b"\0" * 8
REQUEST = VlmRequest("what is there?", {"front": np.zeros((32, 32, 3), np.uint8)})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that looks like a model's."""
    for name in ("config.json", "tokenizer_config.json", "preprocessor_config.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "config.json").write_text('{"model_type": "smolvlm"}')
    (tmp_path / "tokenizer.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(WEIGHTS)
    return tmp_path


def index(shards: Any) -> bytes:
    return json.dumps({"weight_map": shards}).encode()


def test_a_whole_folder_is_accepted(folder: Path) -> None:
    check_folder(folder)
    (folder / "model.safetensors").rename(folder / "a.safetensors")
    (folder / "model.safetensors.index.json").write_bytes(index({"w": "a.safetensors"}))
    check_folder(folder)


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("config.json", None, "config.json: No such file"),
        ("config.json", b"", "config.json: it is not JSON"),
        ("config.json", b"[]", "config.json: expected an object"),
        ("tokenizer_config.json", None, "tokenizer_config.json: No such file"),
        ("preprocessor_config.json", None, "no image-text model"),
        ("model.safetensors", None, "model.safetensors: No such file"),
        ("model.safetensors", b"", "cut off"),
        ("model.safetensors", WEIGHTS[:5], "cut off"),
        ("model.safetensors", WEIGHTS[:-1], f"{len(WEIGHTS) - 1} bytes instead of {len(WEIGHTS)}"),
        ("model.safetensors", WEIGHTS + b"x", "bytes instead of"),
        (
            "model.safetensors",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
            "run git lfs pull",
        ),
        ("tokenizer.json", b"version https://git-lfs.github.com/spec/v1\n", "tokenizer.json: a pointer of Git LFS"),
        ("tokenizer.json", None, "there is none of tokenizer.json"),
        ("config.json", b"{}", "it has no model_type"),
        ("model.safetensors", struct.pack("<Q", 4) + b"abcd", "its header cannot be read"),
        ("model.safetensors", struct.pack("<Q", 9) + b'{"w": []}', "its header cannot be read"),
        ("model.safetensors.index.json", b"{", "it is not JSON"),
        ("model.safetensors.index.json", b"{}", "it has no weight_map"),
        ("model.safetensors.index.json", index({"w": "b.safetensors"}), "b.safetensors: No such file"),
    ],
)
def test_a_folder_that_is_not_whole_names_the_file(folder: Path, name: str, content: bytes | None, text: str) -> None:
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(ParameterError, match="vlm.folder: ") as error:
        LocalModel(VlmParameters(folder=str(folder)))
    assert text in str(error.value) and "\n" not in str(error.value)


def test_no_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="there is no such folder"):
        check_folder(tmp_path / "none")


CHILD = """
import json, os, sys, time
def say(tree, **more): print(json.dumps({**tree, **more}), flush=True)
{start}
for line in sys.stdin:
    asked = json.loads(line)
    number = {"number": asked["number"]}
    {body}
"""


@pytest.fixture
def model(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., LocalModel]:
    """Make a model whose process is a script of the test's."""

    def make(body: str, start: str = 'say({"ready": "x"})', **options: Any) -> LocalModel:
        child = tmp_path / "child.py"
        child.write_text(CHILD.replace("{start}", start).replace("{body}", body))
        monkeypatch.setattr(local, "CHILD", child)
        return LocalModel(VlmParameters(folder=str(folder), **{"timeout_s": 10.0, "load_timeout_s": 20.0, **options}))

    return make


def refused(model: LocalModel) -> VlmUnavailable:
    with pytest.raises(VlmUnavailable) as error:
        model.answer(REQUEST, threading.Event())
    assert "\n" not in str(error.value)
    return error.value


def test_questions_and_answers_go_over_and_libraries_may_print(model: Callable[..., LocalModel]) -> None:
    made = model(
        'print("loading..."); say({"text": asked["text"] + str(len(asked["images"])) + asked["images"][0][0]}, **number)'
    )
    for _ in range(2):
        assert made.answer(REQUEST, threading.Event()) == "what is there?1front"
    made.close()
    with pytest.raises(VlmUnavailable, match="nobody waits"):
        made.answer(REQUEST, threading.Event())


def test_the_process_reaches_no_hub(model: Callable[..., LocalModel]) -> None:
    made = model('say({"text": os.environ["HF_HUB_OFFLINE"] + os.environ["TRANSFORMERS_OFFLINE"]}, **number)')
    assert made.answer(REQUEST, threading.Event()) == "11"
    made.close()


def test_a_model_that_does_not_load_is_one_line_for_good(model: Callable[..., LocalModel]) -> None:
    error = refused(model("", start='say({"error": "no module named torch"}); sys.exit()'))
    assert error.lasting and "no module named torch" in str(error)


def test_a_python_that_is_none_is_named(folder: Path) -> None:
    with pytest.raises(ParameterError, match="vlm.python: /nowhere/python: there is no such program"):
        LocalModel(VlmParameters(folder=str(folder), python="/nowhere/python"))


def test_the_model_loads_before_anybody_asks(model: Callable[..., LocalModel]) -> None:
    made = model('say({"text": "here"}, **number)', start='time.sleep(1.0); say({"ready": "x"})')
    assert made._process is not None
    assert made.answer(REQUEST, threading.Event()) == "here"
    made.close()


def test_a_process_that_dies_is_said_and_started_again(model: Callable[..., LocalModel], tmp_path: Path) -> None:
    body = f"""
    if not os.path.exists({str(tmp_path / "died")!r}):
        open({str(tmp_path / "died")!r}, "w").close(); os._exit(7)
    say({{"text": "back"}}, **number)"""
    made = model(body)
    error = refused(made)
    assert not error.lasting and "ended by itself (exit code 7)" in str(error)
    assert made.answer(REQUEST, threading.Event()) == "back"
    made.close()


@pytest.mark.parametrize("where", ["answer", "load"])
def test_a_process_that_hangs_is_ended(model: Callable[..., LocalModel], where: str) -> None:
    start = 'say({"ready": "x"})' if where == "answer" else "time.sleep(60)"
    began_s = time.monotonic()
    error = refused(
        model("time.sleep(60)", start=start, timeout_s=0.5, load_timeout_s=0.5 if where == "load" else 20.0)
    )
    assert "has not answered within 0." in str(error)
    assert time.monotonic() - began_s < 50.0, "the child sleeps for 60 s"


def test_an_error_of_one_answer_is_said_and_the_process_goes_on(model: Callable[..., LocalModel]) -> None:
    made = model('say({"error": "too many tokens"} if asked["text"] == "long" else {"text": "fine"}, **number)')
    with pytest.raises(VlmUnavailable, match="too many tokens"):
        made.answer(VlmRequest("long"), threading.Event())
    assert made.answer(REQUEST, threading.Event()) == "fine"
    made.close()


def test_a_cancelled_answer_leaves_the_process_alone_and_is_not_taken_for_the_next(
    model: Callable[..., LocalModel],
) -> None:
    made = model('time.sleep(1.0 if asked["text"] == "old" else 0.0); say({"text": asked["text"]}, **number)')
    assert made.answer(VlmRequest("first"), threading.Event()) == "first"
    process, cancelled = made._process, threading.Event()
    threading.Timer(0.2, cancelled.set).start()
    with pytest.raises(VlmUnavailable, match="nobody waits"):
        made.answer(VlmRequest("old"), cancelled)
    assert made.answer(VlmRequest("new"), threading.Event()) == "new"
    assert made._process is process
    made.close()


def test_a_load_that_nobody_waits_for_goes_on(model: Callable[..., LocalModel]) -> None:
    made = model('say({"text": "here"}, **number)', start='time.sleep(1.0); say({"ready": "x"})')
    cancelled = threading.Event()
    threading.Timer(0.2, cancelled.set).start()
    with pytest.raises(VlmUnavailable, match="nobody waits"):
        made.answer(REQUEST, cancelled)
    process = made._process
    assert made.answer(REQUEST, threading.Event()) == "here"
    assert made._process is process
    made.close()


def test_the_real_child_says_in_one_line_that_torch_is_missing(folder: Path) -> None:
    pytest.importorskip("cv2")
    try:
        import transformers  # noqa: F401
    except ImportError:
        made = LocalModel(VlmParameters(folder=str(folder), python=sys.executable))
        error = refused(made)
        assert error.lasting and "ModuleNotFoundError" in str(error)
        made.close()
