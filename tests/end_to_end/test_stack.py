# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ecs_stack on the sandbox creates, changes and removes a queue, a topic, a rule and a target in one task each."""

from __future__ import annotations

import json

import pytest

from tests.end_to_end.aws import aws_client

REGION, ACCOUNT = "eu-central-1", "123456789012"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"
LOST = f"arn:aws:sqs:{REGION}:{ACCOUNT}:lost"
PLACE = {"partition": "aws", "account": ACCOUNT}
MAIL = {"protocol": "email", "endpoint": "ops@example.org"}


def steps(**changed):
    given = {
        "queue": {"name": "lost", "attributes": {"MessageRetentionPeriod": 1209600}, "tags": {"team": "shop"}},
        "topic": {"name": "alerts", "attributes": {"DisplayName": "A"}, "tags": {"a": "1"}, "subscriptions": [MAIL]},
        "rule": {"name": "alerts-task", "kind": "task"},
        "target": {"rule": "alerts-task", "id": "mail", "arn": TOPIC, "dead_letter_arn": LOST},
    }
    return [{kind: {**options, **changed.get(kind, {})}} for kind, options in given.items()]


@pytest.fixture
def stack(sandbox, start):
    """Runs the module, and returns its result and the writes that it made."""

    def run(given, **options):
        seen = sandbox.state()["calls"]
        result = start("ecs_stack", steps=given, **options).result()
        return result, [call["operation"] for call in sandbox.journal(since=seen)["calls"] if call["write"]]

    return run


def labels(result):
    return [each["label"] for each in result["changes"]]


ALL = ["queue lost", "topic alerts", "rule alerts-task", "target mail of rule alerts-task"]


def test_everything_comes_changes_and_goes(stack, sandbox):
    planned, writes = stack(steps(), check=True, diff=True)
    assert (labels(planned), writes) == (ALL, [])
    made, writes = stack(steps(), diff=True)
    assert labels(made) == labels(planned), made.get("msg")
    policies = ["SetTopicAttributes", "SetQueueAttributes"]
    assert writes == ["CreateQueue", "CreateTopic", "Subscribe", "PutRule", *policies, "PutTargets"]
    again, writes = stack(steps(), place=PLACE)
    assert (again["changed"], again["changes"], writes) == (False, [], [])

    changed = {
        "queue": {"attributes": {"MessageRetentionPeriod": 60}, "tags": {"team": "other", "b": "2"}},
        "topic": {"attributes": {"DisplayName": "B"}, "tags": {"c": "3"}},
        "rule": {"description": "new"},
    }
    done, writes = stack(steps(**changed))
    assert labels(done) == ALL[:3]
    assert sorted(writes) == sorted(
        ["SetQueueAttributes", "TagQueue", "SetTopicAttributes", "TagResource", "UntagResource", "PutRule"]
    )
    client = aws_client(sandbox, "sqs")
    url = client.get_queue_url(QueueName="lost")["QueueUrl"]
    assert client.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "other", "b": "2"}
    done, writes = stack(steps(queue={"tags": {}}, topic={"tags": None, "attributes": {}}, rule={"description": "new"}))
    assert writes == ["SetQueueAttributes", "UntagQueue"]

    absent = {kind: {"state": "absent"} for kind in ("queue", "topic", "rule", "target")}
    gone, writes = stack(steps(**absent)[::-1])
    assert labels(gone) == ALL[::-1]
    assert [each for each in writes if each.startswith("Delete")] == ["DeleteRule", "DeleteTopic", "DeleteQueue"]
    again, writes = stack(steps(**absent)[::-1])
    assert (again["changed"], writes) == (False, [])


def test_a_confirmed_subscription_is_removed(stack, sandbox):
    stack(steps())
    sandbox.confirm_subscription(MAIL["endpoint"])
    sns = aws_client(sandbox, "sns")
    (arn,) = [each["SubscriptionArn"] for each in sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]]
    done, writes = stack([{"topic": {"name": "alerts", "unsubscribe": [arn]}}])
    assert (labels(done), writes) == (["topic alerts"], ["Unsubscribe"])


