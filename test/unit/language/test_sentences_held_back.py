"""Sentences that no list was written for: what can be done, what cannot, and what only looks as if it could.

They are held back: a word is not added to a grammar for one of them, a kind of words may be.
"""

from __future__ import annotations

import pytest

from vla_ros.language.reader import InstructionReader, LanguageParameters
from vla_ros.language.steps import told

READER = InstructionReader.of(LanguageParameters())
THE_CUBE, THE_BALL = "pick up the cube; put it", "pick up the ball; put it"
RED_IN_BOWL = "pick up the red cube; put it into the bowl"
POSSIBLE = {
    # Polite frames and wishes.
    "would it be possible for you to raise the red cube?": "pick up the red cube",
    "my first order today is to shove the tin to your right": "push the cylinder to the right",
    "I'd be glad if you could set the red block inside the bowl": RED_IN_BOWL,
    "it would be lovely to have the orb on the saucer": "pick up the ball; put it onto the plate",
    "we'd love the scarlet box in the basin": RED_IN_BOWL,
    "how about putting the red cube into the bowl?": RED_IN_BOWL,
    "do you think you could nudge the ball to the left?": "push the ball to the left",
    "would you mind lifting the yellow ball": "pick up the yellow ball",
    "could we have the blue ball raised, please": "pick up the blue ball",
    "whenever you are ready, close your fingers": "close the gripper",
    "help me put the red cube in the bowl": RED_IN_BOWL,
    # Passive and modal.
    "the red cube ought to be stored in the bowl": RED_IN_BOWL,
    "the green can must be moved 4 centimeters to the right": "push the green cylinder by 4 cm to the right",
    "the ball is supposed to lie beside the plate": "pick up the ball; put it next to the plate",
    "the red cube has to be lifted and placed in the bowl": RED_IN_BOWL,
    "let the red cube rest in the bowl": RED_IN_BOWL,
    "make sure that the red cube ends up inside the bowl": RED_IN_BOWL,
    "see to it that the ball is pushed to the left": "push the ball to the left",
    "I want the orange can off the table": "pick up the orange cylinder",
    "the ball needs to be a bit further to the left": "push the ball to the left",
    # Which one.
    "seize the one that is purple": "pick up the purple object",
    "lift the cube which stands behind the plate": "pick up the cube behind the plate",
    "take the ball lying on the left and drop it into the bowl": "pick up the ball on the left; put it into the bowl",
    "put the cube that is next to the bowl on the plate": "pick up the cube next to the bowl; put it onto the plate",
    "collect the biggest of the balls": "pick up the biggest ball",
    "whatever is green belongs in the bowl": "pick up any green object; put it into the bowl",
    "pluck the can that isn't blue": "pick up the cylinder but not the blue cylinder",
    "all balls but the red one go on the plate": "pick up all balls but not the red ball; put them onto the plate",
    "the cube and the ball both go in the basin": f"{THE_CUBE} into the bowl; {THE_BALL} into the bowl",
    # Holding, handing, and one thing after another.
    "fetch me the yellow block": "pick up the yellow cube",
    "grasp the violet ball, then simply keep holding it": "pick up the purple ball",
    "hold on to the red cube": "pick up the red cube",
    "return the red cube back into the bowl": RED_IN_BOWL,
    "take the red cube and place in the bowl": RED_IN_BOWL,
    "shift the can by an inch to the left, after this return home": "push the cylinder by 2.54 cm to the left; go home",
    "into the bowl with the red cube!": RED_IN_BOWL,
    "on the plate, please, put the ball": "pick up the ball; put it onto the plate",
    # German and Spanish.
    "Der rote Würfel müsste in die Schale gestellt werden": RED_IN_BOWL,
    "Würdest du bitte die gelbe Dose anheben?": "pick up the yellow cylinder",
    "ich brauche die Kugel, die auf dem Teller liegt, in der Schüssel": "pick up the ball on the plate; put it into the bowl",
    "es wäre lieb, wenn du den Klotz 3 Zentimeter nach rechts schiebst": "push the cube by 3 cm to the right",
    "alle Dosen bis auf die rote auf den Teller": "pick up all cylinders but not the red cylinder; put them onto the plate",
    "mach bitte den Greifer auf": "open the gripper",
    "El cubo rojo tiene que estar dentro del cuenco": RED_IN_BOWL,
    "¿me puedes recoger la lata que está a la derecha?": "pick up the cylinder on the right",
    "necesito que metas el cubo rojo en el tazón": RED_IN_BOWL,
    "pon la pelota y el cubo en el plato": f"{THE_BALL} onto the plate; {THE_CUBE} onto the plate",
}  # fmt: skip
REFUSED = {
    # Things, colours, manners and conditions that nobody knows.
    "I'd love a teapot in the bowl": "teapot",
    "would you mind handing me the salmon cube": "handing",
    "the pink cube should be in the bowl": "no pink cube",
    "the lilac ball needs to be lifted": "no lilac ball",
    "put the red cube diagonally in the bowl": "diagonally",
    "put the red cube in the bowl before lunch": "before",
    "as soon as the ball is gone, lift the cube": "soon",
    "lift the cube for 9 seconds": "seconds",
    "push the ball two times to the left": "times",
    # What was, what is, what is nobody's order.
    "I moved the red cube to the left": "'i'",
    "you pushed the ball to the left": "'pushed' tells what was",
    "the red cube is in the bowl": "what is to be done",
    "the cube placed on the plate": "what is to be done",
    "I like the red cube": "like",
    # What looks like a goal and tells which one.
    "put the cube that is next to the bowl": "where to",
    "move the ball which lies on the left": "where to",
    "lift the cube with the ball": "left over",
    "set the red cube and the teapot in the bowl": "teapot",
    "put the cube in the bowl, not": "makes no sense",
    "lift the red cube that is blue": "one colour",
    "put the ball on the plate and on the bowl": "one place",
    "push the cube to my left": "'my left': which object?",
    "do everything": "'do'",
    "shove the red cube -4 cm to the right": "'-'",
    "shove the cube 3-5 cm to the right": "'3' fits nothing",
    "shift the cube away from the bowl": "to which side",
    "should": "alone is not enough",
    "please": "no words",
    "stack both balls on the plate": "several at once",
    # Against physics.
    "the bowl should be on the plate": "stays where it is",
    "the cube belongs under the plate": "nothing can be put under",
    "let the cube stand on the ball": "nothing stays on a ball",
    # German and Spanish.
    "wenn du fertig bist, nimm die Kugel": "wenn",
    "der Würfel liegt in der Schüssel": "what is to be done",
    "leg den Löffel in die Schüssel": "loffel",
    "no toques la bola": "no",
    "pon el cubo debajo del plato": "nothing can be put under",
    "cuando puedas, coge la taza": "taza",
}


@pytest.mark.parametrize(("text", "words"), POSSIBLE.items())
def test_what_can_be_done_is_read(text: str, words: str) -> None:
    found = READER.read(text)
    assert (found.refusal, told(found.steps)) == ("", f"I will: {words}.")


@pytest.mark.parametrize(("text", "named"), REFUSED.items())
def test_what_cannot_be_done_is_refused_by_name(text: str, named: str) -> None:
    found = READER.read(text)
    assert not found.steps and found.question is None
    assert named in found.refusal


def test_they_are_many() -> None:
    assert len(POSSIBLE) + len(REFUSED) >= 80
