# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role launch_retry: variables, what is wanted, who owns which resource, and what must be written."""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from typing import Any

import pytest
from ansible_collections.steadyops.ecs.plugins.filter.launch_retry_plan import FilterModule
from ansible_collections.steadyops.ecs.plugins.module_utils._core.arns import parse_arn
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.pattern.lint import lint
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.pattern.match import matches
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.statements import statement_for
from ansible_collections.steadyops.ecs.plugins.module_utils._core.log_subscription.model import (
    statement_for as logs_statement_for,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.launch_retry.plan import (
    TASKS,
    names_to_find,
    options_to_pack,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.launch_retry.read import read_retries

from tests.policies import complaints
from tests.unit.core.stacks.launch_retry_world import (
    ACCOUNT,
    DEAD,
    EXECUTION_ROLE,
    FUNCTION,
    HERE,
    KEY,
    LEAST,
    LOG,
    NAME,
    OWN_TOPIC,
    PACKAGE,
    QUEUE,
    REGION,
    ROLE,
    TAG,
    TAGS,
    TASK_ROLE,
    TEMPLATES,
    TOPIC,
    VOLUME_ROLE,
    after,
    after_log,
    nothing,
    plan,
    rule_arn,
    with_filter,
    with_trail,
)
from tests.unit.core.stacks.roles import bare


def written(facts: dict[str, Any]) -> list[str]:
    return [key for key in TASKS if facts[key]]


def items(facts: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return the changes of all tasks."""
    return [(item["label"], item["before"], item["after"]) for task in facts["changes"] for item in task["items"]]


FROM_NOTHING = [
    "log_groups", "roles", "queues", "functions", "concurrency", "mappings", "alarms", "rules", "targets",
]  # fmt: skip


UNTOLD = "No one is notified of launches that are given up. Set launch_retry_emails or launch_retry_topic_arn."


@pytest.mark.parametrize("more", [{"topic_arn": TOPIC}, {"emails": ["ops@example.com"]}, {"alarm_actions": [TOPIC]}])
def test_without_anybody_to_tell_there_is_a_note(more):
    assert UNTOLD not in plan({**LEAST, **more}, nothing({**LEAST, **more}))["notes"]


def test_from_nothing_and_nothing_more():
    facts = plan(LEAST, nothing(LEAST))
    assert written(facts) == FROM_NOTHING
    assert [each["task"] for each in facts["changes"]] == list(dict.fromkeys(TASKS[key] for key in FROM_NOTHING))
    assert facts["notes"] == [UNTOLD]
    assert plan(LEAST, after(LEAST))["changes"] == []


MANY = [
    {"emails": ["ops@example.com"]},
    {"topic_arn": TOPIC},
    {"reserved_concurrency": -1},
    {"event_pattern": {"source": ["aws.ecs"]}},
    {"stopped_tasks": ["spot"], "launch_templates": TEMPLATES},
    {"permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/boundary"},
    {"tags": {"team": "shop", "cost": 7}},
    {"alarm_actions": [TOPIC]},
    {"pass_role_arns": []},
    {"pass_role_arns": {"report": TASK_ROLE}, "volume_role_arns": [VOLUME_ROLE], "rebuild_hidden": True},
    {"kms_key": KEY, "emails": ["ops@example.com"]},
    {"name": NAME, "log_retention_days": "60", "runtime": "python3.12"},
]


@pytest.mark.parametrize("more", MANY, ids=str)
def test_a_second_run_finds_all_well(more):
    variables = {**LEAST, **more}
    assert plan(variables, after(variables))["changes"] == []


# What changes when one variable changes, starting from the minimum that is needed.
CHANGES = [
    ({"clusters": ["prod", "dev"]}, ["roles", "rules"]),
    ({"task_families": ["report", "import"]}, ["roles", "rules"]),
    ({"pass_role_arns": []}, ["roles"]),
    ({"pass_role_arns": {"report": [TASK_ROLE]}}, []),
    ({"volume_role_arns": VOLUME_ROLE}, ["roles"]),
    ({"rebuild_hidden": True}, ["roles"]),
    ({"rebuild_hidden": "no"}, []),
    ({"allow_role_overrides": True, "allow_execute_command": True, "trusted_callers": "*"}, []),  # in the package
    ({"event_pattern": {"source": ["aws.ecs"]}}, ["rules"]),
    ({"topic_arn": TOPIC}, ["roles", "functions"]),
    ({"emails": "ops@example.com"}, ["roles", "topics", "functions"]),
    ({"alarm_actions": TOPIC}, ["alarms"]),
    ({"reserved_concurrency": "7"}, ["concurrency"]),
    ({"reserved_concurrency": -1}, ["concurrency"]),
    ({"runtime": "python3.12"}, ["functions"]),
    ({"log_retention_days": 90}, ["log_groups"]),
    ({"permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/boundary"}, ["roles"]),
    ({"kms_key": KEY}, ["roles", "log_group_keys", "queues", "functions"]),
    ({"tags": {"team": "shop"}}, ["log_groups", "roles", "queues", "functions", "rules"]),
    ({"stopped_tasks": "spot", "launch_templates": TEMPLATES}, ["rules"]),
    ({"launch_templates": TEMPLATES}, []),
    ({"launch_templates": TEMPLATES, "rules": [{"action": "retry", "exit_codes": [75]}]}, ["rules"]),
    ({"launch_templates": TEMPLATES, "rules": [{"action": "retry", "launch_failure": True, "reasons": ["x"]}]}, []),
    ({"launch_templates": TEMPLATES, "rules": [{"action": "ignore", "exit_codes": [1]}]}, []),
    ({"rules": [{"action": "retry", "exit_codes": [75]}]}, []),
    ({"max_attempts": 3}, []),  # it is in the package
    ({"log_group": "trail", "filter_pattern": "x"}, []),  # belongs to the other source
]


@pytest.mark.parametrize(("more", "keys"), CHANGES, ids=str)
def test_one_variable_changes_what_depends_on_it_and_can_be_changed_back(more, keys):
    stack = after(LEAST)
    assert written(plan({**LEAST, **more}, {**nothing({**LEAST, **more}), **stack})) == keys
    back = plan(LEAST, after({**LEAST, **more}))
    removes = {"topics": "old_topics"}
    # A boundary or a key that is not given is kept.
    kept = {"permissions_boundary": {"roles"}, "kms_key": {"log_group_keys", "queues", "functions"}}
    expected = {removes.get(key, key) for key in keys if key not in kept.get(next(iter(more)), ())}
    assert set(written(back)) == expected


def test_everything_with_contents_is_encrypted_with_the_key():
    variables = {**LEAST, "kms_key": KEY, "emails": ["ops@example.com"]}
    facts = plan(variables, nothing(variables))
    stores = [*(each["queue"] for each in facts["queues"]), *(each["topic"] for each in facts["topics"])]
    assert [each["attributes"]["KmsMasterKeyId"] for each in stores] == [KEY, KEY, KEY]
    assert (facts["functions"][0]["kms_key_arn"], facts["log_groups"][0]["kms_key_id"]) == (KEY, KEY)
    calls = ["kms:Decrypt", "kms:GenerateDataKey"]
    assert statements(variables)["UseKey"] == {"Effect": "Allow", "Action": calls, "Resource": KEY}
    later = plan(variables, after({**LEAST, "emails": ["ops@example.com"]}))
    assert written(later) == ["roles", "log_group_keys", "queues", "topics", "functions"]
    group = f"/aws/lambda/{NAME}"
    assert later["log_group_keys"] == [{"log_group_key": {"name": group, "kms_key_arn": KEY}}]
    assert (f"log_group_key {group}", {"kms_key_arn": None}, {"kms_key_arn": KEY}) in items(later)
    # The module that creates a log group does not set the key of an existing one.
    longer = plan({**variables, "log_retention_days": 90}, after(LEAST))
    assert longer["log_groups"] == [{"log_group_name": group, "retention": 90, "tags": TAGS}]


def test_another_package_changes_the_function():
    facts = plan(LEAST, after(LEAST), {**PACKAGE, "code_sha256": "def="})
    assert written(facts) == ["functions"]
    assert items(facts) == [(NAME, {"code_sha256": "abc="}, {"code_sha256": "def="})]
    assert written(plan(LEAST, after(LEAST), None)) == ["functions"], "nothing is packed for the first look"


def test_what_is_looked_for():
    queues, rules = [f"{NAME}-dead-letters", NAME], [f"{NAME}-launch", f"{NAME}-stopped"]
    always = {
        "rules": rules,
        "queues": queues,
        "topics": [f"{NAME}-given-up"],
        "log_groups": [f"/aws/lambda/{NAME}"],
        "iam_roles": [NAME],
        "functions": [NAME],
        "function_policies": [NAME],
        "event_source_mappings": [NAME],
        "alarms": [f"{NAME}-dead-letters"],
    }
    usual = {"subscription_filters": [], "task_definitions": [], "trails": True}
    assert names_to_find(LEAST) == {**always, **usual}
    assert names_to_find({**LEAST, "log_group": "trail"}) == {**always, **usual, "subscription_filters": ["trail"]}
    assert names_to_find({**LEAST, "pass_role_arns": None}) == {**always, **usual, "task_definitions": ["report"]}
    assert names_to_find({"state": "absent"}) == {**always, **usual, "trails": False}


@pytest.mark.parametrize(
    ("before", "variables", "files"),
    [
        (None, LEAST, ["make.yml"]),
        (LEAST, LEAST, []),
        ({**LEAST, "emails": ["ops@example.com"]}, LEAST, ["make.yml", "remove.yml"]),
        (LEAST, {"state": "absent"}, ["remove.yml"]),
    ],
)
def test_the_files_of_tasks_that_have_something_to_do(before, variables, files):
    stack = nothing(variables) if before is None else after(before)
    packed = {"stdout": json.dumps(PACKAGE)}
    assert FilterModule().filters()["launch_retry_plan"](variables, stack, packed)["files"] == files


def test_the_log_group_of_the_trail_instead_of_a_rule():
    facts = plan(LOG, with_trail(nothing(LOG)))
    assert written(facts) == [*FROM_NOTHING, "subscriptions"]
    assert [each["rule"]["name"] for each in facts["rules"]] == [f"{NAME}-stopped"]
    pattern = facts["changes"][-1]["items"][0]["after"]["filter_pattern"]
    stack = nothing(LOG)
    stack["subscription_filters"] = {"trail": []}
    whole = after_log(stack)
    assert plan(LOG, with_filter(whole, "trail", pattern))["changes"] == []
    other = plan({**LOG, "filter_pattern": "x"}, with_filter(whole, "trail", pattern))
    assert written(other) == ["subscriptions"]
    assert other["subscriptions"] == [
        {"name": NAME, "log_group": "trail", "function_arn": FUNCTION, "filter_pattern": "x"}
    ]
    assert items(other) == [("trail", {"filter_pattern": pattern}, {"filter_pattern": "x"})]
    no_policy = plan(LOG, {**with_filter(whole, "trail", pattern), "function_policies": {NAME: None}})
    logs = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:trail"
    permission = {"source_account": ACCOUNT, "source_arn": f"{logs}:*"}
    assert items(no_policy)[-1][0] == "trail"
    assert items(no_policy)[-1][2]["permission"].items() >= permission.items()
    # Back to the rule; the log group is no longer named.
    back = plan(LEAST, {**nothing(LEAST), **with_filter(whole, "trail", pattern)})
    assert written(back) == ["rules", "targets", "old_subscriptions"]
    # The filter is gone, but the permission still exists.
    assert written(plan(LEAST, {**whole, "subscription_filters": {"trail": []}}))[-1] == "old_subscriptions"


OLD_FILTER = {"name": NAME, "log_group": "trail", "function_arn": FUNCTION}


@pytest.mark.parametrize("gone", [{**LEAST, "log_group": "trail"}, {"state": "absent", "log_group": "trail"}])
def test_filters_and_permissions_that_are_not_needed(gone):
    allowed = after_log(nothing(LOG))
    neither = {**allowed, "function_policies": {NAME: {"policy": "{}"}}}
    foreign = {"policy": json.dumps({"Statement": [logs_statement_for(parse_arn(FUNCTION), "trail", "by-hand")]})}
    stacks = [
        (with_filter(allowed, "trail", "x"), [OLD_FILTER]),
        (with_filter(neither, "trail", "x"), [OLD_FILTER]),
        (with_trail(allowed), [OLD_FILTER]),
        (with_trail(neither), []),
        ({**neither, "subscription_filters": {"trail": None}}, []),
        # Resources that somebody created by hand for the same function.
        (with_filter(neither, "trail", "x", name="by-hand"), []),
        ({**with_trail(allowed), "function_policies": {NAME: foreign}}, []),
    ]
    for stack, expected in stacks:
        facts = plan(gone, stack)
        assert facts["old_subscriptions"] == expected
        assert [item for item in items(facts) if item[0] == "trail"] == [("trail", NAME, None)] * len(expected)


def test_the_policy_of_somebody_elses_function_stays():
    stack = with_trail(after_log(nothing(LOG)))
    stack["functions"][NAME]["tags"] = {}
    facts = plan({"state": "absent", "log_group": "trail"}, stack)
    assert [key for key in ("old_subscriptions", "old_mappings", "old_functions") if facts[key]] == []


def test_a_filter_made_by_hand_doubles_what_the_function_receives():
    stack = with_filter(after_log(nothing(LOG)), "trail", "x", name="by-hand")
    facts = plan(LOG, stack)
    assert written(facts) == ["subscriptions"]
    assert "The filter by-hand of trail sends to the same function" in facts["notes"][0]
    stack = with_filter(after_log(nothing(LOG)), "trail", "x", name="by-hand", function=f"{FUNCTION}-2")
    assert plan(LOG, stack)["notes"] == [UNTOLD]


ABSENT = ["old_targets", "old_rules", "old_mappings", "old_functions", "old_log_groups", "old_alarms", "old_queues",
          "old_roles"]  # fmt: skip


def test_absent_removes_everything_and_then_nothing():
    gone = {"state": "absent", "clusters": [], "max_attempts": "many"}
    assert written(plan(gone, after(LEAST), None)) == ABSENT
    with_topic = {**LEAST, "emails": ["ops@example.com"]}
    assert set(written(plan(gone, after(with_topic), None))) == {*ABSENT, "old_topics"}
    facts = plan(gone, nothing(gone), None)
    assert facts["changes"] == []
    assert set(map(str, facts["result"].values())) == {"None", "[]"}


def test_absent_removes_all_of_it():
    planned = plan({"state": "absent"}, after({**LEAST, "emails": ["ops@example.com"]}), None)
    rules, queues = [f"{NAME}-launch", f"{NAME}-stopped"], [f"{NAME}-dead-letters", NAME]
    target = {"id": "retry", "arn": FUNCTION, "dead_letter_arn": DEAD, "state": "absent"}
    group = f"/aws/lambda/{NAME}"
    steps = {
        "old_targets": [{"target": {"rule": rule, **target}} for rule in rules],
        "old_rules": [{"rule": {"name": rule, "state": "absent"}} for rule in rules],
        "old_mappings": [{"function_name": NAME, "source_arn": QUEUE}],
        "old_functions": [{"name": NAME}],
        "old_log_groups": [{"name": group}],
        "old_alarms": [{"name": f"{NAME}-dead-letters"}],
        "old_topics": [{"topic": {"name": f"{NAME}-given-up", "state": "absent"}}],
        "old_queues": [{"queue": {"name": queue, "state": "absent"}} for queue in queues],
        "old_roles": [{"iam_role": {"name": NAME, "state": "absent"}}],
    }
    assert {key: items for key, items in planned.items() if key in TASKS and items} == steps
    assert [task["task"] for task in planned["changes"]] == [
        "Remove rules that are not needed",
        "Stop invoking the function",
        "Remove the function",
        "Remove the log group of the function",
        "Remove the alarm",
        "Remove the topic, the IAM role and the queues with all messages in them",
    ]
    assert items(planned) == [
        *((f"target retry of rule {rule}", {"arn": FUNCTION}, None) for rule in rules),
        *((f"rule {rule}", {"name": rule}, None) for rule in rules),
        (NAME, QUEUE, None),
        (NAME, NAME, None),
        (group, group, None),
        (f"{NAME}-dead-letters", f"{NAME}-dead-letters", None),
        (
            f"topic {NAME}-given-up",
            {"name": f"{NAME}-given-up", "attributes": {}, "tags": TAGS, "subscriptions": []},
            None,
        ),
        *((f"queue {queue}", {"name": queue}, None) for queue in queues),
        (f"role {NAME}", {"name": NAME}, None),
    ]
    assert planned["notes"] == []


KINDS = [
    ("rules", f"{NAME}-launch", "rule"),
    ("rules", f"{NAME}-stopped", "rule"),
    ("iam_roles", NAME, "role"),
    ("queues", f"{NAME}-dead-letters", "queue"),
    ("queues", NAME, "queue"),
    ("topics", f"{NAME}-given-up", "topic"),
    ("functions", NAME, "function"),
    ("log_groups", f"/aws/lambda/{NAME}", "log group"),
    ("alarms", f"{NAME}-dead-letters", "alarm"),
]
EVERYTHING = {**LEAST, "emails": ["ops@example.com"], "stopped_tasks": ["spot"], "launch_templates": TEMPLATES}


@pytest.mark.parametrize(("kind", "name", "word"), KINDS)
@pytest.mark.parametrize("tags", [{}, {TAG: "another"}, {"team": "shop"}], ids=str)
def test_what_is_somebody_elses(kind, name, word, tags):
    stack = after(EVERYTHING)
    stack[kind][name] = {**stack[kind][name], "tags": tags, "description": "theirs"}
    with pytest.raises(Refused) as refusal:
        plan(EVERYTHING, stack)
    assert str(refusal.value) == (
        f"Not managed by this role: {word} {name}. Nothing was changed. Choose another launch_retry_name, or hand the "
        f"resources over to the role by tagging them {TAG}={NAME}."
    )
    facts = plan({"state": "absent"}, stack)
    assert name not in [bare(item)["name"] for item in facts[f"old_{kind.removeprefix('iam_')}"]]
    assert facts["result"]["not_managed"] == [f"{word} {name}"]
    assert facts["notes"] == [f"Not removed, because this role does not manage them: {word} {name}."]


def test_things_handed_over_by_their_tag_are_the_roles():
    stack = after(EVERYTHING)
    alarm = stack["alarms"][f"{NAME}-dead-letters"]
    stack["alarms"][f"{NAME}-dead-letters"] = {**alarm, "description": "theirs", "tags": TAGS}
    assert written(plan(EVERYTHING, stack)) == ["alarms"]


def test_a_filter_that_sends_elsewhere_is_somebody_elses():
    stack = with_filter(nothing(LOG), "trail", "", function=f"{FUNCTION}-2")
    with pytest.raises(Refused, match=f"subscription filter {NAME} of trail"):
        plan(LOG, stack)
    assert plan({"state": "absent", "log_group": "trail"}, stack)["changes"] == []


def waiting(receives: int) -> dict[str, str]:
    """Return the attributes of the queue of retries as SQS returns them."""
    redrive = {"maxReceiveCount": receives, "deadLetterTargetArn": DEAD}
    return {"VisibilityTimeout": "720", "RedrivePolicy": json.dumps(redrive), "DelaySeconds": "0"}


# The role changes back what somebody changed by hand.
DRIFT = [
    ("iam_roles", NAME, {"description": "x"}, ["roles"]),
    ("iam_roles", NAME, {"policies": {}}, ["roles"]),
    ("iam_roles", NAME, {"boundary": "arn:x"}, []),
    ("iam_roles", NAME, {"trust": {}}, ["roles"]),
    ("log_groups", f"/aws/lambda/{NAME}", {"retention_days": None}, ["log_groups"]),
    ("queues", NAME, {"attributes": {}}, ["queues"]),
    ("queues", NAME, {"attributes": waiting(3)}, ["queues"]),
    ("queues", NAME, {"attributes": waiting(10)}, []),
    ("queues", NAME, {"attributes": {**waiting(10), "VisibilityTimeout": "30"}}, ["queues"]),
    ("queues", NAME, {"tags": {**TAGS, "x": "y"}}, ["queues"]),
    ("functions", NAME, {"timeout": 3}, ["functions"]),
    ("functions", NAME, {"environment": {}}, ["functions"]),
    ("functions", NAME, {"reserved_concurrency": None}, ["concurrency"]),
    ("functions", NAME, {"role_arn": "arn:x"}, ["functions"]),
    ("alarms", f"{NAME}-dead-letters", {"threshold": 5.0}, ["alarms"]),
    ("rules", f"{NAME}-launch", {"pattern_text": '{"source": ["x"]}'}, ["rules"]),
    ("rules", f"{NAME}-launch", {"state": "DISABLED"}, []),
    ("rules", f"{NAME}-launch", {"targets": []}, ["targets"]),
    ("function_policies", NAME, {"policy": "{}"}, ["targets"]),
    ("queues", f"{NAME}-dead-letters", {"attributes": {"MessageRetentionPeriod": "1209600"}}, ["targets"]),
]


@pytest.mark.parametrize(("kind", "name", "found", "keys"), DRIFT, ids=str)
def test_what_was_changed_by_hand(kind, name, found, keys):
    stack = after(LEAST)
    stack[kind][name] = {**stack[kind][name], **found}
    assert written(plan(LEAST, stack)) == keys


@pytest.mark.parametrize(
    ("state", "batch_size", "keys"),
    [
        ("Enabled", 10, []),
        ("Enabling", 10, []),
        ("Creating", 10, []),
        ("Updating", 10, []),
        ("Disabled", 10, ["mappings"]),
        ("Deleting", 10, ["mappings"]),
        ("Enabled", 1, ["mappings"]),
    ],
)
def test_the_mapping_of_the_queue(state, batch_size, keys):
    stack = after(LEAST)
    stack["event_source_mappings"][NAME][0].update(state=state, batch_size=batch_size)
    assert written(plan(LEAST, stack)) == keys
    stack["event_source_mappings"][NAME][0]["source_arn"] = DEAD
    assert written(plan(LEAST, stack)) == ["mappings"]
    assert plan({"state": "absent"}, stack)["old_mappings"] == []
    stack["event_source_mappings"][NAME] = None
    assert written(plan(LEAST, stack)) == ["mappings"]


def test_a_mapping_outlives_its_function():
    stack = after(LEAST)
    stack["functions"][NAME] = None
    assert written(plan(LEAST, stack)) == ["functions", "concurrency", "mappings", "targets"]
    assert plan({"state": "absent"}, stack)["old_mappings"] == []


def test_a_queue_that_was_deleted_is_made_again_and_the_function_stays():
    stack = after(LEAST)
    stack["queues"][NAME] = None
    assert written(plan(LEAST, stack)) == ["queues"]
    stack["queues"] = dict.fromkeys(stack["queues"])
    assert "functions" not in written(plan(LEAST, stack))


def test_the_addresses_of_a_sandbox():
    stack = after(LEAST)
    for name, variable in ((NAME, "RETRY_QUEUE_URL"), (f"{NAME}-dead-letters", "DEAD_LETTER_QUEUE_URL")):
        url = f"http://127.0.0.1:5000/{ACCOUNT}/{name}"
        stack["queues"][name]["url"] = url
        stack["functions"][NAME]["environment"][variable] = hashlib.sha256(url.encode()).hexdigest()
    assert plan(LEAST, stack)["changes"] == []
    stack["functions"][NAME]["environment"]["RETRY_QUEUE_URL"] = "other"
    ((_name, before, wanted),) = items(plan(LEAST, stack))
    assert (before["environment"]["RETRY_QUEUE_URL"], wanted["environment"]) == (
        "other",
        environment("http://127.0.0.1:5000"),
    )


def environment(host: str) -> dict[str, str]:
    """Return the function's environment variables as ecs_stack_info returns them."""
    urls = {"RETRY_QUEUE_URL": NAME, "DEAD_LETTER_QUEUE_URL": f"{NAME}-dead-letters"}
    return {name: hashlib.sha256(f"{host}/{ACCOUNT}/{queue}".encode()).hexdigest() for name, queue in urls.items()}


def test_a_function_may_know_another_address_of_its_queue():
    stack = after(LEAST)
    for name, queue in stack["queues"].items():
        queue["url"] = f"https://{REGION}.queue.amazonaws.com/{ACCOUNT}/{name}"
    assert plan(LEAST, stack)["changes"] == []


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "eu-west-1", "https://sqs.eu-west-1.amazonaws.com"),
        ("aws-us-gov", "us-gov-west-1", "https://sqs.us-gov-west-1.amazonaws.com"),
        ("aws-cn", "cn-north-1", "https://sqs.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_address_that_a_queue_will_have(partition, region, host):
    facts = plan(LEAST, {**nothing(LEAST), "partition": partition, "region": region})
    (function,) = [
        after
        for task in facts["changes"]
        for _label, _before, after in items({"changes": [task]})
        if task["task"] == TASKS["functions"]
    ]
    assert function["environment"] == environment(host)


def theirs(**more: Any) -> dict[str, Any]:
    """Return a target that somebody else added to a rule of the role."""
    found = after(LEAST)["rules"][f"{NAME}-launch"]["targets"][0]
    return {**found, "id": "theirs", "arn": f"{FUNCTION}-2", "dead_letter_arn": None, **more}


def test_targets_of_others_are_not_written():
    stack = after(LEAST)
    stack["rules"][f"{NAME}-launch"]["targets"].insert(0, theirs())
    assert plan(LEAST, stack)["changes"] == []
    gone = plan({"state": "absent"}, stack)
    assert [step["target"]["id"] for step in gone["old_targets"]] == ["retry", "retry"]


@pytest.mark.parametrize("shared", [False, True])
def test_a_target_that_moves_takes_its_statements_along(shared):
    """The statements stay if another target of the rule uses the same dead-letter queue."""
    stack, rule = after(LEAST), f"{NAME}-launch"
    (target,) = stack["rules"][rule]["targets"]
    target["dead_letter_arn"] = QUEUE
    statement = statement_for(parse_arn(QUEUE), rule_arn(rule), "dead letters")
    stack["queues"][NAME]["attributes"]["Policy"] = json.dumps({"Statement": [statement]})
    if shared:
        stack["rules"][rule]["targets"].append(theirs(dead_letter_arn=QUEUE))
    there = [
        {"resource": FUNCTION, "statement": statement_for(parse_arn(FUNCTION), rule_arn(rule), "retry")},
        {"resource": DEAD, "statement": statement_for(parse_arn(DEAD), rule_arn(rule), "dead letters")},
    ]
    moves = {"permissions": [there[0], {"resource": QUEUE, "statement": statement}, there[1]]}
    assert items(plan(LEAST, stack)) == [
        (
            f"target retry of rule {rule}",
            {"dead_letter_arn": QUEUE, **({} if shared else moves)},
            {"dead_letter_arn": DEAD, **({} if shared else {"permissions": there})},
        )
    ]


def test_subscriptions_of_the_topic():
    variables = {**LEAST, "emails": ["ops@example.com"]}
    stack = after(variables)
    topic = stack["topics"][f"{NAME}-given-up"]
    facts = plan(variables, stack)
    assert facts["result"]["unconfirmed_emails"] == ["ops@example.com"]
    assert facts["notes"] == [
        "AWS sends a confirmation request to ops@example.com. Messages arrive only after it is accepted."
    ]
    topic["subscriptions"][0]["arn"] = f"{OWN_TOPIC}:1"
    assert plan(variables, stack)["notes"] == []
    pending = {"protocol": "email", "endpoint": "old@example.com", "arn": "PendingConfirmation"}
    topic["subscriptions"].append(pending)
    assert plan(variables, stack)["changes"] == [], "nobody can remove it"
    pending["arn"] = f"{OWN_TOPIC}:2"
    assert written(plan(variables, stack)) == ["topics"]
    pending["protocol"] = "sms"
    assert plan(variables, stack)["changes"] == [], "others have subscribed it"


def test_rules_and_topics_that_others_use_stay():
    stack = after({**LEAST, "emails": ["ops@example.com"]})
    stack["rules"][f"{NAME}-launch"]["targets"].append({"id": "theirs", "arn": FUNCTION})
    topic = stack["topics"][f"{NAME}-given-up"]
    topic["subscriptions"][0]["arn"] = f"{OWN_TOPIC}:1"
    topic["subscriptions"].append({"protocol": "sqs", "endpoint": DEAD, "arn": f"{OWN_TOPIC}:2"})
    gone = plan({"state": "absent"}, stack, None)
    assert gone["result"]["kept"] == [f"rule {NAME}-launch", f"topic {NAME}-given-up"]
    assert f"rule {NAME}-launch, topic {NAME}-given-up" in gone["notes"][0]
    assert gone["old_rules"] == [{"rule": {"name": f"{NAME}-stopped", "state": "absent"}}]
    assert gone["old_topics"] == [{"topic": {"name": f"{NAME}-given-up", "unsubscribe": [f"{OWN_TOPIC}:1"]}}]
    del topic["subscriptions"][0]
    assert plan({"state": "absent"}, stack, None)["old_topics"] == []


def test_roles_of_the_tasks_come_from_the_task_definitions():
    variables = {key: value for key, value in LEAST.items() if key != "pass_role_arns"}
    stack = nothing(variables)
    with pytest.raises(Refused, match=f"The task definition report does not exist in {REGION}"):
        plan(variables, stack)
    stack["task_definitions"]["report"] = {"task_role_arn": TASK_ROLE, "execution_role_arn": None}
    assert statements(variables, stack)["PassRole"] == passes([TASK_ROLE], "ecs-tasks")
    by_name = {"task_role_arn": "task", "execution_role_arn": "execution"}
    stack["task_definitions"]["report"] = by_name
    assert statements(variables, stack)["PassRole"] == passes([EXECUTION_ROLE, TASK_ROLE], "ecs-tasks")


def passes(roles: list[str], service: str) -> dict[str, Any]:
    condition = {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}}
    return {"Effect": "Allow", "Action": "iam:PassRole", "Resource": roles, "Condition": condition}


def statements(variables: dict[str, Any], stack: dict[str, Any] | None = None) -> dict[str, Any]:
    (item,) = plan(variables, stack or nothing(variables))["roles"]
    (policy,) = item["iam_role"]["policies"].values()
    return {each.pop("Sid"): each for each in deepcopy(policy["Statement"])}


def test_statements_of_the_policy():
    least = ["RunTask", "TagTask", "ListTasks", "PassRole", "Send", "Receive", "Log"]
    assert list(statements(LEAST)) == least
    assert list(statements({**LEAST, "pass_role_arns": []})) == [sid for sid in least if sid != "PassRole"]
    for tells in ({"topic_arn": TOPIC}, {"emails": ["ops@example.com"]}):
        assert list(statements({**LEAST, **tells})) == [*least[:-1], "Notify", "Log"]


def test_reads_of_callers_are_allowed_only_when_they_are_made():
    made = statements({**LEAST, "rebuild_hidden": "yes"})
    more = {sid: statement for sid, statement in made.items() if sid not in statements(LEAST)}
    assert more == {
        "ListCallers": {"Effect": "Allow", "Action": ["events:ListRules", "scheduler:ListSchedules"], "Resource": "*"},
        "ReadSchedules": {
            "Effect": "Allow",
            "Action": "scheduler:GetSchedule",
            "Resource": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/*/*",
        },
        "ReadTargets": {
            "Effect": "Allow",
            "Action": "events:ListTargetsByRule",
            "Resource": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/*",
        },
    }
    # The linter accepts the star of ListCallers, because its calls take no other resource.
    assert complaints({"Version": "2012-10-17", "Statement": list(made.values())}) == [
        "RESOURCE_STAR:  ['ecs:ListTasks']"
    ]


def test_roles_of_volumes_go_to_ecs_itself():
    assert "PassVolumeRole" not in statements(LEAST)
    volume = {"name": "data", "managedEBSVolume": {"roleArn": f"{VOLUME_ROLE}-2", "sizeInGiB": 10}}
    templates = {"report": {"volumeConfigurations": [volume]}}
    found = statements({**LEAST, "volume_role_arns": [VOLUME_ROLE], "launch_templates": templates})
    assert found["PassVolumeRole"] == passes([VOLUME_ROLE, f"{VOLUME_ROLE}-2"], "ecs")
    assert found["PassRole"] == passes([TASK_ROLE], "ecs-tasks")


TWO = {**LEAST, "task_families": ["report", "import"], "allow_role_overrides": True}
DEFINED = {"import": {"task_role_arn": None, "execution_role_arn": EXECUTION_ROLE}}


@pytest.mark.parametrize(
    ("given", "asked", "by_family"),
    [
        ([TASK_ROLE], [], {"report": [TASK_ROLE], "import": [TASK_ROLE]}),
        ({"report": TASK_ROLE}, ["import"], {"report": [TASK_ROLE], "import": [EXECUTION_ROLE]}),
        ({"report": [], "import": [TASK_ROLE]}, [], {"report": [], "import": [TASK_ROLE]}),
    ],
)
def test_the_function_knows_the_roles_of_each_family(given, asked, by_family):
    variables = {**TWO, "pass_role_arns": given}
    assert names_to_find(variables)["task_definitions"] == asked
    stack = {**nothing(variables), "task_definitions": DEFINED}
    assert options_to_pack(variables, stack)["pass_role_arns"] == by_family
    everything = sorted({role for roles in by_family.values() for role in roles})
    assert statements(variables, stack)["PassRole"]["Resource"] == everything
    assert "pass_role_arns" not in options_to_pack({**variables, "allow_role_overrides": False}, stack)


@pytest.mark.parametrize(
    ("more", "narrow"),
    [
        ({}, True),
        ({"launch_templates": TEMPLATES}, True),
        ({"source": "log_subscription", "log_group": "trail"}, True),
        ({"launch_templates": TEMPLATES, "stopped_tasks": ["spot"]}, False),
        ({"launch_templates": TEMPLATES, "rules": [{"action": "retry", "exit_codes": [75]}]}, False),
    ],
)
def test_stops_for_want_of_an_instance_are_always_heard_of(more, narrow):
    """Managed Instances stop tasks with these words of run_task_answers.tsv where others refuse the launch."""
    variables = {**LEAST, **more}
    planned = [each["rule"] for each in plan(variables, with_trail(nothing(variables)))["rules"]]
    rules = {each["name"]: each["event_pattern"] for each in planned}
    pattern = rules[f"{NAME}-stopped"]
    words = "ResourceInitializationError: Unable to launch instance(s) for capacity provider p. UnfulfillableCapacity"
    assert lint(pattern) == []
    assert matches(pattern, stop("TaskFailedToStart", words))
    for event in (stop("SpotInterruption", "Your Spot Task was interrupted."), stop("TaskFailedToStart", "CannotPull")):
        assert matches(pattern, event) != narrow
    others = ({"lastStatus": "RUNNING"}, {"clusterArn": f"{ECS}:cluster/prod-2"},
              {"taskDefinitionArn": f"{ECS}:task-definition/report-2:7"})  # fmt: skip
    for other in others:
        assert not matches(pattern, stop("TaskFailedToStart", words, **other))


ECS = f"arn:aws:ecs:{REGION}:{ACCOUNT}"


def stop(code: str, reason: str, **more: Any) -> dict[str, Any]:
    detail = {
        "lastStatus": "STOPPED",
        "clusterArn": f"{ECS}:cluster/prod",
        "taskDefinitionArn": f"{ECS}:task-definition/report:7",
        "stopCode": code,
        "stoppedReason": reason,
    }
    return {"source": "aws.ecs", "detail-type": "ECS Task State Change", "detail": {**detail, **more}}


def test_a_trail_that_is_not_there_is_a_note():
    stack = nothing(LEAST)
    stack["trails"] = {"logs_launches": False, "denied": None}
    note, _untold = plan(LEAST, stack)["notes"]
    assert note.startswith("No CloudTrail trail logs management events")


def test_a_pattern_of_the_users_own_that_may_not_be_meant_is_noted():
    variables = {**LEAST, "event_pattern": {"source": ["aws.ecs"], "detail-type": ["ECS Task State Chance"]}}
    assert any("event_pattern" in note for note in plan(variables, nothing(variables))["notes"])


# The function gets texts in place of numbers, lists of one element and the like.
READ = [
    ({"max_attempts": "3"}, {"max_attempts": 3}),
    ({"max_attempts": None}, {}),
    ({"rotate_subnets": "no", "tag_tasks": "True"}, {"rotate_subnets": False, "tag_tasks": True}),
    ({"clusters": "prod", "task_families": "report"}, {}),
    ({"left_alone_services": []}, {"left_alone_services": []}),
    ({"left_alone_clusters": "x-*"}, {"left_alone_clusters": ["x-*"]}),
    ({"trusted_callers": "arn:*", "rebuild_hidden": "yes"}, {"trusted_callers": ["arn:*"], "rebuild_hidden": True}),
    ({"allow_execute_command": "yes"}, {"allow_execute_command": True}),
    (
        {"rules": {"action": "retry", "exit_codes": "75", "launch_failure": "false", "reasons": None}},
        {"rules": [{"action": "retry", "exit_codes": [75], "launch_failure": False}]},
    ),
]


@pytest.mark.parametrize(("more", "options"), READ, ids=str)
def test_options_of_the_function(more, options):
    least = {"clusters": ["prod"], "families": ["report"], "own_role_arns": [ROLE]}
    assert options_to_pack({**LEAST, **more}, HERE) == {**least, **options}


REFUSED = [
    ({"max_atempts": 3}, "launch_retry_max_atempts: the role launch_retry has no such variable"),
    ({"state": "paused"}, "launch_retry_state must be present or absent (got 'paused')"),
    ({"source": "sqs"}, "launch_retry_source must be eventbridge or log_subscription"),
    ({"name": "my retries"}, "launch_retry_name must have 1 to 40 letters"),
    ({"name": "a" * 41}, "launch_retry_name must have 1 to 40 letters"),
    ({"clusters": []}, "launch_retry_clusters and launch_retry_task_families are required"),
    ({"task_families": ""}, "launch_retry_clusters and launch_retry_task_families are required"),
    ({"clusters": ["a b"]}, "launch_retry_clusters"),
    ({"task_families": ["report:7"]}, "launch_retry_task_families has 'report:7': a family has no revision"),
    ({"source": "log_subscription"}, "launch_retry_log_group is required with launch_retry_source: log_subscription"),
    ({"log_group": "a:b"}, "launch_retry_log_group"),
    ({"emails": ["ops@example.com"], "topic_arn": TOPIC}, "mutually exclusive"),
    ({"emails": ["ops"]}, "launch_retry_emails must be email addresses (got 'ops')"),
    ({"topic_arn": f"{TOPIC}.fifo"}, "launch_retry_topic_arn"),
    ({"reserved_concurrency": 0}, "launch_retry_reserved_concurrency must be a positive number, or -1"),
    ({"reserved_concurrency": -2}, "launch_retry_reserved_concurrency must be a positive number, or -1"),
    ({"log_retention_days": 31}, "launch_retry_log_retention_days must be one of 1, 3, 5"),
    ({"permissions_boundary": "boundary"}, "`launch_retry_permissions_boundary` must be the ARN of an IAM policy"),
    ({"permissions_boundary": ROLE}, "`launch_retry_permissions_boundary` must be the ARN of an IAM policy"),
    ({"pass_role_arns": {"import": [TASK_ROLE]}}, "launch_retry_pass_role_arns has import, but"),
    ({"pass_role_arns": ["task"]}, "`launch_retry_pass_role_arns` must be the ARN of an IAM role"),
    ({"volume_role_arns": TOPIC}, "`launch_retry_volume_role_arns` must be the ARN of an IAM role"),
    ({"rebuild_hidden": "perhaps"}, "launch_retry_rebuild_hidden must be true or false"),
    ({"trusted_callers": [7]}, "launch_retry_trusted_callers must be a list of texts"),
    ({"kms_key": "alias/mine"}, "`launch_retry_kms_key` must be the ARN of a KMS key"),
    ({"tags": ["a"]}, "launch_retry_tags must be a dictionary"),
    ({"tags": {"aws:x": "y"}}, "launch_retry_tags"),
    (
        {"stopped_tasks": ["oom"]},
        "launch_retry_stopped_tasks must be some of spot, host_loss, failed_to_start (got oom)",
    ),
    ({"stopped_tasks": ["spot"]}, "launch_retry_stopped_tasks requires launch_retry_launch_templates"),
    ({"launch_templates": {"other": {}}}, "launch_retry_launch_templates has other, but"),
    ({"launch_templates": {"report": {"subnets": []}}}, "launch_retry_launch_templates: report has subnets"),
    ({"rules": [{"exit_codes": [1]}]}, "launch_retry_rules: number 1: action is None"),
    ({"rules": [{"action": "retry", "exit_codes": ["x"]}]}, "launch_retry_rules, exit_codes must be a whole number"),
    ({"rules": ["retry"]}, "launch_retry_rules: number 1 must be a mapping"),
    ({"max_attempts": "many"}, "launch_retry_max_attempts must be a whole number (got 'many')"),
    ({"max_attempts": 51}, "launch_retry_max_attempts must be a whole number from 1 to 50"),
    ({"base_delay": 60, "max_delay": 20}, "launch_retry_base_delay (60) is above max_delay (20)"),
    ({"rotate_subnets": "perhaps"}, "launch_retry_rotate_subnets must be true or false"),
]


@pytest.mark.parametrize(("more", "words"), REFUSED, ids=str)
def test_variables_that_cannot_be_meant(more, words):
    with pytest.raises(Refused) as refusal:
        read_retries({**LEAST, **more})
    assert words in str(refusal.value)


REFUSED_LATER = [
    (
        {"kms_key": KEY.replace(REGION, "us-east-1")},
        f"launch_retry_kms_key: arn:aws:kms:us-east-1:{ACCOUNT}:key/1a2b is not a key of {REGION}",
    ),
    ({"event_pattern": {"source": "aws.ecs"}}, "launch_retry_event_pattern: source"),
    ({"clusters": [f"a-cluster-{number}" for number in range(150)]}, "The event pattern that kind launch"),
    ({**LOG, "filter_pattern": "{ $.a EXISTS }"}, "launch_retry_filter_pattern: EXISTS is not supported"),
    ({**LOG, "log_group": "nowhere"}, "The log group nowhere does not exist"),
]


@pytest.mark.parametrize(("more", "words"), REFUSED_LATER, ids=str)
def test_variables_that_the_modules_would_refuse(more, words):
    variables = {**LEAST, **more}
    with pytest.raises(Refused) as refusal:
        plan(variables, nothing(variables))
    assert str(refusal.value).startswith(words)


def test_a_plan_changes_nothing_that_it_is_given():
    variables, stack = deepcopy(EVERYTHING), after(EVERYTHING)
    before = deepcopy((variables, stack))
    plan(variables, stack)
    assert (variables, stack) == before
