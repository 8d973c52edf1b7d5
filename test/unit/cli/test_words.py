"""`vla-ros words` lists the words, and reads a sentence without a graph."""

from __future__ import annotations

import pytest

from vla_ros.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 0, "  cube: cube, block"),
        (["--language", "de"], 0, "würfel"),
        (["grab the red brick"], 0, "I will: pick up the red cube."),
        (["what do you see?"], 0, "a question"),
        (["grab the spoon"], 1, "'spoon'"),
        (["--language", "xx"], 2, "there are de, en, es"),
    ],
)
def test_it_lists_reads_and_refuses(
    arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["words", *arguments])
    assert end.value.code == code
    printed = capsys.readouterr()
    assert said in printed.out + printed.err
