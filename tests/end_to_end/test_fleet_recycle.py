# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many services in one process: faults that affect one service only, kills, signals, other runs, waves, one summary."""

from __future__ import annotations

import json
import os
import re
import signal

import pytest

from tests.end_to_end.programs import QUICK, until, warnings
from tests.end_to_end.witness import RECORD_TAG, Witness

FLEET = "ecs_fleet_recycle"
NAME = f"steadyops.ecs.{FLEET}"
ARN = "arn:aws:ecs:us-east-1:123456789012"
NO_IMAGE = "CannotPullContainerError: image not found"
FAST = {name: value for name, value in QUICK.items() if name != "service"} | {"calls_per_second": 1000}
ALL = {**FAST, "clusters": ["prod"], "max_task_age": "1h"}


class One(Witness):
    """A witness of one of several services: it gets only calls that name the service, its ARN or its tasks."""

    def calls(self, operation=None):
        words = (f'"{self.name}"', f"/{self.name}", *self.old, *(task["arn"] for task in self.now()["tasks"]))
        return [
            call for call in super().calls(operation) if any(word in json.dumps(call["parameters"]) for word in words)
        ]

    def is_done(self):
        return not self.old & {task["arn"] for task in self.now()["tasks"] if task["desired_status"] == "RUNNING"}


