# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of scheduled_task: every variable alone and with related ones, and who owns which resource."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.scheduled_task.variables import (
    in_variables,
    read_variables,
)
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.unit.core.stacks.scheduled_task_world import (
    ACCOUNT,
    KEY,
    MACHINE,
    OWN_TOPIC,
    REGION,
    ROLE,
    TAGS,
    TOPIC,
    empty,
    labels,
    names,
    params,
    plan,
    settled,
    variables,
)

LOG_GROUP = "/aws/vendedlogs/states/report"
ROLES = STATES, SCHEDULE = ["role report-states", "role report-schedule"]
GROUP_KEY = f"log_group_key {LOG_GROUP}"
DEAD = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"
MAIL = {"topic_arn": None, "emails": ["a@example.org"]}
ALL = {
    "roles": ROLES,
    "log_groups": [LOG_GROUP],
    "state_machines": ["report"],
    "rules": ["rule report-execution"],
    "targets": ["target topic of rule report-execution"],
    "schedules": ["report"],
}
EVENT_RULE_GONE = {
    "removed_targets": ["target topic of rule report-execution"],
    "removed_rules": ["rule report-execution"],
}
TASK_RULE = {"rules": ["rule report-task"], "targets": ["target topic of rule report-task"]}


def statements(planned):
    """Return what the state machine may do."""
    return params(planned, "roles")[0]["policies"]["steadyops-run-task"]["Statement"]


def test_a_new_stack():
    assert labels(plan(empty())) == ALL
    assert labels(plan(settled())) == {}
    result = plan(empty())["result"]
    assert result["state_machine"]["arn"] == MACHINE
    assert result["schedule"]["target"]["role_arn"] == f"{ROLE}report-schedule"
    assert {key: result[key] for key in ("topic_arn", "unconfirmed_emails", "kept", "not_managed")} == {
        "topic_arn": TOPIC,
        "unconfirmed_emails": [],
        "kept": [],
        "not_managed": [],
    }


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({"cluster": "other"}, {"roles": [STATES], "state_machines": ["report"]}),
        ({"cluster": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/prod"}, {"state_machines": ["report"]}),
        ({"task_definition": "report:7"}, {"state_machines": ["report"]}),
        ({"timeout": "3h"}, {"state_machines": ["report"]}),
        ({"timeout": 7200}, {}),
        ({"subnets": "subnet-1"}, {}),
        ({"subnets": ["subnet-2"]}, {"state_machines": ["report"]}),
        ({"security_groups": "sg-1"}, {"state_machines": ["report"]}),
        ({"assign_public_ip": "yes"}, {"state_machines": ["report"]}),
        ({"job": {"tags": {"a": 1}}}, {"roles": [STATES], "state_machines": ["report"]}),
        ({"job": {"propagate_tags": "true"}}, {"roles": [STATES], "state_machines": ["report"]}),
        (
            {"job": {"overrides": {"task_role_arn": f"{ROLE}other"}}},
            {"roles": [STATES], "state_machines": ["report"]},
        ),
        ({"job": {"overrides": {"task_role_arn": f"{ROLE}app"}}}, {"state_machines": ["report"]}),
        ({"job": {"retry_failures": {"max_attempts": "3"}}}, {"state_machines": ["report"]}),
        ({"schedule_expression": "rate(2 days)"}, {"schedules": ["report"]}),
        ({"timezone": "UTC"}, {}),
        ({"timezone": "Europe/Berlin"}, {"schedules": ["report"]}),
        ({"enabled": "true"}, {}),
        ({"enabled": False}, {"schedules": ["report"]}),
        ({"input": {"a": 1}}, {"schedules": ["report"]}),
        ({"suspend": True}, {"schedules": ["report"]}),
        ({"suspend": "no"}, {}),
        ({"concurrency": "allow"}, {}),
        ({"concurrency": "forbid"}, {"roles": [STATES], "state_machines": ["report"]}),
        ({"concurrency": "replace"}, {"roles": [STATES], "state_machines": ["report"]}),
        ({"starting_deadline": 600}, {"state_machines": ["report"], "schedules": ["report"]}),
        ({"notify": ["execution", "skipped"]}, {}),
        ({"notify": ["execution", "skipped"], "concurrency": "forbid"},
         {"roles": [STATES], "state_machines": ["report"]}),
        ({"notify": ["skipped"]}, EVENT_RULE_GONE),
        ({"kms_key": KEY}, {"log_group_keys": [GROUP_KEY]}),
        ({"kms_key": KEY, "logging_level": "OFF"},
         {"roles": [STATES], "state_machines": ["report"], "removed_log_groups": [LOG_GROUP]}),
        ({**MAIL, "kms_key": KEY}, {"topics": ["topic report-failures"], "log_group_keys": [GROUP_KEY],
         "targets": ["target topic of rule report-execution"]}),
        ({"dead_letter_arn": DEAD}, {"roles": [SCHEDULE], "schedules": ["report"]}),
        ({"dead_letter_arn": ""}, {}),
        ({"schedule": {"flexible_time_window": "15"}}, {"schedules": ["report"]}),
        ({"schedule": {"description": "d"}}, {"schedules": ["report"]}),
        (
            {"schedule": {"using": "rule"}},
            {
                "roles": [SCHEDULE],
                "removed_schedules": ["schedule report"],
                "schedules": ["report"],
            },
        ),
        (
            {"schedule": {"using": "rule"}, "dead_letter_arn": DEAD},
            {
                "roles": [SCHEDULE],
                "removed_schedules": ["schedule report"],
                "schedules": ["report"],
            },
        ),
        ({"notify": "execution"}, {}),
        ({"notify": "catch"}, {"roles": [STATES], "state_machines": ["report"], **EVENT_RULE_GONE}),
        ({"notify": ["execution", "task"]}, TASK_RULE),
        ({"topic_arn": None}, EVENT_RULE_GONE),
        ({"topic_arn": None, "notify": []}, EVENT_RULE_GONE),
        (MAIL, {"topics": ["topic report-failures"], "targets": ["target topic of rule report-execution"]}),
        (
            {**MAIL, "notify": ["catch"]},
            {"roles": [STATES], "topics": ["topic report-failures"], "state_machines": ["report"], **EVENT_RULE_GONE},
        ),
        ({"pass_role_arns": [f"{ROLE}app"]}, {}),
        ({"pass_role_arns": f"{ROLE}other"}, {"roles": [STATES]}),
        ({"pass_role_arns": []}, {"roles": [STATES]}),
        ({"logging_level": "ALL"}, {"state_machines": ["report"]}),
        (
            {"logging_level": "OFF"},
            {"roles": [STATES], "state_machines": ["report"], "removed_log_groups": [LOG_GROUP]},
        ),
        ({"log_retention_days": "30"}, {}),
        ({"log_retention_days": 60}, {"log_groups": [LOG_GROUP]}),
        ({"logging_level": "OFF", "log_retention_days": 60}, {
            "roles": [STATES], "state_machines": ["report"], "removed_log_groups": [LOG_GROUP]}),
        ({"tracing": "yes"}, {"roles": [STATES], "state_machines": ["report"]}),
        ({"permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/b"}, {"roles": ROLES}),
        (
            {"tags": {}},
            {
                "roles": ROLES,
                "log_groups": [LOG_GROUP],
                "state_machines": ["report"],
                "rules": ["rule report-execution"],
            },
        ),
        ({"region": REGION, "profile": "x", "assume_role_duration": 900, "result": {}}, {}),
        (
            {"schedule": {"group_name": "jobs"}},
            {"roles": [SCHEDULE], "schedules": ["report"]},
        ),
    ],
    ids=str,
)  # fmt: skip
def test_a_variable_changes_no_more_than_it_is_about(given, changed):
    before = settled()
    assert labels(plan(before, **given)) == changed
    after = settled(before, **given)
    assert labels(plan(after, **given)) == {}, "again, nothing changes"


