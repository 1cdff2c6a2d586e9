# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists in pages: every page is requested with a separate call, and an expected error gives no list."""

from __future__ import annotations

import time

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.calls import (
    api_destinations,
    ecs,
    event_rules,
    event_targets,
    log_subscriptions,
    secrets,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.calls.pages import hundreds
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.rule import Rule
from ansible_collections.steadyops.ecs.plugins.module_utils._core.log_subscription.model import Filter

from tests.unit.aws.clients import Clients, at

NAME = "arn:aws:events:eu-central-1:111122223333:connection/sentry/1b2c3d4e"
FUNCTION = "arn:aws:lambda:eu-central-1:111122223333:function:retry"
ROLE = "arn:aws:iam::111122223333:role/x"
TOLD = {
    "filterName": "a",
    "logGroupName": "trail",
    "filterPattern": "{ $.a = 1 }",
    "destinationArn": FUNCTION,
    "distribution": "ByLogStream",
    "creationTime": 1500,
}
PLAIN = {"Name": "alerts", "Arn": FUNCTION, "State": "ENABLED"}
BY_NAME = {"ParameterFilters": [{"Key": "Name", "Option": "Equals", "Values": ["p"]}]}


# The function, its arguments; the service and operation; the request; pages of answers; and what is made of them.
LISTS = [
    (
        ecs.list_tasks,
        ("prod", "web"),
        "ecs.list_tasks",
        {"cluster": "prod", "serviceName": "web", "desiredStatus": "RUNNING"},
        [{"taskArns": ["1"]}, {"taskArns": []}, {"taskArns": ["2"]}],
        ["1", "2"],
    ),
    (
        api_destinations.list_users_of,
        (NAME,),
        "events.list_api_destinations",
        {"ConnectionArn": NAME},
        [
            {"ApiDestinations": [{"Name": "b", "ConnectionArn": NAME}, {"Name": "c", "ConnectionArn": f"{NAME}f"}]},
            {"ApiDestinations": [{"Name": "a", "ConnectionArn": NAME}]},
        ],
        ["b", "a"],
    ),
    (
        event_rules.list_rules,
        ("default",),
        "events.list_rules",
        {"EventBusName": "default"},
        [{"Rules": [PLAIN]}, {"Rules": []}],
        [Rule("alerts", FUNCTION, "default", "ENABLED")],
    ),
    (
        event_rules.list_rules,
        ("default", "al"),
        "events.list_rules",
        {"EventBusName": "default", "NamePrefix": "al"},
        [{"Rules": []}],
        [],
    ),
    (
        event_targets.list_targets,
        ("failures", "central"),
        "events.list_targets_by_rule",
        {"Rule": "failures", "EventBusName": "central"},
        [{"Targets": [{"Id": "a", "Arn": FUNCTION}]}, {"Targets": [{"Id": "b", "Arn": FUNCTION}]}],
        [{"Id": "a", "Arn": FUNCTION}, {"Id": "b", "Arn": FUNCTION}],
    ),
    (
        log_subscriptions.subscription_filters,
        ("trail",),
        "logs.describe_subscription_filters",
        {"logGroupName": "trail"},
        [
            {"subscriptionFilters": [TOLD]},
            {"subscriptionFilters": [{**TOLD, "filterName": "b", "roleArn": ROLE, "applyOnTransformedLogs": True}]},
        ],
        [
            Filter("a", "trail", FUNCTION, "{ $.a = 1 }", None, "ByLogStream", False, 1.5),
            Filter("b", "trail", FUNCTION, "{ $.a = 1 }", ROLE, "ByLogStream", True, 1.5),
        ],
    ),
    (
        secrets.parameter_changes,
        ("p",),
        "ssm.describe_parameters",
        BY_NAME,
        [{"Parameters": []}, {"Parameters": [{"Name": "p", "LastModifiedDate": at(7)}]}],
        [7.0],
    ),
    (secrets.parameter_changes, ("p",), "ssm.describe_parameters", BY_NAME, [{"Parameters": []}], []),
]


@pytest.mark.parametrize(("function", "arguments", "call", "request_", "answers", "expected"), LISTS)
def test_all_pages_are_listed(function, arguments, call, request_, answers, expected):
    clients, service = Clients(), call.partition(".")[0]
    key = "nextToken" if service in {"ecs", "logs"} else "NextToken"
    for number, answer in enumerate(answers):
        asked = {**request_, **({key: str(number)} if number else {})}
        more = {key: str(number + 1)} if answer is not answers[-1] else {}
        clients.expect((call, asked, {**answer, **more}))
    assert function(clients(service), *arguments) == expected
    clients.assert_all_asked()


def test_a_parameter_that_is_found_ends_the_search():
    clients = Clients()
    found = {"Parameters": [{"Name": "p", "LastModifiedDate": at(7)}], "NextToken": "more"}
    clients.expect(("ssm.describe_parameters", BY_NAME, found))
    assert secrets.parameter_changes(clients("ssm"), "p") == [7.0]


def test_a_page_is_retried_alone(monkeypatch):
    pauses = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    clients, asked = Clients(), {"EventBusName": "default"}
    clients.expect(
        ("events.list_rules", asked, {"Rules": [PLAIN], "NextToken": "2"}),
        ("events.list_rules", {**asked, "NextToken": "2"}, "ThrottlingException: Slow down"),
        ("events.list_rules", {**asked, "NextToken": "2"}, {"Rules": [PLAIN]}),
    )
    assert len(event_rules.list_rules(clients("events"), "default")) == 2
    assert len(pauses) == 1
    clients.assert_all_asked()


def test_what_is_deleted_between_two_pages_is_missing():
    clients = Clients()
    clients.expect(
        ("events.list_targets_by_rule", None, {"Targets": [{"Id": "a", "Arn": FUNCTION}], "NextToken": "2"}),
        ("events.list_targets_by_rule", None, "ResourceNotFoundException: Rule r does not exist."),
    )
    assert event_targets.list_targets(clients("events"), "r", "b") is None


def test_an_error_ends_a_list():
    clients = Clients()
    clients.expect(("ecs.list_tasks", None, "AccessDeniedException: no"))
    with pytest.raises(CallFailed, match="Allow ecs:ListTasks"):
        ecs.list_tasks(clients("ecs"), "prod", "web")


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (100, [100]), (201, [100, 100, 1])])
def test_hundreds(count, sizes):
    parts = list(hundreds(iter(range(count))))
    assert [len(part) for part in parts] == sizes
    assert [item for part in parts for item in part] == list(range(count))
