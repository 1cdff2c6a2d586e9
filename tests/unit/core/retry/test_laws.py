# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Laws that hold for every record."""

from __future__ import annotations

import json
import time

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry import message
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.backoff import delay
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.decide import call_of, decide, without_doubles
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.deliveries import read_delivery
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.model import GiveUp, Ignore, Retry, Wish
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.options import RetryOptions
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.records import (
    from_answer,
    from_cloudtrail,
    from_error,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.request import PARAMETERS, why_not
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import examples
from tests.unit.core.retry.samples import CAPACITY, NOON, REGION, WHOLE, cloudtrail, event, messages, subscription

TEXTS = st.text(min_size=1, max_size=12).filter(lambda text: "*" not in text)
LEAVES = st.one_of(st.booleans(), st.integers(-9, 9), TEXTS)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
)
SUBNETS = st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True, min_size=1)
PARTS = {
    "capacityProviderStrategy": st.lists(
        st.fixed_dictionaries(
            {"capacityProvider": st.sampled_from(["FARGATE_SPOT", "FARGATE", "ec2"])},
            optional={"weight": st.integers(0, 9), "base": st.integers(0, 9)},
        ),
        max_size=3,
    ),
    "networkConfiguration": st.fixed_dictionaries(
        {"awsvpcConfiguration": st.fixed_dictionaries({"subnets": SUBNETS}, optional={"securityGroups": SUBNETS})}
    ),
    "overrides": st.fixed_dictionaries(
        {},
        optional={
            "containerOverrides": st.lists(
                st.fixed_dictionaries({"name": TEXTS}, optional={"command": st.lists(TEXTS), "cpu": st.integers(0, 9)}),
                max_size=3,
            ),
            "cpu": TEXTS,
            "ephemeralStorage": st.fixed_dictionaries({"sizeInGiB": st.integers(21, 200)}),
        },
    ),
    "tags": st.lists(
        st.fixed_dictionaries({"key": TEXTS, "value": TEXTS}), unique_by=lambda tag: tag["key"], max_size=50
    ),
    "count": st.integers(1, 10),
}
SIMPLE = {str: TEXTS, bool: st.booleans(), list: st.lists(VALUES, max_size=3), dict: st.just({}), int: st.just(1)}
REQUESTS = st.fixed_dictionaries(
    {"taskDefinition": TEXTS},
    optional={name: PARTS.get(name, SIMPLE[kind]) for name, kind in PARAMETERS.items() if name != "taskDefinition"},
)
CHANCES = st.floats(0, 1, exclude_max=True)
OPEN = RetryOptions(left_alone_started_by=(), left_alone_clusters=(), max_attempts=50, allow_execute_command=True)
KNOWN = RetryOptions(launch_templates={"report": {"overrides": WHOLE["overrides"]}})
DOCUMENTED = {"count", "clientToken", "startedBy", "tags", "networkConfiguration"}


def refuse(request, started=0, attempt_id="id"):
    tasks = [{"taskArn": f"task-{number}"} for number in range(started)]
    answered = {"tasks": tasks, "failures": [{"reason": CAPACITY}]}
    return from_cloudtrail(cloudtrail(request, answered, eventID=attempt_id), REGION)


@given(REQUESTS)
def test_nothing_is_lost(request):
    decision = decide(refuse(request), 0, OPEN, NOON, lambda: 0.5)
    assert isinstance(decision, Retry)
    made = decision.request
    assert made.keys() - request.keys() <= {"count", "clientToken", "startedBy", "tags"}
    assert {k: v for k, v in made.items() if k not in DOCUMENTED} == {
        k: v for k, v in request.items() if k not in DOCUMENTED
    }
    assert made["count"] == request.get("count", 1)
    ours = {"retry-attempt", "retry-origin", "original-started-by"}
    assert all(tag in made["tags"] for tag in request.get("tags", []) if tag["key"] not in ours)
    assert len(made["tags"]) <= 50
    if "networkConfiguration" in request:
        before, after = (each["networkConfiguration"]["awsvpcConfiguration"] for each in (request, made))
        assert sorted(before["subnets"]) == sorted(after["subnets"])
        assert {k: v for k, v in before.items() if k != "subnets"} == {k: v for k, v in after.items() if k != "subnets"}


@given(REQUESTS, st.integers(1, 50), CHANCES)
def test_a_wish_survives_the_queue(request, attempt, chance):
    wish = Wish("origin", NOON, REGION, request, 1, attempt, attempt)
    (found,) = read_delivery(messages(message.written(wish)), REGION)
    assert found.wish == wish
    assert call_of(found.wish, OPEN) == call_of(wish, OPEN)


