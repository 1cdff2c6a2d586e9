# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What failure_alerts decides: each variable alone and with related ones, and who owns each resource."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.arns import parse_arn
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.statements import statement_for
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.failure_alerts.variables import KNOWN

from tests.policies import complaints
from tests.unit.core.stacks.alert_world import ACCOUNT, FILTERS, REGION, TAG, World, given

TOKEN, KEY = "xoxb-1-aVerySecretToken", "4n0th3r-aVerySecretKey"
DSN = "https://0123456789abcdef@o1.ingest.sentry.io/42"
MAIL: dict[str, Any] = {"kinds": "task", "emails": "ops@example.org"}
WHOLE: dict[str, Any] = {
    "kinds": ["task", "launch"],
    "emails": ["ops@example.org", "dev@example.org"],
    "queue": "failures",
    "log_group": "/ecs",
    "slack": {"token": TOKEN, "channel": "C1"},
    "sentry_function": {"dsn": DSN},
}
# A digest of secrets takes 0.3 s on purpose, so few tests have an existing connection.
WITHOUT_WEB = {name: value for name, value in WHOLE.items() if name != "slack"}
ARN = f"arn:aws:{{}}:{REGION}:{ACCOUNT}:{{}}"
TOPIC, CUSTOMER_KEY = ARN.format("sns", "theirs"), ARN.format("kms", "key/1b2c")


def labels(plan, task=None):
    return [each["label"] for change in plan["changes"] if task in (None, change["task"]) for each in change["items"]]


def items(plan):
    return [(each["label"], each["before"], each["after"]) for change in plan["changes"] for each in change["items"]]


@pytest.fixture
def world():
    world = World()
    world.put("topic_policies", "theirs", attributes={}, denied=None)
    return world


def converge(world, **variables):
    plan = world.plan(**variables)
    assert plan["refused"] == ""
    assert TOKEN not in json.dumps(plan)
    assert KEY not in json.dumps(plan)
    world.carry_out(plan, **variables)
    again = world.plan(**variables)
    assert again["changes"] == [], labels(again)
    assert again["result"] == plan["result"]
    return plan


# Each variable with what must be written when it is added to MAIL, and when it is removed again.
EVENTS_ROLE = "role ecs-failures-events"
TARGET = "target mail of rule ecs-failures-task"
FUNCTION = [
    "role ecs-failures-sentry",
    "function ecs-failures-sentry",
]
QUIET = [
    EVENTS_ROLE,
    "log group /aws/lambda/ecs-failures-quiet",
    "role ecs-failures-quiet",
    "role ecs-failures-quiet-ends",
    "table ecs-failures-quiet",
    "function ecs-failures-quiet",
    "target mail of rule ecs-failures-task",  # is removed
    "target quiet of rule ecs-failures-task",
    "rule ecs-failures-task-told",
    "target mail of rule ecs-failures-task-told",
]
QUIET_GONE = [
    EVENTS_ROLE,
    "function ecs-failures-quiet",
    "role ecs-failures-quiet",
    "role ecs-failures-quiet-ends",
    "rule ecs-failures-task-told",
    "table ecs-failures-quiet",
    "target mail of rule ecs-failures-task",
    "target mail of rule ecs-failures-task-told",
    "target quiet of rule ecs-failures-task",
]
ALL_TAGGED = ["queue ecs-failures-undelivered", "topic ecs-failures", "rule ecs-failures-task", EVENTS_ROLE]


def web(service):
    named = [f"{word} ecs-failures-{service}" for word in ("connection", "API destination")]
    come = [EVENTS_ROLE, *named, f"target {service} of rule ecs-failures-task"]
    return come, come


