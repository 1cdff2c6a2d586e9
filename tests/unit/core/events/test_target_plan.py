# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.arns import parse_arn
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.rule import Rule
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.options import read_target
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.plan import (
    DEAD_LETTERS,
    Found,
    Place,
    check_rule,
    entries,
    missing,
    needs_rule,
    plan_target,
    rule_arn,
    warnings_of,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.statements import statement_for

from tests.unit.core.events import target_options as of
from tests.unit.core.events.target_options import RULE, params, template

REGION = "eu-central-1"
OTHER_ACCOUNT = "111122223333"
FACTS = Rule("failures", RULE, "default", "ENABLED", '{"detail-type": ["ECS Service Action"]}')


def place(arn, *statements, **more):
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "theirs"}, *statements]})
    return Place(parse_arn(arn), policy_document=policy, **more)


def ours(arn, rule=RULE, target="a"):
    return statement_for(parse_arn(arn), rule, target)


def planned(found=None, **options):
    """Return the change that a task leads to. By default, the topic, the queues and so on exist."""
    wanted = read_target(params(**options))
    found = found or Found()
    rule = rule_arn(wanted, REGION, found.target)
    check_rule(wanted, found, REGION)
    default = {entry.place: place(entry.place) for entry in entries(wanted, found, rule)}
    found = replace(found, places={**default, **found.places})
    for words in missing(wanted, found, REGION):
        raise Refused(words)
    return plan_target(wanted, found, rule)


def after(**options):
    """Return what exists after a task was carried out."""
    change = planned(**{"found": Found(rule=FACTS), **options})
    places = {each["resource"]: place(each["resource"], each["statement"]) for each in change.after["permissions"]}
    target = {key: value for key, value in change.after.items() if key != "permissions"}
    return Found(target, rule=FACTS, places=places)


TASKS = [
    {},
    {"resource_policy": False},
    {"role_arn": of.ROLE},
    {"dead_letter_arn": of.UNDELIVERED},
    {"role_arn": of.ROLE, "dead_letter_arn": of.UNDELIVERED},
    {"resource_policy": False, "dead_letter_arn": of.UNDELIVERED},
    {"maximum_retry_attempts": 3, "maximum_event_age_in_seconds": 600},
    {"input": '{"a": 1}'},
    {"input_path": "$.detail"},
    template('{"a": <a>}', a="$.id"),
    {"message_template": "sns_text"},
    {"message_template": "plain", "message_for": "task"},
    {"arn": of.QUEUE},
    {"arn": of.QUEUE, "message_group_id": "a"},
    {"arn": of.FUNCTION},
    {"arn": of.LOG_GROUP},
    {"arn": of.API_DESTINATION, "role_arn": of.ROLE},
    {
        "arn": of.API_DESTINATION,
        "role_arn": of.ROLE,
        "http_parameters": {"header_parameters": {"a": "b"}, "path_parameter_values": ["x"]},
    },
    {"arn": of.STREAM, "role_arn": of.ROLE, "partition_key_path": "$.id"},
]


@pytest.mark.parametrize("task", TASKS)
def test_the_second_time_nothing_changes(task):
    assert not planned(found=after(**task), **task).changed


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("other", TASKS)
def test_from_one_task_to_another_there_is_a_change_unless_they_are_the_same(task, other):
    change = planned(found=after(**task), **other)
    assert change.changed is (task != other)
    assert change.after == planned(**{"found": Found(rule=FACTS), **other}).after


@pytest.mark.parametrize("task", TASKS)
def test_an_absent_target_has_nothing_left(task):
    change = planned(found=after(**task), state="absent", arn=None)
    assert change.changed
    assert change.after is None


@pytest.mark.parametrize(
    ("options", "allowed"),
    [
        ({}, [of.TOPIC]),
        ({"dead_letter_arn": of.UNDELIVERED}, [of.TOPIC, of.UNDELIVERED]),
        ({"role_arn": of.ROLE, "dead_letter_arn": of.UNDELIVERED}, [of.UNDELIVERED]),
        ({"resource_policy": False, "dead_letter_arn": of.UNDELIVERED}, []),
        ({"arn": of.STREAM, "role_arn": of.ROLE, "dead_letter_arn": of.UNDELIVERED}, [of.UNDELIVERED]),
        ({"arn": of.BUS, "role_arn": of.ROLE}, []),
        ({"dead_letter_arn": of.UNDELIVERED.replace(of.ACCOUNT, OTHER_ACCOUNT)}, [of.TOPIC]),
    ],
)
def test_statements_stand_where_a_policy_lets_the_rule_in(options, allowed):
    permissions = planned(**options).after["permissions"]
    whose = {of.UNDELIVERED: DEAD_LETTERS}
    assert permissions == [{"resource": arn, "statement": ours(arn, target=whose.get(arn, "a"))} for arn in allowed]