ANY = st.fixed_dictionaries(
    {},
    optional={
        "notify": st.lists(st.sampled_from(["execution", "catch", "task", "skipped"]), min_size=1, unique=True),
        "concurrency": st.sampled_from(["allow", "forbid", "replace"]),
        "kms_key": st.sampled_from([KEY, None]),
        "topic_arn": st.sampled_from([TOPIC, None]),
        "logging_level": st.sampled_from(["OFF", "ERROR"]),
        "schedule": st.sampled_from([{}, {"using": "rule"}, {"using": "scheduler"}]),
        "tags": st.sampled_from([{}, {"a": "1"}]),
        "tracing": st.booleans(),
        "dead_letter_arn": st.sampled_from([DEAD, ""]),
        "mail": st.booleans(),
    },
)


def chosen(drawn_variables):
    given = dict(drawn_variables)
    return {**given, **MAIL} if given.pop("mail", False) else given


@settings(max_examples=examples(25), deadline=None)
@drawn(first=ANY, second=ANY)
def test_a_run_settles_whatever_was_there_and_absent_leaves_nothing(first, second):
    given = chosen(second)
    given.pop("mail", None)
    before = {key: value for key, value in chosen(first).items() if key != "mail"}
    world = settled(settled(**before), **given)
    assert labels(plan(world, **given)) == {}
    kinds = ("state_machines", "schedules", "rules", "iam_roles", "log_groups", "topics")
    fresh = settled(**given)
    assert {kind: world[kind].keys() for kind in kinds} == {kind: fresh[kind].keys() for kind in kinds}
    gone = settled(world, state="absent", **given)
    assert {kind: gone[kind] for kind in kinds} == {kind: {} for kind in kinds}
    assert labels(plan(gone, state="absent", **given)) == {}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": None}, "`scheduled_task_name` must be 1 to 50 letters"),
        ({"name": "a b"}, "got 'a b'"),
        ({"name": "n" * 51}, "`scheduled_task_name` must be 1 to 50 letters"),
        ({"state": "paused"}, "`scheduled_task_state` must be one of present, absent (got 'paused')"),
        ({"tmeout": "2h"}, "Did you mean scheduled_task_timeout?"),
        ({"task_definition": None}, "`scheduled_task_task_definition` is required"),
        ({"timeout": ""}, "`scheduled_task_timeout` is required"),
        ({"schedule_expression": None}, "`scheduled_task_schedule_expression` is required"),
        (
            {"timeout": "soon"},
            "scheduled_task_timeout must be an age such as 7d, 12h or 30m, or a number of seconds above 0 (got 'soon')",
        ),
        ({"cluster": "a b"}, "scheduled_task_cluster"),
        ({"subnets": ["s-1"]}, "scheduled_task_subnets"),
        ({"subnets": {"a": 1}}, "scheduled_task_subnets` must be a list of texts"),
        ({"assign_public_ip": "maybe"}, "scheduled_task_assign_public_ip must be true or false"),
        ({"job": []}, "scheduled_task_job must be a dictionary"),
        ({"job": {"timeout": 1}}, "must not have the key timeout: set `scheduled_task_timeout`"),
        ({"job": {"notify_topic_arn": TOPIC}}, "set `scheduled_task_topic_arn` instead"),
        ({"job": {"launch_typ": "EC2"}}, "launch_typ"),
        ({"job": {"launch_type": "MOON"}}, "MOON"),
        (
            {"job": {"retry_failures": {"exit_codes": [0]}}},
            "scheduled_task_job.retry_failures.exit_codes must be exit codes of failures",
        ),
        ({"schedule": {"name": "x"}}, "`scheduled_task_schedule` must not have the key name"),
        ({"schedule": {"using": "crontab"}}, "`scheduled_task_schedule.using` must be one of scheduler, rule"),
        ({"schedule": {"flexible_time_window": 1441}}, "scheduled_task_schedule.flexible_time_window must be"),
        ({"schedule": {"using": "rule"}, "timezone": "Europe/Berlin"}, "scheduled_task_timezone is not for using=rule"),
        ({"schedule_expression": "hourly"}, "scheduled_task_schedule_expression must be a schedule such as"),
        ({"input": "{"}, "scheduled_task_input"),
        ({"dead_letter_arn": "dead"}, "`scheduled_task_dead_letter_arn` must be the ARN of a standard SQS queue"),
        ({"topic_arn": "alerts"}, "`scheduled_task_topic_arn` must be the ARN of a standard SNS topic"),
        ({"emails": ["a@example.org"]}, "are mutually exclusive"),
        ({**MAIL, "emails": "nobody"}, "`scheduled_task_emails` must have email addresses (got 'nobody')"),
        ({"notify": []}, "`scheduled_task_notify` is empty, but `scheduled_task_topic_arn` is set"),
        ({**MAIL, "notify": []}, "`scheduled_task_notify` is empty, but `scheduled_task_emails` is set"),
        ({"notify": "mail"}, "`scheduled_task_notify` must be one of execution, catch, task, skipped (got 'mail')"),
        (
            {"concurrency": "Forbid"},
            "`scheduled_task_concurrency` must be one of allow, forbid, replace (got 'Forbid')",
        ),
        (
            {"starting_deadline": "soon"},
            "scheduled_task_starting_deadline must be an age such as 7d",
        ),
        (
            {"starting_deadline": 0},
            "scheduled_task_starting_deadline must be an age such as 7d",
        ),
        ({"starting_deadline": 60, "input": [1]}, "`scheduled_task_input` must be a dictionary (got list)"),
        ({"starting_deadline": 60, "input": "{"}, "scheduled_task_input is not JSON"),
        ({"suspend": "maybe"}, "scheduled_task_suspend must be true or false"),
        (
            {"suspend": True, "enabled": False},
            "`scheduled_task_suspend` and `scheduled_task_enabled` are mutually exclusive",
        ),
        ({"job": {"concurrency": "forbid"}}, "set `scheduled_task_concurrency` instead"),
        (
            {"job": {"skipped_topic_arn": TOPIC}},
            "must not have the key skipped_topic_arn: set `scheduled_task_topic_arn`",
        ),
        ({"kms_key": "alias/x"}, "`scheduled_task_kms_key` must be the ARN of a KMS key"),
        ({"permissions_boundary": "b"}, "`scheduled_task_permissions_boundary` must be the ARN of an IAM policy"),
        ({"logging_level": "WARN"}, "`scheduled_task_logging_level` must be one of OFF, ALL, ERROR, FATAL"),
        ({"log_retention_days": 31}, "`scheduled_task_log_retention_days` must be one of 1, 3, 5"),
        ({"log_retention_days": "month"}, "scheduled_task_log_retention_days must be a whole number"),
        ({"tracing": "maybe"}, "scheduled_task_tracing must be true or false"),
        ({"tags": {"aws:a": 1}}, "`scheduled_task_tags` must not have keys that begin with aws:"),
    ],
)
def test_variables_that_cannot_be_meant(given, words):
    with pytest.raises(Refused) as refused:
        names(**given)
    assert words in str(refused.value)