VARIABLES = [
    ({"kinds": ["task", "deployment"]}, *2 * (
     ["rule ecs-failures-deployment", "target mail of rule ecs-failures-deployment", EVENTS_ROLE],)),
    # A headline says what the rule covers, so the message changes with it.
    ({"clusters": "production"}, *2 * (["rule ecs-failures-task", TARGET],)),
    ({"clusters": ["production", "test"]}, *2 * (["rule ecs-failures-task"],)),
    ({"services": ["web"]}, [], []),
    ({"services": ["web"], "kinds": "service_task"},
     ["rule ecs-failures-service-task", "rule ecs-failures-task", "target mail of rule ecs-failures-service-task",
      TARGET, EVENTS_ROLE], None),
    ({"task_families": ["nightly"]}, *2 * (["rule ecs-failures-task", TARGET],)),
    ({"state_machine_arns": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:x"}, *2 * (
     ["rule ecs-failures-state-machine", "target mail of rule ecs-failures-state-machine", EVENTS_ROLE],)),
    ({"rule_options": {"task": {"exit_codes": ["1", 137]}}}, ["rule ecs-failures-task"], ["rule ecs-failures-task"]),
    ({"rule_options": {"task": {"exit_codes": 1}}}, ["rule ecs-failures-task"], ["rule ecs-failures-task"]),
    ({"rule_options": {"task": {"clusters": "b"}}, "clusters": "a"}, ["rule ecs-failures-task", TARGET], None),
    ({"rule_options": {"task": {"enabled": "no"}}}, ["rule ecs-failures-task"], []),
    ({"rule_options": {"task": {"description": "x"}}}, ["rule ecs-failures-task"], ["rule ecs-failures-task"]),
    ({"rule_options": {"launch": {"clusters": "b"}}}, [], []),
    ({"severity": "critical"}, [], []),  # a mail does not show it
    ({"emails": ["ops@example.org", "dev@example.org"]}, ["topic ecs-failures"], ["topic ecs-failures"]),
    ({"mail_subject": "Broken"}, ["topic ecs-failures"], ["topic ecs-failures"]),
    ({"topic_arn": TOPIC}, *2 * ([EVENTS_ROLE, "target topic of rule ecs-failures-task"],)),
    ({"container_log_group": "/ecs/orders"}, [TARGET], [TARGET]),
    # A key and a boundary that are no longer given stay.
    ({"kms_key": CUSTOMER_KEY}, ["queue ecs-failures-undelivered", "topic ecs-failures", EVENTS_ROLE], []),
    ({"permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/b"}, [EVENTS_ROLE], []),
    ({"queue": "failures"}, ["queue failures", "target queue of rule ecs-failures-task"],
     ["target queue of rule ecs-failures-task"]),
    ({"queue": "failures.fifo"}, ["queue failures.fifo", "target queue of rule ecs-failures-task"],
     ["target queue of rule ecs-failures-task"]),
    ({"log_group": "/ecs"}, ["log group /ecs", "target log of rule ecs-failures-task"],
     ["target log of rule ecs-failures-task"]),
    ({"log_group": "/ecs", "log_retention_days": "7"},
     ["log group /ecs", "target log of rule ecs-failures-task"], None),
    ({"log_retention_days": 7}, [], []),
    ({"slack": {"token": TOKEN, "channel": "C1"}}, *web("slack")),
    ({"slack_webhook": {"url": "https://hooks.slack.com/services/x"}}, *web("slack-webhook")),
    ({"sentry": {"dsn": DSN}}, *web("sentry")),
    ({"pagerduty": {"routing_key": KEY}}, *web("pagerduty")),
    ({"opsgenie": {"api_key": KEY}}, *web("opsgenie")),
    ({"jira": {"api_key": KEY}}, *web("jira")),
    ({"teams": {"url": f"https://x.org/1?v=1&sig={KEY}"}}, *web("teams")),
    ({"datadog": {"api_key": KEY}}, *web("datadog")),
    ({"webhook": {"url": "https://x.org/a"}}, *web("webhook")),
    ({"sentry_function": {"dsn": DSN}},
     ["log group /aws/lambda/ecs-failures-sentry", *FUNCTION, "target sentry-function of rule ecs-failures-task"],
     ["function ecs-failures-sentry", "role ecs-failures-sentry", "target sentry-function of rule ecs-failures-task"]),
    ({"dead_letter": "false"}, ["target mail of rule ecs-failures-task"], ["target mail of rule ecs-failures-task"]),
    ({"quiet_period": "600"}, QUIET, QUIET_GONE),
    ({"tags": {"team": "shop"}}, ALL_TAGGED, ALL_TAGGED),
    ({"package_dir": "/tmp"}, [], []),
    ({"region": REGION, "profile": "p", "assume_role_arn": "arn", "assume_role_duration": 900}, [], []),
    ({"name": "ecs-failures", "state": "present"}, [], []),
]  # fmt: skip


@pytest.mark.parametrize(("variables", "come", "go"), VARIABLES)
def test_each_variable_comes_and_goes(world, variables, come, go):
    converge(world, **MAIL)
    world.confirm()
    plan = converge(world, **MAIL | variables)
    assert sorted(labels(plan)) == sorted(come)
    if go is not None:
        world.confirm()
        back = converge(world, **MAIL)
        assert sorted(labels(back)) == sorted(go)


def test_messages_of_a_queue_show_the_severity(world):
    converge(world, **MAIL | {"queue": "failures"})
    plan = world.plan(**MAIL | {"queue": "failures", "severity": "critical"})
    assert labels(plan) == ["target queue of rule ecs-failures-task"]


def test_every_variable_is_in_the_table():
    assert {name for variables, _come, _go in VARIABLES for name in variables} == set(KNOWN)


def test_the_first_run_writes_in_order(world):
    plan = converge(world, **WHOLE)
    tasks = [change["task"] for change in plan["changes"]]
    assert tasks == [
        "Create the log groups",
        "Create the queues and IAM roles",
        "Create the functions",
        "Create the connections",
        "Create the API destinations",
        "Route failures to their receivers",
    ]
    routes = labels(plan, "Route failures to their receivers")
    assert routes[:3] == ["topic ecs-failures", "rule ecs-failures-task", "rule ecs-failures-launch"]
    assert len(routes) == 3 + 2 * 5
    assert plan["result"]["channels"] == ["mail", "queue", "log", "sentry-function", "slack"]
    assert plan["result"]["unconfirmed_emails"] == ["ops@example.org", "dev@example.org"]
    assert [rule["name"] for rule in plan["result"]["rules"]] == ["ecs-failures-task", "ecs-failures-launch"]
    assert all(rule["arn"] and rule["covers"] for rule in plan["result"]["rules"])


def test_everything_goes_in_order_and_nothing_is_left(world):
    converge(world, **WHOLE)
    world.things["rules"]["theirs"] = copy.deepcopy(world.things["rules"]["ecs-failures-task"])
    gone = converge(world, **WHOLE, state="absent")
    routes = labels(gone, "Route failures to their receivers")
    first = next(number for number, label in enumerate(routes) if not label.startswith("target"))
    assert first == 2 * 5
    assert [change["task"] for change in gone["changes"]][1:] == [
        "Remove API destinations",
        "Remove connections",
        "Remove the functions",
        "Remove IAM roles and their policies",
        "Remove log groups",
    ]
    left = {kind: set(things) for kind, things in world.things.items() if things}
    assert {kind: left[kind] for kind in left if not kind.endswith("_policies")} == {"rules": {"theirs"}}


def test_what_needs_no_other_module_is_one_task(world):
    plan = converge(world, **MAIL)
    assert [change["task"] for change in plan["changes"]] == ["Route failures to their receivers"]
    assert labels(plan) == [
        "queue ecs-failures-undelivered",
        EVENTS_ROLE,
        "topic ecs-failures",
        "rule ecs-failures-task",
        TARGET,
    ]
    world.confirm()
    gone = converge(world, state="absent")
    assert [change["task"] for change in gone["changes"]] == ["Route failures to their receivers"]
    assert labels(gone) == [
        TARGET,
        "rule ecs-failures-task",
        "topic ecs-failures",
        "queue ecs-failures-undelivered",
        EVENTS_ROLE,
    ]


def test_a_plan_for_what_was_never_there_is_empty(world):
    assert world.plan(state="absent")["changes"] == []


