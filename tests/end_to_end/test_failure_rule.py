# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ecs_failure_rule and its info module: rules are created, changed, kept and removed."""

from __future__ import annotations

from functools import partial

import pytest

from tests.end_to_end.aws import aws_client
from tests.end_to_end.programs import warnings

RULE, RULE_INFO = "ecs_failure_rule", "ecs_failure_rule_info"
ROLE = "arn:aws:iam::123456789012:role/retry"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"


@pytest.fixture
def events(sandbox):
    return aws_client(sandbox, "events")


@pytest.fixture
def rule(start):
    def run(**options):
        given = {name: value for name, value in ({"name": "alerts"} | options).items() if value is not None}
        return start(RULE, **given).result()

    return run


@pytest.fixture
def rules(start):
    return lambda **options: start(RULE_INFO, **options).result()["rules"]


@pytest.fixture
def calls(sandbox):
    """Return the names of the calls that a function makes."""

    def made(action):
        since = sandbox.state()["calls"]
        result = action()
        return result, [call["operation"] for call in sandbox.journal(since=since)["calls"]]

    return made


def writes(operations):
    return [name for name in operations if not name.startswith(("Describe", "List"))]


def same_but(result, *keys):
    """Return a result without what check mode cannot know."""
    return {key: value for key, value in result["rule"].items() if key not in keys}


def test_a_rule_is_made_and_then_left_alone(rule, calls, events):
    made, operations = calls(partial(rule, kind="task", clusters=["production"], tags={"team": "shop"}))
    assert operations == ["DescribeRule", "PutRule"]
    assert made["changed"]
    assert made["rule"]["arn"].endswith(":rule/alerts")
    assert (made["rule"]["state"], made["rule"]["tags"]) == ("ENABLED", {"team": "shop"})

    again, operations = calls(partial(rule, kind="task", clusters=["production"], tags={"team": "shop"}))
    assert operations == ["DescribeRule", "ListTagsForResource"]
    assert not again["changed"]
    assert again["rule"] == made["rule"]
    assert events.describe_rule(Name="alerts")["EventPattern"].startswith('{"source":["aws.ecs"]')


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "service_task", "services": ["web"], "clusters": ["production"]},
        {"kind": "launch", "exclude_role_arns": [ROLE]},
        {"kind": "deployment", "enabled": False, "description": "deployments", "tags": {"a": "b", "c": "d"}},
        {"event_pattern": '{"source": ["aws.ecs"], "detail-type": ["ECS Service Action"]}'},
    ],
)
def test_check_mode_tells_what_will_be(rule, calls, options):
    planned, operations = calls(partial(rule, check=True, diff=True, **options))
    assert writes(operations) == []
    made = rule(diff=True, **options)
    assert (planned["changed"], planned["diff"]) == (True, made["diff"])
    assert planned["rule"]["arn"] is None
    assert same_but(planned, "arn") == same_but(made, "arn")
    unchanged = rule(check=True, diff=True, **options)
    assert not unchanged["changed"]
    assert unchanged["diff"]["before"] == unchanged["diff"]["after"]


BASE = {"kind": "task", "description": "tasks", "enabled": True, "tags": {"team": "shop"}}

