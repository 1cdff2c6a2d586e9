# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What README.md tells to copy does work: its playbook, its policy, its options and links."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from tests.sandbox.client import Sandbox

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()
DAY = 86400
MODULES = ("ecs_service_recycle", "ecs_service_task_info")
ROLES = ("failure_alerts", "launch_retry", "scheduled_task")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def arguments(module: str) -> dict[str, Any]:
    return importlib.import_module(f"ansible_collections.steadyops.ecs.plugins.modules.{module}").ARGUMENTS


def variables(role: str) -> dict[str, Any]:
    """Those of a role, as its argument spec has them."""
    spec = yaml.safe_load((ROOT / "roles" / role / "meta/argument_specs.yml").read_text())
    return spec["argument_specs"]["main"]["options"]


def plays_with(role: str) -> list[dict[str, Any]]:
    """The plays of README.md that use a role."""
    plays = [play for read in map(yaml.safe_load, blocks("yaml")) if isinstance(read, list) for play in read]
    return [play for play in plays if [each["role"] for each in play.get("roles", [])] == [f"steadyops.ecs.{role}"]]


def calls_in_the_code() -> set[str]:
    """The names that IAM has for the calls of the files that the recycle speaks to AWS with."""
    aws = ROOT / "plugins/module_utils/_aws"
    tree = ast.parse((aws / "live/service.py").read_text())
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "calls"]
    files = [aws / f"calls/{alias.name}.py" for node in imported for alias in node.names]
    return {call for file in files for call in re.findall(r'@(?:aws_call|pages)\("(.+?)"', file.read_text())}


def policy() -> list[dict[str, Any]]:
    (text,) = blocks("json")
    return json.loads(text)["Statement"]


def actions(statement: dict[str, Any]) -> list[str]:
    return statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]


def test_the_policy_allows_the_calls_that_are_made_and_no_others():
    allowed = [action for statement in policy() for action in actions(statement)]
    assert sorted(allowed) == sorted(calls_in_the_code())


def test_the_policy_names_resources_where_iam_can():
    # The service authorization reference of each service: these have no resource types, or need all of them, as
    # composite alarms do; ListTasks is asked for with no container instance, and has the cluster as its condition.
    everywhere = {action for statement in policy() if statement["Resource"] == "*" for action in actions(statement)}
    assert everywhere == {
        "application-autoscaling:DescribeScalableTargets",
        "cloudwatch:DescribeAlarms",
        "ecs:DescribeTaskDefinition",
        "ecs:ListTasks",
        "elasticloadbalancing:DescribeInstanceHealth",
        "elasticloadbalancing:DescribeTargetHealth",
        "ssm:DescribeParameters",
    }


def test_optional_permissions_are_in_the_policy():
    table = README[README.index("| may be left out") :].split("\n\n")[0]
    named = set(re.findall(r"`([a-z-]+:[A-Z]\w+)`", table))
    assert named
    assert named <= calls_in_the_code()


def test_options_in_the_text_exist():
    known = {name for module in MODULES for name in arguments(module)}
    known |= {alias for module in MODULES for spec in arguments(module).values() for alias in spec.get("aliases", [])}
    known |= {name for role in ROLES for name in variables(role)}
    of_the_lambda = {"maintain_service_state"}
    named = set(re.findall(r"`([a-z_]+): [^`\n]+`", README)) - of_the_lambda
    assert len(named) > 8
    assert named <= known


def test_links_are_whole_and_reach_files_that_exist():
    links = re.findall(r"\]\((.*?)\)", README)
    assert [link for link in links if not link.startswith("https://")] == []
    own = [link.partition("/blob/main/")[2] for link in links if "/blob/main/" in link]
    # The changelog is written with the first release.
    assert [name for name in own if name != "CHANGELOG.md" and not (ROOT / name).exists()] == []


def test_commands_exist():
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"(?:^    |`)make ([a-z-]+)", README, re.MULTILINE)) <= set(targets)


def test_options_in_the_playbook_exist():
    (play,) = yaml.safe_load(blocks("yaml")[0])
    for module in MODULES:
        used = [task[f"steadyops.ecs.{module}"] for task in play["tasks"] if f"steadyops.ecs.{module}" in task]
        assert used
        assert {option for options in used for option in options} <= arguments(module).keys()


@pytest.fixture
def sandbox():
    with Sandbox.start(speed=100) as started:
        yield started


@pytest.mark.parametrize("role", ROLES)
def test_variables_of_roles_exist(role):
    (play,) = plays_with(role)
    assert play["roles"][0].keys() - {"role"} <= variables(role).keys()


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
def test_the_plays_with_retries_and_schedules_run(sandbox, tmp_path):
    ecs = boto3.client("ecs", os.environ["AWS_REGION"], endpoint_url=sandbox.url)
    for family in ("report", "import"):
        ecs.register_task_definition(family=family, containerDefinitions=[{"name": "app", "image": "x", "memory": 64}])
    playbook = tmp_path / "playbook.yml"
    plays = [*plays_with("launch_retry"), *plays_with("scheduled_task")]
    plays[0]["vars"]["launch_retry_package_dir"] = str(tmp_path)
    playbook.write_text(yaml.safe_dump(plays))
    environment = {**os.environ, "AWS_URL": sandbox.url}
    command = ["ansible-playbook", "--check", playbook]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_playbook_runs(sandbox, tmp_path):
    sandbox.service("shop", cluster="production", tasks=1, target_groups=1, newest=8 * DAY, oldest=9 * DAY)
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(blocks("yaml")[0])
    environment = {**os.environ, "AWS_URL": sandbox.url}
    done = subprocess.run(["ansible-playbook", playbook], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "recycled: 1 tasks replaced in" in done.stdout
    assert "0 are still older than a week" in done.stdout
    assert sandbox.find("shop")["desired"] == 1
