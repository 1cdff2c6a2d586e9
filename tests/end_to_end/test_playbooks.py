# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules as users meet them: in playbooks, by their full names, with everything that Ansible does around them."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.steadyops.ecs.plugins.modules import ecs_service_recycle, ecs_service_task_info

from tests.end_to_end.programs import warnings
from tests.end_to_end.witness import RECORD_TAG, Witness

QUICKLY = {"wait_delay": 0.05, "stabilize_time": 0, "batch_wait": 0, "wait_timeout": 30}


def test_check_do_check_do(sandbox, warm_playbook):
    sandbox.service("web", tasks=3, cluster="prod", health_check=True, target_groups=1, scaling={"min": 1, "max": 9})
    witness = Witness(sandbox)
    results = warm_playbook(
        """
- steadyops.ecs.ecs_service_recycle: &options
    cluster: prod
    service: web
    token: "{{ 'build ' ~ 7 }}"
    wait_delay: 0.05
  check_mode: true
- steadyops.ecs.ecs_service_recycle: *options
- steadyops.ecs.ecs_service_recycle: *options
  check_mode: true
- steadyops.ecs.ecs_service_recycle: *options
- steadyops.ecs.ecs_service_task_info: {cluster: prod, service: web, token: build 7}
""",
        "--diff",
    ).results()
    assert [result["changed"] for result in results] == [True, True, False, False, False]
    assert results[0]["diff"] == results[1]["diff"]
    assert [row["stale"] for row in results[4]["tasks"]] == [False, False, False]
    assert [warnings(result) for result in results] == [[]] * 5
    witness.kept()
    witness.replaced(tokens=True)


def test_the_whole_play_in_check_mode(sandbox, warm_playbook):
    sandbox.service("web", tasks=2)
    witness = Witness(sandbox)
    tasks = [{"steadyops.ecs.ecs_service_recycle": {"service": "web", "max_task_age": "1h"}}]
    (result,) = warm_playbook(tasks, "--check").results()
    assert result["changed"]
    witness.untouched()


def test_a_failure_that_is_rescued(sandbox, warm_playbook):
    sandbox.service("web", tasks=2, health_check=True)
    sandbox.fault("launch_fails", reason="CannotPullContainerError: image not found")
    witness = Witness(sandbox)
    results = warm_playbook(
        """
- block:
    - steadyops.ecs.ecs_service_recycle:
        service: web
        max_task_age: 1h
        wait_delay: 0.05
  rescue:
    - ansible.builtin.debug:
        msg: "{{ ansible_failed_result.recycle.failures[0].reason }}"
"""
    ).results()
    assert "CannotPullContainerError: image not found" in results[0]["msg"]
    assert results[1]["msg"].startswith("CannotPullContainerError: image not found")
    witness.kept()
    witness.given_back()


def test_a_warning_reaches_the_user(sandbox, warm_playbook):
    sandbox.service("web", tasks=2, health_check=True)
    sandbox.fault("tags_lost", after=1, keys=[RECORD_TAG])
    tasks = [{"steadyops.ecs.ecs_service_recycle": {"service": "web", "max_task_age": "1h", "wait_delay": 0.05}}]
    (result,) = warm_playbook(tasks).results()
    (warning,) = warnings(result)
    assert RECORD_TAG in warning


WRITTEN = [
    ("2001-01-01T00:00:00Z", "2001-01-01T00:00:00Z"),  # YAML turns this into a date
    ("2001-01-01 00:00:00+01:00", "2000-12-31T23:00:00Z"),
    ('"2001-01-01T00:00:00.5-0500"', "2001-01-01T05:00:00.500Z"),
    ("978307200", "2001-01-01T00:00:00Z"),
    ("978307200.25", "2001-01-01T00:00:00.250Z"),
    ("\"{{ '2001-01-01' | ansible.builtin.to_datetime('%Y-%m-%d') | string }}Z\"", "2001-01-01T00:00:00Z"),
    ("\"{{ now(utc=true, fmt='%Y-%m-%dT%H:%M:%SZ') }}\"", "20"),
]