TAGGED = {"tags": {TAG: "ecs-failures"}}
OTHERS = {"tags": {TAG: "other"}}
NAMES = [
    ("rules", "ecs-failures-task", "rule ecs-failures-task"),
    ("rules", "ecs-failures-deployment", "rule ecs-failures-deployment"),
    ("queues", "failures", "queue failures"),
    ("queues", "ecs-failures-undelivered", "queue ecs-failures-undelivered"),
    ("topics", "ecs-failures", "topic ecs-failures"),
    ("log_groups", "/ecs", "log group /ecs"),
    ("log_groups", "/aws/lambda/ecs-failures-sentry", "log group /aws/lambda/ecs-failures-sentry"),
    ("iam_roles", "ecs-failures-events", "role ecs-failures-events"),
    ("iam_roles", "ecs-failures-sentry", "role ecs-failures-sentry"),
    ("functions", "ecs-failures-sentry", "function ecs-failures-sentry"),
    ("rules", "ecs-failures-task-told", "rule ecs-failures-task-told"),
    ("log_groups", "/aws/lambda/ecs-failures-quiet", "log group /aws/lambda/ecs-failures-quiet"),
    ("iam_roles", "ecs-failures-quiet-ends", "role ecs-failures-quiet-ends"),
    ("functions", "ecs-failures-quiet", "function ecs-failures-quiet"),
    ("tables", "ecs-failures-quiet", "table ecs-failures-quiet"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "words"), NAMES)
@pytest.mark.parametrize("tags", [{}, {TAG: "other"}, {"team": "shop"}])
def test_what_others_own_stays_as_it_is(world, kind, name, words, tags):
    world.put(kind, name, arn=f"arn:{name}", tags=tags, targets=[], subscriptions=[], attributes={}, policies={})
    plan = world.plan(**WHOLE, quiet_period=60)
    assert plan["refused"].startswith(f"Not managed by this role: {words}. Nothing was changed. Choose another")
    assert plan["changes"] == []
    gone = world.plan(**WHOLE, state="absent")
    assert (gone["changes"], gone["result"]["not_managed"]) == ([], [words])
    assert gone["notes"] == [f"Not removed, because this role does not manage them: {words}."]


@pytest.mark.parametrize(
    ("kind", "words"),
    [("connections", "connection ecs-failures-slack"), ("api_destinations", "API destination ecs-fai")],
)
def test_a_connection_is_ours_when_the_role_that_calls_it_is(world, kind, words):
    world.put(kind, "ecs-failures-slack", name="x")
    assert words in world.plan(**WHOLE)["refused"]
    assert world.plan(**WHOLE, state="absent")["changes"] == []


@pytest.mark.parametrize("kind", ["queues", "topics", "log_groups", "functions", "iam_roles"])
def test_what_our_rules_reach_is_ours_without_its_tag(world, kind):
    converge(world, **WITHOUT_WEB)
    for thing in world.things[kind].values():
        thing["tags"] = {}
    plan = world.plan(**WITHOUT_WEB)
    assert plan["refused"] == ""
    assert len(labels(plan)) == len(world.things[kind])


def test_targets_and_subscriptions_of_others_keep_rule_and_topic(world):
    converge(world, **MAIL)
    theirs = {**world.things["rules"]["ecs-failures-task"]["targets"][0], "id": "theirs"}
    world.things["rules"]["ecs-failures-task"]["targets"].append(theirs)
    world.things["topics"]["ecs-failures"]["subscriptions"].append(
        {"arn": "arn:x", "protocol": "sqs", "endpoint": "theirs"}
    )
    gone = converge(world, state="absent")
    assert gone["result"]["kept"] == ["rule ecs-failures-task", "topic ecs-failures"]
    assert gone["notes"] == [
        "Not removed, because others have added a target or a subscription: rule ecs-failures-task, topic ecs-failures."
    ]
    assert world.things["rules"]["ecs-failures-task"]["targets"] == [theirs]


def test_the_targets_of_others_take_room(world):
    converge(world, **MAIL)
    target = world.things["rules"]["ecs-failures-task"]["targets"][0]
    world.things["rules"]["ecs-failures-task"]["targets"].append({**target, "id": "theirs"})
    assert world.plan(**WHOLE)["refused"] == (
        "The rule ecs-failures-task has targets that this role did not create: theirs. A rule has at most five targets,"
        " so mail, queue, log, sentry-function, slack cannot be added. Nothing was changed. Remove some receivers, or "
        "choose another failure_alerts_name."
    )
    assert world.plan(**WITHOUT_WEB)["refused"] == "", "five are not too many"


@pytest.mark.parametrize(
    ("trails", "kinds", "words"),
    [
        ({"logs_launches": True, "denied": None}, "launch", None),
        ({"logs_launches": False, "denied": None}, "launch", "No CloudTrail trail"),
        ({"logs_launches": None, "denied": "DescribeTrails: AccessDenied"}, "launch", "is not known"),
        ({"logs_launches": False, "denied": None}, "task", None),
    ],
)
def test_launches_need_a_trail(world, trails, kinds, words):
    world.trails = trails
    converge(world, **MAIL | {"kinds": kinds})
    world.confirm()
    notes = world.plan(**MAIL | {"kinds": kinds})["notes"]
    assert len(notes) == (0 if words is None else 1)
    assert words is None or words in notes[0]
    assert ("trails" in world.looked) is (kinds == "launch")


@pytest.mark.parametrize("channel", ["queue", "log_group"])
def test_an_arn_is_used_and_never_made(world, channel):
    kind, arn = {
        "queue": ("queues", ARN.format("sqs", "given")),
        "log_group": ("log_groups", ARN.format("logs", "log-group:given")),
    }[channel]
    variables = MAIL | {channel: arn}
    assert world.plan(**variables)["refused"].startswith(f"failure_alerts_{channel}: arn: there is no {arn}.")
    world.put(kind, "given", arn=arn, attributes={}, tags={}, retention_days=3, kms_key_arn=None)
    converge(world, **variables)
    assert world.things[kind]["given"]["tags"] == {}
    converge(world, **variables, state="absent")
    assert "given" in world.things[kind]


