# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Retry, give up or ignore."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.callers import Caller
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.decide import (
    call_of,
    decide,
    not_allowed,
    too_late,
    without_doubles,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.model import GiveUp, Ignore, Retry, Wish
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.options import RetryOptions, read_options
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.records import (
    from_answer,
    from_cloudtrail,
    from_error,
    from_task_event,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.request import started_by

from tests.unit.core.retry.samples import (
    ACCOUNT,
    CAPACITY,
    NOON,
    OWN_ROLE,
    REGION,
    ROLE,
    answer,
    caller,
    cloudtrail,
    refused,
    request,
    stopped,
)

TEMPLATE = {"networkConfiguration": request()["networkConfiguration"], "tags": [{"key": "team", "value": "shop"}]}


def overridden(name="app", **more):
    return {"containerOverrides": [{"name": name, **more}]}


def middle() -> float:
    return 0.5


def about(record, now=NOON, attempt=0, **options):
    launch = from_cloudtrail(record, REGION)
    options = read_options({"trusted_callers": [ROLE], **options}, ACCOUNT, REGION)
    return decide(launch, attempt, options, now, middle)


def about_task(event, now=NOON, **options):
    options = read_options({"launch_templates": {"report": TEMPLATE}, **options})
    return decide(from_task_event(event, REGION), 0, options, now, middle)


@pytest.mark.parametrize(
    "record",
    [
        cloudtrail(),
        cloudtrail(answered=answer(0, "AGENT")),
        cloudtrail(answered=answer(0, "RESOURCE:MEMORY", "RESOURCE:CPU")),
        cloudtrail(answered=answer(0, "ATTRIBUTE", "RESOURCE:CPU")),
        refused("ThrottlingException", "Rate exceeded"),
        refused("ServerException", "Service Unavailable. Please try again later."),
        {k: v for k, v in cloudtrail().items() if k not in ("eventSource", "userIdentity", "eventID", "awsRegion")},
    ],
)
def test_what_passes_is_retried(record):
    decision = about(record)
    assert isinstance(decision, Retry)
    assert (decision.delay, decision.wish.attempt, decision.wish.missing) == (30, 1, 1)
    assert decision.request == call_of(decision.wish, RetryOptions())


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (refused("AccessDenied"), "the record has no request parameters"),
        (refused("AccessDeniedException", requestParameters=request()), "refused again"),
        (refused("ClusterNotFoundException", "Cluster not found."), "refused again"),
        (refused("ClientException", "TaskDefinition is inactive"), "refused again"),
        (refused("InvalidParameterException"), "refused again"),
        (cloudtrail(answered=answer(0, "ATTRIBUTE")), "refused again"),
        (cloudtrail(answered=answer(0, "You've reached the limit on the number of tasks")), "retry_quota"),
        (
            cloudtrail(request(overrides="HIDDEN_DUE_TO_SECURITY_REASONS")),
            "CloudTrail hides overrides, and the launch template of the family report does not",
        ),
        (cloudtrail({"cluster": "prod"}), "has no taskDefinition"),
    ],
)
@pytest.mark.parametrize("service", ["events.amazonaws.com", "scheduler.amazonaws.com", ""])
def test_what_stays_is_given_up_at_once(record, words, service):
    """This holds for any caller: EventBridge does not repeat or report a call that lacks a permission."""
    decision = about({**record, "userIdentity": caller(invokedBy=service)})
    assert isinstance(decision, GiveUp)
    assert words in decision.why


