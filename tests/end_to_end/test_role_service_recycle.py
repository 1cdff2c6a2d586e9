# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role service_recycle sends notices before and after a recycle, by mail and by a topic, or says that it cannot."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
import yaml

from tests.end_to_end.aws import aws_client
from tests.end_to_end.witness import Witness
from tests.sinks import Mailbox, mailbox, tls_mailbox

__all__ = ["mailbox", "tls_mailbox"]

REGION, ACCOUNT = "eu-central-1", "123456789012"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:recycles"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:recycles"
NO_IMAGE = "CannotPullContainerError: image not found"
QUICK = {"wait_delay": 0.05, "stabilize_time": 0, "wait_timeout": 30, "max_task_age": "1h"}


@pytest.fixture
def topic(sandbox):
    """Returns what came through the topic: subjects with their texts, in order."""

    def client(service):
        return aws_client(sandbox, service)

    allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**allowed, "Resource": QUEUE}]}
    client("sqs").create_queue(QueueName="recycles", Attributes={"Policy": json.dumps(policy)})
    client("sns").create_topic(Name="recycles")
    client("sns").subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=QUEUE)

    def received():
        assert sandbox.settle()
        url = client("sqs").get_queue_url(QueueName="recycles")["QueueUrl"]
        found = []
        while messages := client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                told = json.loads(message["Body"])
                found.append((told["Timestamp"], told["Subject"], told["Message"]))
                client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [each[1:] for each in sorted(found)]

    return received


