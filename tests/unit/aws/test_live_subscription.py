# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real subscription: what is read about the function, and the writes of a change in their order."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live.subscription import (
    function_access,
    write_subscription,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.arns import parse_arn
from ansible_collections.steadyops.ecs.plugins.module_utils._core.change import Change
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed, Failed
from ansible_collections.steadyops.ecs.plugins.module_utils._core.log_subscription.model import (
    FunctionAccess,
    statement_for,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.log_subscription.plan import WantedSubscription
from ansible_collections.steadyops.ecs.plugins.module_utils._core.waiting import Patience

from tests.unit.aws.clients import Clients, ended

FUNCTION = parse_arn("arn:aws:lambda:eu-central-1:111122223333:function:retry")
ALIAS = parse_arn(f"{FUNCTION}:live")
WANTED = WantedSubscription("a", "trail", FUNCTION, "p", True, True, Patience(True, 60, 3))
OTHERS_KEEP_IT = replace(WANTED, permission=False)
OURS = statement_for(FUNCTION, "trail", "a")
NOT_FOUND = "ResourceNotFoundException: no"
NOT_YET = "InvalidParameterException: Could not execute the lambda function. Make sure you have given permission."
GET_POLICY = ("lambda.get_policy", {"FunctionName": str(FUNCTION)})
CONFIGURATION = ("lambda.get_function_configuration", {"FunctionName": str(FUNCTION)})
PUT = (
    "logs.put_subscription_filter",
    {"logGroupName": "trail", "filterName": "a", "filterPattern": "p", "destinationArn": str(FUNCTION)},
)
DELETE = ("logs.delete_subscription_filter", {"logGroupName": "trail", "filterName": "a"})
ADD = ("lambda.add_permission", None, {})


def remove(function=FUNCTION, answer=None):
    named = {"FunctionName": str(FUNCTION), **({"Qualifier": "live"} if function == ALIAS else {})}
    return ("lambda.remove_permission", {**named, "StatementId": OURS["Sid"]}, answer or {})


@pytest.mark.parametrize(
    ("wanted", "calls", "exists", "stands"),
    [
        (WANTED, [(*GET_POLICY, {"Policy": json.dumps({"Statement": [OURS]})})], True, OURS),
        (WANTED, [(*GET_POLICY, {"Policy": json.dumps({"Statement": []})})], True, None),
        (WANTED, [(*GET_POLICY, NOT_FOUND), (*CONFIGURATION, {})], True, None),
        (WANTED, [(*GET_POLICY, NOT_FOUND), (*CONFIGURATION, NOT_FOUND)], False, None),
        (OTHERS_KEEP_IT, [(*CONFIGURATION, {})], True, None),
        (OTHERS_KEEP_IT, [(*CONFIGURATION, NOT_FOUND)], False, None),
    ],
)
def test_what_is_read_of_the_function(wanted, calls, exists, stands):
    clients = Clients()
    clients.expect(*calls)
    assert function_access(clients, FUNCTION, wanted) == FunctionAccess(FUNCTION, exists, stands)
    clients.assert_all_asked()


def test_without_a_function_nothing_is_read():
    assert function_access(Clients(), None, WANTED) is None


NONE = FunctionAccess(FUNCTION, True)
STANDS = FunctionAccess(FUNCTION, True, OURS)
BEFORE = {"destination_arn": str(FUNCTION), "filter_pattern": "p", "permission": {"sid": OURS["Sid"]}}
LEFT_BEHIND = {**BEFORE, "destination_arn": None, "filter_pattern": None}
DELETED, TAKEN = "deleted the subscription filter", "removed the invoke permission"
ADDED, DONE = "added the invoke permission", "put the subscription filter"


@pytest.mark.parametrize(
    ("wanted", "change", "policy", "stale", "calls", "expected"),
    [
        # A new subscription: write the permission first. CloudWatch Logs learns of it late.
        (
            WANTED,
            Change(None, BEFORE),
            NONE,
            None,
            [ADD, (*PUT, NOT_YET), (*PUT, {})],
            ([ADDED, DONE], [3]),
        ),
        (OTHERS_KEEP_IT, Change(None, {**BEFORE, "permission": None}), NONE, None, [(*PUT, {})], ([DONE], [])),
        # Another permission with our Sid exists: remove it first.
        (
            WANTED,
            Change({**BEFORE, "permission": {"sid": "x"}}, BEFORE),
            STANDS,
            None,
            [remove(), ADD],
            (["removed an outdated invoke permission", ADDED], []),
        ),
        (WANTED, Change({**BEFORE, "filter_pattern": "q"}, BEFORE), STANDS, None, [(*PUT, {})], ([DONE], [])),
        # From an alias to the function: the alias loses its permission last.
        (
            WANTED,
            Change({**BEFORE, "destination_arn": str(ALIAS)}, BEFORE),
            STANDS,
            ALIAS,
            [(*PUT, {}), remove(ALIAS)],
            ([DONE, f"removed the invoke permission of {ALIAS}"], []),
        ),
        # Removal: remove the filter first.
        (WANTED, Change(BEFORE, None), STANDS, None, [(*DELETE, {}), remove()], ([DELETED, TAKEN], [])),
        (
            WANTED,
            Change(BEFORE, None),
            STANDS,
            None,
            [(*DELETE, NOT_FOUND), remove(answer=NOT_FOUND)],
            ([DELETED, TAKEN], []),
        ),
        (WANTED, Change(LEFT_BEHIND, None), STANDS, None, [remove()], ([TAKEN], [])),
        (OTHERS_KEEP_IT, Change(BEFORE, None), STANDS, None, [(*DELETE, {})], ([DELETED], [])),
        (WANTED, Change(BEFORE, None), None, None, [(*DELETE, {})], ([DELETED], [])),
    ],
)
def test_a_change(wanted, change, policy, stale, calls, expected):
    clients = Clients()
    clients.expect(*calls)
    assert ended(write_subscription(clients, wanted, change, policy, stale)) == (*expected, None)
    clients.assert_all_asked()


@pytest.mark.parametrize(
    ("wanted", "policy", "calls", "kind", "words"),
    [
        (WANTED, FunctionAccess(FUNCTION, False), [], Failed, "does not exist. Create it first"),
        (
            OTHERS_KEEP_IT,
            NONE,
            [(*PUT, NOT_YET)],
            Failed,
            "may not call .* Set resource_policy: true, or allow logs.amazonaws",
        ),
        (
            replace(WANTED, patience=Patience(True, 0, 3)),
            STANDS,
            [remove(), ADD, (*PUT, NOT_YET)],
            Failed,
            "CloudWatch Logs may not call .* yet .* after 0 s",
        ),
        (OTHERS_KEEP_IT, NONE, [(*PUT, "LimitExceededException: two are enough")], CallFailed, "two are enough"),
    ],
)
def test_a_change_that_fails(wanted, policy, calls, kind, words):
    clients = Clients()
    clients.expect(*calls)
    with pytest.raises(kind, match=words):
        ended(write_subscription(clients, wanted, Change(None, BEFORE), policy, None))
    clients.assert_all_asked()