def test_absent_needs_the_name_alone():
    assert read_variables({"name": "report", "state": "absent"}).present is False
    assert names(state="absent", timeout="", task_definition="", schedule_expression="")["task_definitions"] == []


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, {}),
        ({"topic_arn": None}, {"topic_policies": []}),
        ({"pass_role_arns": []}, {"task_definitions": []}),
        ({"schedule": {"group_name": "jobs"}}, {"schedules": ["jobs/report"], "schedule_groups": ["jobs"]}),
        ({"schedule": {"group_name": "default"}}, {}),
        (
            {"schedule": {"group_name": "jobs"}, "state": "absent"},
            {"schedules": ["jobs/report"], "task_definitions": []},
        ),
    ],
)
def test_what_is_looked_for(given, found):
    always = {
        "state_machines": ["report"],
        "schedules": ["default/report"],
        "rules": ["report", "report-execution", "report-task"],
        "iam_roles": ["report-states", "report-schedule"],
        "log_groups": [LOG_GROUP],
        "topics": ["report-failures"],
        "topic_policies": [TOPIC],
        "task_definitions": ["report"],
        "schedule_groups": [],
    }
    assert names(**given) == {**always, **found}


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("job.cluster is x", "scheduled_task_cluster is x"),
        ("job.network_configuration.subnets: x", "scheduled_task_subnets: x"),
        ("job.overrides.cpu: x", "scheduled_task_job.overrides.cpu: x"),
        ("`maximum_retry_attempts` must be", "scheduled_task_schedule.maximum_retry_attempts must be"),
        ("end_date is in the past", "scheduled_task_schedule.end_date is in the past"),
        ("The definition cannot work: x", "The definition cannot work: x"),
    ],
)
def test_messages_name_variables(message, told):
    assert in_variables(message) == told


