# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets of several regions, each with its own IAM role: the recipes of the documentation, unchanged.

The sandbox is one account, so the roles belong to one account. Its journal tells which keys were used where.
"""

from __future__ import annotations

import json
import os
import subprocess

import pytest
import yaml
from ansible_collections.steadyops.ecs.plugins.inventory import ecs_services
from ansible_collections.steadyops.ecs.plugins.modules import ecs_fleet_recycle

from tests.end_to_end.test_fleet import One

REGIONS = {"eu-central-1": "first", "us-east-1": "second"}
QUICK = {"max_task_age": "1h", "wait_delay": 0.05, "stabilize_time": 0}  # the sandbox's tasks are younger than a week
ROLES = {region: f"arn:aws:iam::123456789012:role/{name}" for region, name in REGIONS.items()}


@pytest.fixture
def witnesses(sandbox):
    """Create two services in each region."""
    made = {}
    for region, name in REGIONS.items():
        for number in range(2):
            service = f"s{number}-{name}"
            sandbox.service(service, cluster="prod", region=region, tasks=2, tags={"recycle": "weekly"})
            made[service] = One(sandbox, service)
        sandbox.service(f"other-{name}", cluster="prod", region=region, tasks=1)
    return made


@pytest.fixture
def run(sandbox, warm, tmp_path):
    """Run ansible-playbook, and return what it printed."""

    def run(*arguments):
        done = subprocess.run(
            warm.command("ansible-playbook", *arguments),
            env={**os.environ, "AWS_URL": sandbox.url},
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def each_through_its_role(sandbox, witnesses):
    for witness in witnesses.values():
        witness.kept()
        witness.replaced()
    calls = sandbox.journal()["calls"]
    assumed = [call["parameters"]["RoleArn"] for call in calls if call["operation"] == "AssumeRole"]
    assert set(assumed) == set(ROLES.values())
    keys = {region: {call["access_key"] for call in writes(calls, region)} for region in REGIONS}
    assert os.environ["AWS_ACCESS_KEY_ID"] not in keys["eu-central-1"] | keys["us-east-1"]
    assert not keys["eu-central-1"] & keys["us-east-1"]
    touched = json.dumps([call["parameters"] for region in REGIONS for call in writes(calls, region)])
    assert "other-" not in touched


def writes(calls, region):
    found = [call for call in calls if call["write"] and call["service"] == "ecs" and call["region"] == region]
    assert found
    return found


def test_the_recipe_of_the_module(sandbox, witnesses, run, tmp_path):
    (recipe,) = (each for each in yaml.safe_load(ecs_fleet_recycle.EXAMPLES) if "hosts" in each)
    recipe["tasks"][-1]["steadyops.ecs.ecs_fleet_recycle"] |= QUICK
    (tmp_path / "recipe.yml").write_text(yaml.safe_dump([recipe]))
    hosts = {region: {"aws_region": region, "recycle_role_arn": role} for region, role in ROLES.items()}
    (tmp_path / "regions.yml").write_text(yaml.safe_dump({"aws_regions": {"hosts": hosts}}))
    told = run("-i", "regions.yml", "recipe.yml")
    assert told.count("changed=1") == 2
    each_through_its_role(sandbox, witnesses)


@pytest.mark.long
def test_the_recipe_of_the_playbook(sandbox, witnesses, run, tmp_path):
    """One inventory file for each account."""
    (recipe,) = (each for each in yaml.safe_load_all(ecs_services.EXAMPLES) if "assume_role_arn" in each)
    files = []
    for region, role in ROLES.items():
        text = yaml.safe_dump(
            {**recipe, "regions": [region], "tags": {"recycle": "weekly"}, "endpoint_url": sandbox.url}
        )
        path = tmp_path / f"{REGIONS[region]}.ecs_services.yml"
        path.write_text(text.replace(recipe["assume_role_arn"], role))
        files += ["-i", path.name]
    told = run(*files, "steadyops.ecs.service_recycle", "-e", json.dumps(QUICK))
    assert told.count("recycled  ") >= 4
    each_through_its_role(sandbox, witnesses)
