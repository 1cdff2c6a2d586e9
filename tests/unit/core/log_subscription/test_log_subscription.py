# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscriptions: the pattern, what is refused before the first write, and what must be changed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.arns import parse_arn
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.log_subscription.filter_pattern import (
    check_pattern,
    refused_launches,
    regexes_in,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.log_subscription.model import (
    Filter,
    FunctionAccess,
    log_groups_in,
    permission_facts,
    sid_of,
    statement_for,
    statement_in,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.log_subscription.plan import (
    function_to_look_at,
    plan_subscription,
    read_log_group,
    read_subscription,
    stale_function,
    warnings_of,
)

REGION = "eu-central-1"
LAMBDA = f"arn:aws:lambda:{REGION}:111122223333:function"
FUNCTION = f"{LAMBDA}:launch-retry"
LOGS = f"arn:aws:logs:{REGION}:111122223333:log-group"
ROLE = "arn:aws:iam::111122223333:role/retry"
OPTIONS = {
    "name": "refused",
    "log_group": "trail",
    "function_arn": FUNCTION,
    "state": "present",
    "clusters": None,
    "task_families": None,
    "transient_errors_only": None,
    "exclude_role_arns": None,
    "regions": None,
    "filter_pattern": None,
    "resource_policy": True,
    "wait_timeout": 60,
    "wait_delay": 3.0,
}
BASE = '($.eventSource = "ecs.amazonaws.com") && ($.eventName = "RunTask")'
FAILED = '($.responseElements.failures[0].reason = "*")'
PASSING = (
    '($.errorCode = "Throttling*") || ($.errorCode = "ServerException") || ($.errorCode = "ClientException") || '
    '($.errorCode = "InvalidParameterException")'
)


def read(**options):
    return read_subscription({**OPTIONS, **options}, REGION)


# -- patterns -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, f"{{ {BASE} && ({FAILED} || {PASSING}) }}"),
        ({"transient_errors_only": False}, f'{{ {BASE} && ({FAILED} || ($.errorCode = "*")) }}'),
        (
            {"clusters": ["prod"]},
            f'{{ {BASE} && ({FAILED} || {PASSING}) && (($.requestParameters.cluster = "prod") || '
            '($.requestParameters.cluster = "*:cluster/prod")) }',
        ),
        (
            {"clusters": ["default"], "transient_errors_only": False},
            f'{{ {BASE} && ({FAILED} || ($.errorCode = "*")) && (($.errorCode = "AccessDenied*") || '
            '((($.requestParameters.cluster = "default") || ($.requestParameters.cluster = "*:cluster/default") || '
            "($.requestParameters.cluster NOT EXISTS)))) }",
        ),
        (
            {"families": ["report"], "exclude_role_arns": [ROLE]},
            f'{{ {BASE} && ({FAILED} || {PASSING}) && (($.requestParameters.taskDefinition = "report") || '
            '($.requestParameters.taskDefinition = "report:*") || ($.requestParameters.taskDefinition = "*/report") || '
            '($.requestParameters.taskDefinition = "*/report:*")) && '
            "(($.userIdentity.sessionContext.sessionIssuer.arn NOT EXISTS) || "
            f'($.userIdentity.sessionContext.sessionIssuer.arn != "{ROLE}")) }}',
        ),
    ],
)
def test_a_pattern_from_options(options, expected):
    assert refused_launches(**options) == expected
    assert check_pattern(expected) == expected


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "ERROR",
        '{ ($.eventName = "RunTask") && ($.responseElements.tasks[0] NOT EXISTS) }',
        '{ $.a = "it\\"s (odd" }',
        "{ ($.a = %x%) && ($.b = %y%) }",
        '{ $.a = "100% and 50% EXISTS" }',
    ],
)
def test_a_pattern_of_the_user_passes_as_it_is(pattern):
    assert check_pattern(pattern) == pattern
    assert regexes_in('{ $.a = "100% and 50%" }') == 0