# ---- before the first write

FAR_TOPIC = TOPIC.replace(REGION, "us-east-1")


@pytest.mark.parametrize(
    ("kind", "name", "found", "given", "words"),
    [
        ("topic_policies", TOPIC, None, {}, f"The topic {TOPIC} does not exist. Nothing was changed."),
        ("topic_policies", TOPIC, None, {"notify": ["catch"]}, f"The topic {TOPIC} does not exist."),
        ("topic_policies", TOPIC, {"attributes": {}, "denied": "No"}, {}, "AWS answered with No. Nothing was changed"),
        ("topic_policies", TOPIC, {"attributes": {}, "denied": "No"}, {"notify": ["catch"]}, ""),
        (
            "topic_policies",
            TOPIC,
            {"attributes": {}, "denied": "No"},
            {"notify": ["skipped"], "concurrency": "forbid"},
            "",
        ),
        (
            "topic_policies",
            TOPIC,
            {"attributes": {}, "denied": "No"},
            {"notify": ["catch", "skipped"], "concurrency": "forbid"},
            "",
        ),
        ("topic_policies", TOPIC, None, {"notify": ["skipped"]}, ""),
        (
            "topic_policies",
            FAR_TOPIC,
            {"attributes": {}, "denied": None},
            {"topic_arn": FAR_TOPIC},
            f"arn: {FAR_TOPIC} is in us-east-1, and the rule is in eu-central-1",
        ),
        ("topic_policies", TOPIC, None, {"state": "absent"}, ""),
        (
            "topic_policies",
            TOPIC,
            {"attributes": {"KmsMasterKeyId": "alias/aws/sns"}, "denied": None},
            {},
            "a key that AWS manages",
        ),
        ("task_definitions", "report", None, {}, "The task definition report cannot be seen in eu-central-1."),
        ("task_definitions", "report", None, {"pass_role_arns": []}, ""),
        ("schedule_groups", "jobs", None, {"schedule": {"group_name": "jobs"}}, "The schedule group jobs does not"),
        ("schedule_groups", "jobs", None, {}, ""),
        ("topics", "x", None, {"kms_key": KEY.replace(REGION, "us-east-1")}, "which is not a key of eu-central-1"),
        (
            "topics",
            "x",
            None,
            {"schedule": {"using": "rule"}, "starting_deadline": 60, "input": {"a": 1}},
            "needs the event that the rule report passes on, but its target has a constant input",
        ),
        ("topics", "x", None, {"schedule": {"using": "rule"}, "starting_deadline": 60}, ""),
        (
            "topics",
            "x",
            None,
            {"schedule": {"end_date": "2020-01-01T00:00:00Z"}},
            "scheduled_task_schedule.end_date is in the past",
        ),
    ],
)
def test_what_is_missing_is_found_before_the_first_write(kind, name, found, given, words):
    stack = empty()
    stack[kind][name] = found
    try:
        plan(stack, **given)
    except Refused as refused:
        said = str(refused)
    else:
        said = ""
    assert words in said
    assert bool(said) == bool(words)


# ---- who owns which resource