def test_the_rule_of_a_statement_is_on_its_bus_and_of_the_account_of_the_role():
    bus = {"event_bus_name": "arn:aws:events:eu-central-1:123456789012:event-bus/central"}
    (permission,) = planned(arn=of.QUEUE, **bus).after["permissions"]
    rule = "arn:aws:events:eu-central-1:123456789012:rule/central/failures"
    assert permission["statement"]["Condition"] == {"ArnEquals": {"aws:SourceArn": rule}}
    assert planned(arn=of.QUEUE, **bus).after["event_bus_name"] == "central"
    far = of.TOPIC.replace(of.ACCOUNT, OTHER_ACCOUNT)
    wanted = read_target(params(arn=far, role_arn=of.ROLE, dead_letter_arn=of.UNDELIVERED))
    assert rule_arn(wanted, REGION) == RULE
    (entry,) = entries(wanted, Found(), RULE)
    assert (entry.place, entry.statement) == (of.UNDELIVERED, ours(of.UNDELIVERED, target=DEAD_LETTERS))


def test_the_statement_goes_from_where_the_target_was():
    change = planned(found=after(dead_letter_arn=of.UNDELIVERED), arn=of.QUEUE)
    assert [each["resource"] for each in change.before["permissions"]] == [of.TOPIC, of.UNDELIVERED]
    assert [each["resource"] for each in change.after["permissions"]] == [of.QUEUE]


def test_a_queue_that_was_the_target_and_becomes_its_dead_letter_queue_changes_its_statement():
    change = planned(found=after(arn=of.QUEUE), dead_letter_arn=of.QUEUE)
    assert ours(of.QUEUE) in [each["statement"] for each in change.before["permissions"]]
    kept = [each["statement"] for each in change.after["permissions"] if each["resource"] == of.QUEUE]
    assert kept == [ours(of.QUEUE, target=DEAD_LETTERS)]


@pytest.mark.parametrize(("others", "left"), [([of.UNDELIVERED], [of.UNDELIVERED]), ([of.QUEUE], []), ([], [])])
def test_the_statement_of_a_dead_letter_queue_stays_as_long_as_another_target_of_the_rule_has_it(others, left):
    found = replace(after(dead_letter_arn=of.UNDELIVERED), others=len(others), dead_letters=frozenset(others))
    for goes in ({"state": "absent", "arn": None}, {}):
        change = planned(found=found, **goes)
        gone = [each["resource"] for each in change.before["permissions"] if each["resource"] == of.UNDELIVERED]
        assert gone == ([] if left else [of.UNDELIVERED])
        assert not change.after or of.UNDELIVERED not in [each["resource"] for each in change.after["permissions"]]


def test_a_statement_that_was_changed_is_put_right_and_one_in_other_words_is_not():
    found = after(arn=of.QUEUE)
    wider = {**ours(of.QUEUE), "Condition": {}}
    assert planned(found=replace(found, places={of.QUEUE: place(of.QUEUE, wider)}), arn=of.QUEUE).changed
    alike = {**ours(of.QUEUE), "Action": ["SQS:SendMessage"]}
    assert not planned(found=replace(found, places={of.QUEUE: place(of.QUEUE, alike)}), arn=of.QUEUE).changed


def test_a_statement_that_was_left_behind_is_found_by_the_arn():
    found = Found(places={of.TOPIC: place(of.TOPIC, ours(of.TOPIC))})
    change = planned(found=found, state="absent")
    assert (change.before, change.after) == (
        {"id": "a", "permissions": [{"resource": of.TOPIC, "statement": ours(of.TOPIC)}]},
        None,
    )
    assert not planned(state="absent").changed
    assert not planned(state="absent", arn=None).changed


def test_what_a_removed_target_reached_may_be_gone():
    found = replace(after(), places={of.TOPIC: Place(parse_arn(of.TOPIC), exists=False)})
    assert planned(found=found, state="absent").before["permissions"] == []


@pytest.mark.parametrize(
    ("told", "options"),
    [
        ({"maximum_retry_attempts": 185, "maximum_event_age_in_seconds": 86400}, {}),
        ({}, {"maximum_retry_attempts": 185}),
        ({"input": '{"b": 2, "a":1}'}, {"input": '{"a": 1, "b": 2}'}),
    ],
)
def test_what_means_the_same_is_no_change(told, options):
    found = after()
    assert not planned(found=replace(found, target={**found.target, **told}), **options).changed


def test_the_message_follows_the_events_of_the_rule():
    def template_of(**options):
        return planned(**options).after["input_transformer"]

    told = template_of(found=Found(rule=FACTS), message_template="plain")
    assert told == template_of(message_template="plain", message_for="service_action")
    assert told != template_of(message_template="plain", message_for="task")
    assert template_of(message_template="plain") == template_of(message_template="plain", message_for="any")


@pytest.mark.parametrize(("name", "shown"), [("web", True), ("w" * 120, False)])
def test_a_name_of_the_rule_is_in_the_headline_if_it_fits(name, shown):
    pattern = {"detail-type": ["ECS Deployment State Change"], "detail": {"serviceArn": [{"suffix": f"/{name}"}]}}
    found = Found(rule=replace(FACTS, pattern_text=json.dumps(pattern)))
    message = planned(found=found, message_template="datadog").after["input_transformer"]["input_template"]
    assert (f'"ECS deployment failed: {name}' in message) is shown


