# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls for rules of EventBridge: what they send, and what they make of the answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.calls import event_rules, event_targets
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live import rule as live_rule
from ansible_collections.steadyops.ecs.plugins.module_utils._core.change import Change
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.rule import Rule

from tests.unit.aws.clients import Clients, ended, stubbed

ARN = "arn:aws:events:eu-central-1:111122223333:rule/alerts"
ROLE = "arn:aws:iam::111122223333:role/r"
TOPIC = "arn:aws:sns:eu-central-1:111122223333:alerts"
QUEUE = "arn:aws:sqs:eu-central-1:111122223333:undelivered"
TEXT = '{"source":["aws.ecs"]}'
PATTERN = {"source": ["aws.ecs"]}
NAMED = {"Name": "alerts", "EventBusName": "default"}
OF_RULE = {"Rule": "alerts", "EventBusName": "default"}
PLAIN = {"Name": "alerts", "Arn": ARN, "State": "ENABLED"}
TARGET = {"id": "mail", "arn": TOPIC, "role_arn": None, "dead_letter_arn": None}


@pytest.mark.parametrize(
    ("function", "arguments", "operation", "request_", "response", "expected"),
    [
        (
            event_rules.describe_rule,
            ("alerts", "default"),
            "describe_rule",
            NAMED,
            {**PLAIN, "EventPattern": TEXT, "EventBusName": "default", "Description": "d", "RoleArn": ROLE},
            Rule("alerts", ARN, "default", "ENABLED", TEXT, "d", ROLE),
        ),
        (
            event_rules.describe_rule,
            ("alerts", "default"),
            "describe_rule",
            NAMED,
            {**PLAIN, "ScheduleExpression": "rate(1 day)", "ManagedBy": "x.amazonaws.com"},
            Rule("alerts", ARN, "default", "ENABLED", schedule="rate(1 day)", managed_by="x.amazonaws.com"),
        ),
        (
            event_rules.delete_rule,
            ("alerts", "default"),
            "delete_rule",
            NAMED,
            {},
            None,
        ),
        (
            event_rules.tags_of,
            (ARN,),
            "list_tags_for_resource",
            {"ResourceARN": ARN},
            {"Tags": [{"Key": "a", "Value": "b"}]},
            {"a": "b"},
        ),
        (
            event_rules.tag,
            (ARN, {"a": "b"}),
            "tag_resource",
            {"ResourceARN": ARN, "Tags": [{"Key": "a", "Value": "b"}]},
            {},
            None,
        ),
        (
            event_rules.untag,
            (ARN, ["a"]),
            "untag_resource",
            {"ResourceARN": ARN, "TagKeys": ["a"]},
            {},
            None,
        ),
    ],
)
def test_call(function, arguments, operation, request_, response, expected):
    client, stub = stubbed("events")
    stub.add_response(operation, response, request_)
    assert function(client, *arguments) == expected
    stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({"description": ""}, {}),
        ({"description": "d", "role_arn": ROLE}, {"Description": "d", "RoleArn": ROLE}),
        ({"description": "", "tags": {"a": "b"}}, {"Tags": [{"Key": "a", "Value": "b"}]}),
    ],
)
def test_a_rule_is_put_whole(options, sent):
    client, stub = stubbed("events")
    stub.add_response("put_rule", {"RuleArn": ARN}, {**NAMED, "EventPattern": TEXT, "State": "DISABLED", **sent})
    made = event_rules.put_rule(client, "alerts", "default", trigger=PATTERN, state="DISABLED", **options)
    assert made == ARN


def not_found(stub, words):
    stub.add_client_error("describe_rule", "ResourceNotFoundException", words)


def test_no_rule_is_no_error_and_no_bus_is_one():
    client, stub = stubbed("events")
    not_found(stub, "Rule alerts does not exist on EventBus default.")
    assert event_rules.describe_rule(client, "alerts", "default") is None
    for words in ("Event bus nowhere does not exist.", "EventBus nowhere does not exist."):
        not_found(stub, words)
        with pytest.raises(CallFailed, match="nowhere does not exist"):
            event_rules.describe_rule(client, "alerts", "nowhere")
    not_found(stub, "Event bus nowhere does not exist.")
    assert live_rule.find_rule(client, "alerts", "nowhere", to_delete=True) is None


def test_a_target_that_stays_is_a_failure():
    client, stub = stubbed("events")
    failed = {"TargetId": "a", "ErrorCode": "ConcurrentModificationException", "ErrorMessage": "Somebody else."}
    stub.add_response("remove_targets", {"FailedEntryCount": 1, "FailedEntries": [failed]})
    with pytest.raises(CallFailed, match=r"Somebody else \(target a\)") as raised:
        event_targets.remove_targets(client, "alerts", "default", ["a"])
    assert raised.value.code == "ConcurrentModificationException"


def test_a_rule_to_delete_is_found_with_all_of_its_targets():
    client, stub = stubbed("events")
    stub.add_response("describe_rule", {**PLAIN, "EventPattern": TEXT}, NAMED)
    stub.add_response("list_tags_for_resource", {"Tags": []}, {"ResourceARN": ARN})
    stub.add_response("list_targets_by_rule", {"Targets": [{"Id": "a", "Arn": TOPIC}], "NextToken": "2"}, OF_RULE)
    more = {**OF_RULE, "NextToken": "2"}
    stub.add_response("list_targets_by_rule", {"Targets": [{"Id": "b", "Arn": TOPIC}]}, more)
    found = live_rule.find_rule(client, "alerts", "default", to_delete=True)
    assert [target["id"] for target in found.targets] == ["a", "b"]
    stub.assert_no_pending_responses()