@pytest.mark.parametrize(
    ("record", "options", "words"),
    [
        (cloudtrail(answered=answer(1)), {}, "no task was refused"),
        (cloudtrail(answered=answer(1, "RESOURCE:CPU")), {}, "every task was started"),
        (refused("ConflictException"), {}, "requested before"),
        (refused("Client.ConflictException"), {}, "requested before"),
        (cloudtrail(request(startedBy="AWS Step Functions")), {}, "retries by itself"),
        (cloudtrail(request(startedBy="ecs-svc/123")), {}, "retries by itself"),
        (cloudtrail(request(startedBy="pipeline-7")), {"left_alone_started_by": ["pipeline-*"]}, "retries by itself"),
        (cloudtrail(request(cluster="AWSBatch-jobs-0a1b")), {}, "left alone"),
        (cloudtrail(request(cluster="jobs_Batch_0a1b")), {}, "left alone"),
        (cloudtrail(userIdentity=caller(invokedBy="states.amazonaws.com")), {}, "retries by itself"),
        (refused("AccessDenied", userIdentity=caller(invokedBy="batch.amazonaws.com")), {}, "retries by itself"),
        (refused("ThrottlingException", userIdentity=caller(invokedBy="events.amazonaws.com")), {}, "repeats calls"),
        (
            refused(
                "ClientException",
                "Tasks provisioning capacity limit exceeded.",
                userIdentity=caller(invokedBy="scheduler.amazonaws.com"),
            ),
            {},
            "repeats calls",
        ),
        (cloudtrail(userIdentity=caller(OWN_ROLE)), {"own_role_arns": [OWN_ROLE]}, "it is a retry"),
        (cloudtrail(request(startedBy=started_by("x", 3))), {}, "it is a retry"),
        (cloudtrail(), {"clusters": ["test"]}, "prod is not among"),
        (cloudtrail({"taskDefinition": "report"}), {"clusters": ["prod"]}, "default is not among"),
        (cloudtrail(), {"families": ["import"]}, "report is not among"),
        (cloudtrail(), {"clusters": ["prod"], "families": ["import"]}, "report is not among"),
        (cloudtrail({"cluster": "prod"}), {"families": ["None", "mutant"]}, "is not among"),
        (cloudtrail(), {"left_alone_clusters": ["test", "pr*"]}, "prod is left alone"),
        (cloudtrail(recipientAccountId="999988887777"), {}, "account 999988887777"),
        (cloudtrail(awsRegion="us-east-1"), {}, "region us-east-1"),
        (cloudtrail(), {"rules": [{"action": "ignore", "launch_failure": True}]}, "a rule says ignore"),
    ],
)
def test_what_is_none_of_our_business(record, options, words):
    decision = about(record, **options)
    assert isinstance(decision, Ignore)
    assert words in decision.why


@pytest.mark.parametrize(
    ("record", "options"),
    [
        (cloudtrail(), {"clusters": ["arn:aws:ecs:eu-central-1:111122223333:cluster/prod"], "families": ["report"]}),
        (cloudtrail({"taskDefinition": "report"}), {"clusters": ["default"]}),
        (cloudtrail(answered=answer(0, "You've reached the limit on the number of vCPUs")), {"retry_quota": True}),
        (cloudtrail(answered=answer(0, "ATTRIBUTE")), {"rules": [{"action": "retry", "reasons": ["^ATTR"]}]}),
        (
            refused("ThrottlingException", userIdentity=caller(invokedBy="events.amazonaws.com")),
            {"errors_left_to": []},
        ),
        (cloudtrail(request(startedBy="AWS Step Functions")), {"left_alone_started_by": []}),
        (cloudtrail(), {"left_alone_started_by": ["?*"]}),  # the caller gave no startedBy
        (cloudtrail({"taskDefinition": "report"}), {"left_alone_clusters": ["None"]}),
        (cloudtrail(recipientAccountId="", userIdentity={}), {}),
        (
            cloudtrail(),
            {"rules": [{"action": "fail", "exit_codes": [1]}, {"action": "ignore", "reasons": ["nothing like it"]}]},
        ),
    ],
)
def test_options_let_in_what_is_wanted(record, options):
    assert isinstance(about(record, **options), Retry)


@pytest.mark.parametrize(
    ("record", "options", "expected"),
    [
        (cloudtrail(answered=answer(0, "ATTRIBUTE")), {"retry_quota": True}, GiveUp),
        (refused("InvalidParameterException"), {"retry_quota": True}, GiveUp),
        (cloudtrail(answered=answer(0, "VcpuLimitExceeded")), {"retry_quota": True}, Retry),
        (refused("ClientException", "VcpuLimitExceeded"), {"retry_quota": True}, Retry),
        (cloudtrail(answered=answer(0, "VcpuLimitExceeded")), {"retry_quota": False}, GiveUp),
        (cloudtrail(answered=answer(0, "VcpuLimitExceeded", "RESOURCE:CPU")), {"retry_quota": False}, Retry),
        (cloudtrail(answered=answer(0, "VcpuLimitExceeded", "ATTRIBUTE")), {"retry_quota": False}, GiveUp),
        (refused("ClientException", "Rate exceeded"), {}, Retry),
    ],
)
def test_a_quota_is_waited_for_and_nothing_else(record, options, expected):
    decision = about(record, **options)
    assert isinstance(decision, expected)
    if expected is GiveUp:
        assert ("quota" in decision.why) == ("Vcpu" in str(record))


