"""The run: words, stills and motions; the language, System 2, System 1, both; saved so that it can be gone on with."""

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

from vla_ros.lab.training import checkpoint, motions, scene_images, sentences, system1_loss
from vla_ros.lab.training.distributed import Together
from vla_ros.lab.training.measures import measure
from vla_ros.lab.training.system2_loss import WEIGHTS, sentence_loss, still_losses
from vla_ros.lab.training.system2_loss import read as read_words
from vla_ros.lab.training.train_parameters import PHASES, PhaseParameters, TrainParameters
from vla_ros.parameters import ParameterError
from vla_ros.policies.compact.model import CompactConfig, CompactModel
from vla_ros.policies.compact.model_config import Sizes, read
from vla_ros.policies.compact.vocabulary import Vocabulary

RISE = 0.03  # share of the steps in which the learning rate rises
CLIP = 1.0  # norm of the gradient
SENTENCE_BATCH = 16  # beside stills
NONSENSE = 0.12  # share of sentences that make no sense
CLAUSES = (0.4, 0.4, 0.2)  # share of the others with one, two, three clauses
SHAPES = ("cube", "cylinder", "ball")  # on an imagined table, where one thing of each shape may go without its colour
MEASURE_EVERY = 200  # steps
JOINT_MOTIONS = 160
STATE_FILE = "training.pt"
DATA_FILE = "data.json"  # what stills and motions are made from

Say = Callable[[str], None]