@pytest.fixture
def run(sandbox, tmp_path, warm):
    """Runs the role for several services in one play. Returns the output, and asserts that it has no password."""

    def run(*cases, options=("-vv",), code=0):
        tasks = []
        for case in cases:
            variables = {f"service_recycle_{name}": value for name, value in {**QUICK, **case}.items()}
            role = {"name": f"Recycle {case['service']}", "vars": variables}
            role["ansible.builtin.include_role"] = {"name": "steadyops.ecs.service_recycle"}
            said = {
                "name": "Say",
                "ansible.builtin.debug": {"msg": "untold: {{ service_recycle_untold | default([]) }}"},
            }
            status = "status: {{ (service_recycle_result.recycle | default({})).status | default('none') }}"
            failed = {"name": "Failed", "ansible.builtin.debug": {"msg": "it failed, {{ ansible_failed_result.msg }}"}}
            tasks.append({
                "name": "Case",
                "block": [role],
                "rescue": [failed],
                "always": [said, {"name": "Status", "ansible.builtin.debug": {"msg": status}}],
            })  # fmt: skip
        path = tmp_path / "play.yml"
        path.write_text(yaml.safe_dump([{"name": "P", "hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
        done = subprocess.run(
            warm.command("ansible-playbook", str(path), *options),
            env={**os.environ, "AWS_URL": sandbox.url},
            capture_output=True,
            text=True,
            check=False,
        )
        told = done.stdout + done.stderr
        assert done.returncode == code, told
        assert "Traceback" not in told
        assert Mailbox.PASSWORD not in told
        return told

    return run


def mail(sink, **more):
    host, port = sink.address.split(":")
    who = {"sender": "recycler@example.com", "to": ["ops@example.com", "shop@example.com"]}
    return {"host": host, "port": int(port), "secure": "never", **who, **more}


def subjects(sink):
    return [letter["Subject"] for letter in sink.letters]


def test_before_and_after_a_success_and_a_failure(sandbox, run, topic, tls_mailbox):
    """The role logs in with a user name and a password over TLS."""
    for name in ("web", "api"):
        sandbox.service(name, tasks=2, health_check=True)
    sandbox.fault("launch_fails", service="api", reason=NO_IMAGE)
    login = {"username": "recycler", "password": Mailbox.PASSWORD, "secure": "starttls"}
    tells = {"mail": mail(tls_mailbox, **login), "topic_arn": TOPIC}
    told = run({"service": "web", **tells}, {"service": "api", **tells})
    expected = [
        "[ECS] started: web in default, 2 tasks to be replaced",
        "[ECS] recycled: web in default, 2 tasks replaced",
        "[ECS] started: api in default, 2 tasks to be replaced",
        "[ECS] failed: api in default, 0 tasks replaced, 2 left",
    ]
    assert subjects(tls_mailbox) == expected
    published = topic()
    assert [subject for subject, _text in published] == expected
    letters = [letter.get_payload()[0].get_content().strip() for letter in tls_mailbox.letters]
    assert letters == [text for _subject, text in published]
    assert "2 tasks will be replaced, with 1 added first and in 2 steps." in letters[0]
    assert "Desired count  2 before, 3 at most, 2 now" in letters[1]
    assert letters[3].count(NO_IMAGE) == 1
    (first, *_rest) = tls_mailbox.letters
    assert (first["From"], first["To"]) == ("recycler@example.com", "ops@example.com, shop@example.com")
    assert set(tls_mailbox.logins) == {"recycler"}
    assert told.count("untold: []") == 2
    assert told.count("it failed, service api in cluster default: ") == 1


def test_what_is_asked_for_is_told_and_nothing_else(sandbox, run, mailbox):
    sandbox.service("web", tasks=1, health_check=True)
    tells = {"service": "web", "mail": mail(mailbox), "subject_prefix": ""}
    run({**tells, "notify_on": ["failed"]}, {**tells, "notify_on": ["started", "unchanged"]})
    assert subjects(mailbox) == ["unchanged: web in default, nothing to replace"]


def test_check_mode_tells_nobody(sandbox, run, topic, mailbox):
    sandbox.service("web", tasks=1)
    witness = Witness(sandbox)
    told = run({"service": "web", "mail": mail(mailbox), "topic_arn": TOPIC}, options=["--check"])
    assert "status: recycled" in told
    assert (mailbox.letters, topic()) == ([], [])
    assert [call["operation"] for call in witness.calls() if call["write"] and call["service"] == "ecs"] == []


@pytest.mark.long
def test_what_cannot_be_told_spoils_nothing_and_is_said(sandbox, run, mailbox):
    """A successful recycle stays successful, a failed one stays failed, and both say who was not notified."""
    for name in ("web", "api", "pay", "log"):
        sandbox.service(name, tasks=1, health_check=True)
    sandbox.fault("launch_fails", service="api", reason=NO_IMAGE)
    witness = Witness(sandbox)
    nobody = mail(mailbox, port=1)
    in_the_clear = mail(mailbox, username="recycler", password=Mailbox.PASSWORD, secure="starttls")
    told = run(
        {"service": "web", "mail": nobody, "topic_arn": f"{TOPIC}-gone"},
        {"service": "api", "mail": nobody, "notify_on": ["failed"]},
        {"service": "pay", "mail": in_the_clear, "notify_on": ["recycled"]},
        {"service": "log", "mail": mail(mailbox, to=["a@example.com", "b@refused.example"]), "notify_on": ["recycled"]},
    )
    witness.kept()
    assert told.count("status: recycled") == 3
    assert told.count("status: failed") == 1
    assert "it failed, service api in cluster default: " in told
    said = [line for line in told.splitlines() if '"msg": "untold: [' in line]
    assert len(said) == 4
    for event in ("started", "recycled"):
        assert f'no mail about \\"{event}\\" by 127.0.0.1: ' in said[0]
        assert f'no message about \\"{event}\\" to {TOPIC}-gone: ' in said[0]
    assert "refused" in said[0], "the reason is told"
    assert 'no mail about \\"failed\\" by 127.0.0.1: ' in said[1]
    assert "StartTLS is not offered" in said[2], "a password does not go over the line in the clear"
    assert mailbox.logins == []
    assert 'no mail about \\"recycled\\" to b@refused.example, whom 127.0.0.1 refuses' in said[3]
    assert [letter["To"] for letter in mailbox.letters] == ["a@example.com, b@refused.example"]


def test_through_a_role_and_when_it_cannot_be_assumed(sandbox, run, topic, mailbox):
    sandbox.service("web", tasks=1, health_check=True)
    witness = Witness(sandbox)
    tells = {
        "service": "web",
        "mail": mail(mailbox),
        "topic_arn": TOPIC,
        "assume_role_arn": f"arn:aws:iam::{ACCOUNT}:role/r",
    }
    sandbox.fault("access_denied", operations=["AssumeRole"], nth=2)
    run(tells, tells)
    letter = mailbox.letters[-1]
    assert subjects(mailbox) == [
        "[ECS] started: web in default, 1 task to be replaced",
        "[ECS] recycled: web in default, 1 task replaced",
        "[ECS] failed: web in default, nothing was done",
    ]
    assert [subject for subject, _text in topic()] == subjects(mailbox)
    assert "AccessDenied" in letter.get_payload()[0].get_content()
    assert {call["parameters"]["RoleArn"] for call in witness.calls("AssumeRole")} == {tells["assume_role_arn"]}
    witness.replaced()


def test_a_variable_that_the_role_does_not_have(sandbox, run):
    sandbox.service("web", tasks=1)
    witness = Witness(sandbox)
    told = run({"service": "web", "bach_size": 3})
    assert "it failed, service_recycle_bach_size: the role service_recycle has no such variable" in told
    assert "Did you mean service_recycle_batch_size?" in told
    witness.untouched()