CHANGES = [
    ({"description": "others"}, ["PutRule"]),
    ({"description": ""}, ["PutRule"]),
    ({"enabled": False}, ["PutRule"]),
    ({"kind": "service_task"}, ["PutRule"]),
    ({"kind": "all_task_changes"}, ["PutRule"]),
    ({"tags": {"team": "bakery"}}, ["TagResource"]),
    ({"tags": {}}, ["UntagResource"]),
    ({"tags": {"cost": "7"}}, ["TagResource", "UntagResource"]),
    ({"tags": {"cost": "7"}, "purge_tags": False}, ["TagResource"]),
    ({"clusters": ["production"]}, ["PutRule"]),
    ({"task_families": ["nightly"]}, ["PutRule"]),
    ({"groups": ["imports"]}, ["PutRule"]),
    ({"started_by": ["AWS Step Functions"]}, ["PutRule"]),
    ({"container_names": ["app"]}, ["PutRule"]),
    ({"ignore_containers": ["sidecar"]}, ["PutRule"]),
    ({"exit_codes": [1, 137]}, ["PutRule"]),
    ({"ignore_exit_codes": []}, ["PutRule"]),
    ({"stop_codes": ["TaskFailedToStart"]}, ["PutRule"]),
    ({"stopped_reasons": ["Cannot*"]}, ["PutRule"]),
    ({"kind": "service_action", "services": ["web"]}, ["PutRule"]),
    ({"kind": "launch", "exclude_role_arns": [ROLE]}, ["PutRule"]),
    ({"kind": "launch", "exclude_clusters": ["batch-*"], "exclude_callers": []}, ["PutRule"]),
    ({"kind": "launch", "callers": ["events.amazonaws.com"]}, ["PutRule"]),
    ({"kind": "deployment_hook", "services": ["web"], "clusters": ["production"]}, ["PutRule"]),
    ({"kind": "daemon", "clusters": ["production"]}, ["PutRule"]),
    ({"kind": "container_instance", "clusters": ["production"]}, ["PutRule"]),
    ({"kind": "task_retirement", "clusters": ["production"]}, ["PutRule"]),
    ({"kind": "state_machine", "statuses": ["ABORTED"]}, ["PutRule"]),
    (
        {
            "kind": "state_machine",
            "state_machine_arns": ["arn:aws:states:eu-central-1:123456789012:stateMachine:nightly"],
        },
        ["PutRule"],
    ),
    ({"kind": None, "event_pattern": {"source": ["aws.ecs"], "detail-type": ["ECS Service Action"]}}, ["PutRule"]),
]  # None omits an option


@pytest.mark.parametrize(("change", "expected"), CHANGES, ids=[str(change) for change, _writes in CHANGES])
@pytest.mark.sampled(4)
def test_every_option_is_changed_and_changed_back(rule, calls, change, expected):
    first = rule(**BASE)["rule"]
    planned = rule(check=True, diff=True, **{**BASE, **change})
    changed, operations = calls(partial(rule, diff=True, **{**BASE, **change}))
    assert changed["changed"]
    assert writes(operations) == expected
    assert (planned["rule"], planned["diff"]) == (changed["rule"], changed["diff"])
    again, operations = calls(partial(rule, **{**BASE, **change}))
    assert (again["changed"], writes(operations), again["rule"]) == (False, [], changed["rule"])
    assert rule(**BASE)["changed"]
    assert rule(**BASE)["rule"] == first


def test_what_is_left_out_stays(rule):
    made = rule(**BASE)["rule"]
    assert not rule()["changed"]
    assert rule()["rule"] == made
    assert rule(enabled=False)["rule"] == {**made, "enabled": False, "state": "DISABLED"}
    assert rule(kind="deployment")["rule"]["state"] == "DISABLED"
    assert rule(description="other")["rule"]["tags"] == made["tags"]


def test_a_pattern_written_differently_is_no_change(rule, events):
    text = '{ "detail-type": ["ECS Service Action", "ECS Task State Change"],\n "source": ["aws.ecs"],' \
           ' "detail": {"lastStatus": ["STOPPED"]} }'  # fmt: skip
    events.put_rule(Name="alerts", EventPattern=text)
    pattern = {
        "source": ["aws.ecs"],
        "detail": {"lastStatus": ["STOPPED"]},
        "detail-type": ["ECS Task State Change", "ECS Service Action"],
    }
    assert not rule(event_pattern=pattern)["changed"]
    assert rule(event_pattern=text.replace("STOPPED", "STOPPING"))["changed"]


