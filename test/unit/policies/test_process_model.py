"""A model in a child process: it answers, its faults are one line, and it does not outlive its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vla_ros.parameters import ParameterError
from vla_ros.policies import process_model
from vla_ros.policies.chunk_model import ModelUnavailable, Observation
from vla_ros.policies.process_model import ProcessModel

FOLDER = Path(__file__).parent / "process_models"
PATIENCE_S = 60.0


@pytest.fixture
def make() -> Iterator[Callable[..., ProcessModel]]:
    made = []

    def model(gain: float = 2.0, **changes: Any) -> ProcessModel:
        keywords = {key: changes.pop(key) for key in ("timeout_s", "load_timeout_s") if key in changes}
        keywords = {"load_timeout_s": PATIENCE_S, "timeout_s": PATIENCE_S, "path": [str(FOLDER)], **keywords}
        made.append(ProcessModel("toy_model:ToyModel", sys.executable, {"gain": gain, **changes}, **keywords))
        return made[-1]

    yield model
    for each in made:
        each.close()


def seen(text: str, level: int = 3) -> Observation:
    return Observation({"front": np.full((200, 300, 3), level, np.uint8)}, None, text, 1, 0.0)


def answer(model: ProcessModel, text: str = "go") -> Any:
    """Ask until there is an answer."""
    end_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            return model.infer(seen(text))
        except ModelUnavailable:
            assert time.monotonic() < end_s, "no answer from a child that was started again"
            time.sleep(0.05)


def test_it_tells_its_contract_and_answers(make: Callable[..., ProcessModel]) -> None:
    model = make()
    assert model.checkpoint == "toy2"
    contract = model.contract
    assert (contract.family, contract.chunk_size, contract.state, contract.rate_hz) == ("toy", 3, None, None)
    assert contract.cameras[0].name == "front"
    assert contract.action.names == ("a", "b")
    np.testing.assert_array_equal(contract.action.statistics["std"], [1.0, np.nan])
    np.testing.assert_array_equal(model.infer(seen("go")), [[6.0, 1.0]] * 3)
    assert model.infer(seen("go"))[0, 1] == 2.0
    model.reset()
    assert model.infer(seen("go"))[0, 1] == 1.0


def test_what_the_model_raises_is_one_line_and_does_not_end_it(make: Callable[..., ProcessModel]) -> None:
    model = make()
    with pytest.raises(RuntimeError, match=r"^ValueError: asked to fail$"):
        model.infer(seen("fail"))
    assert model.infer(seen("go"))[0, 1] == 2.0


def test_options_that_the_model_refuses_are_refused_in_its_words(make: Callable[..., ProcessModel]) -> None:
    with pytest.raises(ParameterError, match=r"^toy\.gain: must not be negative, got -1\.0$"):
        make(-1.0)


@pytest.mark.parametrize(
    ("target", "python", "said"),
    [
        ("toy_model:ToyModel", "/nowhere/python", "policy_python: there is no program '/nowhere/python'"),
        ("toy_model:ToyModel", "", "policy_python: there is no program ''"),
        ("toy_model:ToyModel", "/bin/true", r"policy_python: /bin/true: the model's process ended \(exit code 0\)"),
        ("toy_model:ToyModel", "/bin/echo", "policy_python: /bin/echo: the model's process answers nonsense"),
        ("toy_model:Other", sys.executable, "policy_python: .*AttributeError: .*Other"),
        ("missing_module:Toy", sys.executable, "policy_python: .*ModuleNotFoundError: .*missing_module"),
        ("toy_model:ToyModel", sys.executable, "policy_python: .*KeyError: 'no gain'"),
    ],
)
def test_a_child_that_cannot_be_made_is_told_in_one_line(target: str, python: str, said: str) -> None:
    with pytest.raises(ParameterError, match=said) as caught:
        ProcessModel(target, python, {"gain": 0.0}, path=[str(FOLDER)], load_timeout_s=PATIENCE_S)
    assert "\n" not in str(caught.value)


def test_one_that_loads_for_too_long_is_refused() -> None:
    began_s = time.monotonic()
    with pytest.raises(ParameterError, match="has not answered for 0.5 s"):
        ProcessModel(
            "toy_model:ToyModel",
            sys.executable,
            {"gain": 1.0, "load_s": 50.0},
            path=[str(FOLDER)],
            load_timeout_s=0.5,
        )
    assert time.monotonic() - began_s < 10.0


@pytest.mark.parametrize(("text", "said"), [("die", "SIGKILL: out of memory?"), ("exit", r"exit code 3\)")])
def test_one_that_dies_is_started_again(
    make: Callable[..., ProcessModel], monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.setattr(process_model, "FIRST_BACK_OFF_S", 0.1)
    model = make()
    model.infer(seen("go"))
    with pytest.raises(ModelUnavailable, match=said):
        model.infer(seen(text))
    with pytest.raises(ModelUnavailable, match=said + ".*(started again in|is loading)"):
        model.infer(seen("go"))
    assert answer(model)[0, 1] == 1.0  # it has forgotten, and knows that


def test_the_wait_before_a_new_start_doubles(make: Callable[..., ProcessModel]) -> None:
    model = make()
    waits = []
    for _ in range(8):
        model._start_again("again")
        waits.append(round(model._start_at_s - time.monotonic()))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    model._start_at_s = time.monotonic()
    answer(model)
    model._start_again("again")
    assert round(model._start_at_s - time.monotonic()) == 1


def test_one_that_hangs_is_ended_and_started_again(
    make: Callable[..., ProcessModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_model, "FIRST_BACK_OFF_S", 0.1)
    model = make(timeout_s=0.5)
    old = model._process
    with pytest.raises(ModelUnavailable, match=r"has not answered for 0\.5 s"):
        model.infer(seen("sleep 100"))
    assert old.poll() is not None
    assert answer(model)[0, 1] == 1.0


def test_a_stopped_child_does_not_block_its_parent(make: Callable[..., ProcessModel]) -> None:
    model = make(timeout_s=0.5)
    os.kill(model._process.pid, signal.SIGSTOP)
    began_s = time.monotonic()
    with pytest.raises(ModelUnavailable, match="has not answered"):
        model.infer(seen("go"))  # more bytes than a pipe holds
    assert time.monotonic() - began_s < 10.0


def test_another_checkpoint_after_a_new_start_is_refused(
    make: Callable[..., ProcessModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_model, "FIRST_BACK_OFF_S", 0.1)
    model = make()
    model.checkpoint = "another"
    with pytest.raises(ModelUnavailable, match="SIGKILL"):
        model.infer(seen("die"))
    end_s = time.monotonic() + PATIENCE_S
    said = ""
    while "checkpoint has changed" not in said:
        assert time.monotonic() < end_s, said
        with pytest.raises(ModelUnavailable) as caught:
            model.infer(seen("go"))
        said = str(caught.value)
        time.sleep(0.05)


def test_closing_ends_the_child_in_the_middle_of_an_inference(make: Callable[..., ProcessModel]) -> None:
    model = make()
    process = model._process
    model.close()
    assert process.returncode == 0


def test_a_parent_that_is_killed_leaves_no_child() -> None:
    script = (
        "import numpy as np, sys\n"
        "from vla_ros.policies.process_model import ProcessModel\n"
        "from vla_ros.policies.chunk_model import Observation\n"
        f"m = ProcessModel('toy_model:ToyModel', sys.executable, {{'gain': 1.0}}, path=[{str(FOLDER)!r}])\n"
        "print(m._process.pid, flush=True)\n"
        "m.infer(Observation({}, None, 'sleep 100', 1, 0.0))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(0.5)
    parent.kill()
    parent.wait()
    end_s = time.monotonic() + 20.0
    while Path(f"/proc/{child}").exists() and "zombie" not in Path(f"/proc/{child}/status").read_text():
        assert time.monotonic() < end_s, "the child lives on"
        time.sleep(0.05)


def test_the_child_imports_neither_ros_nor_what_is_beside_its_script() -> None:
    code = (
        "import sys\n"
        "class Blocked:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in {blocked!r}: raise ImportError('blocked ' + name)\n"
        "sys.meta_path.insert(0, Blocked())\n"
        "from pathlib import Path\n"
        "import importlib.util\n"
        "spec = importlib.util.spec_from_file_location('child', {file!r})\n"
        "child = importlib.util.module_from_spec(spec); spec.loader.exec_module(child)\n"
        "child.import_package(Path({file!r}).parents[1])\n"
        "import vla_ros.policies.chunk_model, vla_ros.policies.array_frames, vla_ros.policies.registry\n"
        "print('imported')\n"
    )
    blocked = ("rclpy", "pinocchio", "coal", "ruckig", "cv2", "mujoco", "onnxruntime", "psutil", "torch")
    text = code.format(blocked=blocked, file=str(Path(process_model.process_child.__file__)))
    done = subprocess.run(
        [sys.executable, "-c", text], cwd="/", capture_output=True, text=True, check=False, env={"PATH": os.defpath}
    )
    assert done.stdout == "imported\n", done.stderr
