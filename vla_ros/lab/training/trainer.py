"""A training run: data, phases (language, System 1, System 2, both), checkpoints; it can be resumed at any time."""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vla_ros.lab.training import checkpoint, instructions, motions, scene_images, system1_loss
from vla_ros.lab.training.distributed import DistributedRun
from vla_ros.lab.training.measures import measure
from vla_ros.lab.training.system2_loss import WEIGHTS, instruction_loss, read_instructions, scene_losses
from vla_ros.lab.training.train_parameters import PHASES, PhaseParameters, TrainParameters
from vla_ros.parameters import ParameterError
from vla_ros.policies.compact.model import CompactConfig, CompactModel
from vla_ros.policies.compact.model_config import Sizes, as_mapping, read
from vla_ros.policies.compact.vocabulary import Vocabulary
from vla_ros.progress_line import ProgressLine

WARM_UP_SHARE = 0.03  # share of a phase in which the learning rate rises
MAX_GRADIENT_NORM = 1.0  # to which gradients are clipped
INSTRUCTION_BATCH = 16  # instructions in a batch beside those of scene images
NONSENSE_SHARE = 0.12  # share of instructions that make no sense
CLAUSE_SHARES = (0.4, 0.4, 0.2)  # share of the others with one, two, three clauses
SHAPES = (
    "cube",
    "cylinder",
    "ball",
)  # on the imagined table of an instruction without image: each once, so that a shape alone is unambiguous
MEASURE_EVERY = 200  # steps
JOINT_MOTIONS = 160  # examples of motion in a batch of the joint phase
STATE_FILE = "training.pt"
DATA_FILE = "data.json"  # what the data of the run are made from

Report = Callable[[str], None]


