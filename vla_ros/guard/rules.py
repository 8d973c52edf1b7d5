"""The guard's rules, read from config/guard.yaml or a file of the user's."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from vla_ros.guard.text_normalization import normalize
from vla_ros.parameters import ParameterError, from_mapping, parameter, yaml_of
from vla_ros.resources import share

VERSION = 1
LIST_REFERENCE = re.compile(r"(?<!\?P)<(\w+)>")
"""`<name>` in a pattern stands for any entry of the list of that name."""


@dataclass(frozen=True)
class StopWords:
    """What asks the arm to stop, whatever else the instruction says."""

    words: list[str] = parameter(description="words that stop wherever they stand")
    phrases: list[str] = parameter(description="regular expressions that stop wherever they match")
    alone: list[str] = parameter(description="words that stop when nothing but words of `filling` is said besides")
    filling: list[str] = parameter(description="words without meaning of their own, e.g. please")
    joints: list[str] = parameter([], description="words that join what is asked for to something else, e.g. then")
    conditions: list[str] = parameter([], description="regular expressions of what a stop cannot wait for: until noon")

    def __post_init__(self) -> None:
        if not self.words:
            raise ParameterError("words: at least one word must stop the arm")


@dataclass(frozen=True)
class TextBounds:
    """How long an instruction may be, and in which alphabets."""

    characters: int = parameter(description="longest instruction", minimum=1, maximum=10_000)
    words: int = parameter(description="most words of an instruction", minimum=1, maximum=2_000)
    scripts: list[str] = parameter(description="alphabets, as Unicode names them: latin, cyrillic, han, hiragana …")


@dataclass(frozen=True)
class RefusalRule:
    """One kind of instruction that is refused. Patterns match anywhere in the text after `text_normalization.normalize`."""

    reason: str = parameter(description="what the person who asked is told")
    patterns: list[str] = parameter(description="regular expressions")


T = TypeVar("T", StopWords, TextBounds, RefusalRule)


@dataclass(frozen=True)
class GuardRules:
    """All rules, with the lists in their patterns spelled out.

    Attributes:
        stop: what stops the arm.
        bounds: what is refused for its form.
        refused: name → rule; an instruction that matches one is refused.
        needed: an instruction must match it; None: nothing is required.
    """

    stop: StopWords
    bounds: TextBounds
    refused: Mapping[str, RefusalRule]
    needed: RefusalRule | None


def load_rules(name: str) -> GuardRules:
    """Read rules.

    Args:
        name: config/<name>.yaml, or the path of a file.

    Raises:
        ParameterError: the file cannot be read or holds something that is no rule; the key is named.
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
    return GuardRules(
        _parse(StopWords, tree["stop"], f"{where}: stop.", lists),
        _parse(TextBounds, tree["bounds"], f"{where}: bounds.", lists),
        {name: _parse(RefusalRule, rule, f"{where}: refused.{name}.", lists) for name, rule in refused.items()},
        _parse(RefusalRule, tree["needed"], f"{where}: needed.", lists) if tree.get("needed") else None,
    )


def _branch(tree: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(tree, Mapping):
        raise ParameterError(f"{where}: expected a group of keys, got {tree!r}")
    return tree


def _parse(kind: type[T], tree: Any, where: str, lists: Mapping[str, list[str]]) -> T:
    parsed = from_mapping(kind, _branch(tree, where.rstrip(".")), where)
    spelled: dict[str, Any] = {}
    for name in ("phrases", "patterns", "conditions"):
        for pattern in getattr(parsed, name, ()):
            try:
                whole = LIST_REFERENCE.sub(lambda found: f"(?:{'|'.join(lists[found[1]])})", pattern)
                re.compile(whole)
            except KeyError as error:
                raise ParameterError(f"{where}{name}: {pattern!r}: there is no list {error}") from None
            except re.error as error:
                raise ParameterError(f"{where}{name}: {pattern!r}: {error}") from None
            spelled.setdefault(name, []).append(whole)
    for name in ("words", "alone", "filling", "joints"):
        given = getattr(parsed, name, ())
        for word in given if isinstance(given, list) else ():
            if not normalize(word):
                raise ParameterError(f"{where}{name}: {word!r} has no letter")
    return dataclasses.replace(parsed, **spelled)
