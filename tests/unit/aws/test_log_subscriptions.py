# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls about subscription filters and the policies of functions."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.calls import functions, log_subscriptions
from ansible_collections.steadyops.ecs.plugins.module_utils._core.arns import parse_arn
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed
from ansible_collections.steadyops.ecs.plugins.module_utils._core.log_subscription.model import statement_for

from tests.unit.aws.clients import stubbed

FUNCTION = parse_arn("arn:aws:lambda:eu-central-1:111122223333:function:retry")
ALIAS = parse_arn(f"{FUNCTION}:live")
TOLD = {
    "filterName": "a",
    "logGroupName": "trail",
    "filterPattern": "{ $.a = 1 }",
    "destinationArn": str(FUNCTION),
    "distribution": "ByLogStream",
    "creationTime": 1500,
}


def test_no_log_group_is_no_error():
    logs, stub = stubbed("logs")
    stub.add_client_error("describe_subscription_filters", "ResourceNotFoundException", "no group")
    stub.add_client_error("delete_subscription_filter", "ResourceNotFoundException", "no filter")
    assert log_subscriptions.subscription_filters(logs, "trail") is None
    log_subscriptions.delete_subscription_filter(logs, "trail", "a")


def test_a_filter_is_put():
    logs, stub = stubbed("logs")
    sent = {"logGroupName": "trail", "filterName": "a", "filterPattern": "p", "destinationArn": str(ALIAS)}
    stub.add_response("put_subscription_filter", {}, sent)
    log_subscriptions.put_subscription_filter(logs, "trail", "a", "p", str(ALIAS))
    stub.assert_no_pending_responses()


def test_a_filter_that_is_put_again_keeps_what_is_not_managed():
    # PutSubscriptionFilter sets every setting: AWS's API reference, parameters fieldSelectionCriteria,
    # emitSystemFields and applyOnTransformedLogs.
    logs, stub = stubbed("logs")
    more = {
        "fieldSelectionCriteria": '@aws.region = "eu-central-1"',
        "emitSystemFields": ["@aws.account"],
        "applyOnTransformedLogs": True,
    }
    stub.add_response("describe_subscription_filters", {"subscriptionFilters": [{**TOLD, **more}]})
    sent = {"logGroupName": "trail", "filterName": "a", "filterPattern": "p", "destinationArn": str(ALIAS), **more}
    stub.add_response("put_subscription_filter", {}, sent)
    (current,) = log_subscriptions.subscription_filters(logs, "trail")
    log_subscriptions.put_subscription_filter(logs, "trail", "a", "p", str(ALIAS), current)
    stub.assert_no_pending_responses()


@pytest.mark.parametrize("operation", ["describe", "put", "delete"])
def test_other_errors_are_told(operation):
    logs, stub = stubbed("logs")
    stub.add_client_error(f"{operation}_subscription_filter{'s' * (operation == 'describe')}", "AccessDenied", "no")
    call = {
        "describe": lambda: log_subscriptions.subscription_filters(logs, "trail"),
        "put": lambda: log_subscriptions.put_subscription_filter(logs, "trail", "a", "p", "x"),
        "delete": lambda: log_subscriptions.delete_subscription_filter(logs, "trail", "a"),
    }[operation]
    with pytest.raises(CallFailed, match="SubscriptionFilter"):
        call()


def test_a_permission_names_log_group_and_account():
    client, stub = stubbed("lambda")
    statement = statement_for(ALIAS, "trail", "a")
    sent = {
        "FunctionName": str(FUNCTION),
        "Qualifier": "live",
        "StatementId": statement["Sid"],
        "Action": "lambda:InvokeFunction",
        "Principal": "logs.amazonaws.com",
        "SourceArn": "arn:aws:logs:eu-central-1:111122223333:log-group:trail:*",
        "SourceAccount": "111122223333",
    }
    stub.add_response("add_permission", {}, sent)
    functions.add_permission(client, ALIAS, statement)
    stub.assert_no_pending_responses()
