# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all roles share: ownership of resources, variables, policies, trails, and the shape of a plan."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.change import Change
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks import iam
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.difference import (
    StackPlan,
    Step,
    differing,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.ownership import Owner, others, refusal
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.place import StackPlace, place_of
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.trails import logs_launches, trail_note
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.variables import (
    as_bool,
    as_int,
    as_list,
    as_mapping,
    check_known,
)

HERE = StackPlace("aws", "eu-central-1", "123456789012")
OURS = Owner("steadyops.ecs/failure-alerts", "alerts", "failure_alerts_name")


@pytest.mark.parametrize(
    ("found", "owned"),
    [
        (None, False),
        ({}, False),
        ({"tags": {}}, False),
        ({"tags": {OURS.tag: "other"}}, False),
        ({"tags": {OURS.tag: "alerts", "team": "shop"}}, True),
    ],
)
def test_a_resource_is_ours_by_its_tag(found, owned):
    assert OURS.owns(found) is owned


def test_one_message_names_everything_that_others_own():
    stack = {
        "queues": {"lost": {"tags": {}}, "mine": {"tags": {OURS.tag: "alerts"}}, "missing": None},
        "iam_roles": {"events": {"tags": {OURS.tag: "else"}}},
    }
    names = [("queues", "lost"), ("queues", "mine"), ("queues", "missing"), ("iam_roles", "events"), ("topics", "x")]
    found = others(OURS, stack, names)
    assert found == ["queue lost", "role events"]
    assert refusal(OURS, found, "pass the ARN of an existing queue") == (
        "Not managed by this role: queue lost, role events. Nothing was changed. Choose another failure_alerts_name, "
        "pass the ARN of an existing queue, or hand the resources over to the role by tagging them "
        "steadyops.ecs/failure-alerts=alerts."
    )


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("rules", "rule"),
        ("queues", "queue"),
        ("topics", "topic"),
        ("log_groups", "log group"),
        ("iam_roles", "role"),
        ("functions", "function"),
        ("schedules", "schedule"),
        ("state_machines", "state machine"),
        ("connections", "connection"),
        ("api_destinations", "API destination"),
        ("alarms", "alarm"),
    ],
)
def test_what_each_kind_is_called(kind, word):
    assert others(OURS, {kind: {"x": {}}}, [(kind, "x")]) == [f"{word} x"]


def test_the_message_without_another_way_out():
    assert refusal(OURS, ["queue x"]) == (
        "Not managed by this role: queue x. Nothing was changed. Choose another failure_alerts_name, or hand the "
        "resources over to the role by tagging them steadyops.ecs/failure-alerts=alerts."
    )


def test_tags_are_texts_and_the_mark_cannot_be_replaced():
    assert OURS.tags({"n": 1, OURS.tag: "x"}) == {"n": "1", OURS.tag: "alerts"}


def test_unknown_variables_are_refused_and_the_nearest_is_suggested():
    check_known("failure_alerts", ["emails"], ["emails", "queue"])
    with pytest.raises(
        Refused, match=r"failure_alerts_email, failure_alerts_zzz: the role .* no such variable"
    ) as told:
        check_known("failure_alerts", ["zzz", "email"], ["emails", "queue"])
    assert "Did you mean failure_alerts_emails? ansible-doc" in str(told.value)
    with pytest.raises(Refused) as told:
        check_known("failure_alerts", ["zzz"], ["emails"])
    assert str(told.value) == (
        "failure_alerts_zzz: the role failure_alerts has no such variable, so it would do nothing. ansible-doc -t role "
        "steadyops.ecs.failure_alerts lists all variables."
    )


def test_only_the_nearest_name_is_suggested():
    with pytest.raises(Refused, match=r"Did you mean x_emails\? "):
        check_known("x", ["email"], ["emails", "emailss"])


