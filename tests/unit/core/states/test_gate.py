# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps an execution from starting its job, executed in every shape: the deadline, and other executions."""

from __future__ import annotations

import json

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.states import definition as names
from ansible_collections.steadyops.ecs.plugins.module_utils._core.states import gate
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.sandbox.states.asl_paths import AslError
from tests.unit.core.states.jobs import ANY, FAILURES, NETWORK, ON_DEMAND, RETRY, SPOT, TOPIC, made
from tests.unit.core.states.playing import CAPACITY, DONE, EXECUTION, MACHINE, STARTED, ended, play

STEADY = {**RETRY, "jitter": False}
NEVER = {**RETRY, "max_attempts": 0}
SKIPS = "arn:aws:sns:eu-central-1:123456789012:skips"
EARLIER, LATER = "2026-11-24T11:59:59.999Z", "2026-11-24T12:00:00.001Z"
ME = (EXECUTION, STARTED)
OLD, NEW = (f"{MACHINE}:old", EARLIER), (f"{MACHINE}:new", LATER)
# The ARNs of two that started with this one: "...execution:nightly:one".
FIRST, LAST = (EXECUTION[:-3] + "a", STARTED), (EXECUTION[:-3] + "z", STARTED)
DENIED = AslError("Sfn.SfnException", "not authorized to perform: states:ListExecutions")
NO_INSTANCE = ended(
    None,
    stop_code="TaskFailedToStart",
    StoppedReason="ResourceInitializationError: Unable to launch instance(s) for capacity provider p. "
    "UnfulfillableCapacity: Unable to fulfill capacity.",
)


@pytest.mark.parametrize(
    ("running", "older"),
    [
        ([], []),
        ([ME], []),
        ([NEW, ME], []),
        ([NEW], []),
        ([LAST, ME], []),
        ([ME, LAST], []),
        ([LAST], []),
        ([ME, OLD], [OLD]),
        ([OLD], [OLD]),
        ([OLD, NEW, ME], [OLD]),
        ([ME, FIRST], [FIRST]),
        ([FIRST, ME], [FIRST]),
        ([NEW, LAST, ME, FIRST, OLD], [FIRST, OLD]),
        # The start as in the list: the context may have another fraction of a millisecond.
        ([(EXECUTION, LATER), (OLD[0], STARTED)], [(OLD[0], STARTED)]),
    ],
    ids=str,
)
@pytest.mark.parametrize("told", [None, SKIPS], ids=["silent", "telling"])
def test_executions_that_are_older(running, older, told):
    arns = [arn for arn, _start in older]
    forbid = play(made(concurrency="forbid", skipped_topic_arn=told), [] if older else [DONE], running=[running])
    assert forbid.waits == [gate.SETTLING]
    assert len(forbid.launches) == (not older)
    skipped = {"skipped": "concurrency", "reason": f"{arns[0]} still runs."} if older else DONE
    assert (forbid.error, forbid.output) == ("", skipped)
    assert len(forbid.messages) == bool(older and told)

    newer = [each[0] for each in running if each not in older and each[0] != EXECUTION]
    replace = play(made(concurrency="replace", skipped_topic_arn=told), [] if newer else [DONE], running=[running])
    assert len(replace.launches) == (not newer)
    if newer:
        skipped = {"skipped": "concurrency", "reason": f"{newer[0]} has started since."}
        assert (replace.stopped, replace.output) == ([], skipped)
        assert (replace.waits, len(replace.messages)) == ([gate.SETTLING, gate.YIELDING], bool(told))
    else:
        assert (replace.stopped, replace.output) == (arns, DONE)
        assert (replace.waits, len(replace.messages)) == ([gate.SETTLING], len(older) if told else 0)


