"""The grammars that ship."""

from __future__ import annotations

import pytest

from vla_ros.language.grammar import Grammar, load_grammar


@pytest.fixture(scope="session")
def english() -> Grammar:
    """The English grammar."""
    return load_grammar("en")
