# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of services, as ansible-inventory and plays see it."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader

PLUGIN = "steadyops.ecs.ecs_services"


@pytest.fixture
def calls(sandbox):
    """Counts the calls that were made since the last count."""
    seen = 0

    def count():
        nonlocal seen
        found = sandbox.journal(since=seen)["calls"]
        seen += len(found)
        assert [call for call in found if call["write"]] == [], "an inventory only reads"
        return dict(Counter(call["operation"] for call in found))

    return count


@pytest.fixture
def run(sandbox, tmp_path, warm):
    """Runs a program of Ansible with an inventory file that has the given options."""

    def run(program, *arguments, file="fleet.ecs_services.yml", **options):
        path = tmp_path / file
        path.write_text(yaml.safe_dump({"plugin": PLUGIN, "endpoint_url": sandbox.url, **options}))
        done = subprocess.run(
            warm.command(program, "-i", str(path), *arguments),
            env={**os.environ, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def listed(run):
    """Returns what ansible-inventory lists: hosts with their variables, and groups with their hosts."""

    def listed(*arguments, **options):
        done = run("ansible-inventory", "--list", "--export", *arguments, **options)
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        hosts = {name: plain(variables) for name, variables in told.pop("_meta")["hostvars"].items()}
        return hosts, {name: sorted(group.get("hosts", [])) for name, group in told.items() if name != "all"}

    return listed


@pytest.fixture
def inventory(sandbox, tmp_path):
    """Returns the same from the plugin itself, in this process, because Ansible takes two seconds to start."""

    def inventory(**options):
        path = tmp_path / "fleet.ecs_services.yml"
        path.write_text(yaml.safe_dump({"plugin": PLUGIN, "endpoint_url": sandbox.url, **options}))
        data = InventoryData()
        plugin = inventory_loader.get(PLUGIN)
        assert plugin.verify_file(str(path))
        plugin.parse(data, DataLoader(), str(path), cache=False)
        groups = {name: sorted(host.name for host in group.hosts) for name, group in data.groups.items()}
        del groups["all"], groups["ungrouped"]
        return {name: plain(host.vars) for name, host in data.hosts.items()}, groups

    return inventory


def plain(value):
    """Return a value without ansible-inventory's marks of text that is not a template."""
    if isinstance(value, dict):
        return value.get("__ansible_unsafe", {key: plain(each) for key, each in value.items()})
    return [plain(each) for each in value] if isinstance(value, list) else value


@pytest.fixture
def refused(inventory):
    """Returns the message if the inventory cannot be read."""

    def refused(**options):
        with pytest.raises(AnsibleError) as error:
            inventory(**options)
        return str(error.value)

    return refused


def test_three_hundred_services(sandbox, listed, calls):
    first = sandbox.service("s0", cluster="c0", tasks=0)
    for number in range(1, 300):
        definition = first["task_definition"]
        sandbox.service(f"s{number}", cluster=f"c{number % 3}", tasks=0, task_definition=definition)
    calls()
    hosts, groups = listed()
    assert calls() == {"ListClusters": 1, "ListServices": 3, "DescribeServices": 30}
    assert sorted(hosts) == groups["ecs_services"] == sorted(f"s{number}.c{number % 3}" for number in range(300))


def test_what_is_told_of_a_service(sandbox, listed):
    sandbox.service("web", cluster="prod", tasks=2, tags={"Team": "shop"}, capacity_provider="FARGATE_SPOT")
    hosts, groups = listed(clusters=["prod"])
    variables = hosts["web.prod"]
    assert groups == {"ecs_services": ["web.prod"]}
    assert variables["ansible_connection"] == "local"
    assert (variables["ecs_service"], variables["ecs_cluster"], variables["ecs_region"]) == (
        "web",
        "prod",
        "eu-central-1",
    )
    assert (variables["ecs_desired_count"], variables["ecs_running_count"], variables["ecs_pending_count"]) == (2, 2, 0)
    assert (variables["ecs_tags"], variables["ecs_capacity_providers"]) == ({"Team": "shop"}, ["FARGATE_SPOT"])
    assert (variables["ecs_task_definition_family"], variables["ecs_task_definition_revision"]) == ("web", 1)
    assert (variables["ecs_deploying"], variables["ecs_rollout_state"]) == (False, "COMPLETED")
    assert variables["ecs_created_at"].endswith("Z")
    assert {name for name in variables if not name.startswith("ecs_")} == {"ansible_connection"}


@pytest.fixture
def estate(sandbox):
    for region, cluster, name, tags in [
        ("eu-central-1", "prod", "web", {"team": "shop", "recycle": "weekly"}),
        ("eu-central-1", "prod", "canary-web", {"team": "shop"}),
        ("eu-central-1", "dev", "web", {"team": "pay"}),
        ("us-east-1", "prod", "web", {}),
        ("us-east-1", "batch", "daemon", {"team": ""}),
    ]:
        sandbox.service(name, cluster=cluster, region=region, tags=tags, tasks=0, daemon=name == "daemon")
    sandbox.journal()
    return sandbox


ARN = "arn:aws:ecs:us-east-1:123456789012:cluster/batch"
BOTH = ["eu-central-1", "us-east-1"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["canary-web.prod", "web.dev", "web.prod"]),
        ({"region": "us-east-1"}, ["daemon.batch", "web.prod"]),
        ({"clusters": ["prod"]}, ["canary-web.prod", "web.prod"]),
        ({"clusters": ["p*", "d?v"], "services": ["web"]}, ["web.dev", "web.prod"]),
        ({"clusters": ["!prod"]}, ["web.dev"]),
        ({"services": ["!canary-*"]}, ["web.dev", "web.prod"]),
        ({"services": ["nothing"]}, []),
        ({"clusters": [ARN]}, ["daemon.batch"]),
        ({"clusters": [ARN, "dev"]}, ["daemon.batch.us-east-1", "web.dev.eu-central-1"]),
        ({"tags": {"team": "shop", "recycle": "*"}}, ["web.prod"]),
        ({"tags": {"team": ["shop", "p*"]}}, ["canary-web.prod", "web.dev", "web.prod"]),
        ({"regions": BOTH, "clusters": ["prod"], "services": ["web"]}, ["web.prod.eu-central-1", "web.prod.us-east-1"]),
        ({"hostname": "ecs_cluster ~ '-' ~ ecs_service", "clusters": ["dev"]}, ["dev-web"]),
    ],
)
def test_filters_and_names(estate, inventory, options, expected):
    hosts, _groups = inventory(**options)
    assert sorted(hosts) == expected