class Trainer:
    """Args: parameters: of the run. folder: where everything of it goes. resume: go on with what is there. say: a line."""

    def __init__(self, parameters: TrainParameters, folder: Path, resume: bool, say: Say) -> None:
        self.parameters, self.folder, self.say = parameters, folder, say
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / STATE_FILE).is_file() and not resume:
            raise ParameterError(f"train: {folder} holds a run; --resume goes on with it, another --out begins anew")
        self.together = Together(parameters.device)
        self.device = self.together.device
        if self.device.type == "cpu":
            torch.set_num_threads(parameters.threads or os.cpu_count() or 1)
        torch.manual_seed(parameters.seed)
        self.rng = np.random.default_rng(self._seed())
        self.vocabulary = Vocabulary.of(sentences.corpus())
        sizes = read(Path(parameters.network).parent) if parameters.network else Sizes()
        self.sizes = Sizes(**{**asdict(sizes), "vocabulary": len(self.vocabulary)})
        self.model = CompactModel(CompactConfig(**asdict(self.sizes)))
        self.model.to(self.device)  # type: ignore[arg-type]
        for part in (self.model.vision, self.model.fovea):
            part.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.done = dict.fromkeys(PHASES, 0)  # steps
        self.spent = dict.fromkeys(PHASES, 0.0)  # minutes, of all runs that went on with one another
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(), lr=1e-3, weight_decay=parameters.weight_decay, betas=(0.9, 0.98)
        )
        self.best: dict[str, Any] = {}
        self._best, self._best_beside = folder / "best", folder / "best.part"
        if resume and (folder / STATE_FILE).is_file():
            self._load()
        self.sources: dict[str, str] = {}
        if self.together.first:
            self._log = (folder / "log.jsonl").open("a", buffering=1)
        else:
            self.say = lambda line: None

    def _seed(self, *more: int) -> int | list[int]:
        """Return the seed of this process: each draws batches of its own."""
        rank = self.together.rank
        return [self.parameters.seed, rank, *more] if rank else self.parameters.seed

    # Data.

    def prepare(self) -> None:
        """Draw stills, motions and sentences, or take those that are there."""
        with self.together.one_after_the_other():
            self._prepare()

    def _prepare(self) -> None:
        self._same_data()
        wanted = self.parameters.stills
        path = Path(wanted.file) if wanted.file else self.folder / "scene_images.npy"
        held_back = self.folder / "held_back.npy"
        if not wanted.file:
            self._draw(path, wanted.scenes, wanted.seed, "stills")
        self._draw(held_back, wanted.held_back, wanted.seed + 900_000, "stills held back")
        ready = scene_images.count(path) * wanted.per_scene
        if not ready:
            raise ParameterError(f"train.stills.file: {path} holds no stills")
        self.stills: NDArray[np.void] = np.load(path, mmap_mode="r")[:ready]
        self.held_back: NDArray[np.void] = np.load(held_back, mmap_mode="r")
        self.say(f"{len(self.stills)} stills")
        moved, beside = self.folder / "motions.npy", self.folder / "motions.part.npy"
        if not moved.is_file():
            rng = np.random.default_rng(self.parameters.seed + 1)
            np.save(beside, motions.examples(rng, self.sizes, self.parameters.motions))
            os.replace(beside, moved)
        self.motions: NDArray[np.void] = np.load(moved)
        self.scale = system1_loss.statistics(self.motions)
        self.sources = {
            "stills": f"{len(self.stills)} of {wanted.file or f'seed {wanted.seed}'}, blake2b {checkpoint.file_hash(path)}",
            "motions": f"blake2b {checkpoint.file_hash(moved)}",
        }

    def _same_data(self) -> None:
        """Note what stills and motions are made from, before they are; another run must go on with the same.

        Raises:
            ParameterError: with the key that is told otherwise now.
        """
        sizes = {key: value for key, value in asdict(self.sizes).items() if key != "vocabulary"}
        of: dict[str, Any] = {"motions": self.parameters.motions, "seed": self.parameters.seed}
        of |= {f"stills.{key}": value for key, value in asdict(self.parameters.stills).items()}
        of = json.loads(json.dumps(of | {f"network.{key}": value for key, value in sizes.items()}))
        file, beside = self.folder / DATA_FILE, self.folder / (DATA_FILE + ".part")
        if not file.is_file():
            beside.write_text(json.dumps(of, indent=1) + "\n")
            os.replace(beside, file)
        for key, told in json.loads(file.read_text()).items():
            if told != of.get(key):
                raise ParameterError(
                    f"train.{key}: is {of.get(key)}, but the data in {self.folder} are of {told}; "
                    "give that, or another --out"
                )

    def _draw(self, path: Path, scenes: int, seed: int, what: str) -> None:
        if scene_images.count(path) < scenes:
            self.say(f"drawing {what}: {path}")
            per_scene = self.parameters.stills.per_scene
            scene_images.make(path, self.sizes, scenes, per_scene, seed, lambda count: self._note({what: count}))

    # The loop.

    def phase(self, name: str, tick: Callable[[int, int, str], None]) -> None:
        """Run one phase, or what is left of it: until its steps are done, its minutes spent or its patience is at an end.

        Args:
            tick: called after each step with steps done, steps in all and a few words.
        """
        settings: PhaseParameters = getattr(self.parameters, name)
        parts = {"language": self._language, "system2": self._system2, "system1": self._system1, "joint": self._joint}
        closed = name == "joint" and self.parameters.closed_loop_episodes > 0
        saved_s = round_s = time.monotonic()
        began_s = saved_s - 60 * self.spent[name]
        tired = closed and self._tired()
        while not tired and self.done[name] < settings.steps:
            self.spent[name] = (time.monotonic() - began_s) / 60
            spent = self.spent[name] / settings.minutes
            share = max(self.done[name] / settings.steps, spent)
            if self.together.any(spent >= 1):
                self.say(f"{name}: {settings.minutes:.0f} minutes are over")
                break
            for group in self.optimiser.param_groups:
                group["lr"] = settings.learning_rate * _schedule(share)
            began_step_s = time.monotonic()
            self.model.train()
            parts_of_loss = parts[name](settings.batch)
            loss = torch.stack([WEIGHTS.get(part, 1.0) * value for part, value in parts_of_loss.items()]).sum()
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.together.average(self.model.parameters())
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
            self.optimiser.step()
            self._average()
            self.done[name] += 1
            values = {part: round(float(value.detach()), 4) for part, value in parts_of_loss.items()}
            self._note(
                {"phase": name, "step": self.done[name], "s": round(time.monotonic() - began_step_s, 3), **values}
            )
            tick(self.done[name], settings.steps, " ".join(f"{part} {value:.2f}" for part, value in values.items()))
            if self.done[name] % MEASURE_EVERY == 0 and name in ("system2", "joint"):
                self.measure()
            if time.monotonic() - saved_s > 60 * self.parameters.save_minutes:
                saved_s = time.monotonic()
                self.save()
            due = closed and time.monotonic() - round_s > 60 * self.parameters.closed_loop_minutes
            if closed and self.together.any(due):
                tired = self.together.any(self.together.first and self.round())
                round_s = time.monotonic()
        self.save()
        if name == "joint" and self.best and self.together.first:  # what acted best is what comes out
            shutil.copytree(self._best, self.folder / "checkpoint", dirs_exist_ok=True)

    def _system2(self, batch: int) -> dict[str, Tensor]:
        with self._half():
            losses, _ = still_losses(self.model, self.vocabulary, self._some(self.stills, batch), self.rng, self.device)
            losses["sentences"] = self._sentences(SENTENCE_BATCH)
        return losses

    def _system1(self, batch: int) -> dict[str, Tensor]:
        examples = self._turned(batch)
        with self._half():
            return {
                "flow": system1_loss.flow_loss(self.model.flow, examples, self.scale, self.sizes, None, self.device)
            }

    def _joint(self, batch: int) -> dict[str, Tensor]:
        """System 2 goes on, and System 1 learns to read its latents: from rest, towards the waypoints of the still."""
        some = self._some(self.stills, batch)
        from_rest = motions.from_stills(self.rng, some, self.sizes)
        with self._half():
            losses, latents = still_losses(self.model, self.vocabulary, some, self.rng, self.device)
            losses["sentences"] = self._sentences(SENTENCE_BATCH)
            right = np.flatnonzero(some["subtask"] >= 0)
            flow, scale, sizes, device = self.model.flow, self.scale, self.sizes, self.device
            shown = latents[torch.from_numpy(right).to(device)]
            losses["read"] = system1_loss.flow_loss(flow, from_rest[right], scale, sizes, shown, device)
            losses["flow"] = system1_loss.flow_loss(flow, self._turned(JOINT_MOTIONS), scale, sizes, None, device)
        return losses

    def _language(self, batch: int) -> dict[str, Tensor]:
        return {"sentences": self._sentences(batch)}

    def _sentences(self, count: int) -> Tensor:
        texts, wishes, makes_sense = zip(*(_sentence(self.rng, self.sizes) for _ in range(count)), strict=True)
        _, _, wording, understood = read_words(self.model.language, self.vocabulary, texts, self.rng)
        sense = torch.tensor(makes_sense, dtype=torch.float32, device=self.device)
        return sentence_loss(wording, understood, torch.tensor(wishes, device=self.device), sense)

    def _some(self, array: NDArray[np.void], count: int) -> NDArray[np.void]:
        rows = np.sort(self.rng.choice(len(array), min(count, len(array)), replace=False))
        return np.array(array[rows])

    def _turned(self, count: int) -> NDArray[np.void]:
        examples = self._some(self.motions, count)
        return motions.turned(examples, self.rng.uniform(-math.pi, math.pi, len(examples)))

    def _half(self) -> torch.autocast:
        """Mixed precision where it is faster."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda")

    def _average(self) -> None:
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
        """Measure the averaged weights on the stills held back."""
        if not self.together.first:
            return {}
        kept = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.model.load_state_dict(self.average)
        values = measure(self.model, self.vocabulary, np.array(self.held_back), self.device)
        self.model.load_state_dict(kept)
        self._note({"held back": values})
        self.say("held back: " + ", ".join(f"{name} {value:.3g}" for name, value in values.items()))
        return values

    def round(self) -> bool:
        """Let the averaged weights act; keep the best in best/. Returns whether to stop: they have long not got better."""
        from vla_ros.lab.training.closed_loop import success

        self.save()
        share = success(self.folder / "checkpoint", self.parameters.closed_loop_episodes)
        self._note({"closed loop": share})
        self.say(f"closed loop: {share:.0%} of {self.parameters.closed_loop_episodes}")
        if share > self.best.get("share", -1.0):
            self.best = {"share": share, "waited": 0}
            shutil.rmtree(self._best_beside, ignore_errors=True)
            shutil.copytree(self.folder / "checkpoint", self._best_beside)
            shutil.rmtree(self._best, ignore_errors=True)
            self._best_beside.rename(self._best)
        else:
            self.best["waited"] += 1
        return self._tired()

    def _tired(self) -> bool:
        """Return whether the averaged weights have long not got better in the closed loop."""
        return bool(self.best.get("waited", 0) >= self.parameters.patience)

    def save(self) -> None:
        """Write what `resume` needs, and a checkpoint of the averaged weights."""
        if not self.together.first:
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
        if self.together.first:
            if not self._best.is_dir() and self._best_beside.is_dir():  # ended between the two
                self._best_beside.rename(self._best)
            self.rng.bit_generator.state = state["rng"]
            torch.set_rng_state(state.get("torch", torch.get_rng_state()).cpu())
        else:
            self.rng = np.random.default_rng(self._seed(sum(self.done.values())))

    def _note(self, values: dict[str, Any]) -> None:
        if self.together.first:
            self._log.write(json.dumps(values) + "\n")


def _schedule(share: float) -> float:
    """Return the learning rate at `share` of a phase, 1 at its highest."""
    return min(share / RISE, 1.0) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))) + 1e-3


def _sentence(rng: np.random.Generator, sizes: Sizes) -> tuple[str, list[tuple[int, ...]], bool]:
    """Return words, what they wish for and whether they make sense."""
    nothing = [sentences.NOTHING.indices()] * sizes.steps
    if rng.random() < NONSENSE:
        return sentences.nonsense(rng), nothing, False
    wishes = sentences.random_wishes(rng, 1 + int(rng.choice(len(CLAUSES), p=CLAUSES)))
    parts = sentences.clauses(rng, wishes, SHAPES)
    text = sentences.joined(rng, [sentences.dressed(rng, part) for part, _ in parts])
    return text, [*(wish.indices() for _, wish in parts), *nothing][: sizes.steps], True
