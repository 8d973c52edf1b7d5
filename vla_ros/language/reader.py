"""Reads an instruction: steps, a question, or a refusal that helps. It has no state, reads no clock and uses no model."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from vla_ros.language.grammar import Grammar, load_grammar
from vla_ros.language.parser import parse_steps
from vla_ros.language.parts import NotUnderstood
from vla_ros.language.questions import AskedQuestion, read_question
from vla_ros.language.spelling import nearest_words
from vla_ros.language.steps import InstructionStep, ObjectPhrase
from vla_ros.parameters import ParameterError, parameter

MOST_CORRECTIONS = 4
"""Words that are not known, in one sentence, for which known ones are offered."""
CANDIDATES = 3


@dataclass(frozen=True)
class LanguageParameters:
    """In which languages instructions are read."""

    languages: list[str] = parameter(
        ["en", "de", "es"], description="languages that are read, the first that fits: files in config/words/, or paths"
    )
    for_every_policy: bool = parameter(
        False,
        description="refuse for every policy what the grammar does not read; false: models that others trained get every "
        "sentence that the guard accepts",
    )

    def __post_init__(self) -> None:
        if not self.languages:
            raise ParameterError("languages: at least one language must be read")


@dataclass(frozen=True)
class ReadInstruction:
    """What a sentence means: exactly one of steps, question and refusal is not empty.

    Attributes:
        steps: what it asks to do.
        question: what it asks to tell.
        refusal: which words are not understood, and why.
        suggestion: the sentence that was perhaps meant; empty: none is near.
        language: in which it was read.
        leans: it means nothing without the instruction before it: "put it in the bowl".
    """

    steps: tuple[InstructionStep, ...] = ()
    question: AskedQuestion | None = None
    refusal: str = ""
    suggestion: str = ""
    language: str = ""
    leans: bool = False


class InstructionReader:
    """Reads instructions in several languages; the first that reads all of a sentence decides.

    Args:
        grammars: of the languages.
    """

    def __init__(self, grammars: Sequence[Grammar]) -> None:
        self.grammars = tuple(grammars)

    @classmethod
    def of(cls, parameters: LanguageParameters) -> InstructionReader:
        """Return the reader of these languages. Raises ParameterError as `load_grammar`."""
        return cls([load_grammar(name) for name in parameters.languages])

    def read(self, text: str, about: Sequence[ObjectPhrase] = ()) -> ReadInstruction:
        """Read one sentence.

        Args:
            text: as a person said it.
            about: what the instruction before was about: "it".
        """
        failures: list[tuple[int, Grammar, NotUnderstood]] = []
        for grammar in self.grammars:
            try:
                return _read(grammar, text, about)
            except NotUnderstood as error:
                failures.append((len(error.unknown), grammar, error))
        _, grammar, failure = min(failures, key=lambda each: each[0])
        meant = _correction(grammar, text, failure.unknown, about)
        offer = f". Did you mean: {meant!r}?" if meant else ""
        return ReadInstruction(refusal=f"not understood: {failure}{offer}", suggestion=meant, language=grammar.language)


def _read(grammar: Grammar, text: str, about: Sequence[ObjectPhrase]) -> ReadInstruction:
    question = read_question(grammar, text)
    if question is not None:
        return ReadInstruction(question=question, language=grammar.language)
    steps = parse_steps(grammar, text, about)
    return ReadInstruction(steps=steps, language=grammar.language, leans=bool(about) and _leans(grammar, text))


def _leans(grammar: Grammar, text: str) -> bool:
    """Return whether a text cannot be read by itself."""
    try:
        parse_steps(grammar, text)
    except NotUnderstood:
        return True
    return False


def _correction(grammar: Grammar, text: str, unknown: Sequence[str], about: Sequence[ObjectPhrase]) -> str:
    """Return the sentence with known words for unknown ones that can be read; empty: there is none."""
    if not unknown or len(unknown) > MOST_CORRECTIONS:
        return ""
    near = [nearest_words(word, grammar.words, CANDIDATES) for word in unknown]
    tokens = grammar.tokens(text)
    for chosen in itertools.product(*near):
        replaced = dict(zip(unknown, chosen, strict=True))
        meant = " ".join(replaced.get(token, token) for token in tokens)
        try:
            _read(grammar, meant, about)
        except NotUnderstood:
            continue
        return meant.replace(" ,", ",").replace(" .", ".").replace(" ;", ";").replace(" ?", "?")
    return ""
