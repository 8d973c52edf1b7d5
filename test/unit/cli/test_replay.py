"""vla-ros replay: its exit codes and the line that it prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from test.unit.safety.audit.logs import adventure, recorded
from test.unit.safety.conftest import Bench
from vla_ros.cli.main import main
from vla_ros.safety.audit.record import files


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A folder with one closed file."""
    bench = Bench({})
    direct = recorded(bench, tmp_path / "log")
    adventure(bench)
    direct.close()
    return tmp_path / "log"


@pytest.mark.parametrize("content", [b"", b"host"])
def test_what_is_no_log_is_no_perfect_replay(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "some.vlalog"
    path.write_bytes(content)
    with pytest.raises(SystemExit) as ended:
        main(["replay", str(path)])
    assert ended.value.code == 2
    assert "not one whole record" in capsys.readouterr().err


def test_the_program_replays(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["replay", str(log)])
    assert ended.value.code == 0
    assert "the same to the bit" in capsys.readouterr().out
    (path,) = files(log)
    whole = bytearray(path.read_bytes())
    whole[-40] ^= 1
    path.write_bytes(bytes(whole))
    with pytest.raises(SystemExit) as ended:
        main(["replay", str(log)])
    assert ended.value.code == 1
    assert "has been damaged" in capsys.readouterr().out
