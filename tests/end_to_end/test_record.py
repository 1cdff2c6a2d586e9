# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A record on the service is untrusted input: forged records change nothing, and no task keeps a copy of a real one."""

from __future__ import annotations

import re

import pytest

from tests.end_to_end.programs import until, warnings
from tests.end_to_end.witness import RECORD_TAG, TOKENS_TAG, Witness

OURS = {RECORD_TAG, TOKENS_TAG}


def forged(sandbox, **fields):
    """Return a record that an abandoned run on another machine would have left, except for the given fields."""
    now = int(sandbox.state()["now"])
    words = {
        "v": 1, "o": 4, "s": 0, "b": f"{now - 60}.000", "k": "max_task_age", "c": f"{now - 3600}.000", "q": "-",
        "ph": "surged", "w": "0123abcd.77.4711.build-agent-9", "x": now - 1, **fields,
    }  # fmt: skip
    return " ".join(f"{key}={value}" for key, value in words.items())


def warned(result):
    return " ".join(warnings(result))


@pytest.fixture
def witness(sandbox):
    sandbox.service("web", tasks=4)
    return Witness(sandbox)


def forge(witness, **fields):
    witness.sandbox.act("tag", "web", tags={RECORD_TAG: forged(witness.sandbox, **fields)})


# ---- what a forged record would have done


@pytest.mark.parametrize(
    "fields", [{"o": 1, "s": 3}, {"o": 1, "s": 1000}, {"o": 1004, "s": 0}, {"o": 4, "s": 1000}], ids=str
)
@pytest.mark.parametrize("options", [{"state": "restored"}, {"max_task_age": "1h"}, {"max_task_age": "100d"}], ids=str)
def test_it_neither_takes_tasks_away_nor_adds_any(witness, recycle, fields, options):
    """The forged records would lead from 4 tasks to 0 or to 1,004."""
    forge(witness, **fields)
    result = recycle(**options)
    assert not result.get("failed"), result["msg"]
    witness.kept(surge=1 if options.get("max_task_age") == "1h" else 0)
    if options.get("max_task_age") == "1h":
        witness.replaced()
    else:
        assert witness.stops() == []
        witness.given_back()
    if fields["o"] < 4:
        assert "only 0 of them exist. No more are given back" in warned(result)


def test_a_count_of_0_is_no_record(witness, recycle):
    forge(witness, o=0, s=500)
    before = len(witness.calls())
    result = recycle(max_task_age="1h")
    assert "'o' is not from 1 to" in result["msg"]
    assert [call for call in witness.calls()[before:] if call["write"]] == []


def test_a_lease_in_the_year_9999_counts_as_ended(witness, recycle):
    forge(witness, x=253370764800)
    result = recycle(max_task_age="1h", wait_timeout=2)
    assert result["recycle"]["status"] == "recycled", result["msg"]
    assert "has a lease that no run can have written" in warned(result)
    witness.kept()
    witness.replaced()


def test_a_lease_of_less_than_a_day_is_waited_for(witness, recycle):
    forge(witness, x=int(witness.sandbox.state()["now"]) + 80000)
    assert "build-agent-9" in recycle(max_task_age="1h", wait_timeout=1)["msg"]
    assert witness.stops() == []


WRONG = {
    "b": "inf", "c": "nan", "x": "inf", "s": "-3", "o": "1e3", "k": "everything", "ph": "done", "w": "a/b",
    "q": "dynamic_in+dynamic_in", "p": "1+2+3+4",
}  # fmt: skip


@pytest.mark.parametrize("field", [*WRONG, "twice", "future"])
@pytest.mark.sampled(4)
def test_what_no_run_writes_is_told_and_can_be_removed(witness, recycle, field):
    forge(witness, **{field: WRONG.get(field)} if field in WRONG else {})
    named = field
    if field == "twice":
        named = "o"
        witness.sandbox.act("tag", "web", tags={RECORD_TAG: f"{witness.record()} o=1"})
    elif field == "future":
        named = "b"
        forge(witness, b=f"{int(witness.sandbox.state()['now']) + 4000}.000")
    text = witness.record()
    before = len(witness.calls())
    result = recycle(max_task_age="1h")
    assert f"{named!r} " in result["msg"]
    assert "run with state: restored, which removes the tag and changes nothing else" in result["msg"]
    assert recycle(state="restored", check=True)["changed"]
    assert [call for call in witness.calls()[before:] if call["write"]] == []

    result = recycle(state="restored", diff=True)
    assert (result["changed"], result["recycle"]["status"]) == (True, "restored")
    (diff,) = result["diff"] if isinstance(result["diff"], list) else [result["diff"]]
    assert (diff["before"], diff["after"]) == ({"record": text}, {"record": None})
    assert [call["operation"] for call in witness.calls()[before:] if call["write"]] == ["UntagResource"]
    witness.given_back()
    assert recycle(max_task_age="1h")["recycle"]["status"] == "recycled"
    witness.replaced()


def test_switches_are_not_turned_on_for_it(sandbox, recycle):
    sandbox.service("web", tasks=4, scaling={"min": 4, "max": 9})
    witness = Witness(sandbox)
    forge(witness, q="dynamic_out+scheduled")
    recycle(max_task_age="1h", suspend_scaling=[])
    assert [call for call in witness.calls("RegisterScalableTarget") if call["write"]] == []
    witness.replaced()


def test_the_scalable_minimum_is_kept(sandbox, recycle):
    sandbox.service("web", tasks=4, started=False, scaling={"min": 3, "max": 9})
    witness = Witness(sandbox)
    forge(witness, o=1, s=3, b=f"{int(sandbox.state()['now']) - 600}.000")
    recycle(state="restored")
    assert witness.now()["desired"] == 3
    assert witness.record() is None


