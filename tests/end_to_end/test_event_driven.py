# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebooks: from an event on the bus to recycled services. The guide's own play creates the queues."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml
from ansible_collections.steadyops.ecs.plugins.module_utils._core.eda.read import read_event
from ansible_collections.steadyops.ecs.plugins.module_utils._core.eda.window import DAYS

from tests.end_to_end.aws import REGION, aws_client
from tests.end_to_end.programs import until
from tests.end_to_end.warm_python import SETTINGS
from tests.end_to_end.witness import Witness
from tests.guides import ROOT, blocks

# A virtual environment with ansible-rulebook, aiobotocore, ansible-core and boto3; and a folder with the collection
# ansible.eda. CONTRIBUTING.md says how to make them.
RULEBOOK = shutil.which(os.environ.get("ANSIBLE_RULEBOOK", "ansible-rulebook"))
EDA = os.environ.get("EDA_COLLECTIONS", "")
GUIDE = (ROOT / "extensions/eda/README.md").read_text()
ACCOUNT = "123456789012"
CLOSED = {"start": "00:00", "end": "00:01", "days": [DAYS[(datetime.now(timezone.utc).weekday() + 3) % 7]]}
OPEN = {"start": "00:00", "end": "00:00"}
RETIREMENT = "AWS_ECS_TASK_PATCHING_RETIREMENT"
# A template in a text that others write. If Ansible evaluated it, the file would exist.
WRITES = "{{{{ lookup('ansible.builtin.pipe', 'touch {}') }}}}"

NEEDED = "Needs ansible-rulebook (ANSIBLE_RULEBOOK) and the collection ansible.eda (EDA_COLLECTIONS)"
HERE = bool(RULEBOOK) and (Path(EDA) / "ansible_collections/ansible/eda").is_dir()


def with_rulebook(test):
    return pytest.mark.long(pytest.mark.skipif(not HERE, reason=NEEDED)(test))


def write_inventory(folder):
    fleet = folder / "fleet.ecs_services.yml"
    quick = {"wait_delay": "0.05", "stabilize_time": "0", "wait_timeout": "30"}
    fleet.write_text(yaml.safe_dump({
        "plugin": "steadyops.ecs.ecs_services", "regions": [REGION], "clusters": ["prod*"],
        "compose": {f"service_recycle_{name}": value for name, value in quick.items()},
    }))  # fmt: skip
    return fleet


class Rulebook:
    """ansible-rulebook with one of our rulebooks."""

    def __init__(self, sandbox, folder, name, **variables):
        self.path = folder / f"{name}-{uuid.uuid4().hex[:6]}.log"
        fleet = write_inventory(folder)
        said = folder / "eda.yml"
        said.write_text(yaml.safe_dump({"region": REGION, **variables}))
        beside = str(Path(yaml.__file__).parents[1])  # amazon.aws and community.aws, installed beside the tests' Python
        binaries = str(Path(RULEBOOK).parent)
        with self.path.open("w") as log:
            self.process = subprocess.Popen(
                [RULEBOOK, "-r", f"steadyops.ecs.{name}", "-i", fleet, "--vars", said],
                env={
                    **os.environ,
                    "PATH": f"{binaries}:{os.environ['PATH']}",
                    "PYTHONPATH": "",
                    "ANSIBLE_PYTHON_INTERPRETER": f"{binaries}/python",
                    "ANSIBLE_COLLECTIONS_PATH": ":".join([os.environ["ANSIBLE_COLLECTIONS_PATH"], EDA, beside]),
                    "AWS_URL": sandbox.url,
                    "AWS_ENDPOINT_URL": sandbox.url,
                    "NO_COLOR": "1",
                },
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self, words, times=1):
        until(lambda: self.text.count(words) >= times or self.process.poll() is not None, words)
        assert self.text.count(words) >= times, self.text

    @property
    def text(self):
        return self.path.read_text()

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert "Traceback" not in self.text, self.text


