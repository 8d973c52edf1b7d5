"""What the planner makes of instructions that an interpreter reads: stops, negations, and one sentence after another."""

from __future__ import annotations

import pytest

from test.unit.control.planner_desk import GUARD, Desk
from vla_ros.language.reader import InstructionReader, LanguageParameters, ReadInstruction
from vla_ros.language.steps import ObjectPhrase
from vla_ros.perception.frames import Frames
from vla_ros.policies.contract import PlanState

READER = InstructionReader.of(LanguageParameters())
BEFORE = (ObjectPhrase("red", "cube"),)


class ReadsAll:
    """The reader; the instruction before was about the red cube."""

    def read(self, text: str) -> ReadInstruction:
        return READER.read(text, BEFORE)

    def help(self, frames: Frames | None) -> str:
        return "say something else"


@pytest.fixture
def reading() -> Desk:
    desk = Desk()
    desk.core.interpreter = ReadsAll()
    return desk


@pytest.mark.parametrize(
    "text",
    [
        "grasp the green ball and hold it",
        "lift the blue cylinder, then just hold it there please, up high".replace(" there", ""),
        "seize the tin and keep hold of it",
        "nimm die grüne Kugel hoch",
        "collect the cube that is not blue",
        "all balls but the red one belong in the bowl",
        "if you don't mind, seize the orange cube",
    ],
)
def test_a_sentence_that_is_read_whole_is_no_stop_and_no_negation(reading: Desk, text: str) -> None:
    assert reading.say(text).state is PlanState.ACTIVE


@pytest.mark.parametrize(
    "text",
    [
        "stop",
        "halt!",
        "freeze now",
        "no, stop that",
        "hold it",
        "hold it!",
        "keep it still",
        "stop pushing the green ball",
        "stop and hold still",
        "please stop moving, robot",
        "don't touch it",
        "leave it",
        "enough now",
        "halte an",
        "para",
    ],
)
def test_a_stop_stops_and_is_done(reading: Desk, text: str) -> None:
    reading.say("push the green ball to the left")
    plan = reading.say(text)
    assert plan.state is PlanState.DONE and plan.reasoning.startswith("holding: ")
    reading.look()
    assert len(reading.policy.heard) == 1


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("wait until the evening, then seize the ball", "until the evening"),
        ("stop when the ball is red", "when the ball is red"),
        ("pause for ten seconds and go on", "for ten seconds"),
        ("seize the ball, then stop", "seize the ball"),
        ("stop, and put the green ball on the plate", "put the green ball on the plate"),
        ("halt, dann leg die Kugel in die Schüssel", "leg die kugel in die schussel"),
        ("para y luego coge la bola", "coge la bola"),
        ("warte bis morgen", "bis morgen"),
    ],
)
def test_a_stop_that_says_more_stops_and_is_never_done(reading: Desk, text: str, named: str) -> None:
    reading.say("push the green ball to the left")
    plan = reading.say(text)
    assert plan.state is PlanState.REFUSED and plan.reasoning.startswith("holding: ")
    assert f"{named}" in plan.reasoning
    reading.look()
    assert len(reading.policy.heard) == 1


def test_a_long_text_stops_without_being_read(reading: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ReadsAll, "read", lambda self, text: pytest.fail("it was read"))
    assert reading.say("stop " + "and seize the ball " * 500).state is PlanState.REFUSED


@pytest.mark.parametrize("text", ["do not seize the ball", "never put the cube in the bowl", "not the ball, please"])
def test_a_negation_that_nobody_reads_is_refused(reading: Desk, text: str) -> None:
    plan = reading.say(text)
    assert plan.state is PlanState.REFUSED and plan.reasoning.startswith("negation: ")
    assert reading.policy.heard == []


def test_of_two_sentences_the_last_one_wins_and_the_first_is_answered(reading: Desk) -> None:
    reading.look()
    reading.core.on_instruction(1, "seize the ball")
    reading.core.on_instruction(2, "push the red cube to the left")
    reading.work()
    assert reading.answers == [
        "replaced by 'push the red cube to the left', before it began: 'seize the ball' is not done"
    ]
    assert [request.instruction.id for request in reading.policy.heard] == [2]
    assert {plan.instruction.id for plan in reading.plans} == {2}


def test_a_stop_replaces_what_was_said_just_before_it(reading: Desk) -> None:
    reading.look()
    reading.core.on_instruction(1, "seize the ball")
    plan = reading.say("stop")
    assert plan.state is PlanState.DONE and reading.policy.heard == []
    assert reading.answers[0].startswith("replaced by 'stop'")


def test_what_was_answered_is_not_answered_again(reading: Desk) -> None:
    reading.say("seize the spoon")
    answered = list(reading.answers)
    reading.policy.state, reading.policy.reasoning = PlanState.DONE, "it is done"
    reading.say("seize the ball")
    reading.say("push the red cube to the left")
    assert reading.answers == [*answered, "it is done", "it is done"]
    assert len(answered) == 1 and "spoon" in answered[0]


def test_what_stops_is_no_word_of_the_grammar_alone() -> None:
    """A sentence with a word that stops is never read whole: none of these words is in a list by itself."""
    stops = {word for word in GUARD._rules.stop.words if word.isascii()}
    known = {words[0] for grammar in READER.grammars for words in grammar.senses if len(words) == 1}
    assert not stops & known