def test_instants_as_yaml_and_templates_make_them(sandbox, warm_playbook):
    sandbox.service("web", tasks=1)
    tasks = [
        f"- steadyops.ecs.ecs_service_task_info: {{service: web, started_before: {text}}}" for text, _instant in WRITTEN
    ]
    results = warm_playbook("\n".join(tasks)).results()
    assert len(results) == len(WRITTEN)
    for result, (_text, instant) in zip(results, WRITTEN, strict=True):
        assert result["cutoff"].startswith(instant)


def test_defaults_of_the_action_groups(sandbox, warm_playbook):
    sandbox.service("web", tasks=1, region="us-east-1", cluster="prod")
    results = warm_playbook(
        [
            {"steadyops.ecs.ecs_service_task_info": {"service": "web"}},
            {"steadyops.ecs.ecs_service_recycle": {"service": "web", "started_before": 0}},
        ],
        module_defaults={
            "group/steadyops.ecs.aws": {"region": "us-east-1"},
            "group/steadyops.ecs.all": {"cluster": "prod"},
        },
    ).results()
    assert [bool(result.get("failed")) for result in results] == [False, False]


@pytest.mark.parametrize("module", [ecs_service_recycle, ecs_service_task_info])
def test_the_examples_of_the_documentation(sandbox, warm_playbook, module, monkeypatch):
    """The examples run unchanged, except for their pauses."""
    sandbox.service("web", tasks=1, cluster="production", health_check=True)
    sandbox.service("batch", tasks=3, cluster="production", health_check=True)
    monkeypatch.setenv("CI_PIPELINE_ID", "4711")
    tasks = yaml.safe_load(module.EXAMPLES)
    for task in tasks:
        for each in (task, *task.get("block", [])):
            each.get("steadyops.ecs.ecs_service_recycle", {}).update(QUICKLY)
    secret = {"changed": True, "secret": {"last_changed_date": "2018-11-20T12:16:38.433000+01:00"}}
    results = warm_playbook(tasks, vars={"rotated": secret}).results()
    assert [result for result in results if result.get("failed") or result.get("skipped")] == []
    assert len(results) == len(tasks)
    assert Witness(sandbox, "batch").record() is None


def shape(value, documented, path="result"):
    """Return the differences between a result and its documentation."""
    kinds = {"dict": dict, "list": list, "str": str, "int": int, "float": (int, float), "bool": bool}
    if value is None:
        return []
    if not isinstance(value, kinds[documented["type"]]):
        return [f"{path} is {value!r} and not a {documented['type']}"]
    if "contains" not in documented:
        return []
    rows = value if isinstance(value, list) else [value]
    inside = documented["contains"]
    found = [f"{path} has {sorted(row.keys() ^ inside.keys())}" for row in rows if row.keys() != inside.keys()]
    return found + [each for row in rows for key in row for each in shape(row[key], inside[key], f"{path}.{key}")]


def test_results_are_as_documented(sandbox, recycle, task_info):
    sandbox.service("web", tasks=3, health_check=True, scaling={"min": 1, "max": 9})
    sandbox.act("protect", "web", task="oldest")
    recycled = recycle(all_tasks=True)
    sandbox.fault("launch_fails")
    failed = recycle(all_tasks=True, protected_tasks="recycle")
    documented = yaml.safe_load(ecs_service_recycle.RETURN)["recycle"]
    assert (recycled["recycle"]["skipped"], failed["recycle"]["failures"]) > ([], [])
    assert shape(recycled["recycle"], documented) + shape(failed["recycle"], documented) == []
    assert set(recycled) - {"invocation", "changed", "diff"} == {"recycle"}

    found = task_info(all_tasks=True)
    for key, each in yaml.safe_load(ecs_service_task_info.RETURN).items():
        assert shape(found[key], each) == []
    assert set(found) - {"invocation", "changed"} == {"tasks", "service", "cutoff"}


def test_an_option_that_does_not_exist(sandbox, warm_playbook):
    sandbox.service("web", tasks=1)
    witness = Witness(sandbox)
    (result,) = warm_playbook([{"steadyops.ecs.ecs_service_recycle": {"service": "web", "max_age": "7d"}}]).results()
    assert "max_age" in result["msg"]
    assert "max_task_age" in result["msg"], "it says what there is"
    witness.untouched()
