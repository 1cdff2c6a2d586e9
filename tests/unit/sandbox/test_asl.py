# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interpreter of the States Language, without waiting and without AWS."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import pytest

from tests.sandbox.states.asl import Effect, Sleep, Until, Work, execute, flaws
from tests.sandbox.states.asl_choices import holds
from tests.sandbox.states.asl_paths import AslError, evaluate, fill, put

DATA: dict[str, Any] = {"a": {"b c": [1, {"d": "x"}]}, "text": '{"n": 1}', "n": 2, "many": [{"code": 1}, {"code": 0}]}
DATA["named"] = [{"Name": "side"}, {"Name": "app", "ExitCode": 3}]
NOW = "2026-11-24T12:00:05.250Z"
CONTEXT = {"Execution": {"Name": "run"}}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$", DATA),
        ("$.n", 2),
        ("$.a['b c'][1].d", "x"),
        ("$.many[*].code", [1, 0]),
        ("$.many[*].none", []),
        ("$.many[?(@.code == 0)]", [{"code": 0}]),
        ("$.many[?(@.code != 0)].code", [1]),
        ("$.named[?(@.Name == 'app')].ExitCode", [3]),
        ("$$.Execution.Name", "run"),
        ("States.StringToJson($.text)", {"n": 1}),
        ("States.JsonToString($.many)", '[{"code":1},{"code":0}]'),
        ("States.Array(1, 'two', $.n, null, true)", [1, "two", 2, None, True]),
        ("States.ArrayGetItem($.many[*].code, 1)", 0),
        ("States.MathAdd($.n, -1)", 1),
        ("States.Format('{} of {}: it\\'s', $.n, $.many[0])", '2 of {"code":1}: it\'s'),
        ("States.ArrayLength(States.Array($.n, States.MathAdd(1, 1)))", 2),
        ("States.ArrayContains($.many[*].code, 1)", True),
    ],
)
def test_what_an_expression_is_worth(expression: str, value: Any) -> None:
    assert evaluate(expression, DATA, CONTEXT) == value


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("$.none", "States.ParameterPathFailure"),
        ("States.MathAdd($.text, 1)", "States.IntrinsicFailure"),
        ("States.StringToJson('{')", "States.IntrinsicFailure"),
        ("States.Nothing()", "States.Runtime"),
    ],
)
def test_an_expression_that_fails(expression: str, error: str) -> None:
    with pytest.raises(AslError) as caught:
        evaluate(expression, DATA, CONTEXT)
    assert caught.value.error == error


def test_a_template_is_filled_at_every_depth() -> None:
    template = {"x.$": "$.n", "list": [{"y.$": "$$.Execution.Name"}], "z": "$.n"}
    assert fill(template, DATA, CONTEXT) == {"x": 2, "list": [{"y": "run"}], "z": "$.n"}


def test_a_result_is_put_where_it_belongs() -> None:
    assert put("$", {"a": 1}, 2) == 2
    assert put("$.b.c", {"a": 1}, 2) == {"a": 1, "b": {"c": 2}}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"Variable": "$.n", "NumericEquals": 2}, True),
        ({"Variable": "$.n", "StringEquals": "2"}, False),
        ({"Variable": "$.n", "NumericGreaterThanPath": "$.many[0].code"}, True),
        ({"Variable": "$.none", "IsPresent": False}, True),
        ({"Variable": "$.text", "IsString": True}, True),
        ({"Variable": "$.a['b c'][1].d", "StringMatches": "*"}, True),
        ({"Variable": "$.text", "StringMatches": "{*n*"}, True),
        ({"And": [{"Variable": "$.n", "IsNumeric": True}, {"Not": {"Variable": "$.n", "NumericLessThan": 1}}]}, True),
        ({"Or": [{"Variable": "$.n", "NumericEquals": 1}, {"Variable": "$.n", "BooleanEquals": True}]}, False),
    ],
)
def test_a_choice(rule: dict[str, Any], expected: bool) -> None:
    assert holds(rule, DATA, CONTEXT) is expected


def play(definition: dict[str, Any], given: Any, outcomes: Iterable[Any]) -> tuple[Any, list[Effect]]:
    """Play a definition with these outcomes of its Task states. Return output and effects. Waiting takes no time."""
    steps = execute(definition, given, {"Execution": {}}, lambda kind, details: None, random.Random(1), lambda: NOW)
    left, effects, answer = iter(outcomes), [], None
    while True:
        try:
            effect = steps.throw(answer) if isinstance(answer, AslError) else steps.send(answer)
        except StopIteration as end:
            return end.value, effects
        effects.append(effect)
        answer = next(left) if isinstance(effect, Work) else None


def machine(**state: Any) -> dict[str, Any]:
    task = {"Type": "Task", "Resource": "r", "End": True, **state}
    return {"StartAt": "Do", "States": {"Do": task, "Caught": {"Type": "Pass", "End": True}}}


def test_results_are_selected_and_put_into_the_input() -> None:
    made = machine(
        Parameters={"P.$": "$.in"},
        ResultSelector={"code.$": "$.Containers[0].ExitCode"},
        ResultPath="$.job",
        TimeoutSecondsPath="$.limit",
    )
    output, effects = play(made, {"in": 1, "limit": 9}, [{"Containers": [{"ExitCode": 0}]}])
    assert effects == [Work("r", {"P": 1}, 9)]
    assert output == {"in": 1, "limit": 9, "job": {"code": 0}}