@pytest.fixture
def witnesses(sandbox):
    names = ("sa", "sb", "sc", "sd", "se")  # ids of tasks contain no s
    for number, name in enumerate(names):
        tags = {"stage": "live", "recycle-wave": str(10 * (number // 2))}
        sandbox.service(name, cluster="prod", tasks=2, health_check=True, target_groups=number % 2, tags=tags)
    return {name: One(sandbox, name) for name in names}


@pytest.fixture
def fleet(start):
    return lambda **options: start(FLEET, **{**ALL, **options})


def forged(sandbox, lasts):
    now = int(sandbox.state()["now"])
    return (
        f"v=1 o=2 s=0 b={now - 60}.000 k=max_task_age c={now - 3600}.000 q=- ph=claimed w=0123abcd.77.4711.elsewhere"
        f" x={now + lasts}"
    )


def replaced(witnesses):
    for witness in witnesses:
        witness.kept()
        witness.replaced()


def test_a_playbook_over_a_handful_of_which_one_cannot_start_new_tasks(witnesses, sandbox, warm_playbook):
    sandbox.fault("launch_fails", service="sc", reason=NO_IMAGE)
    run = warm_playbook(
        [
            {NAME: ALL, "register": "done", "ignore_errors": True},
            {"ansible.builtin.debug": {"msg": "{{ done.fleet.rows | steadyops.ecs.recycle_table }}"}},
        ]
    )
    result, table = run.results()
    sick = witnesses.pop("sc")
    sick.kept()
    sick.given_back()
    assert sick.stopped() == set()
    replaced(witnesses.values())
    assert result["changed"]
    assert result["msg"].startswith("1 of 5 services failed. prod/sc: ")
    assert result["msg"].count(NO_IMAGE) == 1
    rows = result["fleet"]["rows"]
    assert list(rows) == [f"prod/s{name}" for name in "abcde"]
    assert {name: row["status"] for name, row in rows.items()} == {
        **{f"prod/s{name}": "recycled" for name in "abde"},
        "prod/sc": "failed",
    }
    assert (result["fleet"]["totals"]["services"], result["fleet"]["totals"]["replaced"]) == (5, 8)
    assert [line for line in table["msg"] if line.startswith("prod/sa ")] != []
    told = [line.removeprefix("[localhost] ") for line in run.errors.splitlines() if line.startswith("[localhost]")]
    assert told[0] == "fleet: 5 services"
    for name in "abde":
        mine = [line for line in told if line.startswith(f"prod/s{name}: ")]
        assert [re.sub(r"[0-9a-f]{8}|\d+ s", "#", line.split(": ", 1)[1])[:12] for line in mine] == [
            "replaces 2 t",
            "step 1 of 2:",
            "step 2 of 2:",
            "recycled: 2 ",
        ]
    (why,) = [line for line in told if "prod/sc: failed: " in line]
    assert NO_IMAGE in why
    calls = result["fleet"]["api_calls"]
    assert calls == {name: count for name, count in calls.items() if count > 0}
    assert calls["StopTask"] >= 8


def test_reads_are_made_together(witnesses, sandbox, fleet):
    result = fleet(stop_method="stop_task").result()
    assert result["fleet"]["totals"]["statuses"] == {"recycled": 5}
    asked = [call["parameters"] for call in sandbox.journal()["calls"] if call["operation"] == "DescribeServices"]
    assert max(len(each["services"]) for each in asked) == 5
    tasks = [call["parameters"] for call in sandbox.journal()["calls"] if call["operation"] == "DescribeTasks"]
    assert max(len(each["tasks"]) for each in tasks) >= 10
    replaced(witnesses.values())


def test_check_mode_tells_what_a_run_would_do_and_writes_nothing(witnesses, fleet):
    planned = fleet(check=True, diff=True).result()
    for witness in witnesses.values():
        witness.untouched()
    assert planned["changed"]
    assert {row["check"] for row in planned["fleet"]["rows"].values()} == {True}
    assert planned["diff"]["before"].keys() == {f"prod/s{name}" for name in "abcde"}
    done = fleet().result()
    assert [row["status"] for row in done["fleet"]["rows"].values()] == ["recycled"] * 5
    again = fleet().result()
    assert not again["changed"]
    assert again["fleet"]["totals"]["statuses"] == {"unchanged": 5}
    replaced(witnesses.values())


def test_a_service_that_another_run_works_on_does_not_hold_up_the_others(witnesses, sandbox, fleet):
    sandbox.act("tag", "sa", tags={RECORD_TAG: forged(sandbox, 80000)})
    module = fleet(concurrency=1)
    others = [witnesses[f"s{name}"] for name in "bcde"]
    until(lambda: all(witness.is_done() for witness in others), "the others")
    assert witnesses["sa"].stops() == []
    sandbox.act("untag", "sa", keys=[RECORD_TAG])
    result = module.result()
    assert result["fleet"]["totals"]["statuses"] == {"recycled": 5}
    replaced(witnesses.values())


def test_sigterm_gives_everything_back(witnesses, sandbox, fleet):
    module = fleet(concurrency=3)
    until(lambda: all(witnesses[f"s{name}"].now()["desired"] == 3 for name in "abc"), "three added tasks")
    os.kill(module.pid, signal.SIGTERM)
    result = module.result()
    assert "SIGTERM was received" in result["msg"]
    rows = result["fleet"]["rows"]
    waiting = [name for name, row in rows.items() if row["status"] == "not started"]
    assert len(waiting) >= 1
    assert f"{len(waiting)} of 5 services" in result["msg"]
    for witness in witnesses.values():
        witness.kept()
        witness.given_back()
    assert fleet().result()["fleet"]["totals"]["services"] == 5
    assert all(witness.is_done() for witness in witnesses.values())


def test_killed_half_way_and_run_again(witnesses, fleet):
    module = fleet(concurrency=3)
    until(lambda: sum(len(witness.stops()) for witness in witnesses.values()) >= 4, "some stops")
    module.kill()
    result = fleet().result()
    assert not result.get("failed"), result["msg"]
    replaced(witnesses.values())


def test_waves_and_no_further_service_after_a_failure(witnesses, sandbox, fleet):
    sandbox.fault("launch_fails", service="sc", reason=NO_IMAGE)
    result = fleet(wave_tag="recycle-wave", max_failed_services=0, tags={"stage": "li*"}).result()
    rows = result["fleet"]["rows"]
    assert {name[-1]: row["status"] for name, row in rows.items()} == {
        "a": "recycled",
        "b": "recycled",
        "c": "failed",
        "d": "recycled",
        "e": "not started",
    }
    assert "1 of 5 services was not begun: 1 failed, which is more than the 0" in result["msg"]
    assert result["fleet"]["stopped"].startswith("1 failed")
    assert rows["prod/se"]["service"] == witnesses["se"].before["arn"]
    witnesses["se"].untouched()
    first = max(change["time"] for name in "ab" for change in witnesses[f"s{name}"].changes())
    assert min(call["time"] for name in "cd" for call in witnesses[f"s{name}"].calls() if call["write"]) >= first - 60


def test_services_that_are_named_with_options_of_their_own(witnesses, sandbox, fleet):
    arn = sandbox.find("sb")["arn"]
    services = ["sa", arn, {"service": "sc", "all_tasks": True, "surge": "2"}, {"name": "sd", "max_task_age": "9000d"}]
    result = fleet(clusters=None, cluster="prod", services=services).result()
    assert {name: row["status"] for name, row in result["fleet"]["rows"].items()} == {
        "prod/sa": "recycled",
        "prod/sb": "recycled",
        "prod/sc": "recycled",
        "prod/sd": "unchanged",
    }
    assert max(change["desired"] for change in witnesses["sc"].changes()) == 4
    witnesses["se"].untouched()


def test_the_order_of_services_that_are_named(witnesses, sandbox, fleet):
    """Services are ordered by tags and counts, which the module must read first."""
    sandbox.service("sf", cluster="prod", tasks=4, tags={"recycle-wave": "20"})
    named = {"clusters": None, "cluster": "prod", "services": ["se", "sf", "sd", "sa", "gone"], "check": True}
    ordered = fleet(**named, wave_tag="recycle-wave", fleet_order="largest").result()
    rows = ordered["fleet"]["rows"]
    assert [name.removeprefix("prod/") for name in rows] == ["sa", "sd", "sf", "se", "gone"]
    assert "The cluster prod has no service gone" in ordered["msg"] or "gone" in rows["prod/gone"]["message"]
    by_name = fleet(**named, fleet_order="name").result()
    assert [name.removeprefix("prod/") for name in by_name["fleet"]["rows"]] == ["gone", "sa", "sd", "se", "sf"]


def test_the_whole_fleet_ends_after_its_time(witnesses, sandbox, fleet):
    sandbox.settings(latencies={"launch": 3000})
    result = fleet(fleet_timeout=2, wait_timeout=900).result()
    assert "the run reached its fleet_timeout of 2 s" in result["msg"]
    assert result["msg"].count("fleet_timeout") == 1
    for witness in witnesses.values():
        witness.given_back()
        assert witness.stopped() == set()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"services": ["a"]}, "mutually exclusive"),
        ({"clusters": None}, "one of the following is required: services, clusters"),
        ({"clusters": None, "services": ["prod", {"service": "prod"}]}, "services names default/prod more than once"),
        ({"clusters": None, "services": [{"service": "a", "bach_size": 1}]}, "services, entry 1: bach_size"),
        ({"clusters": None, "services": [{"all_tasks": True}]}, "missing required arguments: service"),
        ({"clusters": None, "services": [{"service": "a", "batch_size": "0"}]}, "services, default/a: batch_size"),
        (
            {"clusters": ["nowhere"]},
            "Cluster nowhere in eu-central-1: ListServices failed with ClusterNotFoundException",
        ),
        ({"clusters": [f"{ARN}:cluster/prod"]}, "clusters names a cluster in us-east-1, but region is eu-central-1"),
        ({"concurrency": 0}, "concurrency must be a number of services from 1 (got 0)"),
        ({"max_fail_percentage": 101}, "max_fail_percentage must be a percentage from 0 to 100 (got 101)"),
        ({"calls_per_second": 0}, "calls_per_second must be a number above 0 (got 0)"),
        ({"max_task_age": None}, "no option chooses the stale tasks"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_refused(witnesses, fleet, options, said):
    assert said.lower() in fleet(**options).result()["msg"].lower()
    for witness in witnesses.values():
        witness.untouched()


def test_services_that_are_never_seen_have_their_arns(witnesses, sandbox, fleet):
    arns = [witnesses[name].before["arn"] for name in ("sa", "sb")]
    sandbox.fault("access_denied", operations=["ecs:DescribeServices"])
    rows = fleet(clusters=None, services=[*arns, {"service": "sc", "cluster": "prod"}]).result()["fleet"]["rows"]
    assert [(row["status"], row["service"]) for row in rows.values()] == [
        *(("failed", arn) for arn in arns),
        ("failed", ""),
    ]


def test_nothing_matches(witnesses, fleet):
    result = fleet(names=["x*"]).result()
    assert not result["changed"]
    assert "no service matches" in " ".join(warnings(result))