def test_groups_and_variables_of_ones_own(estate, inventory):
    hosts, groups = inventory(
        regions=BOTH,
        hostname="ecs_region ~ '_' ~ ecs_cluster ~ '_' ~ ecs_service",
        keyed_groups=[
            {"key": "ecs_tags.team", "prefix": "team", "default_value": "nobody"},
            {"key": "ecs_scheduling_strategy | lower", "separator": ""},
        ],
        groups={"canaries": "ecs_service.startswith('canary-')"},
        compose={"service_recycle_batch_size": "ecs_desired_count + 1", "ansible_connection": "'ssh'"},
    )
    assert groups["team_shop"] == ["eu-central-1_prod_canary-web", "eu-central-1_prod_web"]
    assert groups["team_nobody"] == ["us-east-1_batch_daemon"]
    assert groups["daemon"] == ["us-east-1_batch_daemon"]
    assert groups["canaries"] == ["eu-central-1_prod_canary-web"]
    assert hosts["eu-central-1_dev_web"]["service_recycle_batch_size"] == 1
    assert hosts["eu-central-1_dev_web"]["ansible_connection"] == "ssh"


def test_a_tag_that_looks_like_a_template_is_text(sandbox, inventory, run):
    evil = "{{ lookup('ansible.builtin.pipe', 'echo harm') }}"
    sandbox.service("web", tasks=0, tags={"team": evil, evil[:30]: "x"})
    hosts, _groups = inventory(keyed_groups=[{"key": "ecs_tags.team", "prefix": "team"}])
    assert hosts["web.default"]["ecs_tags"]["team"] == evil
    done = run("ansible", "all", "-m", "ansible.builtin.debug", "-a", "var=ecs_tags.team")
    assert evil in done.stdout
    assert '"harm"' not in done.stdout


def test_a_second_run_asks_the_cache(estate, listed, calls, tmp_path):
    cached = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    calls()
    first = listed(**cached, keyed_groups=[{"key": "ecs_cluster", "prefix": "cluster"}])
    assert calls() == {"ListClusters": 1, "ListServices": 2, "DescribeServices": 2}
    second = listed(**cached, keyed_groups=[{"key": "ecs_cluster", "prefix": "cluster"}])
    assert calls() == {}
    assert second == first
    # Groups are built again each time. Another selection needs new calls.
    regrouped = listed(**cached, keyed_groups=[{"key": "ecs_service", "prefix": "service"}])
    assert calls() == {}
    assert sorted(regrouped[1]) == ["ecs_services", "service_canary_web", "service_web"]
    assert sorted(listed(**cached, clusters=["dev"])[0]) == ["web.dev"]
    assert calls() == {"ListServices": 1, "DescribeServices": 1}
    listed("--flush-cache", **cached, clusters=["dev"])
    assert calls() == {"ListServices": 1, "DescribeServices": 1}


def test_nothing_secret_is_cached(estate, listed, tmp_path):
    folder = tmp_path / "cache"
    listed(cache=True, cache_plugin="ansible.builtin.jsonfile", cache_connection=str(folder), secret_key="hush-hush")
    kept = "".join(path.read_text() for path in folder.iterdir())
    assert "web" in kept
    assert "hush" not in kept