@pytest.mark.parametrize(
    ("value", "read"), [(None, []), ("", []), ("a", ["a"]), (0, [0]), (["a", "b"], ["a", "b"]), (("a",), ["a"])]
)
def test_a_value_where_a_list_belongs(value, read):
    assert as_list(value) == read


@pytest.mark.parametrize(("value", "read"), [(3, 3), ("3", 3), (" 3 ", 3), ("-1", -1)])
def test_numbers_may_be_texts(value, read):
    assert as_int("x", value) == read


@pytest.mark.parametrize("value", ["", "three", 3.5, None, True, [3]])
def test_what_is_no_whole_number(value):
    with pytest.raises(Refused, match="x must be a whole number"):
        as_int("x", value)


@pytest.mark.parametrize(
    ("value", "read"),
    [(True, True), ("yes", True), ("True", True), (1, True), ("on", True), ("off", False), (0, False), ("no", False)],
)
def test_true_and_false_as_ansible_reads_them(value, read):
    assert as_bool("x", value) is read


@pytest.mark.parametrize("value", [None, "perhaps", 2, []])
def test_what_is_neither_true_nor_false(value):
    with pytest.raises(Refused, match="x must be true or false"):
        as_bool("x", value)


def test_a_dictionary():
    assert as_mapping("x", None) == {}
    assert as_mapping("x", {"a": 1}) == {"a": 1}
    with pytest.raises(Refused, match="x must be a dictionary"):
        as_mapping("x", ["a"])


def test_names_become_arns_and_arns_stay():
    assert str(HERE.named("sqs", "lost")) == "arn:aws:sqs:eu-central-1:123456789012:lost"
    assert str(HERE.named("logs", "/ecs", "log-group:")) == "arn:aws:logs:eu-central-1:123456789012:log-group:/ecs"
    assert str(HERE.arn("iam", "role/x")) == "arn:aws:iam::123456789012:role/x"
    other = "arn:aws:sqs:eu-west-1:999999999999:lost"
    assert str(HERE.named("sqs", other)) == other


def test_the_place_comes_from_the_caller():
    found = place_of("arn:aws-cn:sts::123456789012:assumed-role/a/b", "cn-north-1")
    assert found == StackPlace("aws-cn", "cn-north-1", "123456789012")
    with pytest.raises(Refused, match="not an ARN"):
        place_of("nobody", "x")


def test_a_service_is_trusted_for_this_account_alone():
    condition = {"StringEquals": {"aws:SourceAccount": "123456789012"}, "ArnEquals": {"aws:SourceArn": ["arn:rule"]}}
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": condition,
    }
    assert iam.trust(HERE, "events", ["arn:rule"]) == {"Version": "2012-10-17", "Statement": [statement]}
    assert "ArnLike" in iam.trust(HERE, "states", ["arn:*", "arn:x"])["Statement"][0]["Condition"]
    assert iam.trust(HERE, "lambda")["Statement"][0]["Condition"].keys() == {"StringEquals"}


def test_a_role_is_passed_to_one_service():
    statement = iam.allow_pass_role(("arn:role",), "ecs-tasks")
    assert statement == {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": ["arn:role"],
        "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
    }
    assert iam.policy([statement]) == {"Version": "2012-10-17", "Statement": [statement]}


ONE = {"Statement": [{"Action": ["a", "b"], "Resource": ["x"]}]}


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({"Statement": {"Action": ["b", "a"], "Resource": "x"}}, True),
        ({"Statement": ({"Action": ("b", "a"), "Resource": "x"},)}, True),
        ({"Statement": [{"Action": ["a"], "Resource": "x"}]}, False),
        (None, False),
    ],
)
def test_policies_are_compared_as_values(other, same):
    assert iam.same_policy(ONE, other) is same


def test_statements_and_their_keys_have_no_order():
    one = {"Statement": [{"Action": "b", "Resource": "x"}, {"Action": "a", "Sid": "y"}]}
    assert iam.same_policy(one, {"Statement": [{"Resource": "x", "Action": "b"}, {"Sid": "y", "Action": "a"}]})


