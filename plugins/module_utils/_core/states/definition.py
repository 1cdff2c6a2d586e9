# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The definition of a state machine that runs one task, in the States Language with JSONPath.

A job is a single state if it notifies nobody, is not gated, and either retries nothing or leaves all retries to Step
Functions. Otherwise other states decide by the text of the error: ``Retry`` matches only names of errors, and RunTask
has the same name for an empty cluster and a wrong subnet. The first state creates the data that the others share:

    $.attempt   {"failures", "launches", "wait" in seconds, "place"}: the progress of the execution
    $.places    what differs between launches, in their order; $.launch_waits and $.failure_waits: the longest waits
    $.error     the error as Step Functions reports it; $.ended.error the same with all its keys
    $.read.task the task that ended, as in the cause of the error; $.containers lists of values of its containers
    $.told      {"subject", "text"}: the message about it
    $.older, $.newer ARNs of other running executions, if these matter: see ``gate``
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ecs.refused_launch import ENVELOPES, NO_INSTANCE, PERMANENT_WORDS, TRANSIENT_WORDS
from . import run_task, wording
from .backoff import Backoff
from .gate import STILL_TIME, gate, still_time
from .job import FailureRule, Job

# Errors of launches that ECS refuses for now: both spellings for a RunTask answer with failures, and ECS's own errors.
REFUSED = ("ECS.AmazonECSException", "AmazonECS.Unknown", "ECS.ServerException", "ECS.ThrottlingException")
# Refused for now or permanently: the cause tells which.
WRAPPED = tuple(f"ECS.{code}" for code in ENVELOPES)

RUN = "ECS RunTask"
START = "Start"
REFUSED_FOR_NOW = "Is the launch refused for now"
NO_INSTANCE_FOR_NOW = "Is there no instance for now"
NEXT_LAUNCH = "Next launch"
WAIT = "Wait"
ENDED = "Take the error"
IS_TASK = "Has a task ended"
READ = "Read the task"
CONTAINERS = "Read its containers"
JUDGE = "Compare exit codes"
AGAIN = "Is it tried again"
NEXT_ATTEMPT = "Next attempt"
DESCRIBE_TASK = "Describe the task"
DESCRIBE_TIMEOUT = "Describe the timeout"
DESCRIBE_REFUSAL = "Describe the refused launch"
DESCRIBE_ERROR = "Describe the error"
DESCRIBE_UNREAD = "Describe it without its cause"
NOTIFY = "Notify"
FAIL = "Fail"

JSON_OF_A_TASK = '{*"TaskArn"*}'
PART_OF_IT = '{*"Overrides"*'  # long causes are cut off and then are not valid JSON
# Errors without a task, and the states that describe them. All other errors come from neither ECS nor the job.
_APART = [
    {"Variable": "$.ended.error.Error", "StringEquals": "States.Timeout", "Next": DESCRIBE_TIMEOUT},
    *(
        {"Variable": "$.ended.error.Error", "StringMatches": errors, "Next": DESCRIBE_REFUSAL}
        for errors in ("ECS.*", "AmazonECS.*")
    ),
]
NO_ERROR = {"Error": "", "Cause": ""}
NO_TASK = {
    "TaskArn": "",
    "TaskDefinitionArn": "",
    "ClusterArn": "",
    "Group": "",
    "StopCode": "",
    "StoppedReason": "",
    "Containers": [],
}