def test_a_mail_only_look_asks_nothing_of_lambda_and_connections(world):
    converge(world, **MAIL)
    assert world.looked.keys() == {"rules", "topics", "queues", "iam_roles"}
    converge(world, kinds="task", queue="failures", state="absent")
    assert world.looked.keys() >= {"iam_roles", "functions"}


def test_a_changed_secret_is_noticed_and_not_shown(world):
    variables = MAIL | {"slack": {"token": TOKEN, "channel": "C1"}}
    converge(world, **variables)
    world.confirm()
    plan = world.plan(**MAIL | {"slack": {"token": KEY, "channel": "C1"}})
    assert labels(plan) == ["connection ecs-failures-slack"]
    assert KEY not in json.dumps(plan)
    environment = MAIL | {"sentry_function": {"dsn": DSN}}
    converge(world, **environment)
    changed = world.plan(**MAIL | {"sentry_function": {"dsn": DSN.replace("42", "43")}})
    assert labels(changed) == ["function ecs-failures-sentry"]
    assert "ingest.sentry.io" not in json.dumps(changed)


@pytest.mark.parametrize(
    ("settings", "action", "resource"),
    [
        ({"dsn_secret_arn": "arn:aws:secretsmanager:x"}, "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:x"),
        ({"dsn_parameter": "/a/dsn"}, "ssm:GetParameter", ARN.format("ssm", "parameter/a/dsn")),
    ],
)
def test_the_function_may_read_its_dsn(world, settings, action, resource):
    plan = converge(world, **MAIL | {"sentry_function": {**settings, "environment": "test", "runtime": "python3.12"}})
    (policy,) = world.things["iam_roles"]["ecs-failures-sentry"]["policies"].values()
    assert {"Effect": "Allow", "Action": action, "Resource": resource} in policy["Statement"]
    assert plan["functions"][0]["runtime"] == "python3.12"


@pytest.mark.parametrize(
    ("service", "settings", "endpoint", "header"),
    [
        ("slack", {"token": TOKEN, "channel": "C1"}, "https://slack.com/api/chat.postMessage", "Authorization"),
        ("slack_webhook", {"url": "https://hooks.slack.com/x"}, "https://hooks.slack.com/x", "X-Not-Needed"),
        ("sentry", {"dsn": DSN}, "https://o1.ingest.sentry.io/api/42/store/", "X-Sentry-Auth"),
        ("sentry", {"dsn": "https://k@x.org:9000/a/42"}, "https://x.org:9000/a/api/42/store/", "X-Sentry-Auth"),
        ("pagerduty", {"routing_key": KEY}, "https://events.pagerduty.com/v2/enqueue", "X-Not-Needed"),
        (
            "pagerduty",
            {"routing_key": KEY, "region": "eu"},
            "https://events.eu.pagerduty.com/v2/enqueue",
            "X-Not-Needed",
        ),
        ("opsgenie", {"api_key": KEY}, "https://api.opsgenie.com/v2/alerts", "Authorization"),
        ("opsgenie", {"api_key": KEY, "region": "eu"}, "https://api.eu.opsgenie.com/v2/alerts", "Authorization"),
        ("jira", {"api_key": KEY}, "https://api.atlassian.com/jsm/ops/integration/v2/alerts", "Authorization"),
        ("datadog", {"api_key": KEY}, "https://api.datadoghq.com/api/v1/events", "DD-API-KEY"),
        ("datadog", {"api_key": KEY, "site": "datadoghq.eu"}, "https://api.datadoghq.eu/api/v1/events", "DD-API-KEY"),
        ("teams", {"url": "https://x.org:443/w/1?v=1&sig=s%2B1"}, "https://x.org:443/w/1", "X-Not-Needed"),
        ("webhook", {"url": "https://x.org/*", "header": "X-Token", "secret": "s"}, "https://x.org/*", "X-Token"),
        ("webhook", {"url": "https://x.org/a"}, "https://x.org/a", "X-Not-Needed"),
    ],
)
def test_where_each_service_is_reached(world, service, settings, endpoint, header):
    variables = MAIL | {service: settings}
    name = f"ecs-failures-{service.replace('_', '-')}"
    plan = world.plan(**variables)
    whole = FILTERS["failure_alerts_secrets"](given(**variables))
    assert whole["endpoints"] == {name: endpoint}
    # The plan is shown by -vvv, and an address may be a secret.
    assert endpoint not in json.dumps(plan)
    secrets = whole["connections"][name]
    assert secrets["api_key"]["name"] == header
    if service == "teams":
        query = [{key: value for key, value in each.items() if value} for each in
                 secrets["invocation_http_parameters"]["query"]]  # fmt: skip
        assert query == [{"key": "v", "value": "1"}, {"key": "sig", "secret_value": "s+1"}]


def test_secrets_of_everything(world):
    header = {"key": "Content-Type", "value": "application/json; charset=utf-8", "secret_value": None}
    body = {"key": "routing_key", "value": None, "secret_value": KEY}
    no_key = {"name": "X-Not-Needed", "value": "this-service-wants-no-key"}
    settings = {"dsn_parameter": "/a/dsn", "environment": "test"}
    variables = {
        "slack": {"token": TOKEN, "channel": "C1"},
        "pagerduty": {"routing_key": KEY},
        "webhook": {"url": "https://x.org/a", "header": "X-Token", "secret": KEY},
        "sentry_function": settings,
    }
    assert FILTERS["failure_alerts_secrets"](given(**MAIL, **variables)) == {
        "connections": {
            "ecs-failures-slack": {
                "api_key": {"name": "Authorization", "value": f"Bearer {TOKEN}"},
                "invocation_http_parameters": {"header": [header]},
            },
            "ecs-failures-pagerduty": {"api_key": no_key, "invocation_http_parameters": {"body": [body]}},
            "ecs-failures-webhook": {"api_key": {"name": "X-Token", "value": KEY}, "invocation_http_parameters": {}},
        },
        "endpoints": {
            "ecs-failures-slack": "https://slack.com/api/chat.postMessage",
            "ecs-failures-pagerduty": "https://events.pagerduty.com/v2/enqueue",
            "ecs-failures-webhook": "https://x.org/a",
        },
        "environment": {"SENTRY_DSN_PARAMETER": "/a/dsn", "SENTRY_ENVIRONMENT": "test"},
        "refused": "",
    }


