# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An interpreter of the Amazon States Language that knows neither time nor AWS: it yields what it waits for.

State types: Task, Pass, Choice, Wait, Succeed, Fail. Task, Pass and Choice may use JSONata as their query language.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from datetime import datetime
from typing import Any, NamedTuple

from . import asl_jsonata
from .asl_choices import holds
from .asl_paths import AslError, compact, evaluate, fill, look_up, put


class Sleep(NamedTuple):
    """Resume the interpreter after this many seconds."""

    seconds: float


class Until(NamedTuple):
    """Resume the interpreter at an instant, in epoch seconds."""

    instant: float


class Work(NamedTuple):
    """Resume the interpreter with the result of a Task's resource, or with an AslError: States.Timeout if it took
    longer than ``timeout`` seconds."""

    resource: str
    parameters: Any
    timeout: float | None


Effect = Sleep | Until | Work
Tell = Callable[[str, dict[str, Any]], None]  # takes type and details of an event of the history
UNCAUGHT = ("States.Runtime", "States.DataLimitExceeded")  # States.ALL does not cover these
TYPES = ("Task", "Pass", "Choice", "Wait", "Succeed", "Fail")


def execute(
    definition: dict[str, Any],
    given: Any,
    context: dict[str, Any],
    tell: Tell,
    chance: random.Random,
    now: Callable[[], str],
) -> Generator[Effect, Any, Any]:
    """Run an execution and return its output. Raise AslError if it fails. ``now`` returns the context's time."""
    name: str | None = definition["StartAt"]
    data = given
    while name is not None:
        state = definition["States"][name]
        context["State"] = {"Name": name, "RetryCount": 0, "EnteredTime": now()}
        tell(f"{state['Type']}StateEntered", {"name": name, "input": compact(data)})
        following, data = yield from step(state, data, context, tell, chance)
        tell(f"{state['Type']}StateExited", {"name": name, "output": compact(data)})
        name = following
    return data


def step(
    state: dict[str, Any], raw: Any, context: dict[str, Any], tell: Tell, chance: random.Random
) -> Generator[Effect, Any, tuple[str | None, Any]]:
    """Run one state. Return the next state's name, or None at the end, and its input."""
    kind = state["Type"]
    if kind == "Task":
        return (yield from task(state, raw, context, tell, chance))
    if jsonata(state):
        return by_jsonata(state, {"input": raw, "context": context})
    data = chosen(state.get("InputPath", "$"), raw, context)
    if kind == "Fail":
        error, cause = (
            evaluate(state[f"{key}Path"], data, context) if f"{key}Path" in state else state.get(key, "")
            for key in ("Error", "Cause")
        )
        raise AslError(error, cause)
    if kind == "Choice":
        for rule in state["Choices"]:
            if holds(rule, data, context):
                return rule["Next"], chosen(state.get("OutputPath", "$"), data, context)
        if "Default" not in state:
            raise AslError("States.NoChoiceMatched", "No choice rule held, and there is no Default.")
        return state["Default"], chosen(state.get("OutputPath", "$"), data, context)
    if kind == "Wait":
        yield wait(state, data, context)
        result = data
    elif kind == "Pass":
        result = fill(state["Parameters"], data, context) if "Parameters" in state else data
        result = put_result(state, raw, state.get("Result", result))
    elif kind == "Succeed":
        result = data
    else:
        raise AslError("States.Runtime", f"The sandbox knows no state of type {kind}; there are {', '.join(TYPES)}.")
    return state.get("Next"), chosen(state.get("OutputPath", "$"), result, context)


def jsonata(state: dict[str, Any]) -> bool:
    return state.get("QueryLanguage") == "JSONata"


def by_jsonata(state: dict[str, Any], seen: dict[str, Any]) -> tuple[str | None, Any]:
    """Run a Pass or Choice state that uses JSONata. Return the next state's name and its input."""
    for rule in state.get("Choices", []):
        if asl_jsonata.evaluate(rule["Condition"], seen) is True:
            return rule["Next"], seen["input"]
    return state.get("Next", state.get("Default")), output(state, seen, seen["input"])


def output(state: dict[str, Any], seen: dict[str, Any], usual: Any) -> Any:
    """Return the output of a state or catcher that uses JSONata. ``usual``: the default."""
    return asl_jsonata.evaluate(state["Output"], seen) if "Output" in state else usual


def chosen(path: str | None, data: Any, context: dict[str, Any]) -> Any:
    """Apply InputPath or OutputPath. null selects an empty object."""
    if path is None:
        return {}
    try:
        return look_up(path, data, context)
    except LookupError as missing:
        raise AslError("States.Runtime", str(missing.args[0])) from None


