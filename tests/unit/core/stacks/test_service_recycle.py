# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables the role and the playbook service_recycle accept, and what they say about others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.steadyops.ecs.plugins.doc_fragments.aws import ModuleDocFragment
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.service_recycle import (
    AWS_OPTIONS,
    OF_THE_PLAYBOOK,
    OF_THE_ROLE,
    OPTIONS,
    check_role_variables,
    options_in_one_process,
    options_of_playbook,
    unused_in_one_process,
)

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize(
    ("names", "documented", "pattern"),
    [
        ((*OPTIONS, *OF_THE_ROLE), "roles/service_recycle/meta/argument_specs.yml", r"^      service_recycle_(\w+):"),
        (OF_THE_PLAYBOOK, "playbooks/service_recycle.yml", r"^#   (recycle_\w+)"),
    ],
)
def test_all_names_are_documented_ones(names, documented, pattern):
    assert sorted(names) == sorted(re.findall(pattern, (ROOT / documented).read_text(), re.MULTILINE))


def test_options_of_all_modules_for_aws():
    assert sorted(AWS_OPTIONS) == sorted(re.findall(r"^  (\w+):", ModuleDocFragment.DOCUMENTATION, re.MULTILINE))


@pytest.mark.parametrize(
    ("names", "options"),
    [
        ([], []),
        (["cluster", "service", "max_task_age", "state", "token"], []),
        (["batch_size", "cluster"], ["batch_size"]),
        (["tasks", "order", "timeout"], ["tasks", "order", "timeout"]),
        (["region", "profile", "endpoint_url"], []),
        (list(AWS_OPTIONS), []),
        ([*OF_THE_PLAYBOOK, "ecs_progress"], []),
        (["service_recycle_batch_size", "service_recycle_mail", "service_recycle_assume_role_arn"], []),
        (["ansible_python_interpreter", "awx_job_id", "tower_user_name", "_mine"], []),
    ],
)
def test_what_the_playbook_hands_to_the_role(names, options):
    assert options_of_playbook(names) == {name: name for name in options}


def test_an_alias_is_handed_over_as_its_option():
    assert options_of_playbook(["wait_time"]) == {"batch_wait": "wait_time"}
    for other in ("batch_wait", "service_recycle_batch_wait"):
        with pytest.raises(Refused, match="are mutually exclusive"):
            options_of_playbook(sorted([other, "wait_time"]))


def test_options_for_one_process():
    extra = ["batch_size", "cluster", "recycle_concurrency", "region", "service_recycle_surge", "state", "wait_time"]
    assert options_in_one_process([*extra, "service"]) == {
        "state": "state",
        "batch_size": "batch_size",
        "batch_wait": "wait_time",
        "surge": "service_recycle_surge",
    }
    with pytest.raises(Refused, match="Did you mean batch_size"):
        options_in_one_process(["bach_size"])
    of_each = ("assume_role_arn", "assume_role_duration", "mail", "topic_arn", "notify_on", "subject_prefix")
    unused = [f"service_recycle_{name}" for name in of_each]
    assert unused_in_one_process(["service_recycle_surge", "mail", *unused, "service_recycle_region"]) == unused


def test_every_option_reaches_the_role():
    handed_over = {"cluster", "service", "state", "started_before", "max_task_age", "token", "secrets_changed"}
    assert set(options_of_playbook(OPTIONS)) == set(OPTIONS) - handed_over - {"all_tasks"}


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["bach_size"], "bach_size: the playbook service_recycle has no such variable, so it would do nothing. Did you "
                        "mean batch_size?"),
        (["regoin", "cluster"], "Did you mean region?"),
        (["zbatch_size", "bach_size"],
         "bach_size, zbatch_size: the playbook service_recycle has no such variable, so it would do nothing. Did you "
         "mean batch_size? Extra variables can be"),
        (["recycle_seral"], "Did you mean recycle_serial?"),
        (["env"], "env: the playbook service_recycle has no such variable"),
        (["ecs_cluster"], "ecs_cluster: the playbook service_recycle has no such variable"),
        (["zzzzzz"], "so it would do nothing. Extra variables can be"),
        (["service_recycle_bach_size"], "service_recycle_bach_size: the role service_recycle has no such variable"),
        (["batch_size", "service_recycle_batch_size"], "and service_recycle_batch_size are mutually exclusive"),
        (["region", "service_recycle_region"], "region and service_recycle_region are mutually exclusive"),
    ],
)  # fmt: skip
def test_what_the_playbook_refuses(names, words):
    with pytest.raises(Refused) as refusal:
        options_of_playbook(names)
    assert words in str(refusal.value)


def test_the_role():
    check_role_variables([f"service_recycle_{name}" for name in (*OPTIONS, "mail", "region", "result", "untold")])
    with pytest.raises(Refused, match="Did you mean service_recycle_batch_size"):
        check_role_variables(["service_recycle_bach_size"])