@pytest.mark.parametrize(
    ("settings", "environment"),
    [
        ({"dsn": DSN}, {"SENTRY_DSN": DSN}),
        ({"dsn_secret_arn": "arn:aws:secretsmanager:x"}, {"SENTRY_DSN_SECRET": "arn:aws:secretsmanager:x"}),
        ({"dsn": DSN, "environment": ""}, {"SENTRY_DSN": DSN}),
    ],
)
def test_the_environment_of_the_function(settings, environment):
    secrets = FILTERS["failure_alerts_secrets"](given(**MAIL, sentry_function=settings))
    assert secrets["environment"] == environment


@pytest.mark.parametrize("variables", [{"email": "x"}, {"name": "a b"}, {**MAIL, "kinds": []}])
def test_a_refusal_holds_for_every_filter(variables):
    values = given(**variables)
    names = FILTERS["failure_alerts_names"](values)
    assert names["refused"]
    nothing = {"changes": [], "result": {}, "notes": [], "look": {}}
    assert FILTERS["failure_alerts_plan"](values, {}) == {**nothing, "refused": names["refused"]}
    secrets = FILTERS["failure_alerts_secrets"](values)
    assert secrets == {"refused": names["refused"], "connections": {}, "endpoints": {}, "environment": {}}


def test_what_the_role_sets_itself_is_no_variable_of_the_user(world):
    plan = world.plan(**MAIL, result={"rules": []}, sentry_package={"path": "x"}, quiet_package={"path": "x"})
    assert plan["refused"] == ""


def policy_of(world):
    return world.things["iam_roles"]["ecs-failures-events"]["policies"]["publish"]["Statement"]


def test_the_key_encrypts_all_that_is_made(world):
    converge(world, **WITHOUT_WEB)
    world.confirm()
    plan = converge(world, **WITHOUT_WEB, kms_key=CUSTOMER_KEY)
    names = ["/ecs", "/aws/lambda/ecs-failures-sentry"]
    keys = [step["log_group_key"] for step in plan["first"] if "log_group_key" in step]
    assert keys == [{"name": name, "kms_key_arn": CUSTOMER_KEY} for name in names]
    assert [item for item in items(plan) if item[0].startswith("log_group_key")] == [
        (f"log_group_key {name}", {"kms_key_arn": None}, {"kms_key_arn": CUSTOMER_KEY}) for name in names
    ]
    # A log group that exists is not written by the module that creates one.
    assert plan["log_groups"] == []
    queues, groups = world.things["queues"], world.things["log_groups"]
    places = [*queues.values(), world.things["topics"]["ecs-failures"]]
    assert {each["attributes"]["KmsMasterKeyId"] for each in places} == {CUSTOMER_KEY}
    assert {each["kms_key_arn"] for each in groups.values()} == {CUSTOMER_KEY}
    function = world.things["functions"]["ecs-failures-sentry"]
    assert function["kms_key_arn"] == CUSTOMER_KEY
    role = world.things["iam_roles"]["ecs-failures-sentry"]
    for statements in (policy_of(world), role["policies"]["log-and-dsn"]["Statement"]):
        (uses,) = [each for each in statements if "kms:Decrypt" in each["Action"]]
        assert uses["Resource"] == CUSTOMER_KEY
    # Resources of others keep their keys.
    queue = ARN.format("sqs", "given")
    world.put("queues", "given", arn=queue, attributes={}, tags={})
    converge(world, **MAIL | {"queue": queue, "kms_key": CUSTOMER_KEY})
    assert "KmsMasterKeyId" not in world.things["queues"]["given"]["attributes"]


def test_new_log_groups_are_made_with_the_key(world):
    plan = converge(world, **WITHOUT_WEB, kms_key=CUSTOMER_KEY)
    assert [each["kms_key_id"] for each in plan["log_groups"]] == [CUSTOMER_KEY] * 2
    assert [step for step in plan["first"] if "log_group_key" in step] == []
    assert plan["changes"][0]["items"][0]["after"]["kms_key_arn"] == CUSTOMER_KEY


def test_every_role_has_the_boundary(world):
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/b"
    converge(world, **WITHOUT_WEB, permissions_boundary=boundary)
    assert {each["boundary"] for each in world.things["iam_roles"].values()} == {boundary}


OTHER_TOPIC = f"arn:aws:sns:{REGION}:210987654321:theirs"


@pytest.mark.parametrize(
    ("topic", "key", "resource", "condition"),
    [
        (TOPIC, None, None, None),
        (TOPIC, "alias/aws/sns", None, None),
        (TOPIC, CUSTOMER_KEY, CUSTOMER_KEY, None),
        (TOPIC, "1b2c", CUSTOMER_KEY, None),
        (TOPIC, "alias/a", ARN.format("kms", "key/*"), {"kms:ResourceAliases": "alias/a"}),
        (OTHER_TOPIC, "1b2c", f"arn:aws:kms:{REGION}:210987654321:key/1b2c", None),
    ],
)
def test_an_existing_topic_gets_whole_events_by_a_role(world, topic, key, resource, condition):
    world.put("topic_policies", "theirs", attributes={"KmsMasterKeyId": key} if key else {}, denied=None)
    plan = converge(world, kinds="task", topic_arn=topic)
    (target,) = [step["target"] for step in plan["routes"] if "target" in step]
    assert (target["arn"], target["role_arn"].rpartition("/")[2]) == (topic, "ecs-failures-events")
    assert "message_template" not in target
    statements = policy_of(world)
    assert statements[0] == {"Effect": "Allow", "Action": "sns:Publish", "Resource": [topic]}
    assert [each["Resource"] for each in statements[1:]] == [resource] * (resource is not None)
    assert [each.get("Condition") for each in statements[1:] if condition] == [
        {"ForAnyValue:StringEquals": condition}
    ] * (condition is not None)
    assert world.things["topic_policies"]["theirs"]["attributes"].get("Policy") is None


