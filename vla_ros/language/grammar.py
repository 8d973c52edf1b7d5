"""The words of one language and the frames of clauses, read from config/words/."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from vla_ros.language.steps import Relation
from vla_ros.parameters import ParameterError, yaml_of
from vla_ros.resources import share
from vla_ros.tasks.vocabulary import COLOURS, SHAPES

VERSION = 1
NESTED = (
    "colours", "other_colours", "shapes", "quantities", "selectors", "verbs", "relations", "directions", "sides",
    "questions", "participles",
)  # fmt: skip
"""Groups whose lists have a name each, which is what the words stand for."""
FLAT = (
    "anything", "everything", "adjectives", "determiners", "pronouns", "plural_pronouns", "light_verbs", "to",
    "from", "table", "air", "up", "down", "hand", "home", "there", "by", "then", "but_first", "and", "or", "fillers",
    "person", "with", "relative", "negated_relative", "but",
)  # fmt: skip
"""Groups that are one list."""
TITLES = {
    "verbs": "to do",
    "shapes": "objects",
    "colours": "colours",
    "relations": "where",
    "directions": "to which side",
    "sides": "on which side",
    "selectors": "which one",
    "quantities": "how many",
    "questions": "questions",
}
"""Group → its title, for people."""
NUMBERED = ("units_cm", "numbers")
LATER = ("comma_relative", "state_verbs")
"""Flat groups that a language may leave out."""
OPTIONAL = (*LATER, "told", "noun_endings", "adjective_endings", "plural_endings", "normalize", "question_marks")
CHOICE = re.compile(r"\(([^()]*)\)")
TOKEN = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+|[,;.:!?¿¡&\n]|[^\s\"()*«»„“”]")
HYPHEN = re.compile(r"-(?!\d)|(?<=\w)-")
"""Joins words; before a number it is a sign, which no sentence has a use for."""
APOSTROPHES = re.compile(r"['’‘`´]")


@dataclass(frozen=True)
class Sense:
    """What a word can mean. kind: its group. value: what it stands for there. plural: whether it names several."""

    kind: str
    value: str = ""
    plural: bool = False


NAMES = tuple(((name,), Sense("colours", name)) for name in COLOURS) + tuple(
    ((name,), Sense("shapes", name)) for name in SHAPES
)
"""The names that objects have in what is shown and logged are understood in every language."""


@dataclass(frozen=True)
class ClauseFrame:
    """What a clause with this verb and these parts asks for."""

    verb: str
    has: frozenset[str]
    may: frozenset[str]
    does: str


@dataclass(frozen=True)
class Grammar:
    """One language.

    Attributes:
        language: its name.
        senses: words → what they can mean.
        longest: most words of an entry.
        frames: what clauses can ask for, the first that fits decides.
        words: every single word that is known.
        listed: group → name → its words, for people.
        spellings: word → the words that it is written with in the lists.
    """

    language: str
    senses: Mapping[tuple[str, ...], tuple[Sense, ...]]
    longest: int
    frames: tuple[ClauseFrame, ...]
    words: frozenset[str]
    listed: Mapping[str, Mapping[str, Sequence[str]]]
    spellings: Mapping[str, tuple[str, ...]]

    def for_people(self) -> dict[str, dict[str, str]]:
        """Return title → name → its words, of the groups that people want to know."""
        groups = {title: self.listed[group] for group, title in TITLES.items()}
        return {title: {name: ", ".join(words) for name, words in names.items()} for title, names in groups.items()}

    def tokens(self, text: str) -> list[str]:
        """Split a text into words and marks, without accents and in lower case."""
        return [word for token in split(text) for word in self.spellings.get(token, (token,))]


def split(text: str) -> list[str]:
    """Return the words, numbers and marks of a text: lower case, no accents, no apostrophes."""
    plain = unicodedata.normalize("NFKD", APOSTROPHES.sub("", text).casefold())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return TOKEN.findall(HYPHEN.sub(" ", plain))


@lru_cache(maxsize=16)
def load_grammar(name: str) -> Grammar:
    """Read the words of a language.

    Args:
        name: config/words/<name>.yaml, or the path of a file; frames.yaml lies beside it.

    Raises:
        ParameterError: a file cannot be read, or holds something that is no grammar; the key is named.
    """
    folder = share() / "config" / "words"
    file = Path(name) if "/" in name or name.endswith(".yaml") else folder / f"{name}.yaml"
    where = f"words.languages: {file}"
    if not file.is_file() and file.parent == folder:
        known = ", ".join(path.stem for path in files_of_words())
        raise ParameterError(f"{where}: there is no such file; there are {known}")
    tree = _checked(yaml_of(file, where), {"version", "language", *NESTED, *FLAT, *NUMBERED}, set(OPTIONAL), where)
    frames_file = next(path for path in (file.parent / "frames.yaml", folder / "frames.yaml") if path.is_file())
    senses: dict[tuple[str, ...], list[Sense]] = defaultdict(list)
    for words, sense in itertools.chain(_entries(tree, where), NAMES):
        if sense not in senses[words]:
            senses[words].append(sense)
    return Grammar(
        str(tree["language"]),
        {words: tuple(found) for words, found in senses.items()},
        max(map(len, senses)),
        load_frames(frames_file),
        frozenset(itertools.chain.from_iterable(senses)),
        {group: tree[group] for group in NESTED},
        {split(old)[0]: tuple(split(new)) for old, new in tree.get("normalize", {}).items()},
    )


def files_of_words() -> list[Path]:
    """Return the files of words that ship, one for each language."""
    return sorted(path for path in (share() / "config" / "words").glob("*.yaml") if path.stem != "frames")


def load_frames(file: Path) -> tuple[ClauseFrame, ...]:
    """Read the frames of clauses; raises as `load_grammar`."""
    where = f"words: {file}"
    tree = _checked(yaml_of(file, where), {"version", "frames"}, set(), where)
    frames = []
    for entry in tree["frames"]:
        if not isinstance(entry, Mapping) or not {"verb", "does"} <= set(entry) <= {"verb", "has", "may", "does"}:
            raise ParameterError(f"{where}: frames: expected verb, has, may and does, got {entry!r}")
        verbs = entry["verb"] if isinstance(entry["verb"], list) else [entry["verb"]]
        has, may = frozenset(entry.get("has", ())), frozenset(entry.get("may", ()))
        frames += [ClauseFrame(verb, has, may, entry["does"]) for verb in verbs]
    return tuple(frames)


def _checked(tree: Any, keys: set[str], optional: set[str], where: str) -> Mapping[str, Any]:
    if not isinstance(tree, Mapping):
        raise ParameterError(f"{where}: expected a group of keys, got {tree!r}")
    if missing := sorted(keys - set(tree)):
        raise ParameterError(f"{where}: {missing[0]}: is missing")
    if unknown := sorted(set(map(str, tree)) - keys - optional):
        raise ParameterError(f"{where}: {unknown[0]}: there is no such key")
    if tree["version"] != VERSION:
        raise ParameterError(f"{where}: version {tree['version']} is not readable here; this is version {VERSION}")
    return tree


def _entries(tree: Mapping[str, Any], where: str) -> Iterator[tuple[tuple[str, ...], Sense]]:
    """Yield every entry in all its forms, and what it means."""
    groups = [(kind, value, words) for kind in (*NESTED, *NUMBERED) for value, words in tree[kind].items()]
    groups += [(kind, "", tree[kind]) for kind in (*FLAT, *LATER) if kind in tree]
    for kind, value, words in groups:
        if not isinstance(words, list) or not all(isinstance(word, str) and split(word) for word in words):
            raise ParameterError(
                f"{where}: {kind}{f'.{value}' if value else ''}: expected a list of words, got {words!r}"
            )
        if kind == "relations" and value not in {*(each.value for each in Relation), "into", "onto"}:
            raise ParameterError(f"{where}: relations.{value}: there is no such relation")
        noun, adjective = kind in ("shapes", "anything"), kind in ("colours", "other_colours", "adjectives")
        key = "noun_endings" if noun else "adjective_endings" if adjective or kind in ("selectors",) else ""
        endings = tree.get(key, [""]) if key else [""]
        plurals = tree.get("plural_endings", ()) if noun else ()
        for word, ending in itertools.product(itertools.chain.from_iterable(map(alternatives, words)), endings):
            yield tuple(split(f"{word}{ending}")), Sense(kind, str(value), ending in plurals)


def alternatives(entry: str) -> list[str]:
    """Return every text that an entry stands for: "(a|b|) c" is "a c", "b c" and "c"."""
    found = CHOICE.search(entry)
    if found is None:
        return [entry] if entry.strip() else []
    texts = (f"{entry[: found.start()]}{choice}{entry[found.end() :]}" for choice in found[1].split("|"))
    return [text for each in texts for text in alternatives(each)]