@pytest.fixture
def queues(sandbox, tmp_path, warm):
    """Runs the guide's play, which creates the queues."""
    play = tmp_path / "play.yml"
    play.write_text(blocks("yaml", GUIDE)[0])
    command = warm.command("ansible-playbook", str(play))
    done = subprocess.run(
        command, env={**os.environ, **SETTINGS, "AWS_URL": sandbox.url}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def rulebook(sandbox, tmp_path, queues):
    """Starts a rulebook."""
    started = []

    def start(name, **variables):
        started.append(Rulebook(sandbox, tmp_path, name, **variables))
        return started[-1]

    yield start
    for each in started:
        each.kill()


def event(source, detail_type, detail, after=0.0, **more):
    moment = datetime.now(timezone.utc) + timedelta(seconds=after)
    return {
        "id": str(uuid.uuid4()),
        "time": moment.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "account": ACCOUNT,
        "region": REGION,
        "source": source,
        "detail-type": detail_type,
        "detail": detail,
        **more,
    }


def send(sandbox, queue, *bodies):
    """Put messages that no rule has sent into a queue."""
    sqs = aws_client(sandbox, "sqs")
    for body in bodies:
        sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"], MessageBody=body)


def retirement(*services, number=1, **more):
    detail = {
        "eventArn": f"arn:aws:health:{REGION}::event/ECS/{RETIREMENT}/{RETIREMENT}_{number}",
        "service": "ECS",
        "eventTypeCode": RETIREMENT,
        "eventDescription": [{"language": "en_US", "latestDescription": more.pop("text", "")}],
        "affectedEntities": [{"entityValue": each} for each in services],
    }
    return event("aws.health", "AWS Health Event", detail, resources=list(services), **more)


@pytest.fixture
def react(sandbox, tmp_path, warm):
    """Runs a playbook as a rulebook does, with the facts of an event. Returns what it printed."""

    def react(name, *events, **variables):
        read = {f"m_{number}": {"ecs": read_event(each, time.time())} for number, each in enumerate(events)}
        eda = {"event": read["m_0"]} if len(read) == 1 else {"events": read}
        said = json.dumps({**variables, **({"ansible_eda": eda} if events else {})})
        command = warm.command(
            "ansible-playbook", "-i", str(write_inventory(tmp_path)), f"steadyops.ecs.{name}", "-e", said
        )
        done = subprocess.run(
            command, env={**os.environ, "AWS_URL": sandbox.url}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout

    return react


def test_the_playbooks_of_retirements(sandbox, react):
    for name, cluster in (("web", "prod"), ("api", "prod"), ("outside", "other")):
        sandbox.service(name, cluster=cluster, tasks=2)
    announced = retirement("prod|web", "other|outside")
    react("eda_retirement_announced", announced)
    mark = f"{announced['time']} {RETIREMENT}_1"
    assert sandbox.find("web")["tags"]["recycle-before"] == mark
    witnesses = [Witness(sandbox, name) for name in ("web", "api", "outside")]
    react("eda_retirement_announced", retirement("prod|web", after=-60, number=0))  # late, so it changes nothing
    react("eda_retirement_announced", {**announced, "region": "us-east-1"}, eda_retirement_tag="other")
    react("eda_retirement_window", eda_window=CLOSED)
    for each in witnesses:
        each.untouched()
    react("eda_retirement_window", eda_window=OPEN)
    witnesses[0].replaced()
    for each in witnesses[1:]:
        assert each.old.isdisjoint(each.stops())
    again = Witness(sandbox)
    react("eda_retirement_window", eda_window=OPEN)
    again.untouched()


@pytest.mark.long
def test_the_playbook_of_changed_secrets(sandbox, react):
    secrets = aws_client(sandbox, "secretsmanager")
    mine, other = (secrets.create_secret(Name=name, SecretString="x")["ARN"] for name in ("shop/db", "shop/other"))
    for name, secrets_of_it in (("web", [mine]), ("api", [other]), ("plain", [])):
        named = [{"name": "S", "valueFrom": each} for each in secrets_of_it]
        container = {"name": "app", "image": "app", "secrets": named}
        sandbox.service(name, cluster="prod", tasks=1, containers=[container])
    web, api = Witness(sandbox, "web"), Witness(sandbox, "api")
    react("eda_secret_changed", event("aws.ssm", "Parameter Store Change", {"operation": "Update", "name": "shop"}))
    react("eda_secret_changed", {**rotation(mine), "account": "111122223333"})
    web.untouched()
    react("eda_secret_changed", rotation(mine), rotation(mine))
    web.replaced()
    assert api.old.isdisjoint(api.stops())
    again = Witness(sandbox)
    react("eda_secret_changed", rotation(mine))
    again.untouched()
    react("eda_secret_changed")  # what was missed: api is older than its secret
    assert api.old == api.stopped()
    assert again.old.isdisjoint(again.stops())


def test_the_playbook_of_unhealthy_tasks(sandbox, react):
    for name, value in (("web", "True"), ("api", "no")):
        sandbox.service(name, cluster="prod", tasks=1, tags={"recycle-when-unhealthy": value})
    web, api = Witness(sandbox, "web"), Witness(sandbox, "api")
    first = unhealthy("web")
    assert "It is not recycled" in react("eda_tasks_unhealthy", unhealthy("api"))
    assert "several tasks" not in react("eda_tasks_unhealthy", unhealthy("web", cluster="other"))
    web.untouched()
    assert "Its older tasks are being replaced" in react("eda_tasks_unhealthy", first)
    web.replaced()
    assert api.old.isdisjoint(api.stops())
    again = Witness(sandbox)
    react("eda_tasks_unhealthy", first)
    again.untouched()


@pytest.mark.long
def test_the_guide_brings_events_into_the_queues(sandbox, queues):
    secret = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:shop/db-AbCdEf"
    parameter = {"operation": "Update", "name": "/shop/level"}
    sent = {
        "ecs-retirements": [retirement("prod|web")],
        "ecs-secrets": [rotation(secret), event("aws.ssm", "Parameter Store Change", parameter)],
        "ecs-unhealthy": [unhealthy("web")],
    }
    crash = unhealthy("web")
    crash["detail"] |= {"stopCode": "EssentialContainerExited", "stoppedReason": "Essential container exited"}
    removed = event("aws.ssm", "Parameter Store Change", {"operation": "Delete", "name": "/shop/level"})
    for each in [crash, removed, *(each for events in sent.values() for each in events)]:
        sandbox.publish(each)
    assert sandbox.settle()
    sqs = aws_client(sandbox, "sqs")
    for queue, events in sent.items():
        found = received(sqs, sqs.get_queue_url(QueueName=queue)["QueueUrl"], len(events))
        facts = [read_event(json.loads(each["Body"]), time.time()) for each in found]
        expected = [read_event(each, time.time()) for each in events]
        assert sorted(map(str, facts)) == sorted(map(str, expected))


@with_rulebook
def test_retired_tasks_are_replaced_in_the_window_though_the_rulebook_was_killed(sandbox, rulebook, tmp_path):
    trap = tmp_path / "trap"
    for name, cluster in (("web", "prod"), ("api", "prod"), ("outside", "other")):
        sandbox.service(name, cluster=cluster, tasks=3)
    others = [Witness(sandbox, "api"), Witness(sandbox, "outside")]
    first = rulebook("task_retirement", window=CLOSED)
    announced = retirement("prod|web", "other|outside", "gone|web", "prod|{{ x }}", text=WRITES.format(trap))
    sandbox.publish(announced)
    mark = f"{announced['time']} {RETIREMENT}_1"
    until(lambda: sandbox.find("web")["tags"].get("recycle-before") == mark, "the tag")
    send(sandbox, "ecs-retirements", json.dumps(announced), "{", "[]", json.dumps({"source": WRITES.format(trap)}))
    first.said("An event is ignored: it was already read")
    first.said("An event is ignored: the message is not a JSON object", times=2)
    time.sleep(1)
    sandbox.publish(retirement("prod|web"))  # announced again, later
    first.said("PLAY RECAP", times=3)
    first.kill()
    assert sandbox.find("web")["tags"]["recycle-before"] == mark
    assert "StopTask" not in {call["operation"] for call in sandbox.journal()["calls"]}

    witness = Witness(sandbox)
    second = rulebook("task_retirement", window=OPEN, window_check_seconds=3)
    second.said("PLAY RECAP", times=2)
    witness.replaced()
    for each in others:
        assert each.old.isdisjoint(each.stops())
    assert not trap.exists()


def rotation(secret):
    detail = {
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": "RotationSucceeded",
        "additionalEventData": {"SecretId": secret},
    }
    return event("aws.secretsmanager", "AWS Service Event via CloudTrail", detail)


def put_value(secret, trap, stage):
    detail = {
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": "PutSecretValue",
        "userAgent": WRITES.format(trap),
        "requestParameters": {"secretId": secret, "versionStages": [stage]},
    }
    return event("aws.secretsmanager", "AWS API Call via CloudTrail", detail)


@with_rulebook
def test_services_that_name_a_secret_are_recycled_once_however_many_events_come(sandbox, rulebook, tmp_path):
    trap = tmp_path / "trap"
    secrets, parameters = aws_client(sandbox, "secretsmanager"), aws_client(sandbox, "ssm")
    mine, other = (secrets.create_secret(Name=name, SecretString="x")["ARN"] for name in ("shop/db", "shop/other"))
    parameters.put_parameter(Name="/shop/level", Value="info", Type="String")
    names = {"web": [f"{mine}:password::", "/shop/level"], "api": [other], "plain": []}
    for name, values in names.items():
        given = [{"name": f"S{number}", "valueFrom": value} for number, value in enumerate(values)]
        container = {"name": "app", "image": "app", "secrets": given}
        sandbox.service(name, cluster="prod", tasks=2, containers=[container])
    web, *others = (Witness(sandbox, name) for name in names)
    book = rulebook("secret_changed")
    rotated = rotation(mine)
    for each in (
        rotated,
        put_value("shop/db", trap, "AWSPENDING"),
        put_value(mine, trap, "AWSCURRENT"),
        rotation(mine),
    ):
        sandbox.publish(each)
    for operation in ("Update", "Delete"):
        sandbox.publish(event("aws.ssm", "Parameter Store Change", {"operation": operation, "name": "/shop/level"}))
    send(sandbox, "ecs-secrets", json.dumps(rotated), WRITES.format(trap), json.dumps({"detail": WRITES.format(trap)}))
    book.said("An event is ignored: it was already read")
    book.said("An event is ignored: it changes no current value of a secret")
    assert "PLAY RECAP" not in book.text, "it waits for more events"
    book.said("PLAY RECAP")
    web.replaced()
    assert len(web.stops()) == 2
    for each in others:
        assert each.old.isdisjoint(each.stops())
    assert not trap.exists()


def unhealthy(service, cluster="prod", task=""):
    detail = {
        "lastStatus": "STOPPED",
        "stopCode": "ServiceSchedulerInitiated",
        "stoppedReason": "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:x)",
        "group": f"service:{service}",
        "clusterArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{cluster}",
        "taskArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/{cluster}/{uuid.uuid4().hex}",
    }
    return event("aws.ecs", "ECS Task State Change", detail)


@with_rulebook
def test_services_that_are_unhealthy_again_and_again_are_recycled_if_their_tag_allows_it(sandbox, rulebook):
    topic = aws_client(sandbox, "sns").create_topic(Name="alerts")["TopicArn"]
    sqs = aws_client(sandbox, "sqs")
    inbox = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
               "Resource": arn}  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=inbox, Attributes={"Policy": policy})
    aws_client(sandbox, "sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sandbox.service("web", cluster="prod", tasks=2, tags={"recycle-when-unhealthy": "true"})
    for name in ("api", "calm"):
        sandbox.service(name, cluster="prod", tasks=2)
    web, *others = (Witness(sandbox, name) for name in ("web", "api", "calm"))
    book = rulebook("tasks_unhealthy", topic_arn=topic)
    twice = unhealthy("calm")
    sandbox.publish(twice)
    sandbox.publish(unhealthy("calm"))
    until(sandbox.settle, "the deliveries")
    body = {"detail_type": "ECS Task State Change", "event_id": twice["id"], "time": twice["time"],
            "account": ACCOUNT, "region": REGION, "cluster": twice["detail"]["clusterArn"],
            "group": "service:calm", "reason": twice["detail"]["stoppedReason"]}  # fmt: skip
    send(sandbox, "ecs-unhealthy", json.dumps(body), json.dumps(body))
    book.said("An event is ignored: it was already read", times=2)
    for _each in range(3):
        sandbox.publish(unhealthy("web"))
        sandbox.publish(unhealthy("api"))
    book.said("PLAY RECAP", times=2)
    web.replaced()
    for each in others:
        assert each.old.isdisjoint(each.stops())
    assert "It is not recycled, because it does not have the tag recycle-when-unhealthy" in book.text
    assert "service calm" not in book.text
    told = [json.loads(each["Body"])["Subject"] for each in received(sqs, inbox, 2)]
    assert sorted(told) == [f"[ECS] {name} in prod: tasks repeatedly unhealthy" for name in ("api", "web")]


def received(sqs, queue, count):
    found = []
    until(lambda: found.extend(sqs.receive_message(QueueUrl=queue).get("Messages", [])) or len(found) >= count, "mail")
    return found