def test_what_is_written_midway_is_written_over(sandbox, begin):
    sandbox.service("web", tasks=3)
    witness = Witness(sandbox)
    module = begin(max_task_age="1h")
    until(witness.stops, "the first stop")
    sandbox.act("tag", "web", tags={RECORD_TAG: "o=0 s=500"})
    result = module.result()
    assert result["recycle"]["status"] == "recycled"
    assert f"someone changed the tag {RECORD_TAG}" in warned(result)
    witness.kept()
    witness.replaced()


def test_forged_tokens(witness, recycle):
    first = recycle(token="build 7")
    assert first["recycle"]["status"] == "recycled"
    tokens = witness.now()["tags"][TOKENS_TAG]
    witness.sandbox.act("tag", "web", tags={TOKENS_TAG: re.sub(r"=\S+", "=99999999999.000", tokens)})
    again = recycle(token="build 7")
    assert again["recycle"]["status"] == "recycled"
    assert not recycle(token="build 7")["changed"]


def test_a_lease_has_bounds(sandbox, recycle):
    sandbox.service("web", tasks=2)
    witness = Witness(sandbox)
    assert "lease must be at most 86400 seconds" in recycle(max_task_age="1h", lease=86401)["msg"]
    witness.untouched()


# ---- copies of the record on tasks


def copies(witness):
    """Return the ARNs of the running tasks that carry one of our tags."""
    return [
        task["arn"]
        for task in witness.now()["tasks"]
        if task["desired_status"] == "RUNNING" and OURS & set(task["tags"])
    ]


@pytest.fixture
def copying(sandbox):
    sandbox.service("web", tasks=3, propagate_tags="SERVICE", tags={"team": "shop"}, health_check=True)
    return Witness(sandbox)


@pytest.mark.parametrize(
    "options", [{"max_task_age": "1h"}, {"token": "7"}, {"all_tasks": True, "stop_method": "scale_in"}]
)
def test_no_task_keeps_a_tag_of_ours(copying, recycle, options):
    result = recycle(**options)
    assert result["recycle"]["status"] == "recycled", result["msg"]
    untagged = [call["parameters"]["resourceArn"] for call in copying.calls("UntagResource")]
    assert len([arn for arn in untagged if ":task/" in arn]) >= 3, "they did carry one"
    assert copies(copying) == []
    new = [task for task in copying.now()["tasks"] if task["desired_status"] == "RUNNING"]
    assert [task["tags"] for task in new] == [{"team": "shop"}] * 3
    copying.kept()
    copying.given_back(tokens=True)


def test_a_service_that_copies_nothing_costs_no_call(witness, recycle):
    recycle(max_task_age="1h")
    assert [call["parameters"]["resourceArn"] for call in witness.calls("UntagResource")] == [witness.now()["arn"]]
    assert not any("include" in call["parameters"] for call in witness.calls("DescribeTasks"))


def test_giving_back_removes_them(copying, sandbox, recycle):
    sandbox.fault("launch_crashes", service="web", times=1, seconds=30)
    assert recycle(max_task_age="1h")["failed"]
    assert copies(copying) == []
    copying.given_back()


@pytest.mark.parametrize("options", [{"max_task_age": "1h"}, {"state": "restored"}])
def test_the_next_run_removes_what_a_killed_one_left(copying, sandbox, begin, recycle, options):
    module = begin(max_task_age="1h")
    until(lambda: len(copying.stops()) == 2, "two stops")
    module.kill()
    until(lambda: copies(copying), "a copy")
    assert not recycle(**options).get("failed")
    assert copies(copying) == []
    copying.given_back()


def test_what_a_run_left_that_was_killed_after_its_record_was_gone(copying, recycle):
    recycle(max_task_age="1h")
    copying.sandbox.act("tag_task", "web", task="newest", tags={RECORD_TAG: "a copy"})
    assert recycle(max_task_age="1h", check=True)["changed"]
    assert copies(copying)
    told = recycle(max_task_age="1h")
    assert (told["changed"], told["recycle"]["status"]) == (True, "restored")
    assert copies(copying) == []
    assert not recycle(max_task_age="1h")["changed"]


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("User: x is not authorized to perform: ecs:UntagResource on resource: y", "Allow ecs:UntagResource"),
        (
            "User: x is not authorized to perform: ecs:UntagResource on resource: y with an explicit deny in a"
            " service control policy",
            "An explicit deny in a service control policy forbids ecs:UntagResource",
        ),
    ],
)
def test_a_refusal_is_a_warning_with_advice_that_fits(copying, sandbox, recycle, message, advice):
    """The module removes the record itself with the same operation, so only calls for tasks are refused."""
    sandbox.fault("access_denied", operations=["UntagResource"], message=message, nth=1)
    result = recycle(max_task_age="1h")
    assert result["recycle"]["status"] == "recycled", result["msg"]
    assert advice in warned(result)


def test_an_organisation_that_forbids_the_tag(witness, sandbox, recycle):
    said = "User: x is not authorized to perform: ecs:TagResource on resource: y with an explicit deny in a service"
    sandbox.fault("access_denied", operations=["TagResource"], message=f"{said} control policy")
    result = recycle(max_task_age="1h")
    assert "An explicit deny in a service control policy forbids ecs:TagResource" in result["msg"]
    assert "Allow ecs:TagResource" not in result["msg"]
    assert witness.stops() == []
