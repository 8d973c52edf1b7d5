"""Instructions that are read, and those that are refused and why."""

import pytest

from vla_ros.parameters import from_mapping
from vla_ros.policies.compact.checkpoint import load
from vla_ros.policies.compact.checkpoint_folder import folder_of
from vla_ros.policies.compact.graphs import Graphs
from vla_ros.policies.compact.instruction_parser import InstructionParser, missing_words
from vla_ros.policies.policy_parameters import CompactParameters


@pytest.fixture(scope="module")
def parser():
    checkpoint = load(folder_of(from_mapping(CompactParameters, {})))
    return InstructionParser(checkpoint, Graphs(checkpoint, ("language",)), 0.5)


def test_an_instruction_of_two_steps_is_read(parser):
    parsed = parser.parse("put the red cube in the bowl, then push the blue cylinder to the left")
    assert parsed.refusal == "" and parsed.understood > 0.5
    first, second = parsed.parsed_steps
    assert (first["verb"], first["x_colour"], first["x_shape"], first["y_shape"]) == ("place", "red", "cube", "bowl")
    assert (second["verb"], second["x_colour"], second["x_shape"], second["side"]) == (
        "push",
        "blue",
        "cylinder",
        "left",
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("pick up the red cube or the blue one", 'not understood; say which one, without "or"'),
        ("pick up the red spoon", "not understood; unknown words: spoon"),
        ("pick up " + 60 * "the ", "not understood; longer than 56 words and signs"),
        ("what time is it", "not understood; unknown words: what, time, is"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_with_the_reason(parser, text, reason):
    parsed = parser.parse(text)
    assert parsed.refusal == reason and parsed.understood < 0.5


def test_a_name_that_no_step_contains_is_missing():
    step = {"verb": "pick", "side": "none", "x_colour": "red", "x_shape": "cube", "y_colour": "none", "y_shape": "none"}
    assert missing_words("pick up the red cube", [step]) == []
    assert missing_words("pick up the red cube, then the green ball", [step]) == ["green"]
    assert missing_words("pick up the green cube", [{**step, "x_colour": "none"}]) == [], "any colour may be meant"
