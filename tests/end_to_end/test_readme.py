# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plays and inventories of README.md, of the guides and of a role run as they are."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest
import yaml
from ansible_collections.steadyops.ecs.plugins.module_utils._core.amounts import iso

from tests.end_to_end.aws import aws_client
from tests.end_to_end.programs import until
from tests.end_to_end.warm_python import SETTINGS
from tests.end_to_end.witness import Witness
from tests.guides import DOCUMENTS, README, ROOT, blocks, inventories, plays

DAY = 86400
FLEET = ROOT / "docs/docsite/rst/fleet_guide.rst"
FAILURES = ROOT / "docs/docsite/rst/failure_guide.rst"
SANDBOX = ROOT / "docs/docsite/rst/sandbox.rst"
PERMITTED = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
NOTICE = {
    "time": iso(time.time()),
    "region": "eu-central-1",
    "detail": {
        "affectedEntities": [
            {"entityValue": "production|shop"},
            {"entityValue": "arn:aws:ecs:eu-central-1:123456789012:task/production/4f1f4e9ad3b94eb0a5d4f5a1a7a3b9c0"},
        ]
    },
}
# Variables that the plays leave to the reader, as JSON of extra variables.
SECRETS = {"slack_bot_token": "xoxb-1111-2222-token", "sentry_dsn": "https://0123456789abcdef@o1.ingest.sentry.io/42"}
WITH_PLAYS = [each for each in (*DOCUMENTS, ROOT / "roles/scheduled_task/README.md") if plays(each)]


@pytest.fixture
def run(sandbox, warm, tmp_path):
    """Run plays in a separate folder. Fail if they fail."""

    def run(playbook, *options):
        text = playbook if isinstance(playbook, str) else yaml.safe_dump(playbook)
        (tmp_path / "playbook.yml").write_text(text)
        environment = {**os.environ, **SETTINGS, "AWS_URL": sandbox.url}
        command = warm.command("ansible-playbook", str(tmp_path / "playbook.yml"), *options)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    return run


@pytest.fixture
def account(sandbox, tmp_path):
    """Create the resources that the plays name."""
    ecs, sqs = aws_client(sandbox, "ecs"), aws_client(sandbox, "sqs")
    sandbox.service("shop", cluster="production", tasks=2, target_groups=1, tags={"recycle": "weekly"})
    for family in ("report", "import"):
        ecs.register_task_definition(family=family, containerDefinitions=[{"name": "app", "image": "x", "memory": 64}])
    aws_client(sandbox, "sns").create_topic(Name="alerts")
    sqs.create_queue(QueueName="failures")
    aws_client(sandbox, "logs").create_log_group(logGroupName="trail")
    aws_client(sandbox, "cloudwatch").put_metric_alarm(
        AlarmName="shop-errors", Namespace="shop", MetricName="errors", Statistic="Sum", Period=60, Threshold=1,
        EvaluationPeriods=1, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    aws_client(sandbox, "iam").create_role(RoleName="recycler", AssumeRolePolicyDocument=json.dumps(PERMITTED))
    (tmp_path / "notice.json").write_text(json.dumps(NOTICE))
    return sandbox


def listed(sandbox, folder: Path, content: dict) -> dict:
    inventory = folder / "fleet.ecs_services.yml"
    inventory.write_text(yaml.safe_dump(content))
    environment = {**os.environ, "AWS_URL": sandbox.url}
    command = ["ansible-inventory", "-i", inventory, "--list"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return json.loads(done.stdout)


def text_of(value: str | dict[str, str]) -> str:
    """Return the text of a composed variable. Ansible marks texts of tags as not being templates."""
    return value["__ansible_unsafe"] if isinstance(value, dict) else value


def test_the_inventories_find_the_services_with_the_tag(sandbox, tmp_path, account):
    sandbox.service("web", cluster="production", tasks=0, tags={"recycle": "weekly", "recycle-batch": "25%"})
    sandbox.service("api", cluster="production", tasks=0)
    plain, by_tags, by_role = inventories(FLEET)
    assert sorted(listed(sandbox, tmp_path, plain)["ecs_services"]["hosts"]) == ["shop.production", "web.production"]
    hosts = listed(sandbox, tmp_path, by_tags)["_meta"]["hostvars"]
    batches = {name: text_of(each["service_recycle_batch_size"]) for name, each in hosts.items()}
    assert batches == {"shop.production": "1", "web.production": "25%"}
    hosts = listed(sandbox, tmp_path, by_role)["_meta"]["hostvars"]
    name = "web.production.eu-central-1.123456789012"
    assert sorted(hosts) == [name.replace("web", "shop"), name]
    assert text_of(hosts[name]["service_recycle_assume_role_arn"]) == "arn:aws:iam::123456789012:role/recycler"


def test_the_first_playbook_recycles(sandbox, run):
    sandbox.service("shop", cluster="production", tasks=1, target_groups=1, newest=8 * DAY, oldest=9 * DAY)
    witness = Witness(sandbox, "shop")
    run(blocks("yaml", README.read_text())[0])
    witness.kept()
    witness.replaced()
    witness.given_back()


@pytest.mark.long
@pytest.mark.parametrize("document", WITH_PLAYS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_plays_of_a_document_run(run, account, tmp_path, document):
    """The plays run in check mode, which makes all reading calls and checks every variable."""
    found = plays(document)
    for play in found:
        folders = {f"{role}_package_dir": str(tmp_path) for role in ("launch_retry", "failure_alerts")}
        play["vars"].update(folders)
    run(found, "--check", "-e", json.dumps(SECRETS))


@pytest.mark.long
def test_a_retirement_notice_recycles_its_services(sandbox, run, account):
    witness = Witness(sandbox, "shop")
    *_others, play = plays(FLEET)
    task = play["tasks"][0]["steadyops.ecs.ecs_fleet_recycle"]
    assert task["started_before"] == "{{ notice.time }}"
    task.update(wait_delay=0.05, wait_timeout=60)
    run([play])
    witness.kept()
    witness.replaced()
    witness.given_back()


@pytest.mark.long
def test_the_guide_of_the_sandbox_shows_an_alert_and_a_retry(sandbox, run, tmp_path):
    """Its commands and playbooks, in its order."""
    console = "\n".join(blocks("console", SANDBOX.read_text()))

    def shell(word):
        (command,) = [line for line in console.splitlines() if line.startswith("curl") and word in line]
        command = command.replace("http://127.0.0.1:4566", sandbox.url)
        return subprocess.run(command, shell=True, check=True, capture_output=True, text=True).stdout

    prepare, start = plays(SANDBOX)
    alerts = {**plays(FAILURES)[0]}
    alerts["vars"] = {**alerts["vars"], "launch_retry_package_dir": str(tmp_path)}
    shell('{"name": "shop"')
    run([prepare])
    run([alerts])
    shell('"cloudtrail"')
    shell('"run_task_fails"')
    shell('"crash"')
    run([start])
    launches = until(lambda: re.findall('"startedBy": "(.*)"', shell("startedBy"))[2:], "two retries of the launch")
    assert len(launches) == 1
    assert launches[0].startswith("retry/2/")
    told = shell("deliveries")
    assert "ECS task failed: service:shop in production" in told
    assert '"outcome": "delivered"' in told
