"""What people say to the arm, judged before any model reads it: to be carried out, to stop, or to be refused."""

from __future__ import annotations

import enum
import itertools
import re
import unicodedata
from dataclasses import dataclass

from vla_ros.guard.rules import Rules, StopWords
from vla_ros.guard.wording import plain, slips, squeezed

LONGEST = 10_000
"""Characters that are read at all. Longer sentences are refused, which holds the arm as well as a stop does."""
AGAIN = "again"
"""Name of the rule for words like "yes": where a question stands, they ask for the instruction before it once more."""


class Answer(enum.Enum):
    """What becomes of a sentence. On each but PASS the arm holds."""

    PASS = "pass"
    STOP = "stop"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Judgement:
    """rule: name of what decided; empty: nothing objected. reason: for the one who asked."""

    answer: Answer
    rule: str = ""
    reason: str = ""


class Guard:
    """Judges sentences. It holds no state, reads no clock and asks no model.

    Args: rules: see `vla_ros.guard.rules.load`.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._stop = _Stop(rules.stop)
        self._refused = {name: _any_of(rule.patterns) for name, rule in rules.refused.items()}
        self._needed = _any_of(rules.needed.patterns) if rules.needed else None
        self._scripts = {script.upper() for script in rules.bounds.scripts}

    def judge(self, text: str) -> Judgement:
        """Judge one sentence. What asks for a stop is never refused for its form."""
        words = plain(text[:LONGEST])
        found = self._stop.found_in(words)
        if found:
            return Judgement(Answer.STOP, "stop", f"holding: {found!r} always stops; say what to do next without it")
        bounds = self._rules.bounds
        if len(text) > bounds.characters:
            return _refusal("length", f"{len(text)} characters; at most {bounds.characters} are read")
        if (count := len(text.split())) > bounds.words:
            return _refusal("length", f"{count} words; at most {bounds.words} are read")
        strange = self._strange(text)
        if strange:
            return _refusal("script", strange)
        for name, pattern in self._refused.items():
            if match := pattern.search(words):
                return _refusal(name, f"{self._rules.refused[name].reason} ({match[0].strip()!r})")
        if self._needed is not None and self._rules.needed is not None and not self._needed.search(words):
            return _refusal("needed", self._rules.needed.reason)
        return Judgement(Answer.PASS)

    def _strange(self, text: str) -> str:
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


class _Stop:
    def __init__(self, words: StopWords) -> None:
        plains = [plain(word) for word in words.words]
        self._spellings = {slip: word for word in plains if word.isascii() for slip in slips(word)}
        self._whole = {squeezed(word): word for word in plains if word.isascii()}
        # Scripts without spaces between words: anywhere in the text.
        self._anywhere = [word for word in plains if not word.isascii()]
        self._phrases = _any_of(words.phrases) if words.phrases else None
        self._alone = {squeezed(plain(word)) for word in words.alone}
        self._filling = {squeezed(plain(word)) for word in words.filling}

    def found_in(self, words: str) -> str:
        """Return the words that ask for a stop; empty when none do."""
        short = [squeezed(word) for word in words.split()]
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


def _refusal(rule: str, reason: str) -> Judgement:
    return Judgement(Answer.REFUSE, rule, f"{rule}: {reason}")


def _any_of(patterns: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(rf"\b(?:{pattern})\b" for pattern in patterns))