def put_result(state: dict[str, Any], raw: Any, result: Any) -> Any:
    path = state.get("ResultPath", "$")
    return raw if path is None else put(path, raw, result)


def wait(state: dict[str, Any], data: Any, context: dict[str, Any]) -> Effect:
    if "Timestamp" in state or "TimestampPath" in state:
        text = state.get("Timestamp") or evaluate(state["TimestampPath"], data, context)
        return Until(datetime.fromisoformat(text).timestamp())
    return Sleep(float(state["Seconds"] if "Seconds" in state else evaluate(state["SecondsPath"], data, context)))


def task(
    state: dict[str, Any], raw: Any, context: dict[str, Any], tell: Tell, chance: random.Random
) -> Generator[Effect, Any, tuple[str | None, Any]]:
    attempts: dict[int, int] = {}  # index of the retrier -> how often it was used
    while True:
        try:
            result = yield from attempt(state, raw, context)
            if jsonata(state):
                seen = {"input": raw, "context": context, "result": result}
                return state.get("Next"), output(state, seen, result)
            if "ResultSelector" in state:
                result = fill(state["ResultSelector"], result, context)
            made = chosen(state.get("OutputPath", "$"), put_result(state, raw, result), context)
            return state.get("Next"), made
        except AslError as problem:  # noqa: PERF203
            again = retry(state.get("Retry") or [], problem.error, attempts, chance)
            if again is not None:
                context["State"]["RetryCount"] += 1
                yield Sleep(again)
                continue
            for catcher in state.get("Catch") or []:
                if means(catcher["ErrorEquals"], problem.error):
                    said = {"Error": problem.error, "Cause": problem.cause}
                    if jsonata(state):
                        seen = {"input": raw, "context": context, "errorOutput": said}
                        return catcher["Next"], output(catcher, seen, said)
                    return catcher["Next"], put_result(catcher, raw, said)
            raise


def attempt(state: dict[str, Any], raw: Any, context: dict[str, Any]) -> Generator[Effect, Any, Any]:
    if jsonata(state):
        arguments = asl_jsonata.evaluate(state.get("Arguments", raw), {"input": raw, "context": context})
        return (yield Work(state["Resource"], arguments, state.get("TimeoutSeconds")))
    data = chosen(state.get("InputPath", "$"), raw, context)
    parameters = fill(state["Parameters"], data, context) if "Parameters" in state else data
    timeout = state.get("TimeoutSeconds")
    if "TimeoutSecondsPath" in state:
        timeout = evaluate(state["TimeoutSecondsPath"], data, context)
    return (yield Work(state["Resource"], parameters, timeout))


def retry(retriers: list[dict[str, Any]], error: str, attempts: dict[int, int], chance: random.Random) -> float | None:
    """Return the seconds until the next attempt, or None if there is none."""
    for number, retrier in enumerate(retriers):
        if not means(retrier["ErrorEquals"], error):
            continue
        done = attempts.get(number, 0)
        if done >= retrier.get("MaxAttempts", 3):
            return None
        attempts[number] = done + 1
        delay: float = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** done
        delay = min(delay, retrier.get("MaxDelaySeconds", delay))
        return delay * chance.random() if retrier.get("JitterStrategy") == "FULL" else delay
    return None


def means(names: list[str], error: str) -> bool:
    """Return whether ErrorEquals covers an error, by its name or by States.ALL or States.TaskFailed."""
    if error in names:
        return True
    if error in UNCAUGHT:
        return False
    return "States.ALL" in names or ("States.TaskFailed" in names and error != "States.Timeout")


def flaws(definition: Any) -> list[str]:
    """Return the errors that CreateStateMachine would report for a definition."""
    if not isinstance(definition, dict) or not isinstance(definition.get("States"), dict):
        return ["MISSING_STATES: a state machine has States"]
    states, found = definition["States"], []
    named = [("StartAt", definition.get("StartAt"))]
    for name, state in states.items():
        where = f"at /States/{name}"
        if state.get("Type") not in (*TYPES, "Parallel", "Map"):
            found.append(f"SCHEMA_VALIDATION_FAILED: the Type of a state is unknown {where}")
        ends = state.get("End") is True or state.get("Type") in ("Succeed", "Fail", "Choice")
        if ends == ("Next" in state):
            found.append(f"SCHEMA_VALIDATION_FAILED: exactly one of Next and End is required {where}")
        followers = [state.get("Next"), state.get("Default")]
        followers += [each.get("Next") for key in ("Choices", "Catch") for each in state.get(key) or []]
        named += [(where, each) for each in followers if each is not None]
    found += [
        f"MISSING_TRANSITION_TARGET: there is no state {each} ({where})" for where, each in named if each not in states
    ]
    return found
