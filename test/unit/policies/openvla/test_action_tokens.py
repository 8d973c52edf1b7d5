"""The bins of action tokens, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.policies.openvla.action_tokens import ActionTokens, NoActionToken

TOKENS = ActionTokens(32000)


def test_256_edges_have_255_centres_of_equal_width() -> None:
    width = 2 / 255
    assert len(TOKENS.centres) == 255
    assert np.allclose(TOKENS.centres, [-1 + width * (k + 0.5) for k in range(255)])


@pytest.mark.parametrize(
    ("token", "value"),
    [
        (31999, -1 + 1 / 255),  # digit 1: the first interval
        (31998, -1 + 3 / 255),
        (31872, 0.0),  # digit 128: the middle one
        (31745, 1 - 1 / 255),  # digit 255: the last one
        (31744, 1 - 1 / 255),  # digit 256, of the value 1 alone: counted into the last one
    ],
)
def test_the_digit_is_the_vocabulary_minus_the_token(token: int, value: float) -> None:
    assert TOKENS.values([token])[0] == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("token", [31743, 32000, 2, 29871, 0])
def test_a_word_is_no_action(token: int) -> None:
    with pytest.raises(NoActionToken, match=f"token {token}, which stands for no action"):
        TOKENS.values([31800, token])


def test_values_go_to_the_interval_that_holds_them_and_back() -> None:
    values = np.linspace(-1.2, 1.2, 1001)
    back = TOKENS.values(TOKENS.ids(values))
    assert np.abs(back - np.clip(values, -1, 1)).max() <= 1 / 255 + 1e-12
    assert TOKENS.ids(np.array([-1.0, 1.0])).tolist() == [31999, 31744]


def test_every_token_but_the_first_comes_back() -> None:
    ids = np.arange(31745, 32000)
    assert TOKENS.ids(TOKENS.values(ids)).tolist() == ids.tolist()