def test_the_role_and_the_state_of_a_rule_survive(rule, events):
    text = '{"source":["aws.ecs"],"detail":{"lastStatus":["STOPPED"]}}'
    third = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    events.put_rule(Name="alerts", EventPattern=text, RoleArn=ROLE, State=third)
    changed = rule(description="now with words", enabled=True)
    assert changed["changed"]
    found = events.describe_rule(Name="alerts")
    assert (found["RoleArn"], found["State"], found["EventPattern"]) == (ROLE, third, text)


def test_a_rule_goes_with_its_targets(rule, calls, events):
    rule(**BASE)
    events.put_targets(Rule="alerts", Targets=[{"Id": name, "Arn": TOPIC} for name in ("mail", "chat")])
    planned, operations = calls(partial(rule, state="absent", check=True, diff=True))
    assert writes(operations) == []
    assert {target["id"] for target in planned["diff"]["before"]["targets"]} == {"mail", "chat"}
    gone, operations = calls(partial(rule, state="absent", diff=True))
    assert writes(operations) == ["RemoveTargets", "DeleteRule"]
    assert (gone["changed"], gone["rule"], gone["diff"]) == (True, None, planned["diff"])
    assert events.list_rules()["Rules"] == []
    again, operations = calls(partial(rule, state="absent"))
    assert (again["changed"], operations) == (False, ["DescribeRule"])


def test_a_rule_of_another_bus(rule, rules, events):
    arn = events.create_event_bus(Name="orders")["EventBusArn"]
    made = rule(kind="task", event_bus_name="orders")["rule"]
    assert made["event_bus_name"] == "orders"
    assert not rule(kind="task", event_bus_name=arn)["changed"]
    assert [found["arn"] for found in rules(event_bus_name=arn)] == [made["arn"]]
    assert rules() == []


def test_a_bus_that_is_not_there(rule):
    assert "Event bus nowhere does not exist" in rule(kind="task", event_bus_name="nowhere")["msg"]
    assert "Event bus nowhere does not exist" in rule(kind="task", event_bus_name="nowhere", check=True)["msg"]
    assert not rule(state="absent", event_bus_name="nowhere")["changed"]


@pytest.mark.parametrize("options", [{"kind": "task"}, {"enabled": False}, {"state": "absent"}])
def test_schedules_are_not_taken_over(rule, calls, events, options):
    events.put_rule(Name="alerts", ScheduleExpression="rate(5 minutes)")
    refused, operations = calls(partial(rule, **options))
    assert "The rule alerts is a schedule, rate(5 minutes)" in refused["msg"]
    assert writes(operations) == []
    assert "ScheduleExpression" in events.describe_rule(Name="alerts")


def test_warnings_come_before_the_write(rule):
    pattern = {"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"], "detail": {"stopCode": ["x"]}}
    planned = rule(event_pattern=pattern, check=True)
    assert (
        "event_pattern: detail.lastStatus: without it, the rule matches the end of one task two" in warnings(planned)[0]
    )
    assert warnings(rule(kind="task")) == []


def test_covers_tells_what_is_alerted_on(rule):
    rows = {row["name"]: row for row in rule(kind="task", clusters=["other"], check=True)["rule"]["covers"]}
    assert rows["image_pull"]["alert"]
    assert rows["image_pull"]["failure"]
    assert not rows["sidecar_143"]["alert"]
    assert not rows["service_exit_1"]["alert"]


@pytest.mark.parametrize(
    ("permission", "options"),
    [
        ("events:DescribeRule", {}),
        ("events:ListTagsForResource", {}),
        ("events:PutRule", {"description": "other"}),
        ("events:TagResource", {"tags": {"a": "b"}}),
        ("events:UntagResource", {"tags": {}}),
        ("events:ListTargetsByRule", {"state": "absent"}),
        ("events:RemoveTargets", {"state": "absent"}),
        ("events:DeleteRule", {"state": "absent"}),
    ],
)
def test_a_permission_that_is_missing_is_named(sandbox, rule, events, permission, options):
    rule(**BASE)
    events.put_targets(Rule="alerts", Targets=[{"Id": "mail", "Arn": TOPIC}])
    sandbox.fault("access_denied", operations=[permission])
    failed = rule(**options)
    assert f"Allow {permission} to these credentials and run the task again" in failed["msg"]
    assert "rule alerts of event bus default" in failed["msg"]
    sandbox.clear_faults()
    assert not rule(**options).get("failed")