TRUST = iam.trust(HERE, "events")
ROLE = iam.wanted_role("x", TRUST, "d", {"a": "b"}, None, {"p": ONE})
FOUND_ROLE = {"trust": TRUST, "description": "d", "tags": {"a": "b"}, "boundary": None, "policies": {"p": ONE}}
SIDES = {
    "name": "x",
    "assume_role_policy_document": TRUST,
    "description": "d",
    "boundary": None,
    "tags": {"a": "b"},
    "policies": {"p": ONE},
}
LISTED_ONE = {"Statement": {"Action": ["b", "a"], "Resource": "x"}}
LISTED_TRUST = {**TRUST, "Statement": TRUST["Statement"][0]}
NOTHING = dict.fromkeys(("assume_role_policy_document", "description", "boundary", "tags"))


@pytest.mark.parametrize(
    ("wanted", "found", "before", "after"),
    [
        ({}, None, None, {}),
        ({"boundary": "arn:b"}, None, None, {"boundary": "arn:b"}),
        ({**NOTHING, "policies": {}}, None, None, {**NOTHING, "description": "", "tags": {}, "policies": {}}),
        ({"policies": {"p": None}}, None, None, {"policies": {}}),
        ({"state": "absent"}, None, None, None),
        ({}, {}, {}, {}),
        ({}, {"trust": LISTED_TRUST}, *2 * ({"assume_role_policy_document": LISTED_TRUST},)),
        ({}, {"trust": {}}, {"assume_role_policy_document": {}}, {}),
        ({"description": "e"}, {}, {}, {"description": "e"}),
        ({"tags": {}}, {}, {}, {"tags": {}}),
        ({}, {"boundary": "arn:b"}, {"boundary": "arn:b"}, {"boundary": "arn:b"}),
        ({"boundary": "arn:c"}, {"boundary": "arn:b"}, {"boundary": "arn:b"}, {"boundary": "arn:c"}),
        ({**NOTHING, "policies": {}}, {}, {"policies": {}}, {"policies": {}}),
        ({}, {"policies": {"p": LISTED_ONE}}, *2 * ({"policies": {"p": LISTED_ONE}},)),
        ({}, {"policies": {"p": {}}}, {"policies": {"p": {}}}, {}),
        ({}, {"policies": {"p": None}}, {"policies": {}}, {}),
        ({}, {"policies": {"p": ONE, "q": ONE}}, {}, {}),
        ({"policies": {"p": None}}, {}, {}, {"policies": {}}),
        ({"policies": {"q": None}}, {}, {"policies": {}}, {"policies": {}}),
        ({"state": "absent"}, {}, {}, None),
    ],
)
def test_both_sides_of_a_role(wanted, found, before, after):
    change = iam.plan_role({**ROLE, **wanted}, found if found is None else {**FOUND_ROLE, **found})
    assert change.before == (before if before is None else {**SIDES, **before})
    assert change.after == (after if after is None else {**SIDES, **after})


KEY = "arn:aws:kms:eu-west-1:210987654321:key/1b2c"


@pytest.mark.parametrize(
    ("key", "resource", "condition"),
    [
        (KEY, KEY, None),
        ("1b2c", f"arn:aws:kms:{HERE.region}:{HERE.account}:key/1b2c", None),
        *(
            (alias, f"arn:aws:kms:{HERE.region}:{HERE.account}:key/*", {"kms:ResourceAliases": "alias/alerts"})
            for alias in ("alias/alerts", "arn:aws:kms:eu-west-1:123456789012:alias/alerts")
        ),
    ],
)
def test_a_key_is_named_as_iam_takes_it(key, resource, condition):
    statement = iam.allow_key(HERE, key)
    assert (statement["Action"], statement["Resource"]) == (["kms:Decrypt", "kms:GenerateDataKey"], resource)
    assert statement.get("Condition") == (condition and {"ForAnyValue:StringEquals": condition})


def advanced(**fields):
    return {"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": key, **value} for key, value in fields.items()]}]}