class Trainer:
    """One run.

    Args:
        parameters: of the run.
        folder: where all its files go.
        resume: continue with the run in the folder.
        report: called with each line for people.

    Raises:
        ParameterError: the folder holds a run and is not to be resumed, or one of another network.
    """

    def __init__(self, parameters: TrainParameters, folder: Path, resume: bool, report: Report) -> None:
        self.parameters, self.folder, self.report = parameters, folder, report
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / STATE_FILE).is_file() and not resume:
            raise ParameterError(f"train: {folder} holds a run; --resume goes on with it, another --out begins anew")
        self.distributed = DistributedRun(parameters.device)
        self.device = self.distributed.device
        if self.device.type == "cpu":
            torch.set_num_threads(parameters.threads or os.cpu_count() or 1)
        torch.manual_seed(parameters.seed)
        self.rng = np.random.default_rng(self._seed())
        self.vocabulary = Vocabulary.of(instructions.corpus())
        sizes = read(Path(parameters.network).parent) if parameters.network else Sizes()
        self.sizes = Sizes(**{**asdict(sizes), "vocabulary": len(self.vocabulary)})
        self.model = CompactModel(CompactConfig(**as_mapping(self.sizes)))
        self.model.to(self.device)  # type: ignore[arg-type]
        for part in (self.model.vision, self.model.refiner):
            part.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.done = dict.fromkeys(PHASES, 0)  # steps
        self.spent = dict.fromkeys(PHASES, 0.0)  # minutes, over all resumes
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(), lr=1e-3, weight_decay=parameters.weight_decay, betas=(0.9, 0.98)
        )
        self.best: dict[str, Any] = {}
        self._best, self._best_partial = folder / "best", folder / "best.part"
        if resume and (folder / STATE_FILE).is_file():
            self._load()
        self.sources: dict[str, str] = {}
        if self.distributed.is_main:
            self._log = (folder / "log.jsonl").open("a", buffering=1)
        else:
            self.report = lambda line: None

    def _seed(self, *more: int) -> int | list[int]:
        """Return the seed of this process: each process draws its own batches."""
        rank = self.distributed.rank
        return [self.parameters.seed, rank, *more] if rank else self.parameters.seed

    # Data.

    def prepare(self) -> None:
        """Draw scene images and motions, or load those of the folder."""
        with self.distributed.main_process_first():
            self._prepare()

    def _prepare(self) -> None:
        self._check_data()
        settings = self.parameters.stills
        path = Path(settings.file) if settings.file else self.folder / "scene_images.npy"
        held_back = self.folder / "held_back.npy"
        if not settings.file:
            self._draw_images(path, settings.scenes, settings.seed, "scene images")
        self._draw_images(held_back, settings.held_back, settings.seed + 900_000, "held-back scene images")
        ready = scene_images.count(path) * settings.per_scene
        if not ready:
            raise ParameterError(f"train.stills.file: {path} holds no scene images")
        self.scene_images = _load(path, scene_images.layout(self.sizes))[:ready]
        self.held_back = _load(held_back, scene_images.layout(self.sizes))
        self.report(f"{len(self.scene_images)} scene images")
        motions_file, partial = self.folder / "motions.npy", self.folder / "motions.part.npy"
        if not motions_file.is_file():
            rng = np.random.default_rng(self.parameters.seed + 1)
            np.save(partial, motions.examples(rng, self.sizes, self.parameters.motions))
            os.replace(partial, motions_file)
        self.motions = np.array(_load(motions_file, motions.layout(self.sizes)))
        self.scale = system1_loss.statistics(self.motions)
        origin = settings.file or f"seed {settings.seed}"
        self.sources = {
            "stills": f"{len(self.scene_images)} of {origin}, blake2b {checkpoint.file_hash(path)}",
            "motions": f"blake2b {checkpoint.file_hash(motions_file)}",
        }

    def _check_data(self) -> None:
        """Store what the data are made from, before they are drawn; a resumed run must be given the same.

        Raises:
            ParameterError: with the key that has another value now.
        """
        sizes = {key: value for key, value in as_mapping(self.sizes).items() if key != "vocabulary"}
        made_of: dict[str, Any] = {"motions": self.parameters.motions, "seed": self.parameters.seed}
        made_of |= {f"stills.{key}": value for key, value in asdict(self.parameters.stills).items()}
        made_of = json.loads(json.dumps(made_of | {f"network.{key}": value for key, value in sizes.items()}))
        file, partial = self.folder / DATA_FILE, self.folder / (DATA_FILE + ".part")
        if not file.is_file():
            partial.write_text(json.dumps(made_of, indent=1) + "\n")
            os.replace(partial, file)
        for key, given in json.loads(file.read_text()).items():
            if given != made_of.get(key):
                raise ParameterError(
                    f"train.{key}: is {made_of.get(key)}, but the data in {self.folder} are of {given}; "
                    "give that, or another --out"
                )

    def _draw_images(self, path: Path, scenes: int, seed: int, what: str) -> None:
        if scene_images.count(path) < scenes:
            self.report(f"drawing {what}: {path}")
            per_scene = self.parameters.stills.per_scene
            with ProgressLine(what, scenes * per_scene) as progress:

                def on_drawn(count: int) -> None:
                    self._log_values({what: count})
                    progress.update(count)

                scene_images.make(path, self.sizes, scenes, per_scene, seed, on_drawn)

    # The loop.

    def phase(self, name: str, tick: Callable[[int, int, str], None]) -> None:
        """Run a phase, or the rest of it, until its steps are done, its minutes spent or the closed loop stops it early.

        Args:
            name: of the phase.
            tick: called after each step with steps done, steps in all and the losses in words.
        """
        settings: PhaseParameters = getattr(self.parameters, name)
        parts = {
            "language": self._language_losses,
            "system2": self._system2_losses,
            "system1": self._system1_losses,
            "joint": self._joint_losses,
        }
        in_closed_loop = name == "joint" and self.parameters.closed_loop_episodes > 0
        saved_s = round_s = time.monotonic()
        began_s = saved_s - 60 * self.spent[name]
        stopped = in_closed_loop and self._early_stop()
        while not stopped and self.done[name] < settings.steps:
            self.spent[name] = (time.monotonic() - began_s) / 60
            spent = self.spent[name] / settings.minutes
            share = max(self.done[name] / settings.steps, spent)
            if self.distributed.any_process(spent >= 1):
                self.report(f"{name}: {settings.minutes:.0f} minutes are over")
                break
            for group in self.optimiser.param_groups:
                group["lr"] = settings.learning_rate * _schedule(share)
            began_step_s = time.monotonic()
            self.model.train()
            parts_of_loss = parts[name](settings.batch)
            loss = torch.stack([WEIGHTS.get(part, 1.0) * value for part, value in parts_of_loss.items()]).sum()
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.distributed.average_gradients(self.model.parameters())
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), MAX_GRADIENT_NORM)
            self.optimiser.step()
            self._update_average()
            self.done[name] += 1
            values = {part: round(float(value.detach()), 4) for part, value in parts_of_loss.items()}
            self._log_values(
                {"phase": name, "step": self.done[name], "s": round(time.monotonic() - began_step_s, 3), **values}
            )
            tick(self.done[name], settings.steps, " ".join(f"{part} {value:.2f}" for part, value in values.items()))
            if self.done[name] % MEASURE_EVERY == 0 and name in ("system2", "joint"):
                self.measure()
            if time.monotonic() - saved_s > 60 * self.parameters.save_minutes:
                saved_s = time.monotonic()
                self.save()
            due = in_closed_loop and time.monotonic() - round_s > 60 * self.parameters.closed_loop_minutes
            if in_closed_loop and self.distributed.any_process(due):
                stopped = self.distributed.any_process(self.distributed.is_main and self.closed_loop_round())
                round_s = time.monotonic()
        self.save()
        if name == "joint" and self.best and self.distributed.is_main:  # the result is the best in the closed loop
            shutil.copytree(self._best, self.folder / "checkpoint", dirs_exist_ok=True)

    def _system2_losses(self, batch: int) -> dict[str, Tensor]:
        with self._autocast():
            losses, _ = scene_losses(
                self.model, self.vocabulary, self._sample(self.scene_images, batch), self.rng, self.device
            )
            losses["instructions"] = self._instruction_loss(INSTRUCTION_BATCH)
        return losses

    def _system1_losses(self, batch: int) -> dict[str, Tensor]:
        examples = self._rotated_motions(batch)
        with self._autocast():
            return {
                "flow": system1_loss.flow_loss(self.model.flow, examples, self.scale, self.sizes, None, self.device)
            }

    def _joint_losses(self, batch: int) -> dict[str, Tensor]:
        """Train System 2 further, and System 1 to use its latents: from rest, towards the waypoints of the images."""
        records = self._sample(self.scene_images, batch)
        examples = motions.from_scene_images(self.rng, records, self.sizes)
        with self._autocast():
            losses, latents = scene_losses(self.model, self.vocabulary, records, self.rng, self.device)
            losses["instructions"] = self._instruction_loss(INSTRUCTION_BATCH)
            present = np.flatnonzero(records["subtask"] >= 0)
            flow, scale, sizes, device = self.model.flow, self.scale, self.sizes, self.device
            shown = latents[torch.from_numpy(present).to(device)]
            losses["flow_with_latents"] = system1_loss.flow_loss(flow, examples[present], scale, sizes, shown, device)
            losses["flow"] = system1_loss.flow_loss(
                flow, self._rotated_motions(JOINT_MOTIONS), scale, sizes, None, device
            )
        return losses

    def _language_losses(self, batch: int) -> dict[str, Tensor]:
        return {"instructions": self._instruction_loss(batch)}

    def _instruction_loss(self, count: int) -> Tensor:
        texts, parsed_steps, makes_sense = zip(
            *(_random_instruction(self.rng, self.sizes) for _ in range(count)), strict=True
        )
        _, _, fields, understood = read_instructions(self.model.language, self.vocabulary, texts, self.rng)
        sense = torch.tensor(makes_sense, dtype=torch.float32, device=self.device)
        return instruction_loss(fields, understood, torch.tensor(parsed_steps, device=self.device), sense)

    def _sample(self, array: NDArray[np.void], count: int) -> NDArray[np.void]:
        rows = np.sort(self.rng.choice(len(array), min(count, len(array)), replace=False))
        return np.array(array[rows])

    def _rotated_motions(self, count: int) -> NDArray[np.void]:
        examples = self._sample(self.motions, count)
        return motions.rotated(examples, self.rng.uniform(-math.pi, math.pi, len(examples)))

    def _autocast(self) -> torch.autocast:
        """Return mixed precision, on CUDA."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda")

    def _update_average(self) -> None:
        steps = sum(self.done.values())
        keep = min(self.parameters.ema, (1 + steps) / (10 + steps))
        with torch.no_grad():
            for name, value in self.model.state_dict().items():
                if value.is_floating_point():
                    self.average[name].lerp_(value, 1 - keep)
                else:
                    self.average[name].copy_(value)

    # What is kept.

    def measure(self) -> dict[str, float]:
        """Measure the averaged weights on the held-back images."""
        if not self.distributed.is_main:
            return {}
        kept = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.model.load_state_dict(self.average)
        values = measure(self.model, self.vocabulary, np.array(self.held_back), self.device)
        self.model.load_state_dict(kept)
        self._log_values({"held back": values})
        self.report("held back: " + ", ".join(f"{name} {value:.3g}" for name, value in values.items()))
        return values

    def closed_loop_round(self) -> bool:
        """Evaluate the averaged weights in the closed loop and keep the best in best/; return whether to stop early."""
        from vla_ros.lab.training.closed_loop import success

        self.save()
        share = success(self.folder / "checkpoint", self.parameters.closed_loop_episodes)
        self._log_values({"closed loop": share})
        self.report(f"closed loop: {share:.0%} of {self.parameters.closed_loop_episodes}")
        if share > self.best.get("share", -1.0):
            self.best = {"share": share, "waited": 0}
            shutil.rmtree(self._best_partial, ignore_errors=True)
            shutil.copytree(self.folder / "checkpoint", self._best_partial)
            shutil.rmtree(self._best, ignore_errors=True)
            self._best_partial.rename(self._best)
        else:
            self.best["waited"] += 1
        return self._early_stop()

    def _early_stop(self) -> bool:
        """Return whether the last `patience` rounds in the closed loop were not better than the best."""
        return bool(self.best.get("waited", 0) >= self.parameters.patience)

    def save(self) -> None:
        """Write the state for `resume`, and a checkpoint of the averaged weights."""
        if not self.distributed.is_main:
            return
        state = {
            "model": self.model.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "done": self.done,
            "spent": self.spent,
            "rng": self.rng.bit_generator.state,
            "torch": torch.get_rng_state(),
            "best": self.best,
        }
        part = self.folder / (STATE_FILE + ".part")
        torch.save(state, part)
        os.replace(part, self.folder / STATE_FILE)
        made_by = checkpoint.provenance(self.parameters, self.sources)
        checkpoint.write(
            self.folder / "checkpoint",
            self.model,
            self.average,
            self.vocabulary,
            self.scale,
            {**made_by, "done": self.done},
            scene_images.observations(np.array(self.held_back), self.sizes.cameras),
        )

    def _load(self) -> None:
        state = torch.load(self.folder / STATE_FILE, map_location=self.device, weights_only=True)
        try:
            self.model.load_state_dict(state["model"])
        except RuntimeError as error:
            raise ParameterError(f"train: {self.folder / STATE_FILE} is of another network: {error}") from None
        self.average, self.done = state["average"], {**self.done, **state["done"]}
        self.spent |= state.get("spent", {})
        self.optimiser.load_state_dict(state["optimiser"])
        self.best = state.get("best", {})
        if self.distributed.is_main:
            if (
                not self._best.is_dir() and self._best_partial.is_dir()
            ):  # the run ended between the removal and the renaming
                self._best_partial.rename(self._best)
            self.rng.bit_generator.state = state["rng"]
            torch.set_rng_state(state.get("torch", torch.get_rng_state()).cpu())
        else:
            self.rng = np.random.default_rng(self._seed(sum(self.done.values())))

    def _log_values(self, values: dict[str, Any]) -> None:
        if self.distributed.is_main:
            self._log.write(json.dumps(values) + "\n")


def _load(path: Path, layout: np.dtype) -> NDArray[np.void]:
    """Open an array of records.

    Raises:
        ParameterError: its fields are not those of `layout`.
    """
    found: NDArray[np.void] = np.load(path, mmap_mode="r")
    if found.dtype != layout:
        raise ParameterError(f"train: {path} has other fields than this version writes; remove it, it is drawn anew")
    return found


def _schedule(share: float) -> float:
    """Return the factor of the learning rate at `share` of a phase, 1 at its maximum."""
    return min(share / WARM_UP_SHARE, 1.0) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))) + 1e-3


def _random_instruction(rng: np.random.Generator, sizes: Sizes) -> tuple[str, list[tuple[int, ...]], bool]:
    """Return an instruction, the indices of its steps, and whether it makes sense."""
    nothing = [instructions.EMPTY_STEP.indices()] * sizes.steps
    if rng.random() < NONSENSE_SHARE:
        return instructions.nonsense(rng), nothing, False
    parsed_steps = instructions.random_steps(rng, 1 + int(rng.choice(len(CLAUSE_SHARES), p=CLAUSE_SHARES)))
    parts = instructions.clauses(rng, parsed_steps, SHAPES)
    text = instructions.join(rng, [instructions.with_filler(rng, part) for part, _ in parts])
    return text, [*(parsed_step.indices() for _, parsed_step in parts), *nothing][: sizes.steps], True