WORDS = {
    ("state_machines", "report"): "state machine report",
    ("iam_roles", "report-states"): "role report-states",
    ("iam_roles", "report-schedule"): "role report-schedule",
    ("log_groups", LOG_GROUP): f"log group {LOG_GROUP}",
    ("rules", "report-execution"): "rule report-execution",
    ("rules", "report-task"): "rule report-task",
    ("topics", "report-failures"): "topic report-failures",
    ("schedules", "default/report"): "schedule report",
    ("rules", "report"): "rule report",
}
EVERYTHING = {**MAIL, "notify": ["execution", "task"]}
BY_RULE = {**EVERYTHING, "schedule": {"using": "rule"}}


def stolen(world, kind, name):
    """Return the world with this resource owned by somebody else."""
    world = copy.deepcopy(world)
    if kind == "schedules":
        world[kind][name]["target"]["role_arn"] = f"{ROLE}theirs"
    else:
        world[kind][name]["tags"] = {"team": "shop"}
    if (kind, name) == ("rules", "report"):
        world[kind][name]["targets"][0]["arn"] = f"{MACHINE}2"
    return world


@pytest.mark.parametrize(("kind", "name"), WORDS)
def test_things_of_others_are_not_touched(kind, name):
    given = BY_RULE if (kind, name) == ("rules", "report") else EVERYTHING
    world = stolen(settled(**given), kind, name)
    with pytest.raises(Refused) as refused:
        plan(world, **given)
    assert str(refused.value) == (
        f"Not managed by this role: {WORDS[kind, name]}. Nothing was changed. Choose another scheduled_task_name, or "
        "hand the resources over to the role by tagging them steadyops.ecs/scheduled-task=report."
    )
    gone = plan(world, state="absent", **given)
    assert gone["result"]["not_managed"] == [WORDS[kind, name]]
    assert WORDS[kind, name] in gone["notes"][-1]
    left = settled(world, state="absent", **given)
    assert left[kind].keys() == {name}
    # Our statement is removed from the policy of their topic.
    facts = {**left[kind][name], "attributes": None}
    assert facts == {**world[kind][name], "attributes": None}


@pytest.mark.parametrize(
    ("kind", "name", "given"),
    [
        ("rules", "report-task", {}),
        ("topics", "report-failures", {}),
        ("log_groups", LOG_GROUP, {"logging_level": "OFF"}),
        ("rules", "report", {}),
        ("schedules", "default/report", {"schedule": {"using": "rule"}}),
    ],
)
def test_things_of_others_that_the_role_does_not_use_do_not_matter(kind, name, given):
    world = settled(**given)
    theirs = settled(**(BY_RULE if (kind, name) == ("rules", "report") else EVERYTHING))
    world[kind][name] = stolen(theirs, kind, name)[kind][name]
    assert labels(plan(world, **given)) == {}


def test_a_rule_that_starts_the_same_is_ours_without_the_tag():
    world = settled(**BY_RULE)
    rule = world["rules"]["report"]
    rule["tags"], rule["targets"][0]["id"] = {}, "theirs"
    assert labels(plan(world, **BY_RULE)) == {"schedules": ["report"]}
    assert labels(plan(world, **EVERYTHING))["removed_schedules"] == ["rule report"]
    rule["targets"].append({**rule["targets"][0], "id": "another"})
    with pytest.raises(Refused, match="Not managed by this role: rule report"):
        plan(world, **BY_RULE)


@pytest.mark.parametrize("change", [{"pattern_text": "{}"}, {"managed_by": "ecs"}])
def test_a_tagged_rule_that_is_no_schedule_is_refused(change):
    world = settled(**BY_RULE)
    world["rules"]["report"].update(change)
    with pytest.raises(Refused, match="A rule report already exists"):
        plan(world, **BY_RULE)
    assert plan(world, state="absent", **BY_RULE)["result"]["kept"] == ["rule report"]


def test_a_rule_that_others_use_keeps_the_role_from_changing_to_a_schedule():
    """The role with ``using: scheduler`` would otherwise leave the rule's target, and the job would run twice."""
    world = settled(**BY_RULE)
    world["rules"]["report"]["targets"].append({**world["rules"]["report"]["targets"][0], "id": "theirs", "arn": TOPIC})
    with pytest.raises(Refused, match="The rule report has targets that this module does not manage: theirs"):
        plan(world, **EVERYTHING)


@pytest.mark.parametrize("ours", ["schedule", "renamed"])
def test_absent_keeps_a_rule_that_others_use_without_our_target(ours):
    world = settled(**BY_RULE)
    targets = world["rules"]["report"]["targets"]
    targets[0]["id"] = ours
    targets.append({**targets[0], "id": "theirs", "arn": TOPIC})
    gone = plan(world, state="absent", **BY_RULE)
    assert gone["result"]["kept"] == ["rule report"]
    assert gone["removed_schedules"] == []
    assert gone["removed_targets"][0] == {
        "target": {"rule": "report", "id": ours, "resource_policy": False, "state": "absent"}
    }
    del targets[0]
    again = plan({**empty(), "rules": {"report": world["rules"]["report"]}}, state="absent", **BY_RULE)
    assert (again["changes"], again["result"]["kept"]) == ([], ["rule report"])


