"""examples/06_train_act trains ACT on demonstrations from here, and what comes of it plays chunks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("lerobot")

EXAMPLE = Path(__file__).parents[2] / "examples" / "06_train_act.py"
IMAGE = {"type": "VISUAL", "shape": [3, 64, 64]}
INPUTS = {
    **{f"observation.images.{camera}": IMAGE for camera in ("front", "wrist")},
    "observation.state": {"type": "STATE", "shape": [8]},
}


def run(*command: object) -> str:
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_demonstrations_become_a_checkpoint_that_plays(tmp_path: Path) -> None:
    data, out = tmp_path / "red", tmp_path / "act"
    what = ("--tasks", "pick", "--object", "red cube", "--scenes", "plain")
    run("-m", "vla_ros.cli", "data", "generate", "--out", data, *what, "--episodes", 2, "--workers", 1)
    run(
        *(EXAMPLE, "--policy.type=act", "--dataset.repo_id=local/red", f"--dataset.root={data}", f"--output_dir={out}"),
        *("--policy.push_to_hub=false", "--policy.device=cpu", "--policy.pretrained_backbone_weights=null"),
        *("--policy.chunk_size=20", "--policy.temporal_ensemble_coeff=0.01", "--policy.n_action_steps=1"),
        *("--policy.dim_model=32", "--policy.dim_feedforward=32", "--policy.use_vae=false", "--policy.n_heads=2"),
        *(f"--policy.input_features={json.dumps(INPUTS)}", "--batch_size=4", "--num_workers=0", "--steps=2"),
        *("--env_eval_freq=0", "--wandb.enable=false"),
    )
    checkpoint = out / "checkpoints" / "last" / "pretrained_model"
    settings = tmp_path / "act.yaml"
    settings.write_text("/**: {ros__parameters: {lerobot: {binding: {rate_hz: 10.0, first_row: 1}}}}")
    checked = run("-m", "vla_ros.cli", "check", checkpoint, "--config", settings)
    assert "act, chunks of 20" in checked, checked