@pytest.mark.parametrize(
    ("record", "callers", "expected"),
    [
        (refused("ThrottlingException", "Rate exceeded"), [], GiveUp),
        (refused("ServerException", "Service Unavailable"), [], GiveUp),
        (refused("ThrottlingException"), ["arn:aws:iam::111122223333:role/pipeline-*"], GiveUp),
        (refused("ThrottlingException"), ["arn:aws:iam::111122223333:role/ev*"], Retry),
        (refused("ThrottlingException", userIdentity={"type": "IAMUser", "arn": "u"}), ["u"], Retry),
        (refused("ThrottlingException", userIdentity={}), ["?*"], GiveUp),
        # The call got as far as Amazon EC2, or as the search for capacity.
        (refused("InvalidParameterException", "x (ErrorCode: RequestLimitExceeded)"), [], Retry),
        (cloudtrail(), [], Retry),
    ],
)
def test_errors_before_the_look_at_permissions_are_retried_for_trusted_callers(record, callers, expected):
    """ECS documents no order, so it is assumed that throttling comes first: a retry must not be a way around IAM."""
    assert isinstance(about(record, trusted_callers=callers), expected)


def test_an_error_that_stays_is_no_question_of_trust():
    decision = about(refused("ClientException", "TaskDefinition is inactive"), trusted_callers=[])
    assert decision == GiveUp("it would be refused again")


ENVIRONMENT = [{"name": "TOKEN", "value": "s3cr3t-value"}]
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
KNOWN = {"launch_templates": {"report": {"overrides": overridden(environment=ENVIRONMENT)}}}


@pytest.mark.parametrize(
    ("overrides", "options", "expected"),
    [
        (overridden(environment=HIDDEN), KNOWN, overridden(environment=ENVIRONMENT)),
        (overridden(environment="a mark that nobody knows"), KNOWN, overridden(environment=ENVIRONMENT)),
        (overridden(environment=[{"name": "TOKEN", "value": "<secured>"}]), KNOWN, overridden(environment=ENVIRONMENT)),
        (overridden(environment=["?"], command=["run"]), KNOWN, overridden(environment=ENVIRONMENT, command=["run"])),
        (HIDDEN, KNOWN, overridden(environment=ENVIRONMENT)),
        ({"containerOverrides": HIDDEN, "cpu": "512"}, KNOWN, {**overridden(environment=ENVIRONMENT), "cpu": "512"}),
        (overridden(environment=[], command=["run"]), {}, overridden(environment=[], command=["run"])),
        (overridden(command=["run"]), KNOWN, overridden(command=["run"])),
        (overridden(environment=HIDDEN), {}, None),
        (overridden(environment=ENVIRONMENT), {}, None),
        (overridden(environment=HIDDEN, name="side"), KNOWN, None),
        (overridden(command=[HIDDEN]), KNOWN, None),
        (overridden(environment=HIDDEN), {"launch_templates": {"other": KNOWN["launch_templates"]["report"]}}, None),
        (
            overridden(environment=HIDDEN),
            {"launch_templates": {"report": {"overrides": overridden(environment=[{"name": "A", "value": "x"}])}}},
            overridden(environment=[{"name": "A", "value": "x"}]),
        ),
    ],
)
def test_what_is_hidden_comes_from_the_launch_template(overrides, options, expected):
    decision = about(cloudtrail(request(overrides=overrides)), **options)
    if expected is None:
        assert isinstance(decision, GiveUp)
        assert "CloudTrail hides overrides.containerOverrides[0]." in decision.why
    else:
        assert decision.request["overrides"] == expected


@pytest.mark.parametrize(
    ("started_by", "overrides", "answered", "asked"),
    [
        ("chronos-schedule/nightly", overridden(environment=HIDDEN), None, True),
        ("events-rule/nightly", overridden(environment=HIDDEN), None, True),
        ("pipeline", overridden(environment=HIDDEN), None, False),
        ("chronos-schedule/nightly", overridden(command=["run"]), None, False),
        ("chronos-schedule/nightly", overridden(environment=HIDDEN), answer(0, "ATTRIBUTE"), False),
        ("chronos-schedule/nightly", overridden(environment=HIDDEN), answer(1), False),
    ],
)
def test_a_caller_is_asked_only_when_its_answer_is_wanted(started_by, overrides, answered, asked):
    record = cloudtrail(request(startedBy=started_by, overrides=overrides), answered)
    assert isinstance(about(record, rebuild_hidden=True), Caller) == asked
    assert not isinstance(about(record), Caller)


def test_what_is_still_hidden_after_it_was_rebuilt_is_given_up():
    """A request is rebuilt only once, and the message of a retry contains what its request had."""
    options = read_options({**KNOWN, "rebuild_hidden": True, "trusted_callers": [ROLE]}, ACCOUNT, REGION)
    hidden = request(startedBy="events-rule/nightly", overrides=overridden(environment=HIDDEN))
    wish = Wish("origin", NOON, REGION, hidden, 1)
    rebuilt = replace(from_cloudtrail(cloudtrail(hidden), REGION), rebuilt=True)
    for launch in (rebuilt, from_answer(wish, answer(0, CAPACITY))):
        decision = decide(launch, 0, options, NOON, middle)
        assert isinstance(decision, GiveUp)
        assert "the request cannot be repeated" in decision.why


