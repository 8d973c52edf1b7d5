"""Where results are written: whether that can be done is found out before minutes of work, not after them."""

from __future__ import annotations

import tempfile
from pathlib import Path


def file(text: str) -> str:
    """Open the FILE of an option once, as `type=` of argparse; empty: none is wanted.

    Raises:
        OSError: it cannot be written.
    """
    if text:
        Path(text).open("a").close()
    return text


def folder(text: str) -> str:
    """Make the DIR of an option, as `type=` of argparse; empty: none is wanted.

    Raises:
        OSError: it cannot be made or written to.
    """
    if text:
        Path(text).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=text):
            pass
    return text


def page(name: str) -> Path:
    """Return docs/`name` of the checkout.

    Raises:
        OSError: it cannot be written, as in an installed package, which has no docs.
    """
    from vla_ros.resources import share

    return Path(file(str(share() / "docs" / name)))