def definition(job: Job, partition: str = "aws") -> dict[str, Any]:
    """Return the definition. ``partition`` is that of ARNs in the region of the state machine."""
    places = _places(job)
    refused = job.refused if job.refused and job.refused.max_attempts else None
    # Step Functions counts retries from 0 whenever a state is entered, so the definition must count all attempts.
    counted = job.failed if job.failed and (job.failed.judged or refused) else None
    caught = bool(refused or counted or job.notify or job.gated)

    run: dict[str, Any] = {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::ecs:runTask.sync",
        "Parameters": _parameters(job, places),
        "TimeoutSeconds": job.timeout,
        "End": True,
    }
    retriers = _retriers(job, counted)
    if retriers:
        run["Retry"] = retriers
    states = {RUN: run}
    if caught:
        run["Catch"] = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": ENDED}]
        before = gate(job, partition, RUN, ENDED)
        states = {
            START: {**_start(job, places, refused, counted), "Next": next(iter(before), RUN)},
            **before,
            RUN: run,
            **_after_an_error(job, refused, counted, partition, places=bool(places)),
        }
        if refused or counted:
            states[WAIT] = {"Type": "Wait", "SecondsPath": "$.attempt.wait", "Next": RUN}
    return {
        **({"Comment": job.comment} if job.comment else {}),
        "StartAt": START if caught else RUN,
        **({"TimeoutSeconds": job.execution_timeout} if job.execution_timeout else {}),
        "States": states,
    }


def _retriers(job: Job, counted: FailureRule | None) -> list[dict[str, Any]]:
    """Return the retriers for what Step Functions itself retries."""
    if job.anything:
        return [job.anything.retrier(["States.ALL"])]
    failed = job.failed.backoff if job.failed and not counted else None
    # The first stops the second, which also matches refused launches, from retrying them.
    return [Backoff(0, 1).retrier(REFUSED), failed.retrier(["States.TaskFailed"])] if failed else []


def _places(job: Job) -> list[dict[str, Any]]:
    """Return for each launch what differs from other launches; empty if nothing does."""
    if not job.refused or not (job.rotate_subnets or job.fallback):
        return []
    subnets = list(job.launch.network.subnets) if job.launch.network else []
    places = []
    for launch in range(job.refused.max_attempts + 1):
        place: dict[str, Any] = {}
        if job.rotate_subnets:
            place["subnets"] = [subnets[(launch - 1) % len(subnets)]] if launch else subnets
        if job.fallback:
            place["strategy"] = run_task.strategy(job.fallback if launch else job.launch.strategy)
        places.append(place)
    return places


def _parameters(job: Job, places: list[dict[str, Any]]) -> dict[str, Any]:
    parameters = run_task.parameters(job.launch)
    if places and "strategy" in places[0]:
        del parameters["CapacityProviderStrategy"]
        parameters["CapacityProviderStrategy.$"] = "$.attempt.place.strategy"
    if places and "subnets" in places[0]:
        network = parameters["NetworkConfiguration"]["AwsvpcConfiguration"]
        del network["Subnets"]
        network["Subnets.$"] = "$.attempt.place.subnets"
    return parameters


def _start(
    job: Job, places: list[dict[str, Any]], refused: Backoff | None, counted: FailureRule | None
) -> dict[str, Any]:
    attempt: dict[str, Any] = {"failures": 0, "launches": 0, "wait": 0}
    result: dict[str, Any] = {"no_error": NO_ERROR, "no_task": NO_TASK}
    if places:
        attempt["place"] = places[0]
        result["places"] = places
    if refused:
        result["launch_waits"] = refused.delays()
    if counted:
        result["failure_waits"] = counted.backoff.delays()
    if refused or counted:
        result["attempt"] = attempt
    if job.notify:
        result["templates"] = wording.templates(job.timeout)
    return {"Type": "Pass", "Result": result}