def test_throttling_is_waited_out(estate, inventory, sandbox):
    sandbox.fault("throttling", operations=["ListServices"], times=6)
    sandbox.fault("server_error", operations=["DescribeServices"], times=2)
    hosts, _groups = inventory()
    assert len(hosts) == 3


def test_progress_is_told_on_standard_error(estate, run):
    done = run("ansible-inventory", "--graph", "-v")
    assert "3 of 3 services in 2 clusters, 5 calls, " in done.stderr
    assert "services in" not in done.stdout
    assert "services in" not in run("ansible-inventory", "--graph").stderr


@pytest.mark.parametrize(
    ("operation", "about"),
    [
        ("ListClusters", "the clusters of eu-central-1"),
        ("ListServices", "cluster prod in eu-central-1"),
        ("DescribeServices", "cluster prod in eu-central-1"),
    ],
)
def test_a_permission_that_is_missing(estate, refused, sandbox, operation, about):
    sandbox.fault("access_denied", operations=[operation])
    said = refused(clusters=["pro*"])
    assert f"{PLUGIN}: {about}: {operation} failed with AccessDeniedException" in said
    assert f"Allow ecs:{operation} to these credentials" in said


def test_a_role_that_may_not_be_assumed(estate, refused, sandbox):
    sandbox.fault("access_denied", operations=["AssumeRole"])
    said = refused(assume_role_arn="arn:aws:iam::123456789012:role/fleet")
    assert "The role arn:aws:iam::123456789012:role/fleet cannot be assumed: AssumeRole failed with" in said
    assert "Allow sts:AssumeRole" in said


def test_a_role_that_is_assumed(estate, inventory, calls):
    calls()
    hosts, _groups = inventory(assume_role_arn="arn:aws:iam::123456789012:role/fleet", clusters=["dev"])
    assert sorted(hosts) == ["web.dev"]
    assert calls() == {"AssumeRole": 1, "ListServices": 1, "DescribeServices": 1}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"clusters": ["prdo"]},
            "cluster prdo in eu-central-1: ListServices failed with ClusterNotFoundException",
        ),
        ({"clusters": ["prdo"], "regions": BOTH}, "no cluster in eu-central-1, us-east-1 is named prdo"),
        ({"clusters": ["a b"]}, "clusters: 'a b' is neither a name of ECS nor a pattern"),
        ({"tags": {"team": None}}, "tags: 'team' must be a value, a pattern"),
        ({"hostname": "ecs_service"}, "are both named 'web'"),
        ({"hostname": "ecs_nothing"}, "hostname: 'ecs_nothing' fails for arn:aws:ecs:"),
        ({"hostname": "''"}, "must give a name for arn:aws:ecs:"),
        ({"hostname": "ecs_desired_count"}, "must give a name for arn:aws:ecs:"),
        ({"calls_per_second": 0}, "calls_per_second must be a number above 0"),
        ({"statuses": ["RUNNING"]}, "RUNNING"),
        ({"compose": {"a": "ecs_nothing"}, "strict": True}, "Could not set a for host"),
    ],
)
def test_what_cannot_be_is_refused(estate, refused, options, words):
    assert words in refused(**options)


def test_a_pattern_without_a_match_is_a_warning(estate, run):
    done = run("ansible-inventory", "--list", clusters=["prod", "qa-*"])
    assert done.returncode == 0
    assert "no cluster in eu-central-1 matches qa-*" in " ".join(done.stderr.split())


def test_no_region(estate, refused, monkeypatch):
    monkeypatch.delenv("AWS_REGION")
    assert "No AWS region is known. Give region or regions" in refused()


def test_a_failure_as_ansible_tells_it(estate, run, sandbox):
    """A file with another name does not belong to the plugin."""
    sandbox.fault("access_denied", operations=["ListClusters"])
    said = " ".join(run("ansible-inventory", "--list").stderr.split())
    assert f"{PLUGIN}: the clusters of eu-central-1: ListClusters failed with AccessDenied" in said
    assert PLUGIN + ":" not in run("ansible-inventory", "--list", file="fleet.yml").stderr


def test_awx_hands_on_what_it_was_given(estate, run, inventory, tmp_path):
    """AWX stores what ansible-inventory prints, and gives it to jobs as a script."""
    done = run("ansible-inventory", "--list", "--export", clusters=["prod"])
    script = tmp_path / "hosts"
    script.write_text(f"#!/bin/sh\ncat <<'EOF'\n{done.stdout}\nEOF\n")
    script.chmod(0o755)
    command = ["ansible", "-i", str(script), "web.prod", "-m", "ansible.builtin.debug", "-a"]
    message = "msg={{ ecs_service }}-{{ ecs_tags.team }}-{{ ansible_connection }}"
    told = subprocess.run([*command, message], capture_output=True, text=True, check=True)
    assert "web-shop-local" in told.stdout
