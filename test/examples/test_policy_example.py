"""examples/02_policy: a policy of another package is found by its entry point, takes options from YAML and moves the arm."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from vla_ros.bringup.graph import bringup
from vla_ros.parameters import ParameterError
from vla_ros.policies import Chunk, Frames, Instruction, JointState, PlanState, Robot, names, policy, system1, system2
from vla_ros.policies.registry import POLICIES
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf

EXAMPLES = Path(__file__).parents[2] / "examples"
ROBOT = Robot(urdf(), JOINT_NAMES)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the example into a folder on sys.path, as pip would from its pyproject.toml."""
    project = tomllib.loads((EXAMPLES / "02_policy" / "pyproject.toml").read_text())
    (about,) = [project["project"]]
    shutil.copy(EXAMPLES / "02_policy" / "wave_policy.py", tmp_path)
    metadata = tmp_path / f"wave_policy-{about['version']}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n")
    lines = [f"{name} = {value}" for name, value in about["entry-points"]["vla_ros.policies"].items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[vla_ros.policies]", *lines, ""]))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "wave_policy", raising=False)
    return tmp_path


def state(stamp_ns: int, q: np.ndarray) -> JointState:
    return JointState(stamp_ns, q, np.zeros(len(q)))


def test_it_is_found_by_its_entry_point_and_only_when_it_is_installed(request: pytest.FixtureRequest) -> None:
    assert "wave" not in names()
    request.getfixturevalue("installed")
    assert names() == sorted([*POLICIES, "wave"])
    assert policy("wave").parameters.__name__ == "WaveParameters"


@pytest.mark.usefixtures("installed")
def test_both_halves_have_one_checkpoint_which_the_options_are_part_of() -> None:
    assert system1("wave", ROBOT).checkpoint == system2("wave", ROBOT).checkpoint
    assert system1("wave", ROBOT, {"waves": 3}).checkpoint != system1("wave", ROBOT).checkpoint


@pytest.mark.usefixtures("installed")
def test_it_waves_the_joint_that_it_is_told_and_comes_back() -> None:
    options = {"joint": "joint6", "amplitude_rad": 0.2, "period_s": 2.0, "waves": 1}
    planner, expert = system2("wave", ROBOT, options), system1("wave", ROBOT, options)
    instruction, chunk, played = Instruction(1, "wave"), Chunk.rest(HOME, 0), [HOME.copy()]
    for step in range(30):
        now_ns = 100_000_000 * step
        plan = planner.plan(Frames(now_ns, {}), instruction, state(now_ns, played[-1]))
        if plan.state is not PlanState.ACTIVE:
            break
        chunk = expert.chunk(plan, state(now_ns, played[-1]), chunk, 3, now_ns)
        played += list(chunk.positions[1:6])
        chunk = Chunk(chunk.positions[5:], chunk.dt_s, now_ns + 100_000_000, chunk_id=1)
    assert plan.state is PlanState.DONE and step == 20
    moved = np.ptp(played, axis=0)
    assert moved[5] == pytest.approx(0.4, abs=0.01) and np.delete(moved, 5).max() < 1e-9
    np.testing.assert_allclose(played[-1], HOME, atol=2e-3)
    assert np.abs(np.diff(played, 2, axis=0)).max() / expert.dt_s**2 < 3.0, "rad/s^2: no jump where chunks are joined"


def config(folder: Path, options: str) -> str:
    path = folder / "wave.yaml"
    nodes = ("planner", "action_expert")
    path.write_text("".join(f"{node}:\n  ros__parameters:\n    wave: {options}\n" for node in nodes))
    return str(path)


def test_its_options_come_from_the_parameter_file_like_those_of_policies_that_ship(installed: Path) -> None:
    started = bringup(policy="wave", config=config(installed, "{joint: joint6, waves: 3}"))
    for process in started:
        if process.name in ("planner", "action_expert"):
            assert process.parameters["policy"] == "wave"
            assert (process.parameters["wave.joint"], process.parameters["wave.waves"]) == ("joint6", 3)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ("{waves: 0}", "planner.wave.waves: must be at least 1, got 0"),
        ("{wavs: 2}", "planner: no parameter 'wave.wavs'; did you mean 'wave.waves'?"),
    ],
)
def test_a_wrong_option_in_the_file_is_refused_by_name(installed: Path, options: str, text: str) -> None:
    with pytest.raises(ParameterError) as error:
        bringup(policy="wave", config=config(installed, options))
    assert text in str(error.value)


@pytest.mark.usefixtures("installed")
def test_its_options_are_refused_where_another_policy_is_started(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"no parameter 'wave\.joint'"):
        bringup(policy="classical", config=config(tmp_path, "{joint: joint6}"))


def test_the_example_runs_and_tells_what_the_arm_does() -> None:
    command = [sys.executable, str(EXAMPLES / "02_policy.py")]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    assert "DONE after 8.0 s" in output and "joint6 moved over 0.200 rad" in output
