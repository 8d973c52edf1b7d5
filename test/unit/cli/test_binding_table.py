"""The table of a binding is readable without a terminal, whatever stands in it."""

from __future__ import annotations

import io

from vla_ros.bringup.binding_check import BindingReport
from vla_ros.cli.binding_table import print_table
from vla_ros.policies.binding.binding_row import BindingRow


def test_rows_and_what_to_write_below_them() -> None:
    rows = (
        BindingRow("camera [bold]top[/]", "rgb, 480x640", "front", "mapped"),
        BindingRow("rate", "30 rows a second", "nothing", "refused", "write binding.rate_hz: [30]"),
    )
    file = io.StringIO()
    print_table(BindingReport("lerobot", "/ckpt", rows), file)
    text = file.getvalue()
    assert "lerobot: /ckpt" in text and "camera [bold]top[/]" in text
    assert text.splitlines()[-2:] == [
        "rate: write binding.rate_hz: [30]",
        "binding.* stands in the robot's file, or in one for --config: "
        "/**: {ros__parameters: {lerobot: {binding: {...}}}}",
    ]
    assert "\x1b" not in text
