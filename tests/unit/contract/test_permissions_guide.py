# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies of the guide "Permissions" allow the calls that are made, on named resources, and nothing else."""

from __future__ import annotations

import json
import re

import pytest

from tests.guides import blocks
from tests.permissions.actions import INVENTORY, MODULES, actions
from tests.permissions.guide import GUIDE, named, written_anew
from tests.permissions.places import PLACES
from tests.permissions.policy import actions_of, policy
from tests.permissions.roles import MODULES_OF, OF_OTHERS, ROLES
from tests.policies import complaints

ALL = [("module", name) for name in MODULES] + [("inventory", INVENTORY)] + [("role", name) for name in ROLES]
every_policy = pytest.mark.parametrize(("kind", "name"), ALL)
# The service authorization reference: these actions have resource types, but still need all resources here.
# Composite alarms need all alarms. ListTasks is called without a container instance. The inventory looks into all
# clusters.
ON_EVERYTHING = {"cloudwatch:DescribeAlarms", "ecs:ListTasks"}


def made(kind: str, name: str) -> dict:
    return policy(name, actions_of(name, kind == "role"))


def test_the_guide_has_every_policy_as_it_is_made():
    """``python -m tests.permissions`` writes them."""
    assert sorted(named(GUIDE.read_text())) == sorted(ALL)
    assert written_anew(GUIDE.read_text()) == GUIDE.read_text()
    assert len(blocks("json", GUIDE.read_text())) == len(ALL) + 1  # plus the policy that guards the record


@every_policy
def test_a_policy_allows_its_actions_and_no_others(kind, name):
    allowed = [action for each in made(kind, name)["Statement"] for action in each["Action"]]
    assert set(allowed) == actions_of(name, kind == "role")
    twice = {action for action in allowed if allowed.count(action) > 1}
    assert twice <= {"ecs:UntagResource"}  # once for services and once for tasks


@every_policy
def test_a_linter_has_nothing_against_a_policy(kind, name):
    text = json.dumps(made(kind, name))
    filled = re.sub("REGION", "eu-central-1", text).replace("ACCOUNT", "111122223333").replace("??????", "abcdef")
    allowed = ON_EVERYTHING | ({"ecs:DescribeServices"} if name == INVENTORY else set())
    found = [each for each in complaints(filled) if not set(re.findall(r"[\w-]+:[A-Z]\w+", each)) <= allowed]
    assert found == []


def test_a_linter_has_nothing_against_the_guard():
    (guard,) = [each for each in blocks("json", GUIDE.read_text()) if '"Deny"' in each]
    assert [each for each in complaints(guard.replace("ACCOUNT", "111122223333")) if "RESOURCE_STAR" not in each] == []
    statement = json.loads(guard)["Statement"][0]
    assert (statement["Effect"], set(statement["Action"])) == ("Deny", {"ecs:TagResource", "ecs:UntagResource"})
    assert statement["Condition"]["ForAnyValue:StringLike"] == {"aws:TagKeys": "steadyops.ecs/*"}


@pytest.mark.parametrize("name", ["ecs_service_recycle", "ecs_fleet_recycle"])
def test_tags_are_confined_to_those_of_the_run(name):
    statements = made("module", name)["Statement"]
    tagging = [each for each in statements if {"ecs:TagResource", "ecs:UntagResource"} & set(each["Action"])]
    assert [each["Sid"] for each in tagging] == ["CopiesOfTheRecord", "Record"]
    for each in tagging:  # ForAllValues alone is also true for a request without keys
        assert each["Condition"]["ForAllValues:StringLike"] == {"aws:TagKeys": "steadyops.ecs/*"}
        assert each["Condition"]["Null"] == {"aws:TagKeys": "false"}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_needs_nothing_that_its_modules_do_not_call(role):
    of_modules = {action for module in MODULES_OF[role] for action in actions(module)}
    assert set(ROLES[role]) <= of_modules | OF_OTHERS[role]
    assert OF_OTHERS[role] <= set(ROLES[role])


def test_the_table_of_places_has_nothing_to_spare():
    used = {action for kind, name in ALL for action in actions_of(name, kind == "role")} - {"iam:PassRole"}
    services = {action.partition(":")[0] for action in used}
    assert [each for each in PLACES if each not in used and not each.endswith(":*")] == []
    assert [each for each in PLACES if each.endswith(":*") and each.partition(":")[0] not in services] == []
