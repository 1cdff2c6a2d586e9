# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input of ecs_failure_rule and its info module: each is a clear message, and nothing is written."""

from __future__ import annotations

import pytest

ECS = "arn:aws:ecs:eu-central-1:123456789012"
TASK = {"kind": "task"}


def pattern(**detail):
    return {"event_pattern": {"source": ["aws.ecs"], "detail": detail}}


# In addition to a name and kind: task. None omits an option.
BAD = [
    # which rule
    ({"name": ""}, "`name` must be 1 to 64 letters, digits, dots, hyphens and underscores (got '')"),
    ({"name": "two words"}, "`name` must be 1 to 64 letters, digits, dots, hyphens and underscores (got 'two words')"),
    ({"name": "x" * 65}, "`name` must be 1 to 64 letters"),
    ({"name": None}, "name"),
    ({"event_bus_name": "my bus"}, "`event_bus_name` must be the name of an event bus"),
    (
        {"event_bus_name": "arn:aws:sns:eu-central-1:123456789012:x"},
        "`event_bus_name` must be the name of an event bus",
    ),
    ({"state": "enabled"}, "value of state must be one of: present, absent"),
    ({"kind": None}, "Rule alerts does not exist. Set kind or event_pattern to create it"),
    ({"kind": "tasks"}, "value of kind must be one of"),
    ({"event_pattern": {"source": ["aws.ecs"]}}, "kind and event_pattern are mutually exclusive"),
    ({"enabled": "perhaps"}, "perhaps"),
    ({"description": "x" * 513}, "`description` must have at most 512 characters (got 513)"),
    ({"tags": {"aws:x": "y"}}, "`tags` must not have keys that begin with aws:"),
    ({"tags": {"x": "y" * 257}}, "`tags.x` must have at most 256 characters (got 257)"),
    ({"tags": {str(number): "" for number in range(51)}}, "`tags` must have at most 50 tags (got 51)"),
    ({"cluster": "production"}, "Unsupported parameters"),
    # filters on the wrong kind
    ({"services": ["web"]}, "services is not for kind: task. It is for the kinds service_task, service_action"),
    ({"kind": "deployment", "task_families": ["x"]}, "task_families is not for kind: deployment"),
    ({"kind": "service_task", "groups": ["x"]}, "groups is not for kind: service_task"),
    ({"kind": "service_action", "exit_codes": [1]}, "exit_codes is not for kind: service_action"),
    ({"kind": "launch", "container_names": ["app"]}, "container_names is not for kind: launch"),
    ({"kind": "state_machine", "clusters": ["x"]}, "clusters is not for kind: state_machine"),
    ({"statuses": ["FAILED"]}, "statuses is not for kind: task. It is for kind: state_machine. Omit it"),
    ({"exclude_role_arns": ["x"]}, "exclude_role_arns is not for kind: task"),
    ({"kind": None, "clusters": ["x"]}, "clusters requires kind. Set kind to one of task"),
    # values of filters
    ({"clusters": ["pro duction"]}, "`clusters` must be the name of an ECS cluster"),
    (
        {"clusters": [f"{ECS}:service/production/web"]},
        "or its ARN, such as arn:aws:ecs:eu-west-1:123456789012:clu",
    ),
    ({"clusters": [""]}, "clusters must not have an empty entry"),
    ({"kind": "service_task", "services": [f"{ECS}:service/web"]}, "does not tell the cluster"),
    ({"kind": "service_task", "services": [f"{ECS}:service/a/web", f"{ECS}:service/b/web"]}, "Make a rule for each"),
    ({"kind": "service_task", "services": [f"{ECS}:service/a/web"], "clusters": ["b"]}, "clusters names another one"),
    ({"task_families": ["nightly:12"]}, "'nightly:12' names a revision, and every revision is meant. Say 'nightly'"),
    ({"task_families": [f"{ECS}:task-definition/nightly:12"]}, "names a revision"),
    ({"groups": ["service:web"]}, "is the group of a service. Set kind: service_task and services: [web]"),
    ({"groups": ["*"]}, "groups: '*' also matches the groups of services"),
    ({"exit_codes": ["one"]}, "exit_codes"),
    ({"exit_codes": [4294967296]}, "exit_codes must be exit codes from 0 to 255"),
    ({"exit_codes": [1], "ignore_exit_codes": [2]}, "exit_codes and ignore_exit_codes are both given"),
    ({"container_names": ["a"], "ignore_containers": ["b"]}, "container_names and ignore_containers are both given"),
    ({"exit_codes": [1], "stop_codes": ["TaskFailedToStart"]}, "which stop_codes leaves out. Add it there"),
    ({"stop_codes": ["Task failed"]}, "stop_codes: 'Task failed' is not a stop code of ECS"),
    ({"stopped_reasons": ["a**b"]}, "stopped_reasons: 'a**b' has two * one after another"),
    ({"kind": "state_machine", "statuses": ["failed"]}, "statuses: 'failed' is not a status of an execution"),
    (
        {"kind": "state_machine", "state_machine_arns": ["nightly"]},
        "`state_machine_arns` must be the ARN of a state machine without version or alias, such as",
    ),
    ({"kind": "launch", "callers": ["Events"]}, "callers: 'Events' is not the name of an AWS service, such as"),
    ({"kind": "launch", "clusters": ["a"], "exclude_clusters": ["b"]}, "clusters and exclude_clusters are both given"),
    ({"kind": "daemon", "services": ["web"]}, "services is not for kind: daemon"),
    (
        {"kind": None, "event_pattern": {"source": ["aws.ecs"], "detail": {"clusterArn": ["production"]}}},
        "detail.clusterArn: events have ARNs there, so 'production' never matches: give the ARN, or part of it",
    ),
    ({"kind": "launch", "exclude_role_arns": ["retry"]}, "`exclude_role_arns` must be the ARN of an IAM role, such as"),
    ({"clusters": [f"cluster-{number:03}" for number in range(150)]}, "characters, but EventBridge allows 4096"),
    # patterns
    ({"kind": None, "event_pattern": "{"}, "event_pattern"),
    ({"kind": None, "event_pattern": "[]"}, "event_pattern is not a JSON object"),
    ({"kind": None, "event_pattern": "{}"}, "event_pattern: it is an empty object"),
    ({"kind": None, "event_pattern": '{"source": ["a"], "source": ["b"]}'}, "'source' is written twice in one object"),
    ({"kind": None} | pattern(lastStatus="STOPPED"), 'its value must be a list of alternatives: write ["STOPPED"]'),
    ({"kind": None} | pattern(lastStatus=[]), "detail.lastStatus: it is an empty list"),
    ({"kind": None} | pattern(group=[{"starts-with": "a"}]), "'starts-with' is not an operator of EventBridge"),
    ({"kind": None} | pattern(group=[{"anything_but": "a"}]), "is 'anything-but' meant?"),
    ({"kind": None} | pattern(group=[{"anything-but": ["a", 1]}]), "takes either strings or numbers"),
    ({"kind": None} | pattern(cpu=[{"numeric": ["!=", 1]}]), "compares with =, <, <=, >, >="),
    ({"kind": None} | pattern(**{"$or": [{"group": ["a"]}]}), "detail.$or: it must have two objects or more (got 1)"),
    (
        {"kind": None} | pattern(group=["a"], **{"$or": [{"group": ["b"]}, {"cpu": ["1"]}]}),
        "detail.group: it is used both outside and inside of $or",
    ),
    (
        {"kind": None}
        | {
            "event_pattern": {
                "detail-type": ["ECS Deployment State Change"],
                "detail": {"clusterArn": [f"{ECS}:cluster/production"]},
            }
        },
        "do not have it, so none will match: name the cluster in resources",
    ),
]


@pytest.mark.parametrize(("options", "words"), BAD, ids=[str(options)[:80] for options, _words in BAD])
@pytest.mark.parametrize("check", [False, True])
def test_bad_input(sandbox, start, options, words, check):
    given = {name: value for name, value in ({"name": "alerts", **TASK} | options).items() if value is not None}
    result = start("ecs_failure_rule", check=check, **given).result()
    assert result["failed"]
    assert words in result["msg"]
    assert [call for call in sandbox.journal()["calls"] if call["write"]] == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "a", "name_prefix": "b"}, "name and name_prefix are both given"),
        (
            {"name": "two words"},
            "`name` must be 1 to 64 letters, digits, dots, hyphens and underscores (got 'two words')",
        ),
        ({"name_prefix": "x" * 65}, "`name_prefix` must be 1 to 64 letters"),
        ({"event_bus_name": ""}, "`event_bus_name` must be the name of an event bus"),
        ({"event_bus_name": "nowhere"}, "Event bus nowhere does not exist"),
    ],
)
def test_bad_input_of_info(start, options, words):
    assert words in start("ecs_failure_rule_info", **options).result()["msg"]
