"""Layers that several parts of the network use."""

from __future__ import annotations

from torch import Tensor, nn


class Attention(nn.Module):
    """Multi-head attention of `queries` over `keys`, which the caller has normalised.

    Args:
        dim: width.
        heads: number of heads; divides dim.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.out = (nn.Linear(dim, dim) for _ in range(4))

    def forward(self, queries: Tensor, keys: Tensor, bias: Tensor | None = None) -> Tensor:
        """Return (B, Q, dim).

        Args:
            queries: (B, Q, dim).
            keys: (B, K, dim).
            bias: (B, 1, 1, K) added to the scores: 0, or very negative where a key is masked.
        """
        batch, length, dim = queries.shape

        def split(x: Tensor) -> Tensor:
            return x.view(batch, -1, self.heads, dim // self.heads).transpose(1, 2)

        mixed = nn.functional.scaled_dot_product_attention(
            split(self.q(queries)), split(self.k(keys)), split(self.v(keys)), attn_mask=bias
        )
        result: Tensor = self.out(mixed.transpose(1, 2).reshape(batch, length, dim))
        return result


class Block(nn.Module):
    """Transformer layer: self-attention, then a perceptron of twice the width; pre-normalised.

    Args:
        dim: width.
        heads: number of heads; divides dim.
        dropout: of both residuals, in training.
    """

    def __init__(self, dim: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.up, self.down = nn.Linear(dim, 2 * dim), nn.Linear(2 * dim, dim)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """Return (B, T, dim) for x (B, T, dim); bias as in `Attention`."""
        normed = self.norm1(x)
        x = x + self.dropout(self.attention(normed, normed, bias))
        result: Tensor = x + self.dropout(self.down(nn.functional.gelu(self.up(self.norm2(x)))))
        return result


class Perceptron(nn.Module):
    """Linear, GELU, linear."""

    def __init__(self, in_features: int, hidden: int, out_features: int) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(in_features, hidden), nn.Linear(hidden, out_features)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.down(nn.functional.gelu(self.up(x)))
        return result


class Residual(nn.Module):
    """Two 3x3 convolutions around a skip connection."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        inner = nn.functional.gelu(self.first(nn.functional.gelu(self.norm(x))))
        result: Tensor = x + self.second(inner)
        return result
