"""The guard's rules, as config/guard.yaml holds them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from vla_ros.guard.wording import plain
from vla_ros.parameters import ParameterError, from_mapping, parameter, yaml_of
from vla_ros.resources import share

VERSION = 1
LIST = re.compile(r"(?<!\?P)<(\w+)>")
"""The place of a list in a pattern, by its name."""


@dataclass(frozen=True)
class StopWords:
    """What asks the arm to stop, whatever else the sentence says."""

    words: list[str] = parameter(description="words that stop wherever they stand")
    phrases: list[str] = parameter(description="regular expressions that stop wherever they match")
    alone: list[str] = parameter(description="words that stop when nothing but words of `filling` is said besides")
    filling: list[str] = parameter(description="words without meaning of their own, e.g. please")

    def __post_init__(self) -> None:
        if not self.words:
            raise ParameterError("words: at least one word must stop the arm")


@dataclass(frozen=True)
class Bounds:
    """How much may be said."""

    characters: int = parameter(description="longest sentence", minimum=1, maximum=10_000)
    words: int = parameter(description="most words of a sentence", minimum=1, maximum=2_000)
    scripts: list[str] = parameter(description="alphabets, as Unicode names them: latin, cyrillic, han, hiragana …")


@dataclass(frozen=True)
class Rule:
    """A kind of sentence. patterns: matched anywhere in the plain words (see `wording.plain`)."""

    reason: str = parameter(description="what the asker is told")
    patterns: list[str] = parameter(description="regular expressions")


T = TypeVar("T", StopWords, Bounds, Rule)


@dataclass(frozen=True)
class Rules:
    """Everything, with lists spelled out. refused: name → rule that no sentence may match. needed: one that each must
    match, or nothing."""

    stop: StopWords
    bounds: Bounds
    refused: Mapping[str, Rule]
    needed: Rule | None


def load(name: str) -> Rules:
    """Read rules from a file, or from config/<name>.yaml.

    Raises:
        ParameterError: the file cannot be read or says something that is no rule; the key is named.
    """
    file = Path(name) if "/" in name or name.endswith(".yaml") else share() / "config" / f"{name}.yaml"
    where = f"guard.rules: {file}"
    tree = yaml_of(file, where)
    keys, optional = {"version", "stop", "bounds", "refused"}, {"lists", "needed"}
    if not isinstance(tree, Mapping) or set(tree) - optional != keys:
        raise ParameterError(f"{where}: expected the keys {', '.join(sorted(keys | optional))}, and no other")
    if tree["version"] != VERSION:
        raise ParameterError(f"{where}: version {tree['version']} is not readable here; this is version {VERSION}")
    lists = _branch(tree.get("lists", {}), f"{where}: lists")
    for key, words in lists.items():
        if not (isinstance(words, list) and words and all(isinstance(word, str) for word in words)):
            raise ParameterError(f"{where}: lists.{key}: expected a list of texts, got {words!r}")
    refused = _branch(tree["refused"], f"{where}: refused")
    return Rules(
        _made(StopWords, tree["stop"], f"{where}: stop.", lists),
        _made(Bounds, tree["bounds"], f"{where}: bounds.", lists),
        {name: _made(Rule, rule, f"{where}: refused.{name}.", lists) for name, rule in refused.items()},
        _made(Rule, tree["needed"], f"{where}: needed.", lists) if tree.get("needed") else None,
    )


def _branch(tree: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(tree, Mapping):
        raise ParameterError(f"{where}: expected a group of keys, got {tree!r}")
    return tree


def _made(kind: type[T], tree: Any, where: str, lists: Mapping[str, list[str]]) -> T:
    made = from_mapping(kind, _branch(tree, where.rstrip(".")), where)
    spelled: dict[str, Any] = {}
    for name in ("phrases", "patterns"):
        for pattern in getattr(made, name, ()):
            try:
                whole = LIST.sub(lambda found: f"(?:{'|'.join(lists[found[1]])})", pattern)
                re.compile(whole)
            except KeyError as error:
                raise ParameterError(f"{where}{name}: {pattern!r}: there is no list {error}") from None
            except re.error as error:
                raise ParameterError(f"{where}{name}: {pattern!r}: {error}") from None
            spelled.setdefault(name, []).append(whole)
    for name in ("words", "alone", "filling"):
        given = getattr(made, name, ())
        for word in given if isinstance(given, list) else ():
            if not plain(word):
                raise ParameterError(f"{where}{name}: {word!r} has no letter")
    return dataclasses.replace(made, **spelled)
