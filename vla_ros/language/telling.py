"""What people are told before the arm moves, in the language in which it was said.

English is the language of `steps`. Others have a table `told` in their file of words: lines with gaps, nouns with gender,
adjectives whose "*" is an ending, articles by case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from vla_ros.language import steps as english
from vla_ros.language.grammar import files_of_words
from vla_ros.language.steps import InstructionStep, ObjectPhrase, Relation, StepAction
from vla_ros.parameters import yaml_of

KEYS = {
    StepAction.PICK: "pick",
    StepAction.PLACE: "place",
    StepAction.PUSH: "push",
    StepAction.SHIFT: "shift",
    StepAction.PUT_DOWN: "put down",
    StepAction.HOME: "home",
    StepAction.OPEN: "open",
    StepAction.CLOSE: "close",
    StepAction.REACH: "reach",
}


def told(steps: Sequence[InstructionStep], language: str = "english") -> str:
    """Return the one sentence that people are told: "Ich werde: den roten Würfel aufheben; …".

    Args:
        steps: that will be done.
        language: of the grammar that read them; one without a table is told in English.
    """
    table = _tables().get(language)
    if table is None:
        return english.told(steps)
    lines = "; ".join(_Teller(table).line(step) for step in steps)
    return f"{table['begin']} {lines}."


def is_told(text: str) -> bool:
    """Return whether a text is what people are told before the arm moves, in any language."""
    return text.startswith((english.TOLD, *(table["begin"] for table in _tables().values())))


@lru_cache(maxsize=1)
def _tables() -> Mapping[str, Mapping[str, Any]]:
    """Return language → its table, of the files that ship."""
    trees = [yaml_of(file, f"words: {file}") for file in files_of_words()]
    return {tree["language"]: tree["told"] for tree in trees if "told" in tree}


class _Teller:
    def __init__(self, table: Mapping[str, Any]) -> None:
        self._table = table

    def line(self, step: InstructionStep) -> str:
        """Return what one step does."""
        key = KEYS[step.action]
        if step.action is StepAction.PUSH and step.targets:
            key = "push to"
        if step.action is StepAction.PUT_DOWN and step.object is None:
            key = "put down held"
        thing = step.object
        gaps = {
            "object": self._phrase(thing, self._table["into"]) if thing else "",
            "it": self._table["pronouns"][self._gender(thing)] if thing else "",
            "target": self._phrase(step.targets[0], self._table["at"]) if step.targets else "",
            "place": self._place(step.relation, step.targets, "into") if step.relation else "",
            "by": self._table["by"].format(cm=f"{100 * step.distance_m:g}") if step.distance_m else "",
            "way": self._table["ways"].get(step.direction, ""),
        }
        return self._plain(self._table["lines"][key].format(**gaps))

    def _plain(self, text: str) -> str:
        """Return a text without gaps, its words drawn together as people do: "al" for "a el"."""
        text = " ".join(text.split()).replace(" ;", ";")
        for apart, together in self._table["contractions"].items():
            text = text.replace(apart, together)
        return text

    def _gender(self, phrase: ObjectPhrase) -> str:
        return "p" if phrase.several else str(self._table["nouns"][phrase.shape][0])

    def _phrase(self, phrase: ObjectPhrase, case: int) -> str:
        gender = self._gender(phrase)
        ending = self._table["endings"][gender][case]
        which = self._table["selectors"][phrase.selector.name.lower()] if phrase.selector else ""
        where = self._place(phrase.relation, phrase.landmarks, "at") if phrase.relation else ""
        words = {
            "quantity": self._table["quantities"][phrase.quantity.name.lower()][gender][case],
            "which": which.replace("*", ending),
            "colour": self._table["colours"].get(phrase.colour, phrase.colour).replace("*", ending),
            "noun": self._table["nouns"][phrase.shape][2 if gender == "p" else 1],
            "where": where,
        }
        return str(self._table["phrase"].format(**words))

    def _place(self, relation: Relation, landmarks: Sequence[ObjectPhrase], where: str) -> str:
        """Return a place in words. where: "into" for what something goes to, "at" for where it is."""
        case = self._table[where]
        names = f" {self._table['and']} ".join(self._phrase(mark, case) for mark in landmarks)
        return f"{self._table['places'][relation.value]} {names}"