GOOD = Wish("origin", NOON, REGION, request(count=3), 3)
UNCOUNTED = {key: value for key, value in request().items() if key != "count"}


@pytest.mark.parametrize(
    ("wish", "options", "words"),
    [
        (GOOD, {}, ""),
        (GOOD, {"clusters": ["prod"], "families": ["report"]}, ""),
        (GOOD, {"clusters": ["test"]}, "the cluster prod is not among"),
        (GOOD, {"families": ["import"]}, "the family report is not among"),
        (replace(GOOD, region="us-east-1"), {}, "the region us-east-1"),
        (replace(GOOD, attempt=6), {}, ""),
        (replace(GOOD, attempt=7), {}, "it is attempt 7, and max_attempts is 6"),
        (replace(GOOD, attempt=10**9, bears=10**9), {}, "max_attempts is 6"),
        (replace(GOOD, missing=4), {}, "more tasks than the call did"),
        (replace(GOOD, request=request()), {}, "more tasks than the call did"),
        (replace(GOOD, request=UNCOUNTED, missing=1), {}, ""),
        (replace(GOOD, request=UNCOUNTED, missing=2), {}, "more tasks than the call did"),
        # Of several problems, the first is named.
        (replace(GOOD, region="us-east-1"), {"clusters": ["test"]}, "the cluster prod is not among"),
        (replace(GOOD, region="us-east-1", attempt=7), {}, "the region us-east-1"),
        (replace(GOOD, request=request(count=11)), {}, "more than 10 tasks"),
        (replace(GOOD, request=request(overrides={"cpu": "***"})), {}, "overrides.cpu is hidden"),
    ],
)
def test_a_message_is_held_against_the_options(wish, options, words):
    found = not_allowed(wish, read_options(options, ACCOUNT, REGION))
    assert words in found.why if words else found is None
    assert not_allowed(GOOD, read_options({})) is None  # these options name no region


@pytest.mark.parametrize("allowed", [False, True])
def test_roles_and_exec_are_those_of_the_task_definition_unless_allowed(allowed):
    roles = {"taskRoleArn": "arn:aws:iam::111122223333:role/admin", "executionRoleArn": "arn:aws:iam::1:role/e"}
    asked = request(enableExecuteCommand=True, overrides={"cpu": "512", **roles})
    options = {"allow_role_overrides": allowed, "allow_execute_command": allowed}
    made = about(cloudtrail(asked), **options).request
    assert made["overrides"] == ({"cpu": "512", **roles} if allowed else {"cpu": "512"})
    assert ("enableExecuteCommand" in made) == allowed


TASK_ROLE, OTHER_ROLE = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("jobs/report", "import"))
PASSED = {"allow_role_overrides": True, "pass_role_arns": {"report": [TASK_ROLE], "import": [OTHER_ROLE]}}


@pytest.mark.parametrize(
    ("overrides", "options", "goes"),
    [
        ({"taskRoleArn": TASK_ROLE, "executionRoleArn": TASK_ROLE}, PASSED, True),
        ({"taskRoleArn": "jobs/report"}, PASSED, True),
        ({"cpu": "512"}, PASSED, True),
        ({"taskRoleArn": OTHER_ROLE}, PASSED, False),
        ({"taskRoleArn": "import"}, PASSED, False),
        ({"taskRoleArn": TASK_ROLE, "executionRoleArn": OTHER_ROLE}, PASSED, False),
        ({"taskRoleArn": OTHER_ROLE}, {"allow_role_overrides": True}, True),
        ({"taskRoleArn": TASK_ROLE}, {**PASSED, "pass_role_arns": {"import": [OTHER_ROLE]}}, False),
        ({"taskRoleArn": OTHER_ROLE}, {**PASSED, "allow_role_overrides": False}, True),  # without that role
    ],
)
def test_a_family_is_not_given_the_role_of_another(overrides, options, goes):
    asked = request(overrides=overrides)
    decision = about(cloudtrail(asked), **options)
    refused = not_allowed(replace(GOOD, request=request(count=3, overrides=overrides)), read_options(options))
    assert isinstance(decision, Retry if goes else GiveUp)
    assert (refused is None) == goes
    if not goes:
        assert "a role that is not among those of the family report" in decision.why
        assert "a role that is not among those of the family report" in refused.why