# -- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "a:b"}, "`name` must be 1 to 512 characters other than : and *"),
        ({"name": ""}, "`name` must be 1 to 512 characters other than : and *"),
        ({"name": "x" * 513}, "`name` must be 1 to 512 characters other than : and *"),
        ({"log_group": "my trail"}, "`log_group` must be the name of a log group"),
        ({"log_group": ""}, "`log_group` must be the name of a log group"),
        ({"log_group": "arn:aws:s3:::trail"}, "`log_group` must be the name of a log group"),
        ({"log_group": "arn:aws:logs:eu-central-1:999988887777:log-group:trail"}, "of its own account"[3:]),
        ({"function_arn": None}, "function_arn is required"),
        ({"function_arn": "launch-retry"}, "`function_arn` must be the ARN of a Lambda function"),
        (
            {"function_arn": f"arn:aws:sqs:{REGION}:111122223333:queue"},
            "`function_arn` must be the ARN of a Lambda function",
        ),
        ({"function_arn": f"{LAMBDA}:a:b:c"}, "`function_arn` must be the ARN of a Lambda function"),
        ({"function_arn": FUNCTION.replace(REGION, "us-east-1")}, "function_arn is in us-east-1"),
        ({"filter_pattern": "x" * 1025}, "(got 1025)"),
        ({"filter_pattern": "{ $.a = %a% && $.b = %b% && $.c = %c% }"}, "has 3 regular expressions"),
        ({"filter_pattern": "{ $.a = 1"}, "with an unmatched brace"),
        ({"filter_pattern": '{ ($.a = "b) }'}, "quotation mark"),
        ({"filter_pattern": "{ (($.a = 1) }"}, "parenthesis"),
        ({"filter_pattern": "{ $.responseElements.failures[0] EXISTS }"}, "EXISTS is not supported"),
        ({"filter_pattern": "{ $.a = 1 }", "clusters": ["prod"]}, "clusters are mutually exclusive"),
        (
            {"filter_pattern": "{ $.a = 1 }", "transient_errors_only": True},
            "filter_pattern and transient_errors_only are mutually exclusive",
        ),
        ({"clusters": ["a b"]}, "`clusters` must be the name of an ECS cluster"),
        (
            {"clusters": ["arn:aws:ecs:eu-central-1:111122223333:service/a/b"]},
            "`clusters` must be the name of an ECS cluster",
        ),
        ({"task_families": ["report:7"]}, "must be a task family without revision"),
        ({"exclude_role_arns": ["retry"]}, "`exclude_role_arns` must be the ARN of an IAM role"),
        ({"clusters": [f"cluster-number-{n}" for n in range(20)]}, "Give fewer clusters"),
        ({"wait_timeout": 0}, "wait_timeout must be a number of seconds above 0, at most a hundred years (got 0)"),
    ],
)
def test_what_cannot_be_meant(options, words):
    with pytest.raises(Refused) as refused:
        read(**options)
    assert words in str(refused.value)


def test_a_log_group_may_be_an_arn():
    assert read_log_group(f"{LOGS}:aws/trail:*") == read_log_group(f"{LOGS}:aws/trail") == "aws/trail"


# -- plans --------------------------------------------------------------------------------------------------------


def filter_of(wanted, **more):
    return replace(Filter(wanted.name, wanted.log_group, str(wanted.function), wanted.pattern), **more)


def access_to(wanted, stands=True, exists=True, **condition):
    statement = statement_for(wanted.function, wanted.log_group, wanted.name)
    return FunctionAccess(wanted.function, exists, {**statement, **condition} if stands else None)


def test_the_permission_is_for_this_log_group_only():
    statement = statement_for(parse_arn(FUNCTION), "trail", "refused")
    assert statement["Condition"] == {
        "StringEquals": {"AWS:SourceAccount": "111122223333"},
        "ArnLike": {"AWS:SourceArn": f"{LOGS}:trail:*"},
    }
    assert (statement["Principal"], statement["Action"]) == ({"Service": "logs.amazonaws.com"}, "lambda:InvokeFunction")
    assert len(sid_of("x" * 512, "y" * 512)) <= 100
    assert sid_of("a", "b") != sid_of("a b", "")


def test_a_new_one_has_both():
    wanted = read()
    change = plan_subscription(wanted, [], access_to(wanted, stands=False))
    assert change.before is None
    assert change.after["permission"]["source_arn"] == f"{LOGS}:trail:*"
    assert change.after["destination_arn"] == FUNCTION


def test_one_that_is_as_it_should_be_is_no_change():
    wanted = read()
    assert not plan_subscription(wanted, [filter_of(wanted)], access_to(wanted)).changed


@pytest.mark.parametrize(
    ("filters", "policy", "differs"),
    [
        ({"pattern": "{ $.a = 1 }"}, {}, "filter_pattern"),
        ({"destination": f"{FUNCTION}:live"}, {}, "destination_arn"),
        ({}, {"stands": False}, "permission"),
        ({}, {"Condition": {"ArnLike": {"AWS:SourceArn": "*"}}}, "permission"),
        ({}, {"Principal": "*"}, "permission"),
    ],
)
def test_what_differs_is_changed(filters, policy, differs):
    wanted = read()
    change = plan_subscription(wanted, [filter_of(wanted, **filters)], access_to(wanted, **policy))
    fields = ("destination_arn", "filter_pattern", "permission")
    assert [field for field in fields if change.differs(field)] == [differs]


