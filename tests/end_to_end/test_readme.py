# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plays and the inventory of README.md run as they are."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
import yaml

from tests.end_to_end.aws import aws_client
from tests.end_to_end.warm_python import SETTINGS
from tests.unit.contract.test_readme import ROOT, blocks, plays_with

DAY = 86400


def test_the_inventory_finds_the_services_with_its_tag(sandbox, tmp_path):
    sandbox.service("web", cluster="production", tasks=0, tags={"recycle": "weekly"})
    sandbox.service("api", cluster="production", tasks=0)
    (text,) = [text for text in blocks("yaml") if isinstance(yaml.safe_load(text), dict)]
    inventory = tmp_path / "fleet.ecs_services.yml"
    inventory.write_text(text)
    environment = {**os.environ, "AWS_URL": sandbox.url}
    command = ["ansible-inventory", "-i", inventory, "--list"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["ecs_services"]["hosts"] == ["web.production"]


@pytest.mark.long
def test_the_plays_with_retries_and_schedules_run(sandbox, tmp_path, warm):
    ecs = aws_client(sandbox, "ecs")
    for family in ("report", "import"):
        ecs.register_task_definition(family=family, containerDefinitions=[{"name": "app", "image": "x", "memory": 64}])
    aws_client(sandbox, "sns").create_topic(Name="alerts")
    playbook = tmp_path / "playbook.yml"
    of_the_role = yaml.safe_load("".join(blocks("yaml", (ROOT / "roles/scheduled_task/README.md").read_text())))
    plays = [*plays_with("launch_retry"), *plays_with("scheduled_task"), *of_the_role]
    plays[0]["vars"]["launch_retry_package_dir"] = str(tmp_path)
    playbook.write_text(yaml.safe_dump(plays))
    environment = {**os.environ, **SETTINGS, "AWS_URL": sandbox.url}
    command = warm.command("ansible-playbook", "--check", str(playbook))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_playbook_runs(sandbox, tmp_path, warm):
    sandbox.service("shop", cluster="production", tasks=1, target_groups=1, newest=8 * DAY, oldest=9 * DAY)
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(blocks("yaml")[0])
    environment = {**os.environ, **SETTINGS, "AWS_URL": sandbox.url}
    command = warm.command("ansible-playbook", str(playbook))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "recycled: 1 tasks replaced in" in done.stdout
    assert "0 are still older than a week" in done.stdout
    assert sandbox.find("shop")["desired"] == 1