BY_SCHEDULER = {"name": "report", "using": "scheduler", "group_name": "default"}
OF_RULES = {"name": "report", "using": "rule", "state_machine_arn": MACHINE}


@pytest.mark.parametrize(("given", "schedule"), [(EVERYTHING, BY_SCHEDULER), (BY_RULE, OF_RULES)])
def test_absent_removes_all_of_it(given, schedule):
    planned = plan(settled(**given), state="absent", **given)
    names = ("report-execution", "report-task")
    assert {key: value for key, value in planned.items() if key.startswith("removed_")} == {
        "removed_schedules": [schedule],
        "removed_state_machines": [{"name": "report"}],
        "removed_targets": [{"target": {"rule": name, "id": "topic", "state": "absent"}} for name in names],
        "removed_rules": [{"rule": {"name": name, "state": "absent"}} for name in names],
        "removed_topics": [{"topic": {"name": "report-failures", "state": "absent"}}],
        "removed_log_groups": [{"name": LOG_GROUP}],
        "removed_roles": [
            {"iam_role": {"name": f"report-{name}", "state": "absent"}} for name in ("schedule", "states")
        ],
    }
    items = [item for task in planned["changes"] for item in task["items"]]
    assert [item["label"] for item in items if not item["before"] or item["after"] is not None] == []
    found = items[0]["before"]
    assert (found["using"], found["schedule_expression"]) == (schedule["using"], "rate(1 day)")
    assert "foreign" not in found
    nothing = {"state_machine": None, "schedule": None, "topic_arn": None, "unconfirmed_emails": [], "not_managed": []}
    assert nothing.items() <= planned["result"].items()
    assert planned["notes"] == []


def test_absent_where_nothing_is_says_nothing():
    planned = plan(empty(), state="absent")
    assert (planned["changes"], planned["notes"]) == ([], [])


def changes_of(planned, label):
    return [
        (item["before"], item["after"])
        for task in planned["changes"]
        for item in task["items"]
        if item["label"] == label
    ]


def test_a_log_group_and_its_key():
    (made,) = plan(empty(), kms_key=KEY)["log_groups"]
    assert (made["name"], made["kms_key_id"]) == (LOG_GROUP, KEY)
    facts = {"retention_days": 30, "tags": TAGS}
    assert changes_of(plan(empty(), kms_key=KEY), LOG_GROUP) == [(None, {**facts, "kms_key_id": KEY})]
    assert "kms_key_id" not in plan(empty())["log_groups"][0]
    world = settled()
    keyed = plan(world, kms_key=KEY)
    assert keyed["log_groups"] == []
    assert changes_of(keyed, f"log_group_key {LOG_GROUP}") == [({"kms_key_arn": None}, {"kms_key_arn": KEY})]
    longer = plan(world, kms_key=KEY, log_retention_days=60)
    assert longer["log_groups"] == [{"name": LOG_GROUP, **facts, "retention_days": 60}]
    assert changes_of(longer, LOG_GROUP) == [({**facts, "kms_key_arn": None}, {**facts, "retention_days": 60})]
    assert GROUP_KEY not in str(labels(plan(settled(kms_key=KEY), kms_key=KEY)))


def test_rules_and_topics_that_others_use_stay():
    world = settled(**EVERYTHING)
    world["rules"]["report-task"]["targets"].append({"id": "theirs", "arn": TOPIC})
    world["topics"]["report-failures"]["subscriptions"].append({"protocol": "sqs", "endpoint": DEAD, "arn": "arn:x"})
    world["topics"]["report-failures"]["subscriptions"][0]["arn"] = "arn:mail"
    gone = plan(world, state="absent", **EVERYTHING)
    assert labels(gone)["removed_rules"] == ["rule report-execution"]
    assert gone["removed_topics"] == [{"topic": {"name": "report-failures", "unsubscribe": ["arn:mail"]}}]
    assert gone["result"]["kept"] == ["rule report-task", "topic report-failures"]
    assert "rule report-task, topic report-failures" in gone["notes"][0]
    assert labels(gone)["removed_targets"] == [
        "target topic of rule report-execution",
        "target topic of rule report-task",
    ]


def test_a_statement_that_a_target_left_behind_goes():
    world = settled()
    world["rules"] = {}
    assert labels(plan(world, state="absent"))["removed_targets"] == ["target topic of rule report-execution"]
    # The target belongs to a rule, so it stays if somebody else owns the rule.
    world = stolen(settled(), "rules", "report-execution")
    assert "removed_targets" not in labels(plan(world, notify=["catch"]))


def test_our_topic_goes_when_another_is_given():
    gone = labels(plan(settled(**MAIL)))
    assert gone == {"targets": ["target topic of rule report-execution"], "removed_topics": ["topic report-failures"]}


