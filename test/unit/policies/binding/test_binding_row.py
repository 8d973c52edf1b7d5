"""One line says the first thing that is refused, and how many more there are."""

from __future__ import annotations

from vla_ros.policies.binding.binding_row import BindingRow, refusal

BAD = BindingRow("rate", "a rate", "none is given", "refused", "write binding.rate_hz")


def test_nothing_refused_is_no_line() -> None:
    assert refusal([BindingRow("a", "b", "c"), BindingRow("a", "b", "c", "mapped")], "/x") == ""


def test_the_first_refusal_is_told_with_its_remedy() -> None:
    line = "/x: rate: the checkpoint wants a rate, but none is given; write binding.rate_hz"
    assert refusal([BindingRow("a", "b", "c"), BAD], "/x") == line
    assert refusal([BAD, BAD, BAD], "/x") == f"{line} (2 more: vla-ros check prints the table)"
