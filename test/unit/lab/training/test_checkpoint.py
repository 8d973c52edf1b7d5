# ruff: noqa: E402 what is imported below needs torch
"""Provenance of a checkpoint."""

import os
import shutil
from hashlib import blake2b
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from vla_ros.lab.training import checkpoint
from vla_ros.lab.training.train_parameters import TrainParameters
from vla_ros.parameters import from_mapping


def test_the_hash_of_a_file_is_kept_until_the_file_is_newer(tmp_path):
    file, kept = tmp_path / "scene_images.npy", tmp_path / "scene_images.blake2b"
    file.write_bytes(b"one")
    assert checkpoint.file_hash(file) == kept.read_text() == blake2b(b"one").hexdigest()
    kept.write_text("kept")
    assert checkpoint.file_hash(file) == "kept"
    file.write_bytes(b"two")
    os.utime(file, ns=(0, kept.stat().st_mtime_ns + 1))
    assert checkpoint.file_hash(file) == blake2b(b"two").hexdigest()


@pytest.mark.parametrize("name", ["policies/continuation.py", "transforms.py", "policies/compact/flow.py"])
def test_the_code_that_makes_motions_is_part_of_the_origin(name, tmp_path, monkeypatch):
    package = Path(checkpoint.__file__).parents[2]
    shutil.copytree(package, tmp_path / "vla_ros", ignore=shutil.ignore_patterns("*.so", "*.pyc"))
    monkeypatch.setattr(checkpoint, "__file__", str(tmp_path / "vla_ros" / "lab" / "training" / "checkpoint.py"))
    given = from_mapping(TrainParameters, {})
    before = checkpoint.provenance(given, {})["code"]
    with (tmp_path / "vla_ros" / name).open("a") as stream:
        stream.write("# other code\n")
    assert checkpoint.provenance(given, {})["code"] != before