def test_a_removed_target_is_told_when_the_rest_fails(sandbox, rule, events):
    rule(**BASE)
    events.put_targets(Rule="alerts", Targets=[{"Id": "mail", "Arn": TOPIC}])
    sandbox.fault("access_denied", operations=["events:DeleteRule"])
    failed = rule(state="absent")
    assert failed["changed"]
    assert failed["msg"].endswith("Done before that: removed the targets mail")


def test_the_answer_to_a_write_is_lost(sandbox, rule, events):
    sandbox.fault("connection_reset", operations=["events:PutRule"], times=1)
    assert rule(**BASE)["changed"]
    assert not rule(**BASE)["changed"]


def test_info(rule, rules, events):
    one, two = rule(**BASE)["rule"], rule(name="alerts-2", kind="deployment")["rule"]
    events.put_rule(Name="tick", ScheduleExpression="rate(5 minutes)")
    events.put_rule(Name="odd", EventPattern='{"source":["aws.ecs"],"detail-type":["ECS Task State Change"]}')
    events.put_targets(
        Rule="alerts",
        Targets=[{"Id": "mail", "Arn": TOPIC, "DeadLetterConfig": {"Arn": TOPIC.replace("sns", "sqs")}}],
    )
    found = {each["name"]: each for each in rules()}
    assert found.keys() == {"alerts", "alerts-2", "tick", "odd"}
    assert {key: found["alerts"][key] for key in one} == one
    assert found["alerts"]["targets"] == [
        {"id": "mail", "arn": TOPIC, "role_arn": None, "dead_letter_arn": TOPIC.replace("sns", "sqs")}
    ]
    assert found["alerts"]["findings"] == []
    tick = found["tick"]
    assert (tick["schedule_expression"], tick["event_pattern"], tick["covers"]) == ("rate(5 minutes)", None, None)
    assert [finding["path"] for finding in found["odd"]["findings"]] == ["detail.lastStatus"]
    assert [each["name"] for each in rules(name_prefix="alerts")] == ["alerts", "alerts-2"]
    assert [each["arn"] for each in rules(name="alerts-2")] == [two["arn"]]
    assert rules(name="none") == []


def test_info_of_many_rules(rules, events):
    for number in range(120):
        events.put_rule(Name=f"rule-{number:03}", EventPattern='{"source":["aws.ecs"]}')
    assert len(rules()) == 120


def test_the_jinja_test_in_a_play(warm_playbook, tmp_path):
    tasks = """
- name: Try patterns
  ansible.builtin.assert:
    that:
      - event is steadyops.ecs.matches_event_pattern(pattern)
      - event | to_json is steadyops.ecs.matches_event_pattern(pattern | to_json)
      - event is not steadyops.ecs.matches_event_pattern(other)
  vars:
    event: {source: aws.ecs, detail: {lastStatus: STOPPED, containers: [{exitCode: 137}]}}
    pattern: {source: [aws.ecs], detail: {containers: {exitCode: [{anything-but: [0, 143]}]}}}
    other: {detail: {lastStatus: [RUNNING]}}
- name: Try something that is no pattern
  ansible.builtin.debug:
    msg: "{{ {} is steadyops.ecs.matches_event_pattern({'source': 'aws.ecs'}) }}"
  ignore_errors: true
"""
    tried, refused = warm_playbook(tasks).results()
    assert not tried.get("failed")
    assert "its value must be a list of alternatives" in refused["msg"]
