"""Many ways to say a thing lead to the same step; what is not understood is refused with its words."""

from __future__ import annotations

import pytest

from vla_ros.policies.classical.language import NotUnderstood, parse


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("pick up the red cube", "pick up the red cube"),
        ("Pick the red block up.", "pick up the red cube"),
        ("please grab the blue can", "pick up the blue cylinder"),
        ("Could you lift the ball?", "pick up the ball"),
        ("take the violet thing", "pick up the purple object"),
        ("get hold of nothing", None),
        ("put the red cube in the bowl", "put the red cube in the bowl"),
        ("place the green sphere onto the plate", "put the green ball on the plate"),
        ("drop the yellow one into the dish", "put the yellow object in the bowl"),
        ("move red to the plate", "put the red object on the plate"),
        ("take the blue ball and drop it in the bowl", "put the blue ball in the bowl"),
        ("pick up the red cube and put it in the bowl", "put the red cube in the bowl"),
        ("push the red cube to the left", "push the red cube to the left"),
        ("slide the blue cylinder right", "push the blue cylinder to the right"),
        ("nudge the orange box over to the right side", "push the orange cube to the right"),
        ("push the red cube leftwards", "push the red cube to the left"),
        ("push the red cube to the blue cylinder", "push the red cube to the blue cylinder"),
        ("move the purple block next to the green ball", "push the purple cube to the green ball"),
        ("stack the red cube on top of the blue cylinder", "stack the red cube on the blue cylinder"),
        ("put the red cube on the green block", "stack the red cube on the green cube"),
        (
            "put the red cube in the bowl then push the blue ball to the left",
            "put the red cube in the bowl | push the blue ball to the left",
        ),
        (
            "First put the red cube in the bowl, and then stack the green block on the blue one.",
            "put the red cube in the bowl | stack the green cube on the blue object",
        ),
        (
            "push the blue can to the right; after that, grab the green ball",
            "push the blue cylinder to the right | pick up the green ball",
        ),
        (
            "push the red cube next to the blue cube, next pick up the ball",
            "push the red cube to the blue cube | pick up the ball",
        ),
        (
            "put the red cube on the plate and push the ball left",
            "put the red cube on the plate | push the ball to the left",
        ),
    ],
)
def test_words_become_steps(text: str, steps: str | None) -> None:
    if steps is None:
        with pytest.raises(NotUnderstood):
            parse(text)
    else:
        assert " | ".join(str(step) for step in parse(text)) == steps


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("dance", "'dance': 'dance' is none of pick up, put, push, stack"),
        ("pick up the banana", "'the banana': the word 'banana' is not known"),
        ("pick up the bowl", "the bowl: it stays where it is; only cubes, cylinders and balls are moved"),
        ("put the red cube", "'put the red cube': where to? Say 'put X in/on Y', or to the left or right"),
        ("push the red cube", "'push the red cube': where to? Say 'push X in/on Y', or to the left or right"),
        ("pick it up", "'it': name the thing"),
        ("pick up the object", "'the object': name its colour or shape"),
        ("stack the red cube on the ball", "on the ball: nothing stays on a ball"),
        (
            "put the red cube in the blue cube",
            "in the blue cube: only a bowl or a plate takes things; say 'on' to stack",
        ),
        ("stack the red cube on the red cube", "on the red cube: that is the thing itself"),
        ("do not pick up the cube", "'not' is beyond this policy; say the steps in order, joined by 'then'"),
        ("...", "no words to act on"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_words(text: str, reason: str) -> None:
    with pytest.raises(NotUnderstood) as error:
        parse(text)
    assert str(error.value) == reason