def test_attempts_are_spaced_counted_for_each_retrier_and_then_caught() -> None:
    made = machine(
        Retry=[
            {
                "ErrorEquals": ["Full"],
                "IntervalSeconds": 60,
                "BackoffRate": 2,
                "MaxAttempts": 4,
                "MaxDelaySeconds": 100,
            },
            {"ErrorEquals": ["States.Timeout"], "MaxAttempts": 0},
            {"ErrorEquals": ["States.TaskFailed"], "MaxAttempts": 1, "IntervalSeconds": 3},
        ],
        Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$.problem", "Next": "Caught"}],
    )
    full, other = AslError("Full", "a"), AslError("Other", "b")
    output, effects = play(made, {"x": 1}, [full, full, other, full, other])
    assert [effect.seconds for effect in effects if isinstance(effect, Sleep)] == [60, 100, 3, 100]
    assert output == {"x": 1, "problem": {"Error": "Other", "Cause": "b"}}
    output, effects = play(made, {}, [AslError("States.Timeout")])
    assert output["problem"]["Error"] == "States.Timeout"
    assert len(effects) == 1


def test_full_jitter_draws_between_nothing_and_the_delay() -> None:
    made = machine(Retry=[{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 60, "JitterStrategy": "FULL"}])
    _output, effects = play(made, {}, [AslError("a"), AslError("b"), 1])
    first, second = (effect.seconds for effect in effects if isinstance(effect, Sleep))
    assert 0 <= first < 60
    assert 0 <= second < 120


@pytest.mark.parametrize("error", ["States.Runtime", "States.DataLimitExceeded"])
def test_what_states_all_does_not_mean(error: str) -> None:
    every = {"ErrorEquals": ["States.ALL"]}
    with pytest.raises(AslError, match=error):
        play(machine(Retry=[every], Catch=[{**every, "Next": "Caught"}]), {}, [AslError(error)])


def test_the_other_types_of_state() -> None:
    made = {
        "StartAt": "Wait",
        "States": {
            "Wait": {"Type": "Wait", "SecondsPath": "$.delay", "Next": "Until"},
            "Until": {"Type": "Wait", "Timestamp": "1970-01-01T00:01:00Z", "Next": "Choose"},
            "Choose": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.delay", "NumericGreaterThan": 5, "Next": "Long"}],
                "Default": "Fail",
            },
            "Long": {"Type": "Pass", "Result": 7, "ResultPath": "$.seven", "Next": "Done"},
            "Done": {"Type": "Succeed", "OutputPath": "$.seven"},
            "Fail": {"Type": "Fail", "Error": "Short", "Cause": "it was"},
        },
    }
    assert flaws(made) == []
    assert play(made, {"delay": 6}, []) == (7, [Sleep(6), Until(60)])
    with pytest.raises(AslError, match="Short: it was"):
        play(made, {"delay": 1}, [])


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ([], "MISSING_STATES"),
        ({"StartAt": "A", "States": {"B": {"Type": "Succeed"}}}, "no state A"),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass"}}}, "exactly one of Next and End"),
        ({"StartAt": "A", "States": {"A": {"Type": "Task", "Next": "C"}}}, "no state C"),
        ({"StartAt": "A", "States": {"A": {"Type": "Dance", "End": True}}}, "Type of a state is unknown"),
    ],
)
def test_definitions_that_are_refused(definition: Any, words: str) -> None:
    assert words in " ".join(flaws(definition))


WORKING: dict[str, Any] = {
    "Type": "Task",
    "QueryLanguage": "JSONata",
    "Resource": "r",
    "Arguments": {
        "Name": "{% $states.input.name %}",
        "Text": "as it is",
        "At": "{% $states.context.State.EnteredTime %}",
    },
    "Output": "{% $merge([$states.input, {'large': [$states.result.Items[Size > 1].Name]}]) %}",
    "Catch": [{"ErrorEquals": ["States.ALL"], "Output": {"why": "{% $states.errorOutput.Error %}"}, "Next": "Choose"}],
    "Next": "Choose",
}
LARGE = {"Condition": "{% $count($states.input.large) > 0 %}", "Next": "Large"}
BY_JSONATA: dict[str, Any] = {
    "StartAt": "Work",
    "States": {
        "Work": WORKING,
        "Choose": {"Type": "Choice", "QueryLanguage": "JSONata", "Choices": [LARGE], "Default": "Small"},
        "Large": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $states.input.large %}", "End": True},
        "Small": {"Type": "Pass", "End": True},
    },
}


@pytest.mark.parametrize(
    ("outcome", "output"),
    [
        ({"Items": [{"Size": 2, "Name": "a"}, {"Size": 1, "Name": "b"}]}, ["a"]),
        ({"Items": []}, {"name": "x", "large": []}),
        (AslError("Full", "a"), {"why": "Full"}),
    ],
)
def test_states_whose_query_language_is_jsonata(outcome: Any, output: Any) -> None:
    assert flaws(BY_JSONATA) == []
    assert play(BY_JSONATA, {"name": "x"}, [outcome]) == (
        output,
        [Work("r", {"Name": "x", "Text": "as it is", "At": NOW}, None)],
    )


@pytest.mark.parametrize("expression", ["{% $states.input.none %}", "{% 1 + 'a' %}", "{% ( %}"])
def test_an_expression_of_jsonata_that_fails(expression: str) -> None:
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": expression, "End": True}
    with pytest.raises(AslError, match="QueryEvaluationError"):
        play({"StartAt": "A", "States": {"A": state}}, {}, [])
