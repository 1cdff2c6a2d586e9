# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ecs_stack_info on the sandbox: every kind at once, without a write and without a secret."""

from __future__ import annotations

import io
import json
import zipfile

from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live.stack import READERS

from tests.end_to_end.aws import aws_client

REGION, ACCOUNT = "eu-central-1", "123456789012"
ALLOW = {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "arn:aws:logs:*:*:*"}
POLICY = {"Version": "2012-10-17", "Statement": [ALLOW]}


def test_what_exists_is_found_and_what_does_not_is_null(sandbox, start):
    make_some(sandbox)
    names = {kind: ["made", "missing"] for kind in READERS}
    seen = sandbox.state()["calls"]
    done = start("ecs_stack_info", **names, trails=True).result()
    calls = sandbox.journal(since=seen)["calls"]
    assert not done.get("failed"), done["msg"]
    assert done["check_mode"] is False
    assert [call["operation"] for call in calls if call["write"]] == []
    stack = done["stack"]
    assert (stack["account"], stack["partition"], stack["region"]) == (ACCOUNT, "aws", REGION)
    assert {kind for kind in READERS if stack[kind]["missing"] not in (None, [])} == set()
    there = {kind for kind in READERS if stack[kind]["made"] not in (None, [])}
    assert there == {
        "rules",
        "queues",
        "topics",
        "log_groups",
        "iam_roles",
        "functions",
        "connections",
        "alarms",
        "tables",
        "topic_policies",
    }
    for kind in there - {"connections", "topic_policies"}:
        assert stack[kind]["made"]["tags"] == {"team": "shop"}, kind
    assert stack["iam_roles"]["made"]["policies"] == {"log": POLICY}
    assert stack["trails"] == {"logs_launches": True, "denied": None}
    assert "s3cret" not in json.dumps(done)


def make_some(sandbox):
    names = ("events", "sqs", "sns", "logs", "iam", "lambda", "cloudwatch", "cloudtrail", "s3", "dynamodb")
    aws = {name: aws_client(sandbox, name) for name in names}
    tags = [{"Key": "team", "Value": "shop"}]
    aws["events"].put_rule(Name="made", EventPattern='{"source": ["aws.ecs"]}', Tags=tags)
    key = {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "s3cret"}}
    aws["events"].create_connection(Name="made", AuthorizationType="API_KEY", AuthParameters=key)
    aws["sqs"].create_queue(QueueName="made", tags={"team": "shop"})
    aws["sns"].create_topic(Name="made", Tags=tags)
    aws["logs"].create_log_group(logGroupName="made", tags={"team": "shop"})
    trust = {"Service": "lambda.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": trust, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = aws["iam"].create_role(RoleName="made", AssumeRolePolicyDocument=document, Tags=tags)["Role"]["Arn"]
    aws["iam"].put_role_policy(RoleName="made", PolicyName="log", PolicyDocument=json.dumps(POLICY))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("handler.py", "")
    aws["lambda"].create_function(
        FunctionName="made", Runtime="python3.13", Role=role, Handler="handler.x", Tags={"team": "shop"},
        Code={"ZipFile": content.getvalue()}, Environment={"Variables": {"DSN": "s3cret"}},
    )  # fmt: skip
    aws["cloudwatch"].put_metric_alarm(
        AlarmName="made", Namespace="AWS/SQS", MetricName="x", ComparisonOperator="GreaterThanThreshold", Threshold=0,
        EvaluationPeriods=1, Period=60, Statistic="Maximum", Tags=tags,
    )  # fmt: skip
    aws["dynamodb"].create_table(
        TableName="made", BillingMode="PAY_PER_REQUEST", Tags=tags,
        AttributeDefinitions=[{"AttributeName": "window", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "window", "KeyType": "HASH"}],
    )  # fmt: skip
    aws["s3"].create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": REGION})
    aws["cloudtrail"].create_trail(Name="all", S3BucketName="trail")
    aws["cloudtrail"].start_logging(Name="all")