PARTS = {"input_path": "$.detail", "dead_letter_arn": DEAD}


def test_parts_of_a_target_that_others_have_added_do_not_stay():
    world = settled(**BY_RULE)
    world["rules"]["report"]["targets"][0].update(PARTS)
    planned = plan(world, **BY_RULE, dead_letter_arn="")
    assert labels(planned) == {"schedules": ["report"]}
    ((before, after),) = changes_of(planned, "report")
    assert "foreign" not in before.keys() | after.keys()
    assert (before["target"]["dead_letter_arn"], after["target"]["dead_letter_arn"]) == (DEAD, None)


@pytest.mark.parametrize(
    ("definition", "overrides", "roles"),
    [
        ({"task_role_arn": f"{ROLE}app", "execution_role_arn": f"{ROLE}run"}, {}, ["app", "run"]),
        ({"task_role_arn": None, "execution_role_arn": f"{ROLE}run"}, {"task_role_arn": f"{ROLE}a"}, ["a", "run"]),
        ({"task_role_arn": None, "execution_role_arn": None}, {"execution_role_arn": f"{ROLE}b"}, ["b"]),
    ],
)
def test_roles_that_the_state_machine_passes_on(definition, overrides, roles):
    stack = empty()
    stack["task_definitions"]["report"] = definition
    found = statements(plan(stack, job={"overrides": overrides}))
    assert [each["Resource"] for each in found if each["Sid"] == "PassRole"] == [[f"{ROLE}{name}" for name in roles]]


def test_a_state_machine_that_is_being_deleted_is_none():
    world = settled()
    world["state_machines"]["report"]["status"] = "DELETING"
    assert labels(plan(world)) == {"state_machines": ["report"]}
    assert "removed_state_machines" not in labels(plan(world, state="absent"))


# ---- mail


def test_addresses_come_and_go():
    world = settled(**MAIL)
    (topic,) = world["topics"].values()
    assert plan(world, **MAIL)["result"]["unconfirmed_emails"] == ["a@example.org"]
    assert plan(world, **MAIL)["result"]["topic_arn"] == OWN_TOPIC
    assert "confirmation request to a@example.org" in plan(world, **MAIL)["notes"][0]
    topic["subscriptions"].append({"protocol": "sqs", "endpoint": DEAD, "arn": "arn:aws:sns:x"})
    other = {**MAIL, "emails": "b@example.org"}
    (item,) = params(plan(world, **other), "topics")
    assert (item["unsubscribe"], item["tags"]) == ([], TAGS)
    topic["subscriptions"][0]["arn"] = "arn:aws:sns:a"
    assert plan(world, **MAIL)["result"]["unconfirmed_emails"] == []
    assert plan(world, **MAIL)["notes"] == []
    (item,) = params(plan(world, **other), "topics")
    assert item["unsubscribe"] == ["arn:aws:sns:a"]
    assert item["subscriptions"] == [{"protocol": "email", "endpoint": "b@example.org"}]
    (item,) = params(plan(world, **{**MAIL, "emails": ["a@example.org", "b@example.org"]}), "topics")
    assert item["unsubscribe"] == []
    after = settled(world, **other)
    assert [each["endpoint"] for each in after["topics"]["report-failures"]["subscriptions"]] == [DEAD, "b@example.org"]
    assert labels(plan(after, **other)) == {}


# ---- overlaps, late starts, keys


def allowed_by(**given):
    """Return the statements of the role of executions, by Sid."""
    (policy,) = settled(**given)["iam_roles"]["report-states"]["policies"].values()
    return {each["Sid"]: each for each in policy["Statement"]}


@pytest.mark.parametrize(
    ("concurrency", "sids"),
    [("allow", []), ("forbid", ["ListExecutions"]), ("replace", ["ListExecutions", "StopExecution"])],
)
def test_executions_may_look_at_their_own_state_machine_alone(concurrency, sids):
    allowed = allowed_by(concurrency=concurrency)
    assert [sid for sid in allowed if sid.endswith(("Execution", "Executions"))] == sids
    resources = {
        "ListExecutions": ("states:ListExecutions", MACHINE),
        "StopExecution": ("states:StopExecution", f"arn:aws:states:{REGION}:{ACCOUNT}:execution:report:*"),
    }
    assert {sid: (allowed[sid]["Action"], allowed[sid]["Resource"]) for sid in sids} == {
        sid: resources[sid] for sid in sids
    }


@pytest.mark.parametrize(
    ("notify", "job"),
    [
        (["execution"], {}),
        (["catch"], {"notify_topic_arn": TOPIC}),
        (["execution", "skipped"], {"skipped_topic_arn": TOPIC}),
        (["catch", "skipped"], {"notify_topic_arn": TOPIC, "skipped_topic_arn": TOPIC}),
    ],
)
def test_who_is_told_of_skips(notify, job):
    given = {"notify": notify, "starting_deadline": "10m"}
    (machine,) = plan(empty(), **given)["state_machines"]
    assert {key: value for key, value in machine["job"].items() if key.endswith("topic_arn")} == job
    assert ("Notify" in allowed_by(**given)) is bool(job)


