"""The parts that OFT adds to OpenVLA: an L1 head for a whole chunk, and the robot's state as a token.

Source: Kim et al., "Fine-Tuning Vision-Language-Action Models", arXiv 2502.19645; moojink/openvla-oft (213c5ff),
prismatic/models/action_heads.py and projectors.py.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class _ResidualLayer(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.ffn = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return x + self.ffn(x)


class _ResidualMlp(nn.Module):
    def __init__(self, inputs: int, width: int, outputs: int, layers: int) -> None:
        super().__init__()
        self.layer_norm1 = nn.LayerNorm(inputs)
        self.fc1 = nn.Linear(inputs, width)
        self.mlp_resnet_blocks = nn.ModuleList(_ResidualLayer(width) for _ in range(layers))
        self.layer_norm2 = nn.LayerNorm(width)
        self.fc2 = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.fc1(self.layer_norm1(x)))
        for layer in self.mlp_resnet_blocks:
            x = layer(x)
        return self.fc2(self.layer_norm2(x))


class ActionHead(nn.Module):
    """Hidden states of the action positions to values in about [-1, 1].

    Args:
        hidden: width of one hidden state.
        action: values of one row.
        width: of the head's layers. layers: number of residual ones.
    """

    def __init__(self, hidden: int, action: int, width: int, layers: int) -> None:
        super().__init__()
        self.action = action
        self.model = _ResidualMlp(hidden * action, width, action, layers)

    def forward(self, states: Tensor) -> Tensor:
        """Return (B, rows, action) for the states (B, rows * action, hidden): a row sees those of all its values."""
        batch, positions, hidden = states.shape
        rows: Tensor = self.model(states.reshape(batch, positions // self.action, self.action * hidden))
        return rows


class ProprioProjector(nn.Module):
    """The robot's normalised state (B, proprio) to one token (B, 1, hidden)."""

    def __init__(self, proprio: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(proprio, hidden)
        self.fc2 = nn.Linear(hidden, hidden)

    def forward(self, proprio: Tensor) -> Tensor:
        """Return (B, 1, hidden)."""
        return torch.unsqueeze(self.fc2(functional.gelu(self.fc1(proprio))), 1)