@pytest.mark.parametrize("options", [
    {}, {"retry_launch": NEVER}, {"retry_any": ANY}, {"notify_topic_arn": TOPIC},
    {"retry_launch": NEVER, "notify_topic_arn": TOPIC}, {"starting_deadline": 600},
    {"retry_launch": NEVER, "retry_failures": FAILURES}, {"retry_failures": {**FAILURES, "exit_codes": [75]}},
    {"network_configuration": NETWORK, "rotate_subnets": True},
    {"capacity_provider_strategy": SPOT, "fallback_capacity_provider_strategy": ON_DEMAND},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("concurrency", ["forbid", "replace"])
def test_every_shape(options, concurrency):
    """Each shape runs alone, beside an older one, and with ListExecutions refused: it fails without a launch."""
    job = made(**options, concurrency=concurrency)
    assert play(job, [DONE], running=[[ME]]).output == DONE
    beside = play(job, [DONE] if concurrency == "replace" else [], running=[[ME, OLD]])
    assert (beside.error, beside.stopped) == ("", [OLD[0]] if concurrency == "replace" else [])
    denied = play(job, [], running=[DENIED] * 6)
    assert (denied.error, denied.cause, denied.launches) == (DENIED.error, DENIED.cause, [])
    assert len(denied.messages) == bool(options.get("notify_topic_arn"))
    assert play(job, [DONE], running=[DENIED, [ME]]).output == DONE, "it is tried again"


EXECUTIONS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from([EARLIER, STARTED, LATER])),
    min_size=1,
    max_size=6,
    unique_by=lambda execution: execution[0],
)


@settings(max_examples=examples(15), deadline=None)
@given(EXECUTIONS, st.data())
def test_of_executions_that_see_each_other_exactly_one_goes_on(executions, data):
    """Lists may be in any order, and a list may lack the execution that requests it."""
    executions = [(f"{EXECUTION[:-3]}{name}", start) for name, start in executions]
    in_order = sorted(executions, key=lambda each: (each[1], each[0]))
    forbid, replace = made(concurrency="forbid"), made(concurrency="replace")
    for execution in executions:
        seen = data.draw(st.permutations(executions))
        if data.draw(st.booleans()):
            seen = [each for each in seen if each != execution]
        oldest, newest = execution == in_order[0], execution == in_order[-1]
        played = play(forbid, [DONE] * oldest, running=[seen], execution=execution)
        assert len(played.launches) == oldest
        played = play(replace, [DONE] * newest, running=[seen], execution=execution)
        assert len(played.launches) == newest
        assert sorted(played.stopped) == sorted(arn for arn, _start in in_order[:-1] if newest)


# ---- the deadline


