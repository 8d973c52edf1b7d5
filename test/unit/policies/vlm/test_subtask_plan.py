"""The rules of a plan in words: which request is due, what an answer leads to, and that every instruction ends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vla_ros.policies.contract import PlanState
from vla_ros.policies.vlm.answers import CheckAnswer, PlanAnswer, PlannedSubtask
from vla_ros.policies.vlm.subtask_plan import Question, Stage, SubtaskPlan, Wanted
from vla_ros.policies.vlm.vlm_parameters import VlmParameters

TASK = "tidy up"
LIST = PlanAnswer((PlannedSubtask("put the red cube in the bowl"), PlannedSubtask("put the blue cube on the plate")))


def made(judge: Any = lambda subtask: "", **options: Any) -> SubtaskPlan:
    core = SubtaskPlan(VlmParameters(url="http://localhost/v1", model="m", **options), judge)
    core.begin(TASK, 0.0)
    return core


def acting(**options: Any) -> SubtaskPlan:
    core = made(**options)
    core.on_asked(0.0)
    core.on_plan_answer(LIST, 1.0)
    return core


def wanted(core: SubtaskPlan, now_s: float) -> Wanted:
    found = core.wanted(now_s, looks=True)
    assert found is not None
    return found


def test_a_list_is_carried_out_subtask_by_subtask_and_then_it_is_done() -> None:
    core = acting()
    assert (core.stage, core.subtask.text, core.trial) == (Stage.ACT, "put the red cube in the bowl", 1)
    core.on_policy_done(5.0)
    assert core.stage is Stage.JUDGE
    asked = wanted(core, 5.0)
    assert asked.question is Question.CHECK
    core.on_asked(5.0)
    core.on_check_answer(CheckAnswer("done", "the red cube is in the bowl"), asked, 6.0)
    assert (core.stage, core.subtask.text, core.reached) == (
        Stage.ACT,
        LIST.subtasks[1].text,
        "the red cube is in the bowl",
    )
    assert "the red cube is in the bowl" in core.memory()
    asked = wanted(core, 8.1)  # the model sees it before the policy says so
    core.on_check_answer(CheckAnswer("done"), asked, 9.0)
    assert (core.stage, core.result) == (Stage.ENDED, PlanState.DONE)
    assert core.reason == "all 2 subtasks are done"


def test_it_looks_at_its_own_rate_and_not_at_what_is_measured() -> None:
    core = acting(rate_hz=0.5)
    assert core.wanted(2.9, looks=True) is None
    assert core.wanted(3.0, looks=True) == Wanted(Question.CHECK, 1, Stage.ACT)
    assert core.wanted(3.0, looks=False) is None
    core.on_asked(3.0)
    assert core.wanted(4.9, looks=True) is None


def test_a_subtask_that_is_not_seen_to_be_done_is_tried_again_then_planned_anew() -> None:
    core = acting(attempts=2)
    for trial in (1, 2):
        assert (core.stage, core.trial) == (Stage.ACT, trial)
        core.on_policy_done(5.0)
        core.on_check_answer(CheckAnswer("going", why="it lies beside the bowl"), wanted(core, 5.0), 6.0)
    assert core.stage is Stage.SPLIT
    assert "not done after 2 tries: it lies beside the bowl" in core.memory()


def test_an_older_look_does_not_count_as_one_at_the_end() -> None:
    core = acting()
    asked = wanted(core, 3.0)
    core.on_policy_done(3.5)
    core.on_check_answer(CheckAnswer("going"), asked, 4.0)
    assert (core.stage, core.trial) == (Stage.JUDGE, 1)
    core.on_check_answer(CheckAnswer("done"), asked, 4.0)  # but what is done is done
    assert core.trial == 2


def test_an_answer_about_another_try_is_left_out() -> None:
    core = acting()
    asked = wanted(core, 3.0)
    core.on_subtask_done(3.5)
    core.on_check_answer(CheckAnswer("done"), asked, 4.0)
    assert (core.number, core.stage) == (1, Stage.ACT)
    core.begin("another", 5.0)
    core.on_check_answer(CheckAnswer("done"), asked, 6.0)
    assert core.stage is Stage.SPLIT


@pytest.mark.parametrize("how", ["the policy", "the VLM", "time"])
def test_a_failure_is_planned_anew_with_what_has_happened_and_not_for_ever(how: str) -> None:
    core = acting(max_plans=2, subtask_timeout_s=30.0, patience_s=1000.0)
    for _ in range(2):
        if how == "the policy":
            core.on_policy_failed("it fell", 5.0)
        elif how == "the VLM":
            core.on_check_answer(CheckAnswer("failed", why="it fell"), wanted(core, core.begun_s + 2.0), 5.0)
        else:
            core.tick(core.begun_s + 29.0)
            assert core.stage is Stage.ACT
            core.tick(core.begun_s + 31.0)
        if core.stage is Stage.SPLIT:
            assert "put the red cube in the bowl" in core.memory()
            core.on_plan_answer(LIST, 6.0)
    assert (core.stage, core.result) == (Stage.ENDED, PlanState.FAILED)
    assert ("30 s" if how == "time" else "it fell") in core.reason


def test_a_refused_subtask_is_told_to_the_model_once_then_it_stops() -> None:
    core = made(judge=lambda subtask: "people: the arm does nothing to people" if "man" in subtask.text else "")
    bad = PlanAnswer((PlannedSubtask("pick up the cube"), PlannedSubtask("hit the man")))
    core.on_plan_answer(bad, 1.0)
    assert core.stage is Stage.SPLIT
    assert "'hit the man' was refused: people" in core.memory()
    assert "people" in core.fault
    core.on_plan_answer(bad, 2.0)
    assert (core.stage, core.result) == (Stage.ENDED, PlanState.FAILED)
    assert core.reason == "the subtask 'hit the man' was refused: people: the arm does nothing to people"


def test_a_better_list_after_a_refusal_is_carried_out() -> None:
    core = made(judge=lambda subtask: "no" if "bad" in subtask.text else "")
    core.on_plan_answer(PlanAnswer((PlannedSubtask("bad"),)), 1.0)
    core.on_plan_answer(LIST, 2.0)
    assert (core.stage, core.fault) == (Stage.ACT, "")


def test_it_asks_back_and_the_next_instruction_brings_the_question_along() -> None:
    core = made()
    core.on_plan_answer(PlanAnswer(question="Which of the two red cubes"), 1.0)
    assert (core.result, core.reason) == (PlanState.REFUSED, "Which of the two red cubes?")
    core.begin("put the left one in the bowl", 2.0)
    assert "'tidy up', and you asked back: 'Which of the two red cubes?'" in core.memory()
    core.on_plan_answer(LIST, 3.0)
    core.begin("a third one", 4.0)
    assert (
        core.memory() == "- Before this, the person had asked: 'put the left one in the bowl', and then something else"
    )


@pytest.mark.parametrize(
    ("answer", "state", "text"),
    [
        (PlanAnswer(impossible="there is no cube"), PlanState.FAILED, "the VLM sees no way: there is no cube"),
        (PlanAnswer(finished="the table is tidy"), PlanState.DONE, "the VLM sees that it is done: the table is tidy"),
    ],
)
def test_nothing_to_do(answer: PlanAnswer, state: PlanState, text: str) -> None:
    core = made()
    core.on_plan_answer(answer, 1.0)
    assert (core.stage, core.result, core.reason) == (Stage.ENDED, state, text)


def test_nonsense_is_said_asked_again_after_a_while_and_given_up() -> None:
    core = made(max_bad_answers=3, rate_hz=0.5)
    for i in range(2):
        core.on_asked(10.0 * i)
        core.on_bad_answer("not JSON: 'hello'")
        assert (core.stage, core.fault) == (Stage.SPLIT, "not JSON: 'hello'")
        assert core.wanted(10.0 * i + 1.9, looks=True) is None
        assert core.wanted(10.0 * i + 2.0, looks=True) is not None
    core.on_bad_answer("not JSON: 'hello'")
    assert (core.stage, core.result) == (Stage.ENDED, PlanState.FAILED)
    assert core.reason == "3 answers of the VLM were not usable: not JSON: 'hello'"


def test_a_usable_answer_between_nonsense_counts_anew() -> None:
    core = acting(max_bad_answers=2)
    core.on_bad_answer("x")
    core.on_check_answer(CheckAnswer("going"), wanted(core, 9.0), 9.0)
    core.on_bad_answer("x")
    assert core.stage is Stage.ACT


@pytest.mark.parametrize("stage", [Stage.SPLIT, Stage.ACT])
def test_a_silent_model_is_waited_for_as_long_as_is_said(stage: Stage) -> None:
    core = made(patience_s=20.0) if stage is Stage.SPLIT else acting(patience_s=20.0)
    core.on_asked(5.0)
    core.on_no_answer("Connection refused", lasting=False)
    core.tick(25.0)
    assert core.stage is stage
    core.on_asked(24.0)  # asking again is no answer
    core.tick(25.1)
    assert (core.stage, core.result) == (Stage.ENDED, PlanState.FAILED)
    assert core.reason == "no usable answer of the VLM for 20 s: Connection refused"


def test_what_will_not_mend_ends_at_once() -> None:
    core = made()
    core.on_no_answer("HTTP 401", lasting=True)
    assert (core.result, core.reason) == (PlanState.FAILED, "HTTP 401")


@given(
    st.lists(
        st.sampled_from(["list", "going", "done", "failed", "bad", "none", "policy done", "policy failed", "tick"]),
        max_size=60,
    )
)
def test_any_course_of_events_ends_and_stays_ended(events: list[str]) -> None:
    core = made(max_plans=3, patience_s=50.0, subtask_timeout_s=40.0)
    now_s = 0.0
    for event in events:
        now_s += 3.0
        before = core.stage, core.result
        core.tick(now_s)
        asked = core.wanted(now_s, looks=True)
        if asked is not None:
            core.on_asked(now_s)
        if core.stage is Stage.ENDED:
            assert before[0] is not Stage.ENDED or (core.stage, core.result) == before
            continue
        if event == "list" and core.stage is Stage.SPLIT:
            core.on_plan_answer(LIST, now_s)
        elif event in ("going", "done", "failed") and asked is not None and asked.question is Question.CHECK:
            core.on_check_answer(CheckAnswer(event), asked, now_s)
        elif event == "bad":
            core.on_bad_answer("x")
        elif event == "none":
            core.on_no_answer("x", lasting=False)
        elif event == "policy done" and core.stage is Stage.ACT:
            core.on_policy_done(now_s)
        elif event == "policy failed" and core.stage is Stage.ACT:
            core.on_policy_failed("x", now_s)
        assert core.number <= len(core.subtasks)
    for _ in range(40):  # nobody says anything more
        now_s += 10.0
        if core.wanted(now_s, looks=True) is not None:
            core.on_asked(now_s)
        core.tick(now_s)
    assert core.stage is Stage.ENDED