TRUSTED = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
PUBLISH = {"Effect": "Allow", "Action": "sns:Publish", "Resource": TOPIC}


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def test_a_role_comes_changes_and_goes(stack, sandbox):
    made = {
        "name": "tell",
        "assume_role_policy_document": document(TRUSTED),
        "description": "Tells",
        "tags": {"team": "shop"},
        "policies": {"publish": document(PUBLISH)},
    }
    planned, writes = stack([{"iam_role": made}], check=True)
    assert (labels(planned), writes) == (["role tell"], [])
    done, writes = stack([{"iam_role": made}])
    assert (done["changes"], writes) == (planned["changes"], ["CreateRole", "PutRolePolicy"])
    again, writes = stack([{"iam_role": made}])
    assert (again["changed"], writes) == (False, [])
    iam = aws_client(sandbox, "iam")
    bounds = iam.create_policy(PolicyName="bounds", PolicyDocument=json.dumps(document(PUBLISH)))["Policy"]["Arn"]
    changed = {
        "name": "tell",
        "assume_role_policy_document": document({**TRUSTED, "Principal": {"Service": "lambda.amazonaws.com"}}),
        "description": "Tells more",
        "boundary": bounds,
        "tags": {"cost": "7"},
        "policies": {"publish": None, "other": document(PUBLISH)},
    }
    done, writes = stack([{"iam_role": changed}], place=PLACE)
    assert writes == [
        "UpdateAssumeRolePolicy", "UpdateRoleDescription", "PutRolePermissionsBoundary", "TagRole", "UntagRole",
        "PutRolePolicy", "DeleteRolePolicy",
    ], done.get("msg")  # fmt: skip
    again, writes = stack([{"iam_role": changed}, {"iam_role": {"name": "tell"}}])
    assert (again["changed"], writes) == (False, [])
    iam.attach_role_policy(RoleName="tell", PolicyArn=bounds)
    gone, writes = stack([{"iam_role": {"name": "tell", "state": "absent"}}])
    assert (labels(gone), writes) == (["role tell"], ["DeleteRolePolicy", "DetachRolePolicy", "DeleteRole"])
    again, writes = stack([{"iam_role": {"name": "tell", "state": "absent"}}])
    assert (again["changed"], writes) == (False, [])
    missing, _writes = stack([{"iam_role": {"name": "tell", "description": "x"}}])
    assert "role tell in eu-central-1: The role tell does not exist. Set assume_role_policy_document" in missing["msg"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([{"queue": {"name": "a"}, "rule": {"name": "b"}}], "steps[0] must have exactly one key"),
        (
            [{"alarm": {"name": "a"}}],
            "steps[0] must have exactly one key of queue, topic, log_group_key, iam_role, rule, target (got alarm)",
        ),
        ([{"queue": {"name": "a"}}, {"queue": {"nam": "a"}}], "steps[1].queue has no option nam"),
        ([{"queue": {}}], "steps[0].queue needs name"),
        ([{"queue": {"name": "a b"}}], "`steps[0].queue.name` must be"),
        ([{"queue": {"name": "a", "state": "here"}}], "steps[0].queue.state must be one of present, absent"),
        ([{"queue": {"name": "a"}}, {"rule": {"name": "b", "exit_codes": [1]}}], "exit_codes requires kind"),
        ([{"queue": {"name": "a"}}, {"iam_role": {"name": "b", "policies": ["c"]}}], "policies must be a dictionary"),
        ([{"queue": {"name": "a"}}, {"target": {"rule": "b", "id": "c", "arn": "x"}}], "`arn` must be the ARN of"),
    ],
)
def test_all_steps_are_checked_before_the_first_write(stack, given, words):
    refused, writes = stack(given)
    assert words in refused["msg"]
    assert writes == []


def test_a_failure_says_what_was_done(stack, sandbox):
    sandbox.fault("access_denied", operations=["CreateTopic"])
    failed, writes = stack(steps())
    assert failed["failed"]
    assert failed["msg"].startswith("topic alerts in eu-central-1: CreateTopic failed with ")
    assert failed["msg"].endswith("Done before that: queue lost")
    assert "CreateQueue" in writes
    missing, _writes = stack([{"target": {"rule": "x", "id": "y", "api_destination": "z"}}])
    assert "The API destination z does not exist. Create it first" in missing["msg"]
