# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The states that decide whether an execution may start its job, by the deadline and by other executions.

They compare times and compute with them, which JSONPath cannot, so their query language is JSONata. Their input is the
data that the definition's states share. They add ``$.older`` and ``$.newer``: the ARNs of the other running executions
that started before and after this one.

Executions are ordered by their start, and by their ARNs if two started in the same millisecond. Of all executions that
see each other, exactly one is therefore the oldest, which continues with "forbid", and exactly one the newest, which
continues with "replace". ListExecutions is "eventually consistent" (its API reference), without a bound: SETTLING is
assumed to be enough for an execution to be listed.
"""

from __future__ import annotations

from typing import Any

from .backoff import Backoff
from .job import Job

SETTLING = 5  # seconds
YIELDING = 30  # seconds; a newer execution stops this one in that time and reports it
TOO_LATE = "Is it too late"
SETTLE = "Wait until it is listed"
LIST = "Find other executions"
OTHERS = "Do others run"
STOP = "Stop an older one"
YIELD = "Wait to be replaced"
SAY_NEWER = "Say that a newer one runs"
TELL_REPLACED = "Notify of the stop"
SAY_LATE = "Say that it is too late"
SAY_BUSY = "Say that the job still runs"
TELL_SKIPPED = "Notify of the skip"
SKIPPED = "Skipped"
STILL_TIME = "Is there time for another launch"
OUT_OF_TIME = "Give up launching"

_ME = "$states.context.Execution"
# "Adding context attributes in EventBridge Scheduler" in its User Guide, and "time" of an event of a rule. An execution
# whose input has neither, or has no instant there, counts as started by hand: it is never too late.
_SCHEDULED = f"[{_ME}.Input.scheduled_time, {_ME}.Input.time][0]"
_AN_INSTANT = r"/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/"
_KEEP = "{% $states.input %}"
_FIRST_LEFT = "{% $states.input.older[0] %}"
_WITHOUT_FIRST = (
    "{% $merge([$states.input, {'older': [$filter($states.input.older, function($arn, $place) {$place > 0})]}]) %}"
)
# This execution's start is taken from the list, like that of the others, or from the context if it is not listed.
_FIND_OTHERS = f"""{{% (
  $own := $states.result.Executions[ExecutionArn = {_ME}.Id].StartDate;
  $started := $toMillis($exists($own) ? $own : {_ME}.StartTime);
  $older := [$states.result.Executions[ExecutionArn != {_ME}.Id and ($toMillis(StartDate) < $started
    or $toMillis(StartDate) = $started and ExecutionArn < {_ME}.Id)].ExecutionArn];
  $newer := [$states.result.Executions[ExecutionArn != {_ME}.Id and $not(ExecutionArn in $older)].ExecutionArn];
  $merge([$states.input, {{'older': $older, 'newer': $newer}}])
) %}}"""


def gate(job: Job, partition: str, open_: str, failed: str) -> dict[str, Any]:
    """Return the states in the order in which they are entered; none for a job that nothing can keep from starting.

    ``open_`` is the state that starts the job, ``failed`` the one that handles the error of a call, in ``$.error``.
    """
    listing = SETTLE if job.exclusive else open_
    skipping = TELL_SKIPPED if job.skipped_topic else SKIPPED
    seconds = job.starting_deadline
    states: dict[str, Any] = {}
    if seconds is not None:
        reason = f"'The job could not start within {seconds} seconds of ' & {_SCHEDULED} & '.'"
        states[TOO_LATE] = _choice(_late(seconds), SAY_LATE, listing)
        states[SAY_LATE] = _jsonata("Pass", Output=_skip("starting_deadline", reason), Next=skipping)
    if job.exclusive:
        states[SETTLE] = {"Type": "Wait", "Seconds": SETTLING, "Next": LIST}
        states |= _look(job, partition, open_, failed)
        states |= _refrain(skipping) if job.concurrency == "forbid" else _replace(job, partition, skipping, failed)
    if TELL_SKIPPED in _targets(states):
        text = "'ECS job skipped: ' & $states.input.reason"
        states[TELL_SKIPPED] = _publish(job, partition, "skipped", text, _KEEP, SKIPPED)
    if SKIPPED in _targets(states):
        states[SKIPPED] = {"Type": "Succeed"}
    return states


def still_time(job: Job, most: int, wait: str, refused: str, places: bool) -> dict[str, Any]:
    """Return the states between a refused launch and the wait for the next: no launch may begin after the deadline.

    The deadline applies to the start of the job. A job that has failed has started, so later attempts may launch after
    it. If no time is left, all ``most`` launches are counted as used, which makes the state ``refused`` give up.
    """
    if job.starting_deadline is None:
        return {}
    first = "$states.input.attempt.failures = 0"
    late = _late(job.starting_deadline, " + 1000 * $states.input.attempt.wait")
    counted = {"failures.$": "$.attempt.failures", "launches": most, "wait": 0}
    place = {"place.$": "$.attempt.place"} if places else {}
    return {
        STILL_TIME: _choice(f"{first} and {late}", OUT_OF_TIME, wait),
        OUT_OF_TIME: {
            "Type": "Pass",
            "Parameters": {**counted, **place},
            "ResultPath": "$.attempt",
            "Next": refused,
        },
    }


def _late(seconds: int, after: str = "") -> str:
    """Return a JSONata condition: the schedule's time is over ``seconds`` ago. ``after`` is added to now, in ms."""
    now = f"$toMillis($states.context.State.EnteredTime){after}"
    # In JSONata only ? : skips the operand that is not needed, and $toMillis fails for a value that is not an instant.
    an_instant = f"$type($at) = 'string' ? $contains($at, {_AN_INSTANT}) : false"
    return f"($at := {_SCHEDULED}; ({an_instant}) ? {now} > $toMillis($at) + {1000 * seconds} : false)"


