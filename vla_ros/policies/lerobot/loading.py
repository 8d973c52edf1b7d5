"""A LeRobot policy folder becomes LeRobot's objects, offline; what goes wrong is one line.

What the folder itself does not hold (a tokenizer, the configuration of a language model) is taken from a folder that the
user names, else from `tokenizer/` in the policy folder, else from the local cache of the hub.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lerobot.configs import PreTrainedConfig
from lerobot.policies.factory import get_policy_class, make_pre_post_processors

from vla_ros.parameters import ParameterError
from vla_ros.policies.binding.weight_files import read_json
from vla_ros.policies.lerobot.folder import LeRobotFolder
from vla_ros.policies.lerobot.loaded_weights import load_policy
from vla_ros.policies.lerobot.processors import POSTPROCESSOR, PREPROCESSOR

LANGUAGE_FIELDS = {
    "eo1": ("vlm_base",),
    "evo1": ("vlm_model_name",),
    "multi_task_dit": ("vision_encoder_name", "text_encoder_name"),
    "pi0_fast": ("text_tokenizer_name",),
    "smolvla": ("vlm_model_name",),
    "vla_jepa": ("qwen_model_name",),
    "xvla": ("tokenizer_name",),
}
"""Family → fields of its config.json that name a language model of the hub."""
STEP_KEYS = ("tokenizer_name", "paligemma_tokenizer_name", "processor_name", "model_name")
"""Options of a processor's steps that name a tokenizer of the hub."""
HUB_WORDS = (
    "huggingface.co",
    "offline",
    "local_files_only",
    "is not a local folder",
    "snapshot folder",
    "cached files",
)
"""A text with one of these is of a library that looked for files on the hub."""
UNKNOWN_FIELDS = "are not valid for"
"""Words of the parser of config.json on fields that this LeRobot does not have."""
LONGEST = 300
"""Characters of a library's error that are repeated."""


def load_config(folder: LeRobotFolder, overrides: Sequence[str], device: str, tokenizer: str) -> Any:
    """Return LeRobot's configuration of a folder.

    Args:
        folder: as read.
        overrides: field=value each, laid over config.json.
        device: torch's name.
        tokenizer: folder with the language model's files; empty: see above.

    Raises:
        ParameterError: LeRobot does not know the family, or a value is wrong.
    """
    if folder.type not in PreTrainedConfig.get_known_choices():
        from lerobot import __version__

        raise ParameterError(f"{folder.path}/config.json: LeRobot {__version__} has no policy {folder.type!r}")
    language = _language_folder(folder.path, tokenizer)
    fields = LANGUAGE_FIELDS.get(folder.type, ()) if language and (language / "config.json").is_file() else ()
    named = {entry.partition("=")[0] for entry in overrides}
    entries = [f"{field}={language}" for field in fields if field not in named]
    arguments = [f"--{entry}" for entry in (*entries, *overrides, f"device={device}")]
    with _one_line(f"{folder.path}/config.json"):
        config = PreTrainedConfig.from_pretrained(folder.path, local_files_only=True, cli_overrides=arguments)
    config.pretrained_path = folder.path
    return config


def weights_of(config: Any, folder: Path) -> Any:
    """Return the policy of a folder with its weights; an adapter (LoRA) is merged into its base.

    Raises:
        ParameterError: it does not load.
    """
    with _one_line(str(folder)):
        cls = get_policy_class(config.type)
        if not config.use_peft:
            policy = load_policy(cls, config, folder)
            if hasattr(policy, "_ensure_frozen_modules"):  # LingBot's encoders, which it would load while it plans
                policy._ensure_frozen_modules()
            return policy
        base = Path(str(read_json(folder / "adapter_config.json").get("base_model_name_or_path")))
        if not base.is_dir():
            raise ParameterError(
                f"{folder}/adapter_config.json: an adapter of {str(base)!r}, which is no folder here: download it, and name "
                "its folder as base_model_name_or_path"
            )
        from peft import PeftModel

        return PeftModel.from_pretrained(load_policy(cls, config, base), str(folder)).merge_and_unload().eval()


def load_processors(config: Any, folder: Path, tokenizer: str) -> tuple[Any, Any]:
    """Return the preprocessor and the postprocessor of a folder.

    Args:
        config: of the policy. folder: that has them. tokenizer: as for `load_config`.

    Raises:
        ParameterError: they do not load.
    """
    language = _language_folder(folder, tokenizer)
    overrides = [_overrides(folder / name, config, language) for name in (PREPROCESSOR, POSTPROCESSOR)]
    overrides[1].pop("device_processor", None)  # what comes out is wanted on the CPU
    with _one_line(str(folder)):
        loaded: tuple[Any, Any] = make_pre_post_processors(
            config, str(folder), preprocessor_overrides=overrides[0], postprocessor_overrides=overrides[1]
        )
    return loaded


def _language_folder(folder: Path, tokenizer: str) -> Path | None:
    """Return the local folder of the language model's files, where there is one."""
    if tokenizer:
        chosen = Path(tokenizer).expanduser()
        if not chosen.is_dir():
            raise ParameterError(f"lerobot.tokenizer: there is no folder {tokenizer!r}")
        return chosen
    within = folder / "tokenizer"
    return within if within.is_dir() else None


def _overrides(path: Path, config: Any, language: Path | None) -> dict[str, dict[str, Any]]:
    """Return step → options that differ here from what a processor's file says."""
    found: dict[str, dict[str, Any]] = {}
    for step in read_json(path)["steps"]:
        name = step.get("registry_name") or str(step.get("class")).rpartition(".")[2]
        if name == "device_processor":
            found[name] = {"device": config.device}
        elif name == "action_tokenizer_processor":  # whose file does not say which tokenizer of words it took
            found[name] = {"paligemma_tokenizer_name": str(language or config.text_tokenizer_name)}
        elif language is not None and (keys := [key for key in STEP_KEYS if key in (step.get("config") or {})]):
            found[name] = dict.fromkeys(keys, str(language))
    return found


@contextlib.contextmanager
def _one_line(where: str) -> Iterator[None]:
    """Turn whatever LeRobot and its libraries raise or print into one `ParameterError`."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stderr(printed):
            yield
    except ParameterError:
        raise
    except SystemExit:  # of the parser of options
        text = (printed.getvalue().strip().splitlines() or ["an option is wrong"])[-1]
        text = text.rpartition(" error: ")[2]  # before it stands the name of this program
        raise ParameterError(f"{where}: {text}; correct lerobot.config") from None
    except Exception as error:
        text = _said(error)
        hub = any(word in text for word in HUB_WORDS)
        hint = (
            "; give its files as a local folder: lerobot.tokenizer, or lerobot.config for another field" if hub else ""
        )
        if UNKNOWN_FIELDS in text:
            hint = "; another version of LeRobot wrote it: install that one, or delete these fields"
        raise ParameterError(f"{where}: does not load: {text[:LONGEST]}{hint}") from error
    finally:
        sys.stderr.write(printed.getvalue())


def _said(error: BaseException) -> str:
    """Return an error and, where it tells more, what it came of, as one line."""
    first = error
    while (before := first.__cause__ or first.__context__) is not None:
        first = before
    said = {f"{type(each).__name__}: {' '.join(str(each).split())}": None for each in (error, first)}
    return ", because of ".join(said)
