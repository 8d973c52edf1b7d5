"""config.json and preprocessor_config.json: what they mean, and what of them is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from test.unit.policies.openvla.checkpoint_files import config, write
from vla_ros.parameters import ParameterError
from vla_ros.policies.openvla.folder_config import folder_config


def test_openvla_7b_as_it_is_published(tmp_path: Path) -> None:
    found = folder_config(write(tmp_path))
    assert found.vocabulary == 32000
    assert found.bins == 256
    # Not in the file: the defaults of the library that wrote it.
    assert (found.text["hidden_size"], found.text["num_hidden_layers"], found.text["rms_norm_eps"]) == (4096, 32, 1e-6)
    assert found.text["num_key_value_heads"] == 32
    assert found.activations == ("gelu", "gelu")
    dino, siglip = found.images
    assert (dino.size, dino.mean, dino.std) == (224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert (siglip.mean, siglip.std, siglip.interpolation) == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5), "bicubic")
    assert found.statistics_file.name == "config.json"


def test_the_statistics_of_fine_tuning_win(tmp_path: Path) -> None:
    found = folder_config(write(tmp_path, dataset_statistics={"libero_spatial": {}}))
    assert list(found.statistics) == ["libero_spatial"]
    assert found.statistics_file.name == "dataset_statistics.json"


def test_the_preprocessor_wins_over_the_names(tmp_path: Path) -> None:
    folder = write(tmp_path, timm_model_ids=["vit_a", "vit_b"])
    with pytest.raises(
        ParameterError, match="preprocessor_config.json: missing, and the colours of vit_a are not known"
    ):
        folder_config(folder)
    content = {
        "image_resize_strategy": "letterbox",
        "input_sizes": [[3, 224, 224], [3, 224, 224]],
        "interpolations": ["bilinear", "bicubic"],
        "means": [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]],
        "stds": [[1, 1, 1], [2, 2, 2]],
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(content))
    found = folder_config(folder)
    assert found.strategy == "letterbox"
    assert [image.mean for image in found.images] == [(0.1, 0.2, 0.3), (0.4, 0.5, 0.6)]
    assert [image.interpolation for image in found.images] == ["bilinear", "bicubic"]
    for change in (
        {"means": [[0.1, 0.2]] * 2},
        {"input_sizes": [[3, 384, 384]] * 2},
        {"interpolations": ["cubic"] * 2},
    ):
        (folder / "preprocessor_config.json").write_text(json.dumps({**content, **change}))
        with pytest.raises(ParameterError, match="preprocessor_config.json"):
            folder_config(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_type": "llava"}, "model_type is 'llava', not 'openvla'"),
        ({"model_type": None}, "model_type is None"),
        ({"timm_model_ids": []}, "timm_model_ids: expected a list"),
        ({"timm_model_ids": ["vit_so400m_patch14_siglip_224"]}, "timm_model_ids names 1"),
        ({"image_sizes": [224]}, "image_sizes"),
        ({"image_sizes": [224, 384]}, "image_sizes"),
        ({"image_sizes": ["a", "b"]}, "image_sizes: expected a list of int"),
        ({"text_config": None}, "has no text_config"),
        ({"text_config": {"model_type": "mistral"}}, "text_config.model_type is 'mistral'"),
        ({"text_config": {"hidden_size": -1}}, "text_config.hidden_size: expected a positive number"),
        ({"n_action_bins": 40000}, "n_action_bins 40000 does not fit"),
        ({"n_action_bins": "256"}, "n_action_bins: expected a whole number"),
        ({"image_resize_strategy": "fold"}, "image_resize_strategy 'fold'"),
        ({"norm_stats": None}, "no dataset_statistics.json and no norm_stats"),
        ({"norm_stats": {}}, "no dataset_statistics.json and no norm_stats"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said) as error:
        folder_config(write(tmp_path, **change))
    assert str(tmp_path) in str(error.value)


def test_what_is_no_folder_or_no_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="no such folder"):
        folder_config(tmp_path / "absent")
    with pytest.raises(ParameterError, match="config.json"):
        folder_config(tmp_path)
    for text in ("", "{", "[]", "version https://git-lfs.github.com/spec/v1"):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(ParameterError, match="config.json"):
            folder_config(tmp_path)


def test_broken_statistics_of_fine_tuning_are_not_replaced_by_others(tmp_path: Path) -> None:
    folder = write(tmp_path)
    assert "norm_stats" in config()
    (folder / "dataset_statistics.json").write_text('{"libero')
    with pytest.raises(ParameterError, match="dataset_statistics.json"):
        folder_config(folder)
