"""Options that contradict each other are refused with the key."""

from __future__ import annotations

from typing import Any

import pytest

from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.policies.vlm.vlm_parameters import VlmParameters


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "vlm.url: give the URL of an endpoint .* or the folder"),
        ({"url": "http://h/v1", "model": "m", "folder": "/m"}, "vlm.url: .*not both"),
        ({"url": "http://h/v1"}, "vlm.model: give the name"),
        ({"url": "h:8000/v1", "model": "m"}, "vlm.url: must begin with http"),
        ({"url": "http://h/v1", "model": "m", "api_key_file": "a", "api_key_env": "B"}, "vlm.api_key_file: .*not both"),
        ({"folder": "/m", "rate_hz": 0.0}, "vlm.rate_hz: must be above 0"),
        ({"folder": "/m", "max_turn_deg": 181.0}, "vlm.max_turn_deg: must be at most 180"),
        ({"folder": "/m", "colour": "red"}, "vlm.colour: no such parameter"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        from_mapping(VlmParameters, options, "vlm.")


def test_a_url_or_a_folder_is_enough() -> None:
    assert from_mapping(VlmParameters, {"url": "http://h/v1", "model": "m"}).rate_hz == 0.5
    assert from_mapping(VlmParameters, {"folder": "/m"}).python == ""