def test_the_policy_may_be_left_alone():
    wanted = read(resource_policy=False)
    change = plan_subscription(wanted, [filter_of(wanted)], FunctionAccess(wanted.function, exists=True))
    assert not change.changed
    assert change.after["permission"] is None


def test_the_words_of_a_policy_may_be_written_otherwise():
    statement = statement_for(parse_arn(FUNCTION), "trail", "refused")
    source = f"{LOGS}:trail:*"
    other = {"StringEquals": {"aws:SourceAccount": "111122223333"}, "ArnLike": {"aws:SourceArn": source}}
    assert permission_facts({**statement, "Condition": other}) == permission_facts(statement)


@pytest.mark.parametrize("policy", [None, "", "not JSON", "{}", "[]", '{"Statement": [{"Sid": "other"}]}'])
def test_a_policy_without_our_statement(policy):
    assert statement_in(policy, "ours") is None


def others(*destinations):
    return [Filter(f"other-{n}", "trail", arn, "{ $.a = %x% }") for n, arn in enumerate(destinations)]


GONE = {"state": "absent", "function_arn": None}
SOMEWHERE = f"{LAMBDA}:other", f"arn:aws:kinesis:{REGION}:111122223333:stream/all"


@pytest.mark.parametrize(
    ("options", "filters", "words"),
    [
        ({}, None, "The log group trail does not exist"),
        ({}, others(*SOMEWHERE), "other-0 (to arn:aws:lambda:eu-central-1:111122223333:function:other), other-1"),
        ({}, [Filter("refused", "trail", SOMEWHERE[0], "")], "is not managed by this module"),
        ({}, [Filter("refused", "trail", SOMEWHERE[1], "")], "is not managed by this module"),
        ({"state": "absent"}, [Filter("refused", "trail", SOMEWHERE[0], "")], "is not managed by this module"),
        (GONE, [Filter("refused", "trail", SOMEWHERE[1], "")], "not a Lambda function"),
        (
            {"filter_pattern": "{ ($.a = %a%) || ($.b = %b%) }"},
            [Filter("other", "trail", SOMEWHERE[0], "%a% %b% %c% %d%")],
            "would have 6 regular expressions",
        ),
    ],
)  # fmt: skip
def test_what_is_in_the_way(options, filters, words):
    wanted = read(**options)
    policy = FunctionAccess(wanted.function, exists=True) if wanted.function else None
    with pytest.raises(Refused) as refused:
        plan_subscription(wanted, filters, policy)
    assert words in str(refused.value)


def test_with_two_filters_ours_can_be_changed():
    wanted = read()
    filters = [*others(SOMEWHERE[0]), filter_of(wanted, pattern="")]
    assert plan_subscription(wanted, filters, access_to(wanted)).differs("filter_pattern")


def test_absent_is_nothing_and_knows_the_function_from_the_filter():
    wanted = read(state="absent", function_arn=None)
    filters = [Filter("refused", "trail", FUNCTION, "x")]
    assert function_to_look_at(wanted, filters) == parse_arn(FUNCTION)
    assert function_to_look_at(wanted, []) is None
    assert plan_subscription(wanted, filters, None).after is None
    for there in (None, []):
        assert not plan_subscription(wanted, there, None).changed


def test_a_permission_that_was_left_over_is_a_change():
    wanted = read(state="absent")
    change = plan_subscription(wanted, [], access_to(wanted))
    assert change.changed
    assert change.before["destination_arn"] is None


def test_the_permission_of_an_alias_goes_with_it():
    wanted = read(function_arn=f"{FUNCTION}:live")
    assert str(stale_function(wanted, [filter_of(read())])) == FUNCTION
    assert stale_function(wanted, [filter_of(wanted)]) is None
    assert stale_function(read(state="absent"), [filter_of(wanted)]) is None


def test_what_arrives_twice_is_warned_of():
    wanted = read()
    assert "reach it twice" in warnings_of(wanted, others(f"{FUNCTION}:live"), access_to(wanted))[0]
    assert warnings_of(wanted, others(*SOMEWHERE), access_to(wanted)) == []
    assert (
        "does not exist. Create it first" in warnings_of(wanted, [], access_to(wanted, stands=False, exists=False))[0]
    )
    alone = read(resource_policy=False)
    assert warnings_of(alone, [], access_to(alone, stands=False, exists=False)) == []


def test_log_groups_that_a_policy_of_ours_lets_in():
    ours = [statement_for(parse_arn(FUNCTION), group, "refused") for group in ("trail", "/aws/trail")]
    theirs = {**statement_for(parse_arn(FUNCTION), "other", "refused"), "Sid": "theirs"}
    assert log_groups_in(json.dumps({"Statement": [*ours, theirs]})) == ["/aws/trail", "trail"]
    assert log_groups_in(None) == log_groups_in("{") == []