def _next_launch(job: Job, refused: Backoff, otherwise: str, places: bool) -> dict[str, Any]:
    """Return the states that decide about another launch after a refused one. Nothing of the job has run."""
    name, cause = "$.ended.error.Error", "$.ended.error.Cause"
    wrapped = {"And": [_either(name, "StringEquals", WRAPPED), *_transient(cause)]}
    refusals = [{"Variable": name, "StringEquals": error} for error in REFUSED]
    following = "States.MathAdd($.attempt.launches, 1)"
    in_time = still_time(job, refused.max_attempts, WAIT, REFUSED_FOR_NOW, places)
    return {
        REFUSED_FOR_NOW: {
            "Type": "Choice",
            "Choices": [{"And": [_some_left(refused), {"Or": [*refusals, wrapped]}], "Next": NEXT_LAUNCH}],
            "Default": otherwise,
        },
        NEXT_LAUNCH: _compute(
            "attempt",
            {
                "failures.$": "$.attempt.failures",
                "launches.$": following,
                "wait.$": _wait(refused, "$.launch_waits", "$.attempt.launches"),
                **({"place.$": f"States.ArrayGetItem($.places, {following})"} if places else {}),
            },
            STILL_TIME if in_time else WAIT,
        ),
        **in_time,
    }


def _no_instance(refused: Backoff, otherwise: str) -> dict[str, Any]:
    """Return the state that checks if Managed Instances had no room for the task, which is how they refuse a launch."""
    reason = "$.read.task.StoppedReason"
    found = [
        {"Variable": "$.read.task.StopCode", "StringEquals": "TaskFailedToStart"},
        {"Not": {"Variable": "$.containers.exit_codes[0]", "IsPresent": True}},
        {"Variable": reason, "StringMatches": f"*{NO_INSTANCE}*"},
    ]
    return {
        "Type": "Choice",
        "Choices": [{"And": [_some_left(refused), *found, *_transient(reason)], "Next": NEXT_LAUNCH}],
        "Default": otherwise,
    }


def _some_left(refused: Backoff) -> dict[str, Any]:
    return {"Variable": "$.attempt.launches", "NumericLessThan": refused.max_attempts}


def _transient(path: str) -> list[dict[str, Any]]:
    """Return the conditions that AWS's words under a path name a transient reason, and no permanent one."""
    transient, permanent = ([f"*{words}*" for words in each] for each in (TRANSIENT_WORDS, PERMANENT_WORDS))
    return [_either(path, "StringMatches", transient), {"Not": _either(path, "StringMatches", permanent)}]


def _either(path: str, comparison: str, values: Iterable[str]) -> dict[str, Any]:
    return {"Or": [{"Variable": path, comparison: value} for value in values]}


def _wait(backoff: Backoff, table: str, number: str) -> str:
    longest = f"States.ArrayGetItem({table}, {number})"
    return f"States.MathRandom(0, {longest})" if backoff.jitter else longest


def _after_an_error(
    job: Job, refused: Backoff | None, counted: FailureRule | None, partition: str, places: bool
) -> dict[str, Any]:
    """Return the states from a caught error to the end of the execution, or back to another attempt."""
    told_of_task, told_of_error = (DESCRIBE_TASK, DESCRIBE_ERROR) if job.notify else (FAIL, FAIL)
    judged = counted if counted and counted.judged else None
    any_failure = counted if counted and not counted.judged else None
    judgement = told_of_task if not judged else JUDGE if judged.exit_codes else AGAIN
    is_task = {"Variable": "$.ended.error.Cause", "StringMatches": JSON_OF_A_TASK, "Next": READ}
    unread = {"Variable": "$.ended.error.Cause", "StringMatches": PART_OF_IT, "Next": DESCRIBE_UNREAD}
    choices = [is_task, unread, *_APART] if job.notify else [is_task]
    no_refusal = AGAIN if any_failure else IS_TASK
    return {
        ENDED: _compute(
            "ended",
            {"error.$": "States.JsonMerge($.no_error, $.error, false)"},
            REFUSED_FOR_NOW if refused else no_refusal,
        ),
        **(_next_launch(job, refused, no_refusal, places) if refused else {}),
        **(_judgement(any_failure, IS_TASK, places) if any_failure else {}),
        IS_TASK: {"Type": "Choice", "Choices": choices, "Default": told_of_error},
        READ: _compute(
            "read",
            {"task.$": "States.JsonMerge($.no_task, States.StringToJson($.ended.error.Cause), false)"},
            CONTAINERS,
        ),
        CONTAINERS: _compute("containers", _lists(judged), NO_INSTANCE_FOR_NOW if refused else judgement),
        **({NO_INSTANCE_FOR_NOW: _no_instance(refused, judgement)} if refused else {}),
        **(_judgement(judged, told_of_task, places) if judged else {}),
        **(_telling(job.notify, partition) if job.notify else {}),
        FAIL: {"Type": "Fail", "ErrorPath": "$.ended.error.Error", "CausePath": "$.ended.error.Cause"},
    }