def test_a_wish_is_all_that_the_record_tells():
    asked = request(count=3, clientToken="theirs")
    arns = tuple(task["taskArn"] for task in answer(2)["tasks"])
    assert about(cloudtrail(asked, answer(2, CAPACITY))).wish == Wish(
        cloudtrail()["eventID"], NOON, REGION, asked, 1, started=arns
    )
    assert about(refused("ServerException", asked=asked)).wish == Wish("theirs", NOON, REGION, asked, 3, token="theirs")
    plain = about(refused("ServerException", asked={"taskDefinition": "report"})).wish
    assert (plain.missing, plain.token) == (1, "")


def test_without_an_account_of_its_own_it_works_in_any():
    launch = from_cloudtrail(cloudtrail(), REGION)
    assert isinstance(decide(launch, 0, RetryOptions(), NOON, middle), Retry)
    assert isinstance(decide(launch, 0, RetryOptions(account=ACCOUNT), NOON, middle), Retry)
    assert isinstance(decide(launch, 0, RetryOptions(account="999988887777"), NOON, middle), Ignore)


def test_a_request_that_is_not_in_the_record_is_in_every_scope():
    decision = about(refused("AccessDenied"), clusters=["test"], families=["import"])
    assert isinstance(decision, GiveUp)
    assert "no request parameters" in decision.why


def test_what_was_begun_goes_on_though_the_options_now_leave_it_alone():
    wish = about(cloudtrail(request(startedBy="nightly"))).wish
    options = read_options({"clusters": ["test"], "left_alone_started_by": ["nightly"]})
    assert isinstance(decide(from_answer(wish, answer(0, CAPACITY)), 1, options, NOON, middle), Retry)


def test_the_status_of_an_answer_counts():
    wish = about(cloudtrail()).wish
    assert isinstance(decide(from_error(wish, "Odd", "", 503), 1, RetryOptions(), NOON, middle), Retry)
    assert isinstance(decide(from_error(wish, "Odd", "", 403), 1, RetryOptions(), NOON, middle), GiveUp)


def test_the_token_of_the_caller_is_borne_by_the_very_same_call_alone():
    """With another request, the token would cause a ConflictException, according to ECS's page on client tokens."""
    asked = request(count=2, clientToken="theirs")
    wish = about(refused("ServerException", asked=asked)).wish
    same = decide(from_error(wish, "ServerException", "?", 500), 1, RetryOptions(), NOON, middle)
    assert same.request == call_of(wish, RetryOptions())
    assert same.request["clientToken"] == "theirs"
    fewer = decide(from_answer(same.wish, answer(1, CAPACITY)), 2, RetryOptions(), NOON, middle)
    assert (fewer.request["count"], fewer.wish.token) == (1, "")
    assert fewer.request["clientToken"] != "theirs"


def test_what_was_started_before_is_not_asked_for_again():
    wish = about(cloudtrail(request(count=3), answer(2, CAPACITY))).wish
    again = decide(from_answer(wish, answer(0, CAPACITY)), 1, RetryOptions(), NOON, middle)
    assert (again.wish.missing, again.request["count"], again.wish.started) == (1, 1, wish.started)


def test_a_task_that_is_told_twice_is_one():
    tasks = answer(2)["tasks"]
    record = cloudtrail(request(count=3), {"tasks": [*tasks, tasks[0]], "failures": [{"reason": CAPACITY}]})
    wish = about(record).wish
    assert wish.missing == 1
    again = decide(from_answer(replace(wish, missing=3), answer(1, CAPACITY)), 1, RetryOptions(), NOON, middle)
    assert sorted(again.wish.started) == sorted(task["taskArn"] for task in tasks)


@pytest.mark.parametrize(("attempt", "delay"), [(1, 60), (2, 120), (3, 150)])
def test_delays_grow_from_base_to_max(attempt, delay):
    """``middle`` draws half of the bound: base * 2^attempt, at most max_delay."""
    wish = replace(about(cloudtrail()).wish, attempt=attempt, bears=attempt)
    options = RetryOptions(base_delay=60, max_delay=300)
    assert decide(from_answer(wish, answer(0, CAPACITY)), attempt, options, NOON, middle).delay == delay


