"""Each bench is a module with `run`, whose exit code is the command's."""

from __future__ import annotations

import argparse
import importlib
import importlib.util

import pytest

from vla_ros.cli import bench


def parsed(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    bench.arguments(parser)
    return parser.parse_args(options)


@pytest.mark.parametrize("name", bench.NAMES)
def test_each_bench_has_its_module(name: str) -> None:
    assert importlib.util.find_spec(bench.NAMES[name]) is not None
    assert parsed(name).name == name


def test_the_bench_decides_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(bench.NAMES["safety"])
    monkeypatch.setattr(module, "run", lambda chosen: chosen.ticks)
    assert bench.run(parsed("safety", "--ticks", "7")) == 7


def test_an_unknown_bench_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("weather")
    assert "weather" in capsys.readouterr().err