@pytest.mark.parametrize(
    ("given", "becomes"),
    [
        ({}, None),
        ({"starting_deadline": 60}, {"scheduled_time": "<aws.scheduler.scheduled-time>"}),
        ({"starting_deadline": 60, "input": {"a": 1}}, {"a": 1, "scheduled_time": "<aws.scheduler.scheduled-time>"}),
        ({"starting_deadline": 60, "input": '{"a": 1}'}, {"a": 1, "scheduled_time": "<aws.scheduler.scheduled-time>"}),
        ({"starting_deadline": 60, "schedule": {"using": "rule"}}, None),
    ],
)
def test_the_time_that_a_deadline_counts_from(given, becomes):
    assert plan(empty(), **given)["result"]["schedule"]["target"]["input"] == becomes


def test_a_rule_that_stands_with_a_constant_input():
    by_rule = {"schedule": {"using": "rule"}}
    world = settled(**by_rule, input={"a": 1})
    with pytest.raises(Refused, match="constant input"):
        plan(world, **by_rule, starting_deadline=60)


ALIAS = {"attributes": {"KmsMasterKeyId": "alias/ours"}, "denied": None}


@pytest.mark.parametrize(
    ("given", "topic", "resource"),
    [
        ({**MAIL, "kms_key": KEY}, None, KEY),
        (MAIL, None, None),
        ({"kms_key": KEY}, None, None),
        ({}, ALIAS, f"arn:aws:kms:{REGION}:{ACCOUNT}:key/*"),
        ({}, {"attributes": {"KmsMasterKeyId": "alias/aws/sns"}, "denied": None}, None),
        ({}, {"attributes": {"KmsMasterKeyId": KEY.replace("key/1b2c", "alias/aws/sns")}, "denied": None}, None),
    ],
)
def test_executions_may_use_the_key_of_the_topic(given, topic, resource):
    world = empty()
    if topic:
        world["topic_policies"][TOPIC] = topic
    found = statements(plan(world, notify=["catch"], **given))
    assert [each["Resource"] for each in found if each["Sid"] == "UseKey"] == [resource] * bool(resource)
    events = statements(plan(empty(), **{**given, "notify": ["execution"]}))
    assert "UseKey" not in [each["Sid"] for each in events], "EventBridge notifies, not the execution"


def test_new_things_are_made_with_the_key():
    given = {**MAIL, "kms_key": KEY}
    planned = plan(empty(), **given)
    assert planned["log_groups"][0]["kms_key_id"] == params(planned, "topics")[0]["attributes"]["KmsMasterKeyId"] == KEY
    assert planned["log_group_keys"] == []
    world = settled(**given)
    assert labels(plan(world, **MAIL)) == {}, "without a variable, keys are kept"
    assert "UseKey" in [each["Sid"] for each in statements(plan(world, **MAIL, notify=["catch"]))]


def test_documents():
    world = settled(job={"tags": {"a": "1"}}, tracing=True, dead_letter_arn=DEAD, notify=["catch"])
    roles = world["iam_roles"]
    allowed = {each["Sid"]: each for each in roles["report-states"]["policies"]["steadyops-run-task"]["Statement"]}
    assert list(allowed) == ["RunTask", "StopTask", "WaitForTask", "TagTask", "PassRole", "Notify", "Log", "Trace"]
    assert allowed["RunTask"]["Resource"] == f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/report:*"
    assert allowed["RunTask"]["Condition"] == {
        "ArnEquals": {"ecs:cluster": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/prod"}
    }
    assert allowed["PassRole"]["Resource"] == [f"{ROLE}app"]
    assert allowed["Notify"]["Resource"] == TOPIC
    start = roles["report-schedule"]["policies"]["steadyops-start-execution"]["Statement"]
    assert [(each["Sid"], each["Resource"]) for each in start] == [("StartExecution", MACHINE), ("DeadLetter", DEAD)]
    sources = {
        name: role["trust"]["Statement"][0]["Condition"]["ArnEquals"]["aws:SourceArn"] for name, role in roles.items()
    }
    group = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/default"
    assert sources == {"report-states": [MACHINE], "report-schedule": [group]}
    by_rule = settled(**BY_RULE)["iam_roles"]["report-schedule"]["trust"]["Statement"][0]
    assert by_rule["Principal"] == {"Service": "events.amazonaws.com"}
    assert by_rule["Condition"]["ArnEquals"]["aws:SourceArn"] == [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/report"]


def test_everything_has_the_tag():
    world = settled(**BY_RULE)
    kinds = ("state_machines", "rules", "iam_roles", "log_groups", "topics")
    tagged = [thing["tags"] for kind in kinds for thing in world[kind].values()]
    assert tagged == [TAGS] * 8


def test_variables_without_a_value_are_not_set():
    assert read_variables(variables(notify="task", emails=None)).notify == ("task",)
    assert read_variables({**variables(), "timezone": None}).timezone is None
