"""The token that opens the page from other machines, kept so that a dashboard that is started again still knows its pages."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

FILE = Path("~/.ros/vla_ros/dashboard_token")


def kept_token(file: Path = FILE) -> str:
    """Return the token in `file`, which only its owner may read; it is made where there is none.

    Args: file: of one token for all dashboards of this user; whoever wants a new token deletes it.

    Returns:
        letters and digits. A new one each time, where the file cannot be written or holds something else.
    """
    file = file.expanduser()
    fresh = secrets.token_hex(12)
    with contextlib.suppress(OSError, ValueError):
        file.parent.mkdir(parents=True, exist_ok=True)
        # Whole before it has its name: two dashboards that start together get the same.
        with tempfile.NamedTemporaryFile("w", dir=file.parent) as unnamed:  # of mode 0600
            unnamed.write(fresh)
            unnamed.flush()
            with contextlib.suppress(FileExistsError):
                os.link(unnamed.name, file)
        kept = file.read_text().strip()
        return kept if kept.isalnum() and kept.isascii() else fresh
    return fresh