def test_a_topic_that_may_not_be_looked_at_is_used(world):
    world.put("topic_policies", "theirs", attributes={}, denied="AuthorizationError")
    converge(world, kinds="task", topic_arn=OTHER_TOPIC)


def test_a_topic_that_rules_reached_by_its_policy_is_closed(world):
    """An earlier version of the role left such topics."""
    converge(world, **MAIL)
    del world.things["iam_roles"]
    topic, rule = world.things["topics"]["ecs-failures"], world.things["rules"]["ecs-failures-task"]
    statement = statement_for(parse_arn(topic["arn"]), rule["arn"], "mail")
    topic["attributes"]["Policy"] = json.dumps({"Statement": [statement]})
    rule["targets"][0]["role_arn"] = None
    plan = world.plan(**MAIL)
    assert labels(plan) == [EVENTS_ROLE, TARGET]
    change = plan["changes"][-1]["items"][-1]
    assert (change["before"]["permissions"][0]["statement"], change["after"]["permissions"][0]["resource"]) == (
        statement,
        ARN.format("sqs", "ecs-failures-undelivered"),
    )


def test_a_connection_is_not_ours_because_a_role_publishes(world):
    converge(world, **MAIL)
    world.put("connections", "ecs-failures-slack", name="x")
    assert "connection ecs-failures-slack" in world.plan(**WHOLE)["refused"]
    assert "connection ecs-failures-slack" not in labels(world.plan(state="absent"))


def test_a_policy_goes_after_the_connections(world):
    variables = MAIL | {"jira": {"api_key": KEY}}
    converge(world, **variables)
    world.confirm()
    tasks = [change["task"] for change in converge(world, **MAIL)["changes"]]
    assert tasks[1:] == ["Remove API destinations", "Remove connections", "Remove IAM roles and their policies"]
    assert world.things["iam_roles"]["ecs-failures-events"]["policies"].keys() == {"publish"}
    plan = world.plan(kinds="task", jira={"api_key": KEY})
    assert plan["routes"][-2:] == [
        {"topic": {"name": "ecs-failures", "state": "absent"}},
        {"iam_role": {"name": "ecs-failures-events", "policies": {"publish": None}}},
    ]


# One resource that a separate task writes was changed by hand or by a variable, and so was the function's IAM role.
BY_HAND = [
    ("functions", "ecs-failures-sentry", {"timeout": 3}, "Create the functions"),
    ("connections", "ecs-failures-webhook", {"authorization": None}, "Create the connections"),
    ("api_destinations", "ecs-failures-webhook", {"rate": 300}, "Create the API destinations"),
    ("tables", "ecs-failures-quiet", {"tags": {TAG: "ecs-failures", "x": "y"}}, "Create the table of the quiet period"),
]
OF_OTHER_MODULES = MAIL | {"quiet_period": 600, "sentry_function": {"dsn": DSN}}
WEBHOOK = {"webhook": {"url": "https://x.org/a"}}


@pytest.mark.parametrize(("kind", "name", "facts", "task"), BY_HAND)
def test_what_was_changed_by_hand_is_changed_back_after_the_roles(world, kind, name, facts, task):
    variables = OF_OTHER_MODULES | (WEBHOOK if name.endswith("webhook") else {})
    converge(world, **variables)
    world.things[kind][name].update(facts)
    world.things["iam_roles"]["ecs-failures-sentry"]["description"] = "x"
    plan = world.plan(**variables)
    assert [change["task"] for change in plan["changes"]] == ["Create the queues and IAM roles", task]
    if kind == "tables":
        assert items(plan)[-1] == (f"table {name}", {"tags": facts["tags"]}, {"tags": {TAG: "ecs-failures"}})


@pytest.mark.parametrize("kind", ["functions", "connections", "api_destinations", "tables"])
def test_roles_go_after_what_uses_them(world, kind):
    converge(world, **OF_OTHER_MODULES, **WEBHOOK)
    for other in {"functions", "connections", "api_destinations", "tables"} - {kind}:
        world.things[other] = {}
    tasks = [change["task"] for change in world.plan(state="absent")["changes"]]
    assert len(tasks) == 4
    assert tasks[2] == "Remove IAM roles and their policies"


def test_a_function_without_a_queue_for_what_is_not_delivered(world):
    plan = converge(world, **MAIL, sentry_function={"dsn": DSN}, dead_letter=False)
    (function,) = plan["functions"]
    assert function["dead_letter_arn"] == ""
    (document,) = world.things["iam_roles"]["ecs-failures-sentry"]["policies"].values()
    assert [each["Action"] for each in document["Statement"]] == [["logs:CreateLogStream", "logs:PutLogEvents"]]
    assert world.things["functions"]["ecs-failures-sentry"]["dead_letter_arn"] is None


@pytest.mark.parametrize(("key", "uses"), [(CUSTOMER_KEY, 1), (f"{CUSTOMER_KEY}-2", 2), (None, 1)])
def test_the_role_of_rules_may_use_the_key_of_each_topic(world, key, uses):
    world.put("topic_policies", "theirs", attributes={"KmsMasterKeyId": key} if key else {}, denied=None)
    converge(world, **MAIL, topic_arn=TOPIC, kms_key=CUSTOMER_KEY)
    publish, *keys = policy_of(world)
    assert publish["Resource"] == [ARN.format("sns", "ecs-failures"), TOPIC]
    assert [each["Resource"] for each in keys] == [CUSTOMER_KEY, f"{CUSTOMER_KEY}-2"][:uses]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"topic_arn": TOPIC.replace(REGION, "us-east-1")}, "failure_alerts_topic_arn: arn: "),
        ({"log_group": ARN.format("logs", "log-group:x").replace(REGION, "us-east-1")}, "failure_alerts_log_group: "),
        ({"queue": ARN.format("sqs", "x").replace(REGION, "us-east-1")}, "failure_alerts_queue: arn: "),
    ],
)
def test_receivers_are_in_the_region_of_the_rules(world, variables, words):
    world.put("topic_policies", "theirs", attributes={}, denied=None)
    world.put("queues", "x", attributes={}, tags={})
    world.put("log_groups", "x", arn="arn:x", tags={})
    refused = world.plan(kinds="task", **variables)["refused"]
    assert refused.startswith(words)
    assert "is in us-east-1, and the rule is in eu-central-1" in refused