def test_many_targets_are_removed_a_hundred_at_once():
    client, stub = stubbed("events")
    ids = [f"target-{number}" for number in range(101)]
    stub.add_response("remove_targets", {"FailedEntryCount": 0}, {**OF_RULE, "Ids": ids[:100]})
    stub.add_response("remove_targets", {"FailedEntryCount": 0}, {**OF_RULE, "Ids": ids[100:]})
    stub.add_response("delete_rule", {}, NAMED)
    before = {"name": "alerts", "targets": [{**TARGET, "id": each} for each in ids]}
    done = list(live_rule.write_rule(client, "default", None, Change(before, None)))
    assert done[-1] == "deleted the rule alerts"
    stub.assert_no_pending_responses()


def test_a_pattern_is_read_as_eventbridge_reads_it():
    client, stub = stubbed("events")
    stub.add_response("describe_rule", {**PLAIN, "EventPattern": '{"source":["a"],"source":["b"]}'})
    assert event_rules.describe_rule(client, "alerts", "default").event_pattern == {"source": ["b"]}


def described(**more):
    return ("events.describe_rule", NAMED, {**PLAIN, "EventPattern": TEXT, **more})


TAGGED = ("events.list_tags_for_resource", {"ResourceARN": ARN}, {"Tags": [{"Key": "a", "Value": "b"}]})
LISTED = ("events.list_targets_by_rule", OF_RULE, {"Targets": [{"Id": "mail", "Arn": TOPIC}]})
MISSING = "ResourceNotFoundException: Rule alerts does not exist on EventBus default."
FOUND = Rule("alerts", ARN, "default", "ENABLED", TEXT, tags={"a": "b"})


@pytest.mark.parametrize(
    ("calls", "to_delete", "expected"),
    [
        ([("events.describe_rule", NAMED, MISSING)], False, None),
        ([("events.describe_rule", NAMED, MISSING)], True, None),
        ([described(), TAGGED], False, FOUND),
        ([described(), TAGGED, LISTED], True, replace(FOUND, targets=[TARGET])),
    ],
)
def test_a_rule_is_found(calls, to_delete, expected):
    clients = Clients()
    clients.expect(*calls)
    assert live_rule.find_rule(clients("events"), "alerts", "default", to_delete) == expected
    clients.assert_all_asked()


@pytest.mark.parametrize(
    ("calls", "name", "expected"),
    [
        ([("events.describe_rule", NAMED, MISSING)], "alerts", []),
        ([described(), TAGGED, LISTED], "alerts", [replace(FOUND, targets=[TARGET])]),
        (
            [
                (
                    "events.list_rules",
                    {"EventBusName": "default", "NamePrefix": "al"},
                    {"Rules": [{**PLAIN, "EventPattern": TEXT}]},
                ),
                TAGGED,
                ("events.list_targets_by_rule", OF_RULE, MISSING),
            ],
            None,
            [replace(FOUND, targets=[])],
        ),
    ],
)
def test_rules_are_found(calls, name, expected):
    clients = Clients()
    clients.expect(*calls)
    assert live_rule.find_rules(clients("events"), "default", name, None if name else "al") == expected
    clients.assert_all_asked()


SHOWN = {"name": "alerts", "event_pattern": PATTERN, "state": "ENABLED", "description": "d", "tags": {"a": "b"}}
PUT = {**NAMED, "EventPattern": TEXT, "State": "ENABLED", "Description": "d"}


@pytest.mark.parametrize(
    ("current", "change", "calls", "done"),
    [
        (
            None,
            Change(None, SHOWN),
            [("events.put_rule", {**PUT, "Tags": [{"Key": "a", "Value": "b"}]}, {"RuleArn": ARN})],
            ["put the rule alerts"],
        ),
        # The role stays, and separate calls write the tags.
        (
            replace(FOUND, role_arn=ROLE),
            Change(SHOWN, {**SHOWN, "state": "DISABLED", "tags": {"c": "d"}}),
            [
                ("events.put_rule", {**PUT, "State": "DISABLED", "RoleArn": ROLE}, {"RuleArn": ARN}),
                ("events.tag_resource", {"ResourceARN": ARN, "Tags": [{"Key": "c", "Value": "d"}]}, {}),
                ("events.untag_resource", {"ResourceARN": ARN, "TagKeys": ["a"]}, {}),
            ],
            ["put the rule alerts", "set the tags c", "removed the tags a"],
        ),
        (
            FOUND,
            Change(SHOWN, {**SHOWN, "tags": {}}),
            [("events.untag_resource", {"ResourceARN": ARN, "TagKeys": ["a"]}, {})],
            ["removed the tags a"],
        ),
    ],
)
def test_a_rule_is_written(current, change, calls, done):
    clients = Clients()
    clients.expect(*calls)
    written, pauses, told = ended(live_rule.write_rule(clients("events"), "default", current, change))
    assert (written, pauses, told) == (done, [], {"arn": ARN})
    clients.assert_all_asked()