def _lists(judged: FailureRule | None) -> dict[str, Any]:
    whose = f"[?(@.Name == '{judged.container}')]" if judged and judged.container else "[*]"
    return {
        "names.$": "$.read.task.Containers[*].Name",
        "exit_codes.$": "$.read.task.Containers[*].ExitCode",
        "reasons.$": "$.read.task.Containers[*].Reason",
        **({"judged.$": f"$.read.task.Containers{whose}.ExitCode"} if judged and judged.exit_codes else {}),
    }


def _judgement(rule: FailureRule, otherwise: str, places: bool) -> dict[str, Any]:
    """Return the states that decide about another attempt after a task that ended."""
    exited = {f"with_{code}.$": f"States.ArrayContains($.containers.judged, {code})" for code in rule.exit_codes}
    reasons = [{"Variable": f"$.exited.with_{code}", "BooleanEquals": True} for code in rule.exit_codes]
    reasons += [{"Variable": "$.read.task.StopCode", "StringEquals": code} for code in rule.stop_codes]
    if not rule.judged:
        reasons = [{"Variable": "$.ended.error.Error", "StringEquals": "States.TaskFailed"}]
    another = {
        "And": [
            {"Variable": "$.attempt.failures", "NumericLessThan": rule.backoff.max_attempts},
            {"Or": reasons} if len(reasons) > 1 else reasons[0],
        ],
        "Next": NEXT_ATTEMPT,
    }
    first_place = {"place.$": "States.ArrayGetItem($.places, 0)"} if places else {}
    return {
        **({JUDGE: _compute("exited", exited, AGAIN)} if exited else {}),
        AGAIN: {"Type": "Choice", "Choices": [another], "Default": otherwise},
        NEXT_ATTEMPT: _compute(
            "attempt",
            {
                "failures.$": "States.MathAdd($.attempt.failures, 1)",
                "launches": 0,
                "wait.$": _wait(rule.backoff, "$.failure_waits", "$.attempt.failures"),
                **first_place,
            },
            WAIT,
        ),
    }


def _telling(topic: str, partition: str) -> dict[str, Any]:
    """Return the states that describe the failure and notify the topic. Even if that fails, they lead to ``FAIL``."""
    descriptions = {
        DESCRIBE_TASK: wording.OF_A_TASK,
        DESCRIBE_TIMEOUT: wording.OF_A_TIMEOUT,
        DESCRIBE_REFUSAL: wording.OF_A_REFUSAL,
        DESCRIBE_ERROR: wording.OF_AN_ERROR,
        DESCRIBE_UNREAD: wording.OF_WHAT_IS_NOT_READ,
    }
    return {
        **{state: _compute("told", told, NOTIFY) for state, told in descriptions.items()},
        NOTIFY: {
            "Type": "Task",
            "Resource": f"arn:{partition}:states:::sns:publish",
            "Parameters": {"TopicArn": topic, "Subject.$": "$.told.subject", "Message.$": "$.told.text"},
            "TimeoutSeconds": 60,
            "ResultPath": None,
            "Retry": [Backoff(3, 2).retrier(["States.ALL"])],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.unsent", "Next": FAIL}],
            "Next": FAIL,
        },
    }


def _compute(name: str, values: dict[str, Any], following: str) -> dict[str, Any]:
    """Return a state that puts values under ``$.name`` and leaves the rest of the data unchanged."""
    return {"Type": "Pass", "Parameters": values, "ResultPath": f"$.{name}", "Next": following}
