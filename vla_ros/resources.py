"""Where the files lie that come with the package: configuration, launch files, checkpoints."""

from __future__ import annotations

from pathlib import Path


def share() -> Path:
    """Return the folder that holds config/: the checkout, or share/vla_ros of an installation."""
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "config").is_dir():
        return checkout
    from ament_index_python.packages import get_package_share_directory

    return Path(get_package_share_directory("vla_ros"))