@pytest.mark.parametrize(
    ("options", "subnets", "tagged", "provider"),
    [
        (RetryOptions(), ["subnet-a", "subnet-b", "subnet-c"], True, "FARGATE_SPOT"),
        (RetryOptions(fargate_after=2), ["subnet-a", "subnet-b", "subnet-c"], True, "FARGATE"),
        (RetryOptions(fargate_after=3), ["subnet-a", "subnet-b", "subnet-c"], True, "FARGATE_SPOT"),
        (RetryOptions(rotate_subnets=False, fargate_after=2), ["subnet-c", "subnet-a", "subnet-b"], True, "FARGATE"),
        (RetryOptions(tag_tasks=False), ["subnet-a", "subnet-b", "subnet-c"], False, "FARGATE_SPOT"),
    ],
)
def test_a_call_is_what_the_options_say(options, subnets, tagged, provider):
    asked = request(capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT"}])
    asked["networkConfiguration"] = {"awsvpcConfiguration": {"subnets": ["subnet-c", "subnet-a", "subnet-b"]}}
    fourth, third = (call_of(Wish("origin", NOON, REGION, asked, 1, each, each), options) for each in (4, 3))
    assert fourth["networkConfiguration"]["awsvpcConfiguration"]["subnets"] == subnets
    assert ("tags" in fourth) == tagged
    assert third["capacityProviderStrategy"] == [{"capacityProvider": provider}]


def test_the_first_rule_that_fits_decides():
    rules = [{"action": "fail", "reasons": ["Capacity"]}, {"action": "retry", "launch_failure": True}]
    assert about(cloudtrail(), rules=rules) == GiveUp("a rule says fail")
    assert isinstance(about(cloudtrail(), rules=rules[::-1]), Retry)


def test_a_rule_cannot_make_whole_what_was_hidden():
    decision = about(refused("AccessDenied"), rules=[{"action": "retry", "launch_failure": True}])
    assert isinstance(decision, GiveUp)


def test_only_what_is_missing_is_asked_for():
    decision = about(cloudtrail(request(count=10), answer(7, CAPACITY, CAPACITY, CAPACITY)))
    assert decision.request["count"] == decision.wish.missing == 3
    assert len(decision.wish.started) == 7


def test_a_reason_for_each_instance_is_not_a_task_each():
    decision = about(cloudtrail(request(count=2), answer(1, "RESOURCE:CPU", "RESOURCE:CPU", "RESOURCE:MEMORY")))
    assert decision.wish.missing == 1


@pytest.mark.parametrize(
    ("attempt", "now", "expected"),
    [
        (5, NOON + 1, Retry),
        (6, NOON + 1, GiveUp),
        (0, NOON + 3599, Retry),
        (0, NOON + 3600, Retry),
        (0, NOON + 3601, GiveUp),
    ],
)
def test_attempts_and_age_are_bounded(attempt, now, expected):
    wish = Wish("origin", NOON, REGION, request(), 1, attempt, attempt) if attempt else None
    record = from_answer(wish, answer(0, CAPACITY)) if wish else from_cloudtrail(cloudtrail(), REGION)
    assert isinstance(decide(record, attempt, RetryOptions(max_age=3600), now, middle), expected)


def test_no_attempt_lies_beyond_the_age():
    assert about(cloudtrail(), now=NOON + 3590, max_age=3600).delay == 10
    assert about(cloudtrail(), now=NOON + 3600, max_age=3600).delay == 0


def test_a_refusal_moves_on_to_the_next_token_and_an_error_does_not():
    wish = about(cloudtrail(request(count=3))).wish
    again = decide(from_error(wish, "ServerException", "?", 500), 1, RetryOptions(), NOON, middle)
    assert {**again.request} == call_of(wish, RetryOptions())  # the very same call
    assert again.wish.attempt == 2
    after = decide(from_answer(again.wish, answer(1, CAPACITY)), 2, RetryOptions(), NOON, middle)
    assert after.request["clientToken"] != again.request["clientToken"]
    assert after.request["startedBy"] == started_by(wish.origin, 3)
    assert (after.wish.missing, after.wish.attempt, len(after.wish.started)) == (2, 3, 1)


def test_a_call_whose_outcome_is_open_is_made_with_the_token_of_its_caller():
    decision = about(refused("ServerException", asked=request(clientToken="theirs")))
    assert decision.request["clientToken"] == "theirs"
    assert about(cloudtrail(request(clientToken="theirs"))).request["clientToken"] != "theirs"


def test_the_tries_of_an_sdk_are_one_wish():
    tries = [refused("ThrottlingException", asked=request(clientToken="theirs"), eventID=f"e{n}") for n in range(5)]
    assert len({about(record).request["startedBy"] for record in tries}) == 1


def test_our_own_call_that_is_answered_with_nothing_is_not_taken_for_a_success():
    """The call was refused before, and repeated with the same client token."""
    wish = about(cloudtrail(request(count=2))).wish
    for started in (0, 1):
        decision = decide(from_answer(wish, answer(started)), 1, RetryOptions(), NOON, middle)
        assert (decision.wish.missing, decision.wish.attempt) == (2 - started, 2)


def test_our_own_success_ends_it():
    wish = about(cloudtrail()).wish
    assert isinstance(decide(from_answer(wish, answer(1)), 1, RetryOptions(), NOON, middle), Ignore)
    assert isinstance(decide(from_error(wish, "ConflictException", ""), 1, RetryOptions(), NOON, middle), Ignore)
    assert isinstance(decide(from_error(wish, "AccessDeniedException", ""), 1, RetryOptions(), NOON, middle), GiveUp)


def test_tasks_of_a_doubled_delivery_count():
    wish = Wish("origin", NOON, REGION, request(count=3), 2, 2, 2, started=("a",))
    assert without_doubles(wish, ()) == without_doubles(wish, ("a",)) == wish
    fewer = without_doubles(wish, ("a", "b"))
    assert (fewer.missing, fewer.started) == (1, ("a", "b"))
    assert isinstance(without_doubles(wish, ("b", "c")), Ignore)


def test_a_wish_that_lay_too_long_is_not_fulfilled():
    wish = Wish("origin", NOON, REGION, request(), 1)
    assert too_late(wish, RetryOptions(max_age=3600), NOON + 3600 + 900) is None
    assert isinstance(too_late(wish, RetryOptions(max_age=3600), NOON + 3600 + 900.5), GiveUp)


# -- tasks that stopped -------------------------------------------------------------------------------------------


EVERY = {"stopped_tasks": ["spot", "host_loss", "failed_to_start"]}
RULE_75 = {"action": "retry", "exit_codes": [75]}
INSTANCES = "ResourceInitializationError: Unable to launch instance(s) for capacity provider p. "
NO_ROOM = INSTANCES + "UnfulfillableCapacity: Unable to fulfill capacity."
NO_QUOTA = INSTANCES + "VcpuLimitExceeded: You have requested more vCPU capacity"
NEVER_RAN = [{"name": "app", "lastStatus": "STOPPED"}]
ENI = "Timeout waiting for network interface provisioning to complete."


def exits(*codes):
    return [{"name": f"c{number}", "exitCode": code} for number, code in enumerate(codes)]


@pytest.mark.parametrize(
    ("event", "options"),
    [
        (stopped(), EVERY),
        (stopped(), {"stopped_tasks": ["spot"]}),
        (stopped("TerminationNotice", "Your Spot Task was interrupted."), {"stopped_tasks": ["spot"]}),
        (stopped("TerminationNotice", "Host EC2 (instance i-1) terminated."), EVERY),
        (stopped("InfrastructureHealth", "unhealthy host"), EVERY),
        (stopped("TaskFailedToStart", ENI, containers=NEVER_RAN), EVERY),
        (stopped("SpotInterruption", containers=exits(0, 137)), EVERY),
        (stopped("SpotInterruption", containers=exits(0)), EVERY),
        (stopped("EssentialContainerExited", "", containers=exits(75)), {"rules": [RULE_75]}),
        (stopped(), {"rules": [{"action": "retry", "stop_codes": ["SpotInterruption"]}]}),
        (stopped(), {**EVERY, "clusters": ["prod"], "families": ["report"]}),
        (stopped("TaskFailedToStart", NO_ROOM, containers=NEVER_RAN), {}),
        (stopped("TaskFailedToStart", NO_QUOTA, containers=NEVER_RAN), {"retry_quota": True}),
        (stopped(group=None), EVERY),
    ],
)
def test_a_task_that_is_started_again(event, options):
    decision = about_task(event, **options)
    assert isinstance(decision, Retry), decision
    assert decision.request["count"] == 1
    assert decision.request["networkConfiguration"]
    assert decision.request["overrides"] == {
        "containerOverrides": [{"name": "app", "environment": [{"name": "TOKEN", "value": "s3cr3t-value"}]}]
    }
    assert decision.request["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    assert "launchType" not in decision.request
    assert {"key": "original-started-by", "value": "events-rule/nightly"} in decision.request["tags"]


@pytest.mark.parametrize(
    ("event", "options", "words"),
    [
        (stopped(), {}, "stopped_tasks has no spot"),
        (stopped("EssentialContainerExited", "", containers=exits(1)), EVERY, "not stop because of the infrastructure"),
        (
            stopped("EssentialContainerExited", "OutOfMemoryError", containers=exits(137)),
            {**EVERY, "rules": [{"action": "retry", "reasons": ["OutOfMemory"]}]},
            "not stop because of the infrastructure",
        ),
        (
            stopped("EssentialContainerExited", "", containers=exits(2)),
            {"rules": [{"action": "retry", "exit_codes": [75]}]},
            "not stop because",
        ),
        (stopped("TaskFailedToStart", ENI, containers=exits(0, 1)), EVERY, "not stop because"),
        (stopped("TaskFailedToStart", "CannotPullContainerError: not found", containers=NEVER_RAN), EVERY, "not stop"),
        (stopped("UserInitiated", "Task stopped by user"), EVERY, "not stop because"),
        (stopped("TaskFailedToStart", NO_ROOM, containers=exits(0)), EVERY, "not stop because"),
        (stopped("NewCode", "?"), {**EVERY, "retry_quota": True}, "not stop because"),
        (stopped("EssentialContainerExited", "", containers=exits(0)), EVERY, "it ended well"),
        (
            stopped(containers=exits(0)),
            {**EVERY, "rules": [{"action": "ignore", "exit_codes": [0], "stop_codes": ["SpotInterruption"]}]},
            "a rule says ignore",
        ),
        (stopped(group="service:web"), EVERY, "tasks of services"),
        (stopped(startedBy="AWS Step Functions"), EVERY, "retries by itself"),
        (stopped(taskDefinitionArn="arn:aws:ecs:eu-central-1:1:task-definition/other:1"), EVERY, "no launch template"),
        (stopped(), {**EVERY, "families": ["import"]}, "report is not among"),
        (stopped(), {**EVERY, "clusters": ["test"]}, "prod is not among"),
        (stopped(), {**EVERY, "left_alone_clusters": ["pro*"]}, "prod is left alone"),
        (stopped(startedBy="nightly"), {**EVERY, "left_alone_started_by": ["nightly"]}, "retries by itself"),
        (stopped(), {**EVERY, "rules": [{"action": "ignore", "stop_codes": ["SpotInterruption"]}]}, "rule says ignore"),
    ],
)
def test_a_task_that_is_not(event, options, words):
    decision = about_task(event, **options)
    assert isinstance(decision, Ignore), decision
    assert words in decision.why


def test_a_task_whose_starter_is_not_told():
    """No pattern of ``left_alone_started_by`` matches such a task."""
    decision = about_task(stopped(startedBy=None), **EVERY, left_alone_started_by=["?*"])
    assert isinstance(decision, Retry)
    assert decision.wish.attempt == 1


@pytest.mark.parametrize(
    ("event", "options", "words"),
    [
        (stopped("TaskFailedToStart", NO_ROOM, containers=NEVER_RAN), {"launch_templates": {}}, "no security groups"),
        (stopped("TaskFailedToStart", NO_QUOTA, containers=NEVER_RAN), {}, "retry_quota"),
        (stopped("TaskFailedToStart", INSTANCES + "UnauthorizedOperation", containers=NEVER_RAN), {}, "refused again"),
    ],
)
def test_a_task_without_an_instance_is_a_refused_launch(event, options, words):
    decision = about_task(event, **options)
    assert isinstance(decision, GiveUp)
    assert words in decision.why


def test_a_task_without_an_instance_and_without_a_network_of_its_own_needs_no_template():
    event = stopped("TaskFailedToStart", NO_ROOM, containers=NEVER_RAN, attachments=[], launchType="MANAGED_INSTANCES")
    assert isinstance(about_task(event, launch_templates={}), Retry)


def test_a_rule_gives_a_task_up():
    rules = [{"action": "fail", "stop_codes": ["SpotInterruption"]}]
    assert about_task(stopped(), **EVERY, rules=rules) == GiveUp("a rule says fail")


def test_a_template_that_is_not_whole_gives_a_task_up():
    template = {"launch_templates": {"report": TEMPLATE}, **EVERY}
    hidden = stopped(overrides={"containerOverrides": [{"name": "app", "environment": "***"}]})
    decision = about_task(hidden, **template)
    assert isinstance(decision, GiveUp)
    assert "environment is hidden" in decision.why


def test_the_wish_of_a_task_is_all_that_the_event_tells():
    event = stopped(startedBy=started_by("x", 2))
    wish = about_task(event, **EVERY).wish
    assert replace(wish, request={}) == Wish(event["detail"]["taskArn"], NOON + 0.5, REGION, {}, 1, 3, 3)


def test_a_task_of_another_account_is_left_alone():
    options = replace(read_options({"launch_templates": {"report": TEMPLATE}, **EVERY}), account="999988887777")
    assert isinstance(decide(from_task_event(stopped(), REGION), 0, options, NOON, middle), Ignore)


def test_a_task_without_a_known_network_is_given_up():
    decision = about_task(stopped(), **EVERY, launch_templates={"report": {}})
    assert isinstance(decision, GiveUp)
    assert "networkConfiguration" in decision.why


def test_retries_of_tasks_are_counted_through_started_by():
    decision = about_task(stopped(startedBy=started_by("x", 2)), **EVERY)
    assert (decision.wish.attempt, decision.request["startedBy"].split("/")[1]) == (3, "3")
    assert isinstance(about_task(stopped(startedBy=started_by("x", 6)), **EVERY), GiveUp)
