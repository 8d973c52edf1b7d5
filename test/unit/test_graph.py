"""The parameter files: whatever stands in them, the answer is one line that names the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from vla_ros.graph import read
from vla_ros.parameters import ParameterError


@pytest.mark.parametrize(
    "content",
    [
        b"a: \x00",
        b"\xff\xfe\xfa",
        b"a: 2026-99-99",
        b"[" * 5000,
        b"a: &a [*a]",
        b"1: 2",
        b"? [1, 2]\n: 3",
        b"a: !!python/none",
    ],
)
def test_whatever_is_no_configuration_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(ParameterError) as error:
        read(path)
    assert str(error.value).startswith(f"config: {path}")
    assert "\n" not in str(error.value)