def _look(job: Job, partition: str, open_: str, failed: str) -> dict[str, Any]:
    arguments = {
        "StateMachineArn": "{% $states.context.StateMachine.Id %}",
        "StatusFilter": "RUNNING",
        "MaxResults": 100,
    }
    ways = {"older": SAY_BUSY} if job.concurrency == "forbid" else {"newer": YIELD, "older": STOP}
    choices = [{"Variable": f"$.{which}[0]", "IsPresent": True, "Next": way} for which, way in ways.items()]
    return {
        LIST: _call(partition, "listExecutions", arguments, failed, Output=_FIND_OTHERS, Next=OTHERS),
        OTHERS: {"Type": "Choice", "Choices": choices, "Default": open_},
    }


def _refrain(skipping: str) -> dict[str, Any]:
    reason = "$states.input.older[0] & ' still runs.'"
    return {SAY_BUSY: _jsonata("Pass", Output=_skip("concurrency", reason), Next=skipping)}


def _replace(job: Job, partition: str, skipping: str, failed: str) -> dict[str, Any]:
    """Return the states that stop the older ones, one by one. Stopping one that has ended changes nothing (assumed).

    An execution that sees a newer one stops none, so each execution is stopped and reported once. It ends by itself if
    the newer one has not seen it.
    """
    reason = "$states.input.newer[0] & ' has started since.'"
    arguments = {"ExecutionArn": _FIRST_LEFT, "Error": "Replaced", "Cause": f"{{% 'Replaced by ' & {_ME}.Id %}}"}
    yielding = {
        YIELD: {"Type": "Wait", "Seconds": YIELDING, "Next": SAY_NEWER},
        SAY_NEWER: _jsonata("Pass", Output=_skip("concurrency", reason), Next=skipping),
    }
    if not job.skipped_topic:
        stop = _call(partition, "stopExecution", arguments, failed, Output=_WITHOUT_FIRST, Next=OTHERS)
        return {STOP: stop, **yielding}
    text = "'ECS job stopped and started again: ' & $states.input.older[0] & ' still ran.'"
    return {
        STOP: _call(partition, "stopExecution", arguments, failed, Output=_KEEP, Next=TELL_REPLACED),
        TELL_REPLACED: _publish(job, partition, "replaced", text, _WITHOUT_FIRST, OTHERS),
        **yielding,
    }


def _skip(why: str, reason: str) -> dict[str, Any]:
    """Return the output of an execution that does not start its job."""
    return {"skipped": why, "reason": f"{{% {reason} %}}"}


def _jsonata(kind: str, **more: Any) -> dict[str, Any]:
    return {"Type": kind, "QueryLanguage": "JSONata", **more}


def _choice(condition: str, following: str, otherwise: str) -> dict[str, Any]:
    choices = [{"Condition": f"{{% {condition} %}}", "Next": following}]
    return _jsonata("Choice", Choices=choices, Default=otherwise)


def _call(partition: str, operation: str, arguments: dict[str, Any], failed: str, **more: Any) -> dict[str, Any]:
    """Return a state that calls Step Functions. If the call fails, so does the execution: no job starts unchecked."""
    error = "{% $merge([$states.input, {'error': $states.errorOutput}]) %}"
    return _jsonata(
        "Task",
        Resource=f"arn:{partition}:states:::aws-sdk:sfn:{operation}",
        Arguments=arguments,
        Retry=[Backoff(5, 2).retrier(["States.ALL"])],
        Catch=[{"ErrorEquals": ["States.ALL"], "Output": error, "Next": failed}],
        **more,
    )


def _publish(job: Job, partition: str, what: str, text: str, output: str, following: str) -> dict[str, Any]:
    """Return a state that sends a message. The execution continues even if the message cannot be sent."""
    lines = {
        "State machine": "$states.context.StateMachine.Id",
        "Execution": f"{_ME}.Id",
        "Started at": f"{_ME}.StartTime",
    }
    message = " & ".join([text, *(rf"'\n{name}: ' & {value}" for name, value in lines.items())])
    arguments = {
        "TopicArn": job.skipped_topic,
        "Subject": f"{{% 'ECS job ' & $states.context.StateMachine.Name & ' {what}' %}}",
        "Message": f"{{% {message} %}}",
    }
    return _jsonata(
        "Task",
        Resource=f"arn:{partition}:states:::sns:publish",
        Arguments=arguments,
        TimeoutSeconds=60,
        Retry=[Backoff(3, 2).retrier(["States.ALL"])],
        Catch=[{"ErrorEquals": ["States.ALL"], "Output": output, "Next": following}],
        Output=output,
        Next=following,
    )


def _targets(states: dict[str, Any]) -> set[str]:
    return {state["Next"] for state in states.values() if "Next" in state}