@pytest.mark.parametrize(("name", "made"), [("failures.fifo", ["queue failures.fifo"]), ("given.fifo", None)])
def test_only_a_queue_of_our_own_gets_deduplication(world, name, made):
    """EventBridge does not send deduplication ids."""
    converge(world, **MAIL, queue="failures.fifo")
    arn = ARN.format("sqs", "given.fifo")
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "false"}
    world.put("queues", "given.fifo", arn=arn, attributes=attributes, tags={})
    world.things["queues"]["failures.fifo"]["attributes"].update(attributes)
    plan = world.plan(**MAIL, queue=arn if made is None else name)
    if made is None:
        assert plan["refused"].startswith(f"failure_alerts_queue: arn: the FIFO queue {arn} has no content-based")
    else:
        assert labels(plan) == made


@pytest.mark.parametrize("name", ["ecs-failures-undelivered", "failures"])
def test_a_key_that_aws_manages_gives_way_to_one_of_the_user(world, name):
    variables = MAIL | {"queue": "failures"}
    converge(world, **variables)
    world.things["queues"][name]["attributes"]["KmsMasterKeyId"] = "alias/aws/sqs"
    assert "a key that AWS manages and that EventBridge may not use" in world.plan(**variables)["refused"]
    assert world.plan(**variables, kms_key=CUSTOMER_KEY)["refused"] == ""


LONG = "x" * 90
CHANNELS: dict[str, Any] = {
    "emails": "ops@example.org",
    "queue": "failures",
    "slack": {"token": TOKEN, "channel": "C1"},
    "slack_webhook": {"url": "https://hooks.slack.com/services/x"},
    "sentry": {"dsn": DSN},
    "pagerduty": {"routing_key": KEY},
    "opsgenie": {"api_key": KEY},
    "jira": {"api_key": KEY},
    "teams": {"url": f"https://x.org/1?v=1&sig={KEY}"},
    "datadog": {"api_key": KEY},
    "webhook": {"url": "https://x.org/a"},
}


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    ("family", "cluster", "shown"),
    [
        ("nightly", "production", "ECS task failed: nightly in production"),
        ("nightly", LONG, "ECS task failed: nightly"),
        (LONG, LONG, "ECS task failed"),
    ],
)
def test_the_headline_has_as_much_of_the_names_as_the_receiver_takes(world, channel, family, cluster, shown):
    variables = {channel: CHANNELS[channel], "kinds": "task", "clusters": cluster, "task_families": family}
    plan = world.plan(**variables)
    assert plan["refused"] == ""
    (after,) = [each["after"] for change in plan["changes"] for each in change["items"] if "target " in each["label"]]
    template = after["input_transformer"]["input_template"]
    assert shown in template
    if channel not in ("opsgenie", "jira", "datadog"):  # they accept long ones
        assert f"{family} in {cluster}" in template


@pytest.mark.parametrize(
    ("variables", "options"),
    [
        ({"kinds": "service_task", "services": "web", "clusters": "a"}, {"subject": "web", "cluster": "a"}),
        ({"kinds": "service_task", "services": ["web", "api"]}, {}),
        ({"kinds": "deployment", "services": "web"}, {"subject": "web"}),
        ({"kinds": "deployment"}, {}),
        ({"kinds": "task", "rule_options": {"task": {"task_families": ["b"]}}}, {"subject": "b"}),
        (
            {"kinds": "task", "state_machine_arns": ARN.format("states", "stateMachine:jobs")},
            {"subject": "jobs"},
        ),
        *(
            ({"kinds": kind, "container_log_group": "/ecs/a"}, {"log_group": "/ecs/a"})
            for kind in ("task", "service_task", "service_action", "deployment")
        ),
        *(({"kinds": kind, "container_log_group": "/ecs/a"}, {}) for kind in ("launch", "task_retirement", "daemon")),
    ],
)
def test_messages_say_what_the_rule_is_about(world, variables, options):
    plan = world.plan(queue="failures", **variables)
    target = [step["target"] for step in plan["routes"] if "target" in step][-1]
    assert target["message_options"] == {"severity": "error", **options}


@pytest.mark.parametrize("template", ['{"text": "<headline>", "key": "<key>"}', {"text": "<headline>", "key": "<key>"}])
def test_a_template_of_the_user(world, template):
    plan = world.plan(kinds=["task", "launch"], webhook={"url": "https://x.org", "template": template})
    for step in plan["routes"]:
        if "target" in step:
            assert step["target"]["message_template"] == "custom"
            assert json.loads(step["target"]["message_options"]["template"]) == {"text": "<headline>", "key": "<key>"}


def test_the_receivers_of_a_quiet_period_hear_the_function_and_nobody_else(world):
    plan = converge(world, **WITHOUT_WEB, quiet_period=600)
    rules = world.things["rules"]
    assert {name: [each["id"] for each in rule["targets"]] for name, rule in rules.items()} == {
        "ecs-failures-task": ["quiet"],
        "ecs-failures-task-told": ["mail", "queue", "log", "sentry-function"],
        "ecs-failures-launch": ["quiet"],
        "ecs-failures-launch-told": ["mail", "queue", "log", "sentry-function"],
    }
    (quiet,) = rules["ecs-failures-task"]["targets"]
    assert quiet["input_transformer"] == {
        "input_paths_map": {},
        "input_template": '{"kind": "task", "event": <aws.events.event.json>}',
    }
    (mail, *_others) = rules["ecs-failures-launch-told"]["targets"]
    assert "<times>" in mail["input_transformer"]["input_template"]
    assert json.loads(rules["ecs-failures-launch-told"]["pattern_text"]) == {
        "source": ["steadyops.ecs"],
        "detail": {"quiet_period": {"name": ["ecs-failures"], "kind": ["launch"]}},
    }
    # The rules in the result are those that receive events of ECS.
    assert [rule["name"] for rule in plan["result"]["rules"]] == ["ecs-failures-task", "ecs-failures-launch"]
    longer = converge(world, **WITHOUT_WEB, quiet_period=1200)
    assert labels(longer) == ["function ecs-failures-quiet"]
    gone = converge(world, **WITHOUT_WEB, quiet_period=1200, state="absent")
    assert [change["task"] for change in gone["changes"]][1:] == [
        "Remove the functions", "Remove the table of the quiet period",
        "Remove IAM roles and their policies", "Remove log groups",
    ]  # fmt: skip
    left = {kind: set(things) for kind, things in world.things.items() if things and not kind.endswith("_policies")}
    assert left == {}