MANAGEMENT = {"eventCategory": {"Equals": ["Management"]}}


@pytest.mark.parametrize(
    ("selectors", "logs"),
    [
        (None, False),
        ({}, True),
        ({"EventSelectors": [{}]}, True),
        ({"EventSelectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]}, True),
        ({"EventSelectors": [{"ReadWriteType": "ReadOnly"}]}, False),
        ({"EventSelectors": [{"IncludeManagementEvents": False}, {"IncludeManagementEvents": True}]}, True),
        ({"EventSelectors": [{"IncludeManagementEvents": False}]}, False),
        (advanced(**MANAGEMENT), True),
        (advanced(eventCategory={"Equals": ["Data"]}), False),
        ({"AdvancedEventSelectors": [{}]}, False),
        (advanced(**MANAGEMENT, readOnly={"Equals": ["false"]}), True),
        (advanced(**MANAGEMENT, readOnly={"Equals": ["true"]}), False),
        (advanced(**MANAGEMENT, eventSource={"NotEquals": ["kms.amazonaws.com"]}), True),
        (advanced(**MANAGEMENT, eventSource={"NotEquals": ["ecs.amazonaws.com"]}), False),
        (advanced(**MANAGEMENT, eventSource={"Equals": ["s3.amazonaws.com"]}), False),
    ],
)
def test_whether_a_trail_records_launches(selectors, logs):
    assert logs_launches(selectors) is logs


def test_what_is_said_of_trails():
    assert trail_note(None) is None
    assert trail_note({"logs_launches": True, "denied": None}) is None
    assert "No CloudTrail trail logs management events" in trail_note({"logs_launches": False, "denied": None})
    assert "(DescribeTrails: AccessDenied)" in trail_note(
        {"logs_launches": None, "denied": "DescribeTrails: AccessDenied"}
    )


def test_a_plan_lists_the_tasks_that_will_change_something():
    made, idle = Step("Create the topic"), Step("Create the queue")
    made.add({"name": "x"}, "x", None, {"a": 1})
    facts = StackPlan({"topics": made, "queues": idle}, {"kept": []}, ["note"]).facts()
    assert facts == {
        "topics": [{"name": "x"}],
        "queues": [],
        "changes": [{"task": "Create the topic", "items": [{"label": "x", "before": None, "after": {"a": 1}}]}],
        "result": {"kept": []},
        "notes": ["note"],
        "refused": "",
    }


def test_steps_of_one_task_are_reported_together():
    topics, idle, queues = Step("Create"), Step("Create"), Step("Create")
    topics.add_step("topic", {"name": "x"}, Change(None, {"a": 1}))
    topics.add_step("topic", {"name": "same"}, Change({"a": 1}, {"a": 1}))
    queues.add_step("queue", {"name": "y"}, Change({"a": 1}, None))
    facts = StackPlan({"topics": topics, "idle": idle, "queues": queues}).facts()
    assert (facts["topics"], facts["queues"]) == ([{"topic": {"name": "x"}}], [{"queue": {"name": "y"}}])
    x = {"label": "topic x", "before": None, "after": {"a": 1}}
    y = {"label": "queue y", "before": {"a": 1}, "after": None}
    assert facts["changes"] == [{"task": "Create", "items": [x, y]}]


@pytest.mark.parametrize(("in_front", "order"), [(False, ["x", "y"]), (True, ["y", "x"])])
def test_a_step_takes_what_another_has(in_front, order):
    one, other = Step("one"), Step("other")
    one.add({"name": "x"}, "x")
    other.add({"name": "y"}, "y")
    one.take(other, in_front)
    assert [item["name"] for item in one.items] == [change["label"] for change in one.changes] == order
    assert other == Step("other")


def test_only_what_differs():
    assert differing({"a": 1, "b": 2}, None) == {"a": 1, "b": 2}
    assert differing({"a": 1, "b": 2}, {"a": 1, "c": 3}) == {"b": 2}
