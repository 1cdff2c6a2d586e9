# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""awx/: what the playbook sends to AWX, that it sends it only once, and that AWX would accept it."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from tests.awx.stand_in import HIDDEN, TOKEN, Server, check_survey

ROOT = Path(__file__).parents[2]
OBJECTS = yaml.safe_load((ROOT / "awx/objects.yml").read_text())
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
APART = ("survey_spec", "credentials", "instance_groups")  # AWX does not store these in the template itself
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": SECRET}


def run(awx, warm, *arguments, **environment):
    """Run awx/apply.yml. Return how many tasks changed something."""
    ours = {"CONTROLLER_HOST": awx.url, "CONTROLLER_OAUTH_TOKEN": TOKEN, "ANSIBLE_DEPRECATION_WARNINGS": "false"}
    done = subprocess.run(
        warm.command("ansible-playbook", str(ROOT / "awx/apply.yml"), *arguments),
        env={**os.environ, **KEYS, **ours, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    return int(re.search(r"changed=(\d+)", done.stdout)[1])


@pytest.fixture(scope="module")
def applied(warm):
    """An AWX on which the playbook has run once, and how many tasks changed something."""
    bundle = version("ansible")
    if importlib.util.find_spec("ansible_collections.awx") is None:
        assert int(bundle.split(".")[0]) >= 14, "the package ansible has had awx.awx until 13"
        pytest.skip(f"the package ansible {bundle} has no collection awx.awx any more; 12 and 13 have")
    with Server() as server:
        yield server, run(server, warm)


@pytest.fixture
def awx(applied):
    """The AWX of ``applied``, without the writes so far."""
    server, _changed = applied
    server.awx.writes.clear()
    return server


def only(awx, collection):
    return next(iter(awx.awx.objects[collection].values()))


@pytest.mark.long
def test_awx_knows_what_it_was_told(applied):
    awx, changed = applied
    tasks = yaml.safe_load((ROOT / "awx/apply.yml").read_text())[0]["tasks"]
    assert changed == len(tasks) - 1, "an organization called Default is there already"
    for collection, items in OBJECTS.items():
        for item in items:
            kept = awx.awx.find(collection, item["name"])
            told = {key: value for key, value in item.items() if key not in APART}
            if collection in ("schedules", "inventory_sources"):
                del told["organization"]  # only serves to find the other objects
            assert {key: kept[key] for key in told} == told
    assert list(awx.awx.surveys.values()) == [item["survey_spec"] for item in OBJECTS["job_templates"]]
    credential = only(awx, "credentials")
    assert credential["inputs"] == {"username": KEYS["AWS_ACCESS_KEY_ID"], "password": SECRET}
    group = awx.awx.find("instance_groups", "default")
    for item in OBJECTS["job_templates"]:
        template = awx.awx.find("job_templates", item["name"])["id"]
        assert awx.awx.associated["job_templates", template, "credentials"] == [credential["id"]]
        of = awx.awx.associated.get(("job_templates", template, "instance_groups"), [])
        assert of == [group["id"]] * len(item.get("instance_groups", []))


@pytest.mark.parametrize(
    "keys",
    [pytest.param(KEYS, id="with keys"), pytest.param(dict.fromkeys(KEYS, ""), id="without", marks=pytest.mark.long)],
)
@pytest.mark.long
def test_a_second_time_changes_nothing(awx, warm, keys):
    assert run(awx, warm, **keys) == 0
    assert awx.awx.writes == []


@pytest.mark.long
def test_what_was_changed_by_hand_is_changed_back(awx, warm):
    template, credential = only(awx, "job_templates"), only(awx, "credentials")
    template["allow_simultaneous"] = False
    awx.awx.surveys[template["id"]] = {"name": "", "description": "", "spec": []}
    credential["description"] = "mine"
    assert run(awx, warm, "--check") == 2
    assert awx.awx.writes == []
    assert run(awx, warm) == 2
    assert template["allow_simultaneous"] is True
    assert awx.awx.surveys[template["id"]] == OBJECTS["job_templates"][0]["survey_spec"]
    assert credential["inputs"]["password"] == SECRET, "the secret was not lost on the way"


@pytest.mark.long
def test_new_keys_are_written_when_that_is_asked_for(awx, warm):
    credential = only(awx, "credentials")
    assert run(awx, warm, AWS_SECRET_ACCESS_KEY="other") == 0
    assert credential["inputs"]["password"] == SECRET
    assert run(awx, warm, "-e", "update_secrets=true", AWS_SECRET_ACCESS_KEY="other") == 1
    assert credential["inputs"]["password"] == "other"
    assert awx.awx.shown("credentials", credential)["inputs"]["password"] == HIDDEN
    credential["inputs"]["password"] = SECRET


@pytest.mark.parametrize("template", OBJECTS["job_templates"], ids=lambda template: template["name"])
def test_surveys_are_as_awx_wants_them_and_ask_for_variables_that_there_are(template):
    check_survey(template["survey_spec"])
    playbook = (ROOT / "playbooks/service_recycle.yml").read_text()
    role = yaml.safe_load((ROOT / "roles/service_recycle/meta/argument_specs.yml").read_text())
    known = set(role["argument_specs"]["main"]["options"])
    for question in template["survey_spec"]["spec"]:
        variable = question["variable"]
        assert variable in known or re.search(rf"\b{variable}\b", playbook), variable


def test_files_that_awx_is_told_of_are_in_the_repository():
    assert (ROOT / "awx" / "apply.yml").exists()
    for template in OBJECTS["job_templates"]:
        # AWX recognises a playbook by such a line.
        text = (ROOT / template["playbook"]).read_text()
        assert re.search(r"^\s*-?\s*(hosts|(ansible\.builtin\.)?import_playbook):", text, re.MULTILINE)
    for source in OBJECTS["inventory_sources"]:
        assert source["source_path"].endswith("ecs_services.yml")
        assert yaml.safe_load((ROOT / source["source_path"]).read_text())["plugin"] == "steadyops.ecs.ecs_services"


def test_what_a_schedule_answers_is_asked():
    surveys = {item["name"]: item["survey_spec"]["spec"] for item in OBJECTS["job_templates"]}
    for schedule in OBJECTS["schedules"]:
        questions = {question["variable"]: question for question in surveys[schedule["unified_job_template"]]}
        assert schedule["extra_data"].keys() <= questions.keys()
        required = {name for name, question in questions.items() if question["required"] and not question["default"]}
        assert required <= schedule["extra_data"].keys()