@pytest.mark.parametrize(
    ("given_", "starts"),
    [
        ({"scheduled_time": "2026-11-24T11:50:00Z"}, True),
        ({"scheduled_time": "2026-11-24T11:49:59Z"}, False),
        ({"scheduled_time": "2026-11-23T12:00:00Z"}, False),
        ({"scheduled_time": "2026-11-24T12:30:00Z"}, True),
        ({"time": "2026-11-24T11:50:00Z", "source": "aws.events"}, True),
        ({"time": "2026-11-24T11:49:59Z", "source": "aws.events"}, False),
        ({"scheduled_time": "2026-11-24T11:50:00Z", "time": "2026-11-24T11:49:59Z"}, True),
        ({}, True),
        ({"scheduled_time": None}, True),
        ({"scheduled_time": "soon"}, True),
        ({"scheduled_time": 1}, True),
        ([], True),
        ("text", True),
        (None, True),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("told", [None, SKIPS], ids=["silent", "telling"])
def test_a_start_that_comes_late(given_, starts, told):
    """An execution that somebody starts by hand is never too late, whatever its input is."""
    played = play(made(starting_deadline="10m", skipped_topic_arn=told), [DONE] if starts else [], given=given_)
    assert (len(played.launches), played.error) == (starts, "")
    assert len(played.messages) == bool(told and not starts)
    if starts:
        assert played.output == DONE
    else:
        at = given_.get("scheduled_time") or given_["time"]
        reason = f"The job could not start within 600 seconds of {at}."
        assert played.output == {"skipped": "starting_deadline", "reason": reason}


ON_TIME = {"scheduled_time": STARTED}


@pytest.mark.parametrize(
    ("deadline", "options", "outcomes", "waits"),
    [
        (600, {}, [CAPACITY, CAPACITY, CAPACITY, DONE], [60, 120, 240]),
        (420, {}, [CAPACITY, CAPACITY, CAPACITY, DONE], [60, 120, 240]),
        (419, {}, [CAPACITY, CAPACITY, CAPACITY], [60, 120]),
        (59, {}, [CAPACITY], []),
        (59, {"retry_failures": FAILURES}, [CAPACITY], []),
        (59, {}, [NO_INSTANCE], []),
        (59, {"network_configuration": NETWORK, "rotate_subnets": True}, [CAPACITY], []),
        # A job that has failed has started.
        (90, {"retry_failures": {**FAILURES, "exit_codes": [75], "jitter": False}},
         [CAPACITY, ended(75), CAPACITY, CAPACITY, DONE], [60, 60, 60, 120]),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("notify", [None, TOPIC], ids=["silent", "notifying"])
def test_launches_are_not_repeated_after_the_deadline(deadline, options, outcomes, waits, notify):
    job = made(**{"retry_launch": STEADY, **options}, starting_deadline=deadline, notify_topic_arn=notify)
    played = play(job, outcomes, given=ON_TIME)
    last = outcomes[-1]
    assert (played.waits, played.error) == (waits, getattr(last, "error", ""))
    assert len(played.messages) == bool(played.error and notify)
    assert play(job, [*outcomes[:1], DONE], given={}).output == DONE, "by hand, nothing is too late"


def test_the_deadline_counts_before_other_executions_are_looked_at():
    job = made(starting_deadline=60, concurrency="forbid")
    late = play(job, [], given={"scheduled_time": "2026-11-24T11:00:00Z"})
    assert late.states == [names.START, gate.TOO_LATE, gate.SAY_LATE, gate.SKIPPED]
    assert play(job, [DONE], running=[[ME]], given=ON_TIME).states == [
        names.START, gate.TOO_LATE, gate.SETTLE, gate.LIST, gate.OTHERS, names.RUN,
    ]  # fmt: skip


# ---- what is told

PLACE = f"State machine: {MACHINE}\nExecution: {EXECUTION}\nStarted at: {STARTED}"


@pytest.mark.parametrize(
    ("options", "given_", "subject", "first"),
    [
        ({"concurrency": "forbid"}, {}, "ECS job nightly skipped", f"ECS job skipped: {OLD[0]} still runs."),
        (
            {"concurrency": "replace"},
            {},
            "ECS job nightly replaced",
            f"ECS job stopped and started again: {OLD[0]} still ran.",
        ),
        (
            {"starting_deadline": 60},
            {"time": "2026-11-24T11:00:00Z"},
            "ECS job nightly skipped",
            "ECS job skipped: The job could not start within 60 seconds of 2026-11-24T11:00:00Z.",
        ),
    ],
)
@pytest.mark.parametrize("problems", [0, 1, 4])
def test_a_message_about_a_skip(options, given_, subject, first, problems):
    """Nothing else depends on whether the message can be sent."""
    outcomes = [DONE] if options.get("concurrency") == "replace" else []
    running = [[ME, OLD]] if "concurrency" in options else []
    failed = [AslError("SNS.ThrottledException", "slow down")] * problems
    played = play(made(**options, skipped_topic_arn=SKIPS), outcomes, failed, running, given_)
    assert played.error == ""
    assert len(played.launches) == len(outcomes)
    assert len(played.messages) == min(problems + 1, 4)
    assert played.messages[0] == {"TopicArn": SKIPS, "Subject": subject, "Message": f"{first}\n{PLACE}"}


def test_a_job_that_may_always_start_is_as_it_was():
    assert made(concurrency="allow", starting_deadline=None, skipped_topic_arn=None) == made()
    assert "JSONata" not in json.dumps(made(notify_topic_arn=TOPIC))
