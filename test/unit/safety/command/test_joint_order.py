"""Where the joints of the filter stand in a message."""

from __future__ import annotations

from vla_ros.safety.command.joint_order import JointOrder


def test_it_says_where_each_joint_stands_whatever_else_is_named() -> None:
    order = JointOrder(["a", "b"])
    assert order.find(("wheel", "b", "a")) is None
    assert order.indices == [2, 1]


def test_names_that_lack_a_joint_change_nothing() -> None:
    order = JointOrder(["a", "b"])
    assert order.find(("b", "a")) is None
    assert order.find(("a", "c")) == ("b", 0)
    assert order.find(("a", "b", "a")) == ("a", 2)
    assert order.indices == [1, 0]
