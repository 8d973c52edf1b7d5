"""Files and folders for results. They are opened before the work begins, so that a wrong path fails at once."""

from __future__ import annotations

import tempfile
from pathlib import Path


def file(text: str) -> str:
    """Open the FILE of an option once and return its name; for `type=` of argparse. Empty: no file is asked for.

    Raises:
        OSError: it cannot be written.
    """
    if text:
        Path(text).open("a").close()
    return text


def folder(text: str) -> str:
    """Create the DIR of an option and return its name; for `type=` of argparse. Empty: no folder is asked for.

    Raises:
        OSError: it cannot be created or written to.
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