@pytest.mark.parametrize(
    ("options", "before", "needed"),
    [
        ({}, {}, True),
        ({}, {"found": {}}, False),
        ({"arn": of.QUEUE}, {"found": {}}, True),
        ({"message_template": "plain"}, {"found": {}}, True),
        ({"message_template": "plain", "message_for": "task"}, {"found": {}}, False),
        ({"state": "absent"}, {}, False),
    ],
)
def test_the_rule_is_looked_up_only_when_it_matters(options, before, needed):
    target = after(**before["found"]).target if before else None
    assert needs_rule(read_target(params(**options)), target) is needed


@pytest.mark.parametrize(
    ("found", "options", "words"),
    [
        (Found(rule_exists=False), {}, "There is no rule failures in eu-central-1"),
        (Found(rule_exists=False), {"event_bus_name": "b"}, "no rule failures of the bus b"),
        (Found(others=5), {}, "has 5 targets already"),
        (Found(rule=replace(FACTS, managed_by="autoscaling.amazonaws.com")), {}, "is managed by autoscaling"),
        (Found(rule=FACTS), {"arn": of.TOPIC.replace(of.ACCOUNT, OTHER_ACCOUNT)}, "give role_arn"),
        (
            Found(rule=FACTS),
            {"role_arn": of.ROLE.replace(of.ACCOUNT, OTHER_ACCOUNT)},
            "only roles of the rule's account",
        ),
        (
            Found(rule=FACTS),
            {"arn": of.BUS.replace(of.ACCOUNT, OTHER_ACCOUNT), "role_arn": of.ROLE, "input_path": "$.detail"},
            "an event bus of another account",
        ),
        (Found(), {"arn": of.TOPIC.replace(REGION, "eu-west-1")}, "and the rule is in eu-central-1"),
        (Found(), {"dead_letter_arn": of.QUEUE.replace(REGION, "eu-west-1")}, "Give a queue in the region of the rule"),
        (Found(places={of.TOPIC: Place(parse_arn(of.TOPIC), exists=False)}), {}, f"arn: there is no {of.TOPIC}"),
        (
            Found(places={of.UNDELIVERED: Place(parse_arn(of.UNDELIVERED), exists=False)}),
            {"dead_letter_arn": of.UNDELIVERED},
            f"dead_letter_arn: there is no {of.UNDELIVERED}",
        ),
        (Found(places={of.TOPIC: place(of.TOPIC, key="alias/aws/sns")}), {}, "a key of your own"),
        (
            Found(places={of.QUEUE: place(of.QUEUE, key=f"arn:aws:kms:{of.HERE}:alias/aws/sqs")}),
            {"arn": of.QUEUE},
            "a key that AWS manages",
        ),
        (
            Found(places={of.UNDELIVERED: place(of.UNDELIVERED, key="alias/aws/sqs")}),
            {"dead_letter_arn": of.UNDELIVERED, "role_arn": of.ROLE},
            "dead_letter_arn: ",
        ),
        (Found(places={of.FIFO: place(of.FIFO)}), {"arn": of.FIFO, "message_group_id": "a"}, "content-based"),
        (Found(places={of.TOPIC: Place(parse_arn(of.TOPIC), policy_document="{")}), {}, "The policy of"),
    ],
)
def test_what_forbids_a_target_is_told(found, options, words):
    with pytest.raises(Refused) as refused:
        planned(found=found, **options)
    assert words in str(refused.value)


def test_the_sixth_target_may_be_one_of_the_five():
    assert planned(found=replace(after(), others=4), input_path="$.detail").changed


@pytest.mark.parametrize(
    ("options", "places"),
    [
        ({"arn": of.BUS.replace(REGION, "eu-west-1"), "role_arn": of.ROLE}, {}),
        ({"role_arn": of.ROLE}, {of.TOPIC: place(of.TOPIC, key="alias/aws/sns")}),
        ({}, {of.TOPIC: place(of.TOPIC, key="alias/ours")}),
        ({"arn": of.FIFO, "message_group_id": "a"}, {of.FIFO: place(of.FIFO, deduplicates=True)}),
    ],
)
def test_what_does_not_forbid_one(options, places):
    assert planned(found=Found(places=places), **options).changed


def test_a_key_of_ones_own_is_warned_of_once():
    places = {of.TOPIC: place(of.TOPIC, ours(of.TOPIC), key="alias/ours")}
    wanted = read_target(params())
    new = Found(places=places)
    (warning,) = warnings_of(wanted, new, plan_target(wanted, new, RULE))
    assert "alias/ours" in warning
    known = replace(after(), places=places)
    assert list(warnings_of(wanted, known, plan_target(wanted, known, RULE))) == []
    by_role = read_target(params(role_arn=of.ROLE))
    assert list(warnings_of(by_role, new, plan_target(by_role, new, RULE))) == []