def test_the_function_of_the_quiet_period_may_do_what_it_does_and_no_more(world):
    converge(world, **MAIL, quiet_period=600)
    roles = world.things["iam_roles"]
    ends = roles["ecs-failures-quiet-ends"]
    statements = roles["ecs-failures-quiet"]["policies"]["count-and-send"]["Statement"]
    may = {action: each["Resource"] for each in statements for action in _listed(each["Action"])}
    table = ARN.format("dynamodb", "table/ecs-failures-quiet")
    letters, function = (
        ARN.format("sqs", "ecs-failures-undelivered"),
        ARN.format("lambda", "function:ecs-failures-quiet"),
    )
    log = ARN.format("logs", "log-group:/aws/lambda/ecs-failures-quiet:*")
    assert may == {
        **{f"dynamodb:{name}Item": table for name in ("Delete", "Get", "Put", "Update")},
        "events:PutEvents": ARN.format("events", "event-bus/default"),
        "scheduler:CreateSchedule": ARN.format("scheduler", "schedule/default/ecs-failures-end-*"),
        "iam:PassRole": f"arn:aws:iam::{ACCOUNT}:role/ecs-failures-quiet-ends",
        "sqs:SendMessage": letters,
        "logs:CreateLogStream": log,
        "logs:PutLogEvents": log,
    }
    assert {each["Action"]: each["Condition"] for each in statements if "Condition" in each} == {
        "iam:PassRole": {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
        "events:PutEvents": {"StringEquals": {"events:source": "steadyops.ecs"}},
    }
    assert [(each["Action"], each["Resource"]) for each in ends["policies"]["invoke-function"]["Statement"]] == [
        ("lambda:InvokeFunction", function), ("sqs:SendMessage", letters),
    ]  # fmt: skip
    assert ends["trust"]["Statement"][0]["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert ends["trust"]["Statement"][0]["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnEquals": {"aws:SourceArn": [ARN.format("scheduler", "schedule-group/default")]},
    }
    for role in roles.values():
        assert complaints(role["trust"], trust=True) == []
        assert [found for document in role["policies"].values() for found in complaints(document)] == []


def test_a_topic_of_a_quiet_period_gets_what_amazon_q_shows(world):
    converge(world, kinds="task", clusters="production", topic_arn=TOPIC, quiet_period=600)
    (topic,) = world.things["rules"]["ecs-failures-task-told"]["targets"]
    sent = json.loads(topic["input_transformer"]["input_template"])
    assert (sent["version"], sent["source"]) == ("1.0", "custom")
    failed = "ECS task failed: container <container> in production"
    assert sent["content"]["title"] == f"{failed}: <stop_code> <exit_codes>, <times>, <task_definition>"
    assert sent["content"]["description"].startswith(sent["content"]["title"])
    assert topic["role_arn"] == f"arn:aws:iam::{ACCOUNT}:role/ecs-failures-events"
    sources = world.things["iam_roles"]["ecs-failures-events"]["trust"]["Statement"][0]["Condition"]["ArnEquals"]
    assert sources == {"aws:SourceArn": [ARN.format("events", "rule/ecs-failures-task-told")]}
    converge(world, kinds="task", clusters="production", topic_arn=TOPIC)
    (topic,) = world.things["rules"]["ecs-failures-task"]["targets"]
    assert topic["input_transformer"] is None


def test_the_key_and_the_boundary_hold_for_the_quiet_period(world):
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/all"
    converge(world, **MAIL, quiet_period=600, kms_key=CUSTOMER_KEY, permissions_boundary=boundary)
    assert world.things["functions"]["ecs-failures-quiet"]["kms_key_arn"] == CUSTOMER_KEY
    assert world.things["log_groups"]["/aws/lambda/ecs-failures-quiet"]["kms_key_arn"] == CUSTOMER_KEY
    for name in ("ecs-failures-quiet", "ecs-failures-quiet-ends"):
        role = world.things["iam_roles"][name]
        (document,) = role["policies"].values()
        uses = [each["Resource"] for each in document["Statement"] if "kms:GenerateDataKey" in each["Action"]]
        assert (role["boundary"], uses) == (boundary, [CUSTOMER_KEY])


def test_the_function_of_the_quiet_period_knows_its_table_and_its_queue(world):
    plan = world.plan(**MAIL, quiet_period=600)
    (function,), (table,) = plan["functions"], plan["tables"]
    assert function["handler"] == "quiet_function.handler"
    assert function["environment_variables"] == {
        "ALERTS_NAME": "ecs-failures",
        "QUIET_PERIOD": "600",
        "TABLE": "ecs-failures-quiet",
        "SCHEDULE_ROLE": f"arn:aws:iam::{ACCOUNT}:role/ecs-failures-quiet-ends",
        "DEAD_LETTERS": ARN.format("sqs", "ecs-failures-undelivered"),
    }
    assert table == {
        "name": "ecs-failures-quiet",
        "hash_key_name": "window",
        "billing_mode": "PAY_PER_REQUEST",
        "tags": {TAG: "ecs-failures"},
    }


def _listed(value):
    return [value] if isinstance(value, str) else value
