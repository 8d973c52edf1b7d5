"""OpenVLA and OpenVLA-OFT as models of chunks: images, words and state in, un-normalised actions out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from vla_ros.arrays import Array, Image
from vla_ros.parameters import ParameterError
from vla_ros.policies.binding.checkpoint_contract import CheckpointContract
from vla_ros.policies.monolithic import Observation
from vla_ros.policies.openvla.action_tokens import ActionTokens
from vla_ros.policies.openvla.folder import TOKENIZER, OpenVlaFolder, state_scale
from vla_ros.policies.openvla.images import center_cropped, pixels, resized
from vla_ros.policies.openvla.loading import load
from vla_ros.policies.openvla.network import OpenVlaNetwork
from vla_ros.policies.openvla.openvla_parameters import OpenVlaOftParameters, OpenVlaParameters
from vla_ros.policies.openvla.prompt import BLANK, completed, prompt
from vla_ros.policies.openvla.quantization import DTYPES

OFT_EPSILON = 1e-8
"""OFT's code adds it to each range where it un-normalises."""


class OpenVlaModel:
    """A loaded checkpoint that emits one step of the tool at a time.

    Args:
        parameters: which checkpoint, and how.
        option: prefix of the parameters in error texts.

    Attributes:
        checkpoint: hash of weights and configuration.
        contract: what it wants of a robot.

    Raises:
        ParameterError: the folder is not whole, or not one of OpenVLA; or a device or library is not there.
    """

    contract: CheckpointContract

    def __init__(self, parameters: OpenVlaParameters | OpenVlaOftParameters, option: str = "openvla.") -> None:
        folder = OpenVlaFolder(parameters.checkpoint, option)
        self.contract = self._contract(folder, parameters)
        normalization = self.contract.normalization["action"]
        epsilon = OFT_EPSILON if self.contract.family == "openvla_oft" else 0.0
        self._action = folder.statistics("action", parameters.unnorm_key).normalizer(normalization, epsilon)
        self.checkpoint = folder.checkpoint({"unnorm_key": parameters.unnorm_key, "weights": parameters.weights})
        self._config, self._center_crop = folder.config, parameters.center_crop
        self._tokens = ActionTokens(folder.config.vocabulary, folder.config.bins)
        self._tokenizer = _tokenizer(folder)
        self._device = device(parameters.device, f"{option}device")
        self._dtype = DTYPES[parameters.weights]
        self._network: OpenVlaNetwork = load(folder, self._device, parameters.weights)

    @staticmethod
    def _contract(folder: OpenVlaFolder, parameters: Any) -> CheckpointContract:
        return folder.contract(parameters.unnorm_key)

    def reset(self) -> None:
        """Nothing is remembered from one observation to the next."""

    def infer(self, observation: Observation) -> Array:
        """Return (1, values): the next step.

        Raises:
            NoActionToken: the model answered in words that stand for no action.
        """
        ids, seen = self._ids(observation.instruction), self._pixels(observation.images)
        answer = self._network.next_tokens(ids, seen, self.contract.action.width)
        return self._action.unnormalized(self._tokens.values(answer))[None, :]

    def _ids(self, instruction: str) -> Tensor:
        """Return (1, L) the tokens of the prompt. Raises ValueError: with patches and actions they are too many."""
        text = prompt(instruction, self._config.language_model)
        ids = completed(self._tokenizer.encode(text).ids, int(self._config.text["bos_token_id"]))
        patches = self._network.vision_backbone.patches * len(self.contract.cameras)
        most = int(self._config.text["max_position_embeddings"]) - patches - 2
        most -= self.contract.chunk_size * self.contract.action.width
        if len(ids) > most:
            raise ValueError(f"the instruction has {len(ids)} tokens, the model reads {most}; say it in fewer words")
        return torch.tensor([ids], device=self._device)

    def _pixels(self, images: Mapping[str, Image]) -> Tensor:
        """Return (1, channels, size, size) of the images in the contract's order."""
        views = [self._view(images[slot.name]) for slot in self.contract.cameras]
        return torch.from_numpy(np.concatenate(views))[None].to(self._device, self._dtype)

    def _view(self, image: Image) -> NDArray[np.float32]:
        size = self._config.images[0].size
        if self._center_crop:
            image = center_cropped(resized(image, size), size)
        return pixels(image, self._config.images, self._config.strategy)


class OpenVlaOftModel(OpenVlaModel):
    """A loaded checkpoint of OFT: a whole chunk in one pass.

    Args, raises: as `OpenVlaModel`.
    """

    def __init__(self, parameters: OpenVlaOftParameters, option: str = "openvla_oft.") -> None:
        super().__init__(parameters, option)
        contract, network = self.contract, self._network
        self._state = None
        if contract.state is not None:
            folder = OpenVlaFolder(parameters.checkpoint, option)
            statistics = folder.statistics("proprio", parameters.unnorm_key)
            self._state = statistics.normalizer(contract.normalization["state"])
            self._state_scale = state_scale(contract.state)
        if (head := network.action_head) is not None and head.action != contract.action.width:
            raise ParameterError(
                f"{contract.source}: the action head gives {head.action} values, the statistics have "
                f"{contract.action.width}; {option}unnorm_key names another robot's data"
            )
        projector = network.proprio_projector
        if projector is not None and contract.state is not None and projector.fc1.in_features != contract.state.width:
            raise ParameterError(
                f"{contract.source}: proprio_projector reads {projector.fc1.in_features} values, the statistics have "
                f"{contract.state.width}; {option}unnorm_key names another robot's data"
            )

    @staticmethod
    def _contract(folder: OpenVlaFolder, parameters: Any) -> CheckpointContract:
        return folder.oft_contract(parameters.unnorm_key, parameters.layout())

    def infer(self, observation: Observation) -> Array:
        """Return (rows, values): the chunk.

        Raises:
            NoActionToken: without the L1 head: the model answered in words that stand for no action.
        """
        ids, seen = self._ids(observation.instruction), self._pixels(observation.images)
        rows, width = self.contract.chunk_size, self.contract.action.width
        proprio = None
        if self._state is not None and observation.state is not None:
            values = self._state.normalized(observation.state * self._state_scale)
            proprio = torch.from_numpy(values)[None].to(self._device, self._dtype)
        states = self._network.action_states(ids, seen, proprio, rows * width)
        if self._network.action_head is None:
            answer = self._tokens.values(self._network.tokens_at(states)).reshape(rows, width)
        else:
            with torch.inference_mode():
                answer = self._network.action_head(states)[0].float().cpu().numpy().astype(np.float64)
        return self._action.unnormalized(answer)

    def _view(self, image: Image) -> NDArray[np.float32]:
        return super()._view(resized(image, self._config.images[0].size))


def device(name: str, option: str) -> str:
    """Return the torch device of a parameter: "auto" is the first GPU where there is one, else the CPU.

    Raises:
        ParameterError: torch knows no such device, or it is not there.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0][:120]
        raise ParameterError(f"{option}: {name!r} is not there ({reason}); write auto, cpu or cuda") from None
    return name


def _tokenizer(folder: OpenVlaFolder) -> Tokenizer:
    path = folder.path / TOKENIZER
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises no class of its own
        raise ParameterError(f"{path}: is no tokenizer: {error}; download the checkpoint again") from None
    tokenizer.no_padding()
    tokenizer.no_truncation()
    rows = int(folder.config.text["vocab_size"])
    if max(tokenizer.get_vocab_size(with_added_tokens=True) - 1, BLANK) >= rows:
        raise ParameterError(f"{path}: has more words than config.json says ({rows}); it belongs to another model")
    return tokenizer
