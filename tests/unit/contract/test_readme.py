# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""README.md names policies, options, commands and links that exist. Its plays run in ``tests/end_to_end``."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.policies import complaints
from tests.unit.contract.calls_of_modules import calls_of

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()
MODULES = ("ecs_service_recycle", "ecs_service_task_info")
ALL_MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
ROLES = ("failure_alerts", "launch_retry", "scheduled_task")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


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
    """The names that IAM has for the calls that the recycle and its look at tasks make."""
    return {call for module in MODULES for call in calls_of(f"modules/{module}.py")}


def policy() -> list[dict[str, Any]]:
    text, _guard = blocks("json")
    return json.loads(text)["Statement"]


def actions(statement: dict[str, Any]) -> list[str]:
    return statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]


def test_the_policy_allows_the_calls_that_are_made_and_no_others():
    allowed = [action for statement in policy() for action in actions(statement)]
    assert set(allowed) == calls_in_the_code()
    assert {action for action in allowed if allowed.count(action) > 1} == {"ecs:UntagResource"}  # of services and tasks


def test_a_linter_has_nothing_against_the_policies():
    for text in blocks("json"):
        filled = text.replace("REGION", "eu-central-1").replace("ACCOUNT", "111122223333").replace("??????", "abcdef")
        # What has to be allowed, or may be denied, on everything is the subject of the test above.
        assert [each for each in complaints(filled) if not each.startswith("RESOURCE_STAR")] == []


def test_tags_are_confined_to_those_of_the_run():
    tagging = [each for each in policy() if {"ecs:TagResource", "ecs:UntagResource"} & set(actions(each))]
    assert [each["Sid"] for each in tagging] == ["Record", "CopiesOfTheRecord"]
    for each in tagging:  # ForAllValues alone holds for a request without keys
        assert each["Condition"]["ForAllValues:StringLike"] == {"aws:TagKeys": "steadyops.ecs/*"}
        assert each["Condition"]["Null"] == {"aws:TagKeys": "false"}
    guard = json.loads(blocks("json")[1])["Statement"][0]
    assert (guard["Effect"], set(guard["Action"])) == ("Deny", {"ecs:TagResource", "ecs:UntagResource"})
    assert guard["Condition"]["ForAnyValue:StringLike"] == {"aws:TagKeys": "steadyops.ecs/*"}


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


def test_every_module_has_a_row_in_a_table():
    rows = re.findall(r"^\| (`steadyops.*?) \|", README, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`steadyops\.ecs\.(\w+)`", row)}
    named |= {f"{name}_info" for row in rows for name in re.findall(r"`steadyops\.ecs\.(\w+)` \(\+ `_info`\)", row)}
    assert [name for name in ALL_MODULES if name not in named] == []


@pytest.mark.parametrize("name", ALL_MODULES)
def test_every_module_is_run_end_to_end(name):
    """Some test of tests/end_to_end has a task, a function or a play of the module."""
    tests = [path.read_text() for path in sorted((ROOT / "tests/end_to_end").glob("test_*.py"))]
    assert [text for text in tests if re.search(rf"(?:steadyops\.ecs\.|\b){name}\b", text)] != []


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
    own = [re.split("/(?:blob|raw)/main/", link)[1] for link in links if re.search("/(?:blob|raw)/main/", link)]
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


@pytest.mark.parametrize("role", ROLES)
def test_variables_of_roles_exist(role):
    (play,) = plays_with(role)
    assert play["roles"][0].keys() - {"role"} <= variables(role).keys()
