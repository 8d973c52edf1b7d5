"""The token that opens the page from other machines, kept in a file so that open pages outlive a restart."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

TOKEN_FILE = Path("~/.ros/vla_ros/dashboard_token")


def stored_token(file: Path = TOKEN_FILE) -> str:
    """Return the token in `file`, which only its owner may read; make it where there is none.

    Args:
        file: one for all dashboards of this user; delete it for a new token.

    Returns:
        Letters and digits. A new token each time where the file cannot be written or holds something else.
    """
    file = file.expanduser()
    new = secrets.token_hex(12)
    with contextlib.suppress(OSError, ValueError):
        file.parent.mkdir(parents=True, exist_ok=True)
        # Written before it gets its name: two dashboards that start together read the same token.
        with tempfile.NamedTemporaryFile("w", dir=file.parent) as unnamed:  # of mode 0600
            unnamed.write(new)
            unnamed.flush()
            with contextlib.suppress(FileExistsError):
                os.link(unnamed.name, file)
        stored = file.read_text().strip()
        return stored if stored.isalnum() and stored.isascii() else new
    return new
