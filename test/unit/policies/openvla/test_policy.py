"""The halves without torch: what System 1 needs, what is refused before a weight is read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from test.unit.policies.openvla.checkpoint_files import STATISTICS, write
from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.policies.contract import Chunk, Instruction, JointState, Plan, PlanState
from vla_ros.policies.openvla.openvla_parameters import OpenVlaOftParameters, OpenVlaParameters
from vla_ros.policies.openvla.policy import openvla_contract, openvla_oft_contract
from vla_ros.policies.registry import Robot, policy, system1, system2
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf

ROBOT = Robot(urdf(), JOINT_NAMES, cameras=("front", "wrist"))
BOUND = {"binding": {"cameras": ["full_image=front"]}}
LIBERO = {**STATISTICS, "action": {**STATISTICS["action"], "q99": [0.9] * 6 + [1.0]}}


def _openvla(folder: Path, **options: Any) -> OpenVlaParameters:
    return from_mapping(OpenVlaParameters, {"checkpoint": str(folder), **options})


@pytest.mark.parametrize("name", ["openvla", "openvla_oft"])
def test_system1_needs_neither_weights_nor_torch(name: str) -> None:
    player = system1(name, ROBOT, {"checkpoint": "/nowhere"})
    rows = np.repeat(HOME[None, :], 11, axis=0)
    rows[:, 0] += np.linspace(0, 0.02, 11)
    plan = Plan(0, Instruction(1, "go"), PlanState.ACTIVE, kind="actions", data=rows)
    chunk = player.chunk(plan, JointState(0, HOME, np.zeros(8)), Chunk.rest(HOME, 0), 1, 0)
    assert chunk.positions[-1, 0] == pytest.approx(HOME[0] + 0.02, abs=1e-3)


def test_both_policies_say_what_they_need() -> None:
    for name in ("openvla", "openvla_oft"):
        entry = policy(name)
        assert set(entry.requires) == {"torch", "transformers", "timm", "tokenizers"}
        assert "checkpoint" in entry.needs


def test_the_contract_is_read_without_weights(tmp_path: Path) -> None:
    assert openvla_contract(_openvla(write(tmp_path))).family == "openvla"
    folder = write(tmp_path / "oft", {"libero": LIBERO}, ("action_head",))
    oft = from_mapping(OpenVlaOftParameters, {"checkpoint": str(folder)})
    assert openvla_oft_contract(oft).chunk_size == 8


def test_a_step_that_no_arm_makes_is_of_another_unit(tmp_path: Path) -> None:
    folder = write(tmp_path, {"libero_spatial": LIBERO})
    with pytest.raises(
        ParameterError, match=r"would move at 4.5 m/s; for data of LIBERO write binding.position_scale: 0.05"
    ):
        openvla_contract(_openvla(folder))
    openvla_contract(_openvla(folder, binding={"position_scale": 0.05}))


def test_a_folder_without_the_l1_head_is_no_usual_oft(tmp_path: Path) -> None:
    folder = write(tmp_path, {"libero": LIBERO})
    with pytest.raises(ParameterError, match="has no action_head.*openvla_oft.head: tokens"):
        openvla_oft_contract(from_mapping(OpenVlaOftParameters, {"checkpoint": str(folder)}))
    openvla_oft_contract(from_mapping(OpenVlaOftParameters, {"checkpoint": str(folder), "head": "tokens"}))


def test_what_does_not_fit_the_robot_is_refused_before_torch_is_needed(tmp_path: Path) -> None:
    options = {"checkpoint": str(write(tmp_path)), "binding": {"cameras": ["full_image=rear"]}}
    with pytest.raises(ParameterError, match="camera 'rear'"):
        system2("openvla", ROBOT, options)


def test_what_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "vla_ros.policies.openvla.model", raising=False)
    with pytest.raises(
        ParameterError, match="policy openvla needs torch: pip install torch torchvision transformers timm"
    ):
        system2("openvla", ROBOT, {"checkpoint": str(write(tmp_path)), **BOUND})
