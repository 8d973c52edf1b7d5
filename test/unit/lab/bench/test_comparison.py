"""The filter keeps every limit under the adversarial stream, and the clamps do not."""

from __future__ import annotations

from vla_ros.lab.bench.comparison import compare


def test_the_filter_keeps_every_limit_and_the_clamps_do_not() -> None:
    compared = compare(2500, seed=3)
    rows = {row.gate.split()[0]: row for row in compared.rows}
    own = rows["safety_filter"]
    assert compared.accepted > 0.9 * compared.setpoints
    assert own.not_finite == 0
    assert own.past_position <= 0.0
    assert max(own.velocity, own.acceleration, own.jerk) < 1 + 1e-9
    assert min(own.velocity, own.acceleration, own.jerk) > 0.9, "the adversary did not reach the limits"
    for name in ("numpy", "ros2_control's"):
        assert rows[name].acceleration > 20
        assert rows[name].not_finite > 0
    assert max(rows["ruckig,"].velocity, rows["ruckig,"].acceleration, rows["ruckig,"].jerk) < 1 + 1e-6
