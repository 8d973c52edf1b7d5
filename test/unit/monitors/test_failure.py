"""Failure: one subtask again and again, and instructions that fail in a row."""

from __future__ import annotations

from test.unit.monitors.watching import S, monitors, plan
from vla_ros.policies.contract import Instruction, PlanState


def test_a_step_begun_again_and_again_fails() -> None:
    watching = monitors()
    for i in range(20):
        watching.on_plan(2 * i * S, plan(subtask=("reach", "grasp")[i % 2]))
        assert ("failure" in watching.warnings()) == (i >= 6)
    assert watching.warnings()["failure"] == "'grasp' was begun 10 times"


def test_instructions_that_fail_in_a_row_are_told() -> None:
    watching = monitors()

    def end(number: int, state: PlanState) -> None:
        watching.on_instruction()
        for _ in range(3):
            watching.on_plan(number * S, plan(state=state, instruction=Instruction(number, "do it")))

    for number, state in enumerate((PlanState.FAILED, PlanState.FAILED, PlanState.DONE, PlanState.FAILED)):
        end(number, state)
    assert watching.warnings() == {}
    end(5, PlanState.FAILED)
    end(6, PlanState.FAILED)
    assert watching.warnings() == {"failure": "3 instructions in a row failed"}
