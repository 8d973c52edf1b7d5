"""Reads a LeRobot checkpoint as far as a robot must know it: what it wants, and whether the folder is whole.

Neither torch nor LeRobot is needed. Format: LeRobot 0.6, `PreTrainedConfig` and `DataProcessorPipeline`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError
from vla_ros.policies.binding.checkpoint_contract import NORMALIZATIONS, CameraSlot, CheckpointContract, VectorSpec
from vla_ros.policies.binding.weight_files import SINGLE, read_json, weight_faults
from vla_ros.policies.lerobot.processors import (
    GROOT_PACK,
    GROOT_UNPACK,
    NORMALIZERS,
    POSTPROCESSOR,
    PREPROCESSOR,
    RELATIVE,
    RENAME,
    UNNORMALIZERS,
    ProcessorStepFile,
    read_steps,
    step_named,
)

FAMILIES = (
    *(
        "act",
        "diffusion",
        "eo1",
        "evo1",
        "fastwam",
        "groot",
        "lingbot_va",
        "molmoact2",
        "multi_task_dit",
        "pi0",
        "pi05",
    ),
    *("pi0_fast", "smolvla", "tdmpc", "vla_jepa", "vqbet", "wall_x", "xvla"),
)
"""What LeRobot 0.6.1 calls its policies."""
MASKING = ("pi0", "pi0_fast", "pi05", "smolvla", "xvla")
"""Families that mask an image input that gets no image."""
IMAGE_SHAPES = ((3, 1, 1), (1, 1, 1), (1,), ())
"""Shapes of statistics that fit (batch, 3, height, width): one value a colour, or one for all."""
STATE, ACTION = "observation.state", "action"
OWN_NORMALIZATION = ("lingbot_va",)
"""Families whose processors do not follow config.json."""
EMPTY_CAMERA = "observation.images.empty_camera_"
"""Image inputs of this name are filled by the model."""
CHUNK_KEYS = ("chunk_size", "action_chunk_size")
STEPWISE = ("diffusion", "multi_task_dit")
"""Families whose chunk has `n_action_steps` rows: those before are of the past, those behind are dropped."""
LONGEST_CHUNK = 10_000
"""Rows; no policy plans so far."""
ADAPTER = ("adapter_model.safetensors", "adapter_config.json")
"""Files of an adapter (LoRA) beside config.json."""
INSIDE = ("pretrained_model", "checkpoints/last/pretrained_model", "last/pretrained_model")
"""Where lerobot-train puts a checkpoint inside its output folder."""
MIGRATE = "convert it: python -m lerobot.processor.migrate_policy_normalization --pretrained-path"


class LeRobotFolder:
    """A LeRobot policy folder.

    Args:
        path: the folder, or the output folder of lerobot-train.
        families: policies that are known.
        shards: the weights may lie in several files. LeRobot itself reads one.

    Attributes:
        path: where config.json lies.
        config: its content. type: the family.
        preprocessor, postprocessor: their steps; empty where they cannot be read.
        faults: what is wrong with the folder, a line each; empty: it is whole, and its statistics bind.

    Raises:
        ParameterError: it is no such folder.
    """

    def __init__(self, path: str | Path, families: Collection[str] = FAMILIES, *, shards: bool = False) -> None:
        self._shards = shards
        self.path = _found(Path(path).expanduser())
        self.config = read_json(self.path / "config.json")
        self.type = str(self.config.get("type") or "")
        if not self.type:
            named = self.config.get("architectures")
            other = self.config.get("model_type") or (", ".join(map(str, named)) if isinstance(named, list) else "")
            what = f"a checkpoint of {other!r}" if other else "of another format"
            raise ParameterError(f"{self.path}/config.json: {what}, no LeRobot policy: it has no 'type'")
        faults = []
        if self.type not in families:
            faults.append(
                f"{self.path}/config.json: another architecture, {self.type!r}; known are {', '.join(families)}"
            )
        self.preprocessor = self._steps(PREPROCESSOR, faults)
        self.postprocessor = self._steps(POSTPROCESSOR, faults)
        faults += self._weight_faults()
        try:
            contract = self.contract()
        except ParameterError as error:
            faults.append(str(error))
        else:
            faults += self._unbound(contract)
        self.faults = tuple(faults)

    def require_sound(self) -> None:
        """Raise ParameterError with the first fault, where there is one."""
        if self.faults:
            more = f" ({len(self.faults) - 1} more: vla-ros check names them)" if len(self.faults) > 1 else ""
            raise ParameterError(f"{self.faults[0]}{more}")

    @property
    def statistics(self) -> dict[str, Mapping[str, Array]]:
        """Feature → statistic → values that reach it; features whose statistics do not bind are not in it."""
        found: dict[str, Mapping[str, Array]] = {}
        normalizer, pack = step_named(self.preprocessor, *NORMALIZERS), step_named(self.preprocessor, GROOT_PACK)
        if normalizer is not None:
            found |= {name: values for name, values in normalizer.statistics.items() if normalizer.reaches(name)}
        elif pack is not None:
            found |= pack.statistics
        found.pop(ACTION, None)
        for step in (step_named(self.postprocessor, *UNNORMALIZERS, *GROOT_UNPACK), pack):
            if step is not None and ACTION not in found and ACTION in step.statistics:
                found[ACTION] = step.statistics[ACTION]
        return found

    def contract(self) -> CheckpointContract:
        """Return what the checkpoint wants.

        Raises:
            ParameterError: its features are incomplete.
        """
        inputs, outputs = self._features("input_features"), self._features("output_features")
        if ACTION not in outputs:
            raise ParameterError(f"{self.path}/config.json: output_features: no {ACTION!r}")
        if environment := [name for name, (kind, _) in inputs.items() if kind == "ENV"]:
            raise ParameterError(
                f"{self.path}/config.json: it wants {environment[0]}, which a simulator has and no robot"
            )
        names, rate_hz = self._dataset()
        state = None
        if STATE in inputs:
            state = self._vector(STATE, inputs[STATE][1], names.get(STATE, ()))
        action = self._vector(ACTION, outputs[ACTION][1], self._action_names() or names.get(ACTION, ()))
        return CheckpointContract(
            family=self.type,
            source=str(self.path),
            cameras=tuple(
                self._slot(name, shape) for name, (kind, shape) in inputs.items() if self._is_slot(name, kind)
            ),
            state=state,
            action=self._absolute(action, state),
            chunk_size=self._chunk_size(),
            normalization={"state": self._mode("STATE"), "action": self._mode("ACTION")},
            rate_hz=rate_hz,
        )

    def _weight_faults(self) -> list[str]:
        """Return what is wrong with the weights."""
        if self.config.get("use_peft"):
            absent = [name for name in ADAPTER if not (self.path / name).exists()]
            return [f"{self.path}/{name}: absent, and config.json says use_peft" for name in absent] or weight_faults(
                self.path, ADAPTER[0]
            )
        faults = weight_faults(self.path)
        if not faults and not self._shards and not (self.path / SINGLE).exists():
            return [f"{self.path}/{SINGLE}: absent: LeRobot reads no shards; save the policy in one file"]
        return faults

    def _steps(self, name: str, faults: list[str]) -> tuple[ProcessorStepFile, ...]:
        path = self.path / name
        if not path.exists():
            faults.append(
                f"{path}: absent, so that nothing says how values are normalised; an old folder? {MIGRATE} {self.path}"
            )
            return ()
        try:
            return read_steps(path)
        except ParameterError as error:
            faults.append(str(error))
            return ()

    def _features(self, key: str) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Return feature → (type, shape)."""
        where, found = f"{self.path}/config.json: {key}", {}
        features = self.config.get(key)
        if not isinstance(features, dict) or not features:
            raise ParameterError(f"{where}: empty: the checkpoint does not say what it wants; train it on data first")
        for name, feature in features.items():
            kind, shape = (feature.get("type"), feature.get("shape")) if isinstance(feature, dict) else (None, None)
            whole = isinstance(shape, list) and bool(shape) and all(type(n) is int and n > 0 for n in shape)
            if not isinstance(kind, str) or not whole:
                raise ParameterError(
                    f"{where}: {name}: expected a type and a shape of positive numbers, got {feature!r}"
                )
            assert isinstance(shape, list)
            found[str(name)] = (kind, tuple(shape))
        return found

    def _is_slot(self, name: str, kind: str) -> bool:
        return kind == "VISUAL" and not name.startswith(EMPTY_CAMERA)

    def _slot(self, name: str, shape: tuple[int, ...]) -> CameraSlot:
        if len(shape) != 3 or 3 not in (shape[0], shape[-1]):
            raise ParameterError(f"{self.path}/config.json: {name}: expected shape (3, height, width), got {shape}")
        height, width = shape[1:] if shape[0] == 3 else shape[:2]
        return CameraSlot(name, height, width, self.type not in MASKING, self._renamed().get(name, ""))

    def _renamed(self) -> dict[str, str]:
        """Return feature → what the data call it, where the preprocessor renames it."""
        step = step_named(self.preprocessor, RENAME)
        rename_map = step.config.get("rename_map") if step is not None else None
        return {str(new): str(old) for old, new in rename_map.items()} if isinstance(rename_map, Mapping) else {}

    def _vector(self, feature: str, shape: tuple[int, ...], names: tuple[str, ...]) -> VectorSpec:
        if len(shape) != 1:
            raise ParameterError(f"{self.path}/config.json: {feature}: expected one axis, got shape {shape}")
        statistics = {name: values for name, values in self.statistics.get(feature, {}).items() if name in _KNOWN}
        return VectorSpec(names if len(names) == shape[0] else (), shape[0], statistics)

    def _mode(self, kind: str) -> str:
        """Return how the processors normalise; where they do not say, what config.json asks for."""
        normalizers, steps = (
            (NORMALIZERS, self.preprocessor) if kind == "STATE" else (UNNORMALIZERS, self.postprocessor)
        )
        if (step := step_named(steps, *normalizers)) is not None:
            return step.mode(kind)
        pack = step_named(self.preprocessor, GROOT_PACK)
        if pack is not None and pack.config.get("normalize_min_max", True):
            return "min_max"
        mapping = self.config.get("normalization_mapping")
        return str(mapping.get(kind, "identity")).lower() if isinstance(mapping, Mapping) else "identity"

    def _chunk_size(self) -> int:
        keys = ("n_action_steps",) if self.type in STEPWISE else (*CHUNK_KEYS, "n_action_steps", "horizon")
        key = next((key for key in keys if self.config.get(key) is not None), "")
        size = self.config[key] if key else 1
        if type(size) is not int or not 1 <= size <= LONGEST_CHUNK:
            raise ParameterError(f"{self.path}/config.json: {key}: expected 1 to {LONGEST_CHUNK} rows, got {size!r}")
        return size

    def _action_names(self) -> tuple[str, ...]:
        names = self.config.get("action_feature_names")
        return tuple(map(str, names)) if isinstance(names, list) else ()

    def _dataset(self) -> tuple[dict[str, tuple[str, ...]], float | None]:
        """Return feature → names of its values, and the frames per second, of the training data where it is at hand."""
        try:
            root = read_json(self.path / "train_config.json")["dataset"]["root"]
            info = read_json(Path(str(root)).expanduser() / "meta" / "info.json")
            names = {}
            for feature in (STATE, ACTION):
                given = info["features"][feature]["names"]
                names[feature] = tuple(map(str, given if isinstance(given, list) else next(iter(given.values()))))
        except (ParameterError, KeyError, TypeError, AttributeError, StopIteration):
            return {}, None
        fps = info.get("fps")
        return names, float(fps) if isinstance(fps, int | float) and math.isfinite(fps) and fps > 0 else None

    def _absolute(self, action: VectorSpec, state: VectorSpec | None) -> VectorSpec:
        """Return the action with statistics of targets, where LeRobot's steps make targets of the model's offsets."""
        step = step_named(self.preprocessor, RELATIVE)
        if step is None or not step.config.get("enabled") or state is None or state.width < action.width:
            return action
        excluded = [str(word).lower() for word in step.config.get("exclude_joints") or ()]
        names = step.config.get("action_names") or ()
        kept = [bool(excluded) and any(word in str(name).lower() for word in excluded) for name in names]
        kept = [*kept, *[False] * action.width][: action.width]
        statistics = {}
        for name in action.statistics.keys() & state.statistics.keys():
            offset, base = action.statistics[name], state.statistics[name]
            if offset.shape != (action.width,) or base.ndim != 1 or len(base) < action.width:
                return action
            base = base[: action.width]
            together = np.hypot(offset, base) if name == "std" else offset + base
            statistics[name] = np.where(kept, offset, together)
        return VectorSpec(action.names, action.width, statistics)

    def _unbound(self, contract: CheckpointContract) -> list[str]:
        """Return which features would go through un-normalised, and whose statistics are there instead."""
        statistics, faults = self.statistics, self._contradictions()
        there = sorted({name for step in (*self.preprocessor, *self.postprocessor) for name in step.statistics})
        wanted = {STATE if which == "state" else ACTION: contract.normalization[which] for which in contract.vectors()}
        if (step := step_named(self.preprocessor, *NORMALIZERS)) is not None and step.mode("VISUAL") != "identity":
            wanted |= {slot.name: step.mode("VISUAL") for slot in contract.cameras}
        for feature, mode in wanted.items():
            missing = [name for name in NORMALIZATIONS.get(mode, ()) if name not in statistics.get(feature, {})]
            if missing:
                others = f"; the statistics are of {', '.join(there)}" if there else "; there are no statistics"
                faults.append(
                    f"{self.path}: {feature} is to be normalised by {mode}, and its {' and '.join(missing)} "
                    f"{'is' if len(missing) == 1 else 'are'} missing: it would go through un-normalised{others}"
                )
            elif feature not in (STATE, ACTION) and mode in NORMALIZATIONS and mode != "identity":
                faults += self._image_faults(feature, mode, statistics[feature])
        return faults

    def _image_faults(self, feature: str, mode: str, statistics: Mapping[str, Array]) -> list[str]:
        """Return why the statistics of an image cannot normalise it."""
        names = NORMALIZATIONS[mode]
        where = f"{self.path}: statistics of {feature}"
        for name in names:
            if statistics[name].shape not in IMAGE_SHAPES:
                return [f"{where}: {name} has shape {statistics[name].shape}; one value a colour is (3, 1, 1)"]
            if not np.isfinite(statistics[name]).all():
                return [f"{where}: {name} is not finite; save the processors again with the data set's statistics"]
        spread = statistics[names[1]] - (0.0 if mode == "mean_std" else statistics[names[0]])
        if (spread <= 0.0).any():
            return [f"{where}: {' and '.join(names)} leave no range; save the processors again"]
        return []

    def _contradictions(self) -> list[str]:
        """Return where a processor normalises otherwise than the model was trained with."""
        mapping = self.config.get("normalization_mapping")
        faults: list[str] = []
        if self.type in OWN_NORMALIZATION:
            return faults
        steps = {
            "STATE": step_named(self.preprocessor, *NORMALIZERS),
            "ACTION": step_named(self.postprocessor, *UNNORMALIZERS),
        }
        for kind, step in steps.items():
            asked = str(mapping.get(kind, "")).lower() if isinstance(mapping, Mapping) else ""
            done = "" if step is None else step.mode(kind) or "nothing"
            if step is not None and asked and done != asked:
                faults.append(
                    f"{self.path}: config.json normalises {kind} by {asked}, and {step.name} by {done}: "
                    "the model was trained with one of them; save the processors again"
                )
        return faults


_KNOWN = {"mean", "std", "min", "max", *(name for names in NORMALIZATIONS.values() for name in names)}


def _found(path: Path) -> Path:
    if path.is_file():
        raise ParameterError(f"{path}: a file; give the folder that holds config.json")
    if not path.is_dir():
        hub = str(path).count("/") == 1 and not path.is_absolute()
        fetch = f"; of the hub? hf download {path} --local-dir DIR" if hub else ""
        raise ParameterError(f"{path}: there is no such folder{fetch}")
    for folder in (path, *(path / inside for inside in INSIDE)):
        if (folder / "config.json").is_file():
            return folder
    raise ParameterError(f"{path}: no config.json: no LeRobot policy folder, or half downloaded")