@given(st.integers(1, 10), st.lists(st.one_of(st.none(), st.integers(0, 10)), max_size=20), CHANCES)
def test_never_more_tasks_than_were_asked_for(count, answers, chance):
    """Each attempt gets an error (None), or starts some of the tasks that it requests."""
    decision = decide(refuse({"taskDefinition": "report", "count": count}), 0, OPEN, NOON, lambda: chance)
    running = 0
    for number, answered in enumerate(answers):
        if not isinstance(decision, Retry):
            break
        wish = decision.wish
        assert decision.request["count"] == count - running
        if answered is None:
            record = from_error(wish, "ThrottlingException", "Rate exceeded")
        else:
            started = min(answered, decision.request["count"])
            tasks = [{"taskArn": f"{number}-{each}"} for each in range(started)]
            running += started
            failures = [{"reason": CAPACITY}] if started < decision.request["count"] else []
            record = from_answer(wish, {"tasks": tasks, "failures": failures})
        decision = decide(record, wish.attempt, OPEN, NOON, lambda: chance)
    assert running <= count
    assert isinstance(decision, Ignore) == (running == count)


@given(st.integers(1, 60), st.integers(1, 900), st.integers(1, 900), CHANCES)
def test_a_delay_has_bounds(attempt, base, cap, chance):
    waited = delay(attempt, base, cap, lambda: chance)
    assert 0 <= waited <= min(cap, base * 2 ** (attempt - 1), 900)


@given(st.integers(1, 60), st.integers(1, 900))
def test_the_jitter_is_full(attempt, base):
    longest = min(900, base * 2 ** (attempt - 1))
    assert delay(attempt, base, 900, lambda: 0.0) == 0
    assert delay(attempt, base, 900, lambda: 1 - 1e-9) == longest


@given(st.integers(0, 60), CHANCES, st.floats(0, 200_000))
def test_attempts_and_age_have_bounds(attempt, chance, age):
    options = RetryOptions(max_attempts=6, max_age=3600)
    wish = Wish("origin", NOON, REGION, {"taskDefinition": "a"}, 1, max(1, attempt), max(1, attempt))
    decision = decide(
        from_answer(wish, {"failures": [{"reason": "AGENT"}]}), attempt, options, NOON + age, lambda: chance
    )
    assert isinstance(decision, GiveUp if attempt >= 6 or age >= 3601 else (Retry, GiveUp))
    if isinstance(decision, Retry):
        assert decision.wish.attempt <= 6
        assert age + decision.delay <= 3600


@given(REQUESTS, st.lists(CHANCES, min_size=3, max_size=3))
def test_delivered_thrice_it_is_one_call(request, chances):
    calls = [decide(refuse(request), 0, OPEN, NOON, lambda c=chance: c).request for chance in chances]
    assert calls[0] == calls[1] == calls[2]


@given(st.integers(1, 40), st.integers(1, 40))
def test_attempts_have_tokens_of_their_own(one, other):
    wishes = [Wish("origin", NOON, REGION, WHOLE, 1, attempt, attempt) for attempt in (one, other)]
    tokens = [call_of(wish, OPEN)["clientToken"] for wish in wishes]
    assert (tokens[0] == tokens[1]) == (one == other)
    assert all(33 <= ord(char) <= 126 for char in tokens[0])


@given(st.sets(st.integers(0, 20)), st.sets(st.integers(0, 20)), st.integers(1, 10))
def test_doubles_are_never_asked_for_again(known, running, missing):
    arns = tuple(map(str, sorted(known)))
    wish = Wish("origin", NOON, REGION, {"taskDefinition": "a"}, missing, 2, 2, started=arns)
    rest = without_doubles(wish, tuple(map(str, sorted(running))))
    doubles = len(running - known)
    assert isinstance(rest, Ignore) if doubles >= missing else rest.missing == missing - doubles


@given(VALUES | st.none())
def test_anything_at_all_is_read_without_an_exception(value):
    for delivery in (value, event(value), subscription(json.dumps(value)), {"Records": [value]}, {"awslogs": value}):
        for found in read_delivery(delivery, REGION):
            assert found.problem or found.record is None or isinstance(why_not(found.record.request), str)


@pytest.mark.parametrize("asked", [None, WHOLE], ids=["of a schedule", "with everything"])
def test_a_storm(asked):
    """There is no time limit, which a busy machine would exceed; the test prints the time."""
    texts = [json.dumps(cloudtrail(asked, eventID=str(number))) for number in range(examples(1_000))]
    begun = time.process_time()
    decisions = [decide(from_cloudtrail(json.loads(text), REGION), 0, KNOWN, NOON, lambda: 0.5) for text in texts]
    print(f"{len(texts)} records: {time.process_time() - begun:.2f} s of processor time")
    assert len({decision.request["clientToken"] for decision in decisions}) == len(texts)
