# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The definition of a state machine that runs one task, in the States Language with JSONPath.

A plain job is one state. Where the end of a task has to be looked at, launches move from one place to another, or
somebody has to be told, these states follow; the data that they share is made by the first one:

    $.attempt   {"failures", "launches", "wait" in seconds, "place"}: where the execution stands
    $.places    what differs between launches, in their order; $.place_waits and $.failure_waits: the longest waits
    $.error     as Step Functions tells it; $.ended.error the same with all its keys
    $.read.task the task that ended, as the error's cause tells it; $.containers lists of what it tells of them
    $.told.text what is said about it
"""

from __future__ import annotations

from typing import Any

from . import run_task, wording
from .backoff import Backoff
from .job import FailureRule, Job

# A launch that ECS refuses for now: both spellings of a RunTask answered with failures, and errors of its own.
REFUSED = ("ECS.AmazonECSException", "AmazonECS.Unknown", "ECS.ServerException", "ECS.ThrottlingException")

RUN = "ECS RunTask"
START = "Start"
REFUSED_FOR_NOW = "Is there another place"
NEXT_PLACE = "Next place"
WAIT = "Wait"
ENDED = "Take the error"
IS_TASK = "Has a task ended"
READ = "Read the task"
CONTAINERS = "Read its containers"
JUDGE = "Compare exit codes"
AGAIN = "Is it tried again"
NEXT_ATTEMPT = "Next attempt"
DESCRIBE_TASK = "Describe the task"
DESCRIBE_ERROR = "Describe the error"
DESCRIBE_UNREAD = "Describe it without its cause"
NOTIFY = "Notify"
FAIL = "Fail"

JSON_OF_A_TASK = '{*"TaskArn"*}'
PART_OF_IT = '{*"Overrides"*'  # long causes are cut off, and are no JSON then
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
    """The definition. ``partition`` is that of ARNs in the region that the state machine lives in."""
    places = _places(job)
    judged = job.failed if job.failed and job.failed.judged else None
    caught = bool(places or judged or job.notify)

    run: dict[str, Any] = {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::ecs:runTask.sync",
        "Parameters": _parameters(job, places),
        "TimeoutSeconds": job.timeout,
        "End": True,
    }
    retriers = _retriers(job, moves=bool(places))
    if retriers:
        run["Retry"] = retriers
    states = {RUN: run}
    if caught:
        to_refused = [_catch(list(REFUSED), REFUSED_FOR_NOW)] if places else []
        run["Catch"] = [*to_refused, _catch(["States.ALL"], ENDED)]
        states = {
            START: _start(job, places, judged),
            RUN: run,
            **(_moves(job.refused) if places and job.refused else {}),
            **_after_an_error(job, judged, partition, places=bool(places)),
        }
        if places or judged:
            states[WAIT] = {"Type": "Wait", "SecondsPath": "$.attempt.wait", "Next": RUN}
    return {
        **({"Comment": job.comment} if job.comment else {}),
        "StartAt": START if caught else RUN,
        **({"TimeoutSeconds": job.execution_timeout} if job.execution_timeout else {}),
        "States": states,
    }


def _retriers(job: Job, moves: bool) -> list[dict[str, Any]]:
    """What Step Functions itself tries again; launches that move from place to place are not among it."""
    if job.anything:
        return [job.anything.retrier(["States.ALL"])]
    refused = job.refused if job.refused and job.refused.max_attempts and not moves else None
    failed = job.failed.backoff if job.failed and not job.failed.judged else None
    return [
        *([refused.retrier(REFUSED)] if refused else []),
        # It would match a refused launch too, which has had its own attempts, or is to have none.
        *([Backoff(0, 1).retrier(REFUSED)] if failed and not refused else []),
        *([failed.retrier(["States.TaskFailed"])] if failed else []),
    ]


def _places(job: Job) -> list[dict[str, Any]]:
    """What differs between one launch and the next, for each; empty when nothing does."""
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


def _start(job: Job, places: list[dict[str, Any]], judged: FailureRule | None) -> dict[str, Any]:
    attempt: dict[str, Any] = {"failures": 0, "launches": 0, "wait": 0}
    result: dict[str, Any] = {"no_error": NO_ERROR, "no_task": NO_TASK}
    if places and job.refused:
        attempt["place"] = places[0]
        result.update(places=places, place_waits=job.refused.delays())
    if judged:
        result["failure_waits"] = judged.backoff.delays()
    if places or judged:
        result["attempt"] = attempt
    if job.notify:
        result["templates"] = wording.TEMPLATES
    return {"Type": "Pass", "Result": result, "Next": RUN}


def _moves(refused: Backoff) -> dict[str, Any]:
    """From a refused launch to the next place."""
    another = {"Variable": "$.attempt.launches", "NumericLessThan": refused.max_attempts, "Next": NEXT_PLACE}
    following = "States.MathAdd($.attempt.launches, 1)"
    return {
        REFUSED_FOR_NOW: {"Type": "Choice", "Choices": [another], "Default": ENDED},
        NEXT_PLACE: _compute(
            "attempt",
            {
                "failures.$": "$.attempt.failures",
                "launches.$": following,
                "wait.$": _wait(refused, "$.place_waits", "$.attempt.launches"),
                "place.$": f"States.ArrayGetItem($.places, {following})",
            },
            WAIT,
        ),
    }


def _wait(backoff: Backoff, table: str, number: str) -> str:
    longest = f"States.ArrayGetItem({table}, {number})"
    return f"States.MathRandom(0, {longest})" if backoff.jitter else longest


def _after_an_error(job: Job, judged: FailureRule | None, partition: str, places: bool) -> dict[str, Any]:
    """Everything from an error that was caught to the end of the execution, or back to another attempt."""
    told_of_task, told_of_error = (DESCRIBE_TASK, DESCRIBE_ERROR) if job.notify else (FAIL, FAIL)
    following = told_of_task
    if judged:
        following = JUDGE if judged.exit_codes else AGAIN
    is_task = {"Variable": "$.ended.error.Cause", "StringMatches": JSON_OF_A_TASK, "Next": READ}
    unread = {"Variable": "$.ended.error.Cause", "StringMatches": PART_OF_IT, "Next": DESCRIBE_UNREAD}
    choices = [is_task, unread] if job.notify else [is_task]
    return {
        ENDED: _compute("ended", {"error.$": "States.JsonMerge($.no_error, $.error, false)"}, IS_TASK),
        IS_TASK: {"Type": "Choice", "Choices": choices, "Default": told_of_error},
        READ: _compute(
            "read",
            {"task.$": "States.JsonMerge($.no_task, States.StringToJson($.ended.error.Cause), false)"},
            CONTAINERS,
        ),
        CONTAINERS: _compute("containers", _lists(judged), following),
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
    """Whether the task that ended is tried again, and the way back."""
    exited = {f"with_{code}.$": f"States.ArrayContains($.containers.judged, {code})" for code in rule.exit_codes}
    reasons = [{"Variable": f"$.exited.with_{code}", "BooleanEquals": True} for code in rule.exit_codes]
    reasons += [{"Variable": "$.read.task.StopCode", "StringEquals": code} for code in rule.stop_codes]
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
    """The message. Whether it could be sent or not, the execution fails."""
    return {
        DESCRIBE_TASK: _compute("told", {"text.$": wording.OF_A_TASK}, NOTIFY),
        DESCRIBE_ERROR: _compute("told", {"text.$": wording.OF_AN_ERROR}, NOTIFY),
        DESCRIBE_UNREAD: _compute("told", {"text.$": wording.OF_WHAT_IS_NOT_READ}, NOTIFY),
        NOTIFY: {
            "Type": "Task",
            "Resource": f"arn:{partition}:states:::sns:publish",
            "Parameters": {"TopicArn": topic, "Subject.$": wording.SUBJECT, "Message.$": "$.told.text"},
            "TimeoutSeconds": 60,
            "ResultPath": None,
            "Retry": [Backoff(3, 2).retrier(["States.ALL"])],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.unsent", "Next": FAIL}],
            "Next": FAIL,
        },
    }


def _compute(name: str, values: dict[str, Any], following: str) -> dict[str, Any]:
    """A state that puts values under ``$.name`` and leaves the rest of the data alone."""
    return {"Type": "Pass", "Parameters": values, "ResultPath": f"$.{name}", "Next": following}


def _catch(errors: list[str], following: str) -> dict[str, Any]:
    return {"ErrorEquals": errors, "ResultPath": "$.error", "Next": following}
