"""The instruction guard: checks what people say before any model reads it, and accepts, stops or refuses it."""

from __future__ import annotations

import enum
import itertools
import re
import unicodedata
from dataclasses import dataclass

from vla_ros.guard.rules import GuardRules, StopWords
from vla_ros.guard.text_normalization import collapse_repeats, misspellings, normalize

MAX_CHARACTERS = 10_000
"""Characters that are searched for a stop. A longer text is refused, which holds the arm as well as a stop does."""
AGAIN = "again"
"""Name of the refusal rule for words like "yes". While a question is open they mean: the previous instruction once more."""


class GuardAction(enum.Enum):
    """What happens to an instruction. On STOP and REFUSE the arm holds."""

    ACCEPT = "accept"
    STOP = "stop"
    REFUSE = "refuse"


@dataclass(frozen=True)
class GuardDecision:
    """The guard's decision about one instruction.

    Attributes:
        action: what happens to it.
        rule: name of the rule that decided; empty for ACCEPT.
        reason: one line for the person who asked; empty for ACCEPT.
        partial: of a STOP: more was asked for, or a condition, which nobody does. The arm holds all the same.
    """

    action: GuardAction
    rule: str = ""
    reason: str = ""
    partial: bool = False


class Guard:
    """Checks instructions. It has no state, reads no clock and uses no model: the same text gives the same decision.

    Args:
        rules: see `vla_ros.guard.rules.load_rules`.
    """

    def __init__(self, rules: GuardRules) -> None:
        self._rules = rules
        self._stop = _StopDetector(rules.stop)
        self._refused = {name: _any_of(rule.patterns) for name, rule in rules.refused.items()}
        self._needed = _any_of(rules.needed.patterns) if rules.needed else None
        joints = "|".join(rf"\b{re.escape(word)}\b" for word in rules.stop.joints)
        self._joints = re.compile(rf"[.,;:!?\n]+{'|' if joints else ''}{joints}", re.IGNORECASE)
        self._conditions = _any_of(rules.stop.conditions) if rules.stop.conditions else None
        self._scripts = {script.upper() for script in rules.bounds.scripts}

    def check(self, text: str) -> GuardDecision:
        """Check one instruction. A request to stop always stops, and is never refused for its form.

        Args:
            text: as a person typed it; any length and any characters.
        """
        words = normalize(text[:MAX_CHARACTERS])
        found = self._stop.find(words)
        if found:
            reason = f"holding: {found!r} always stops; say what to do next without it"
            besides = self._besides(text[:MAX_CHARACTERS])
            if besides:
                reason = f"holding: {found!r} always stops, and {besides!r} is not done; say it without {found!r}"
            return GuardDecision(GuardAction.STOP, "stop", reason, bool(besides))
        bounds = self._rules.bounds
        if len(text) > bounds.characters:
            return _refusal("length", f"{len(text)} characters; at most {bounds.characters} are read")
        if (count := len(text.split())) > bounds.words:
            return _refusal("length", f"{count} words; at most {bounds.words} are read")
        foreign = self._foreign_character(text)
        if foreign:
            return _refusal("script", foreign)
        for name, pattern in self._refused.items():
            if match := pattern.search(words):
                return _refusal(name, f"{self._rules.refused[name].reason} ({match[0].strip()!r})")
        if self._needed is not None and self._rules.needed is not None and not self._needed.search(words):
            return _refusal("needed", self._rules.needed.reason)
        return GuardDecision(GuardAction.ACCEPT)

    def refusal(self, text: str) -> str:
        """Return why a model's own words are refused; empty: they are accepted. A model has nothing to stop."""
        decision = self.check(text)
        return "" if decision.action is GuardAction.ACCEPT else decision.reason

    def _besides(self, text: str) -> str:
        """Return what a text that stops asks for besides: a condition, or something to do; empty: nothing."""
        condition = self._conditions.search(normalize(text)) if self._conditions else None
        if condition:
            return condition[0].strip()
        known = (words for words in self.beside_stop(text) if self._needed is not None and self._needed.search(words))
        return next(known, "")

    def beside_stop(self, text: str) -> list[str]:
        """Return the parts of a text, divided at its signs and joints, in which nothing asks for a stop."""
        parts = [normalize(part) for part in self._joints.split(text[:MAX_CHARACTERS])]
        return [words for words in parts if words and not self._stop.find(words)]

    def _foreign_character(self, text: str) -> str:
        """Return a description of the first character that is not read here; empty when there is none."""
        for character in text:
            if character.isspace():
                continue
            category = unicodedata.category(character)
            name = unicodedata.name(character, f"U+{ord(character):04X}")
            if category[0] == "C":
                return f"an invisible or unassigned character ({name.lower()})"
            if category[0] == "L" and name.split()[0] not in self._scripts:
                known = ", ".join(sorted(script.lower() for script in self._scripts))
                return f"the letter {character!r} ({name.lower()}) is of no alphabet that is read here: {known}"
        return ""


class _StopDetector:
    """Finds a request to stop in normalised text, also when it is stretched, split, joined or misspelled."""

    def __init__(self, words: StopWords) -> None:
        stops = [normalize(word) for word in words.words]
        self._spellings = {spelling: word for word in stops if word.isascii() for spelling in misspellings(word)}
        self._whole = {collapse_repeats(word): word for word in stops if word.isascii()}
        # Scripts without spaces between words: anywhere in the text.
        self._anywhere = [word for word in stops if not word.isascii()]
        self._phrases = _any_of(words.phrases) if words.phrases else None
        self._alone = {collapse_repeats(normalize(word)) for word in words.alone}
        self._filling = {collapse_repeats(normalize(word)) for word in words.filling}

    def find(self, words: str) -> str:
        """Return the words that ask for a stop; empty when none do."""
        short = [collapse_repeats(word) for word in words.split()]
        for word in short:
            if word in self._spellings:
                return self._spellings[word]
        for halves in itertools.pairwise(short):
            if "".join(halves) in self._whole:
                return self._whole["".join(halves)]
        for word in self._anywhere:
            if word in words:
                return word
        match = self._phrases.search(words) if self._phrases else None
        if match:
            return match[0].strip()
        rest = [word for word in short if word not in self._filling]
        return words if rest and set(rest) <= self._alone else ""


def _refusal(rule: str, reason: str) -> GuardDecision:
    return GuardDecision(GuardAction.REFUSE, rule, f"{rule}: {reason}")


def _any_of(patterns: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(rf"\b(?:{pattern})\b" for pattern in patterns))
