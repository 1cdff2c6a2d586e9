# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook service_recycle over a fleet: every service of the inventory, in batches, and one summary at the end."""

from __future__ import annotations

import json
import os
import re
import subprocess

import pytest
import yaml

from tests.end_to_end.witness import Witness

PLAYBOOK = "steadyops.ecs.service_recycle"
NO_IMAGE = "CannotPullContainerError: image not found"
# `make test-all` takes the fleet of fifty, which takes a minute.
SERVICES = int(os.environ.get("FLEET_SERVICES", "8"))


class Run:
    """What a playbook printed, and what it left behind for programs."""

    def __init__(self, done):
        assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
        self.code, self.output, self.errors = done.returncode, done.stdout, done.stderr

    @property
    def table(self):
        """Return the lines of the summary."""
        (text,) = re.findall(r'"msg": (\[\n\s+"service  .*?\n    \])', self.output, re.DOTALL)
        return json.loads(text)

    def row(self, name):
        """Return the cells of a service."""
        (line,) = [line for line in self.table if re.match(rf"{re.escape(name)} +\w", line)]
        return re.split(r"  +", line)[1:]

    @property
    def stats(self):
        """Return the data of set_stats, which is an artifact of the job in AWX."""
        (text,) = re.findall(r"^CUSTOM STATS: \*+\n+\tRUN: (.*)$", self.output, re.MULTILINE)
        return json.loads(text)

    def recap(self, host):
        (line,) = re.findall(rf"^{re.escape(host)} +: (.*)$", self.output, re.MULTILINE)
        return {name: int(count) for name, count in (each.split("=") for each in line.split())}

    def batches(self):
        """Return the services of each batch, in the order in which they began."""
        asked = self.output.split("TASK [Check which tasks to recycle]")[1:]
        return [
            set(re.findall(r"^\w+: \[(\w+\.prod)\]", each.split("PLAY [Show the summary")[0], re.MULTILINE))
            for each in asked
        ]


@pytest.fixture
def run(sandbox, tmp_path, warm):
    """Runs the playbook over the services of cluster prod."""
    inventory = tmp_path / "fleet.ecs_services.yml"
    inventory.write_text(
        yaml.safe_dump({"plugin": "steadyops.ecs.ecs_services", "clusters": ["prod"], "endpoint_url": sandbox.url})
    )
    quick = {
        "service_recycle_wait_delay": 0.05,
        "service_recycle_stabilize_time": 0,
        "service_recycle_wait_timeout": 30,
    }

    def run(*options, fleet=True, **variables):
        said = json.dumps({**quick, **{name: value for name, value in variables.items() if value is not None}})
        hosts = ["-i", str(inventory)] if fleet else []
        return Run(
            subprocess.run(
                warm.command("ansible-playbook", *hosts, PLAYBOOK, "-e", said, *options),
                env={**os.environ, "AWS_URL": sandbox.url, "ANSIBLE_FORKS": "10", "ANSIBLE_SHOW_CUSTOM_STATS": "true"},
                capture_output=True,
                text=True,
                check=False,
            )
        )

    return run


class One(Witness):
    """A witness of one of several services: it gets only calls that name the service, its ARN or its tasks."""

    def calls(self, operation=None):
        words = (f'"{self.name}"', f"/{self.name}", *self.old, *(task["arn"] for task in self.now()["tasks"]))
        return [
            call for call in super().calls(operation) if any(word in json.dumps(call["parameters"]) for word in words)
        ]


def writes(witness):
    return [call["time"] for call in witness.calls() if call["write"]]


def services(sandbox, count, tasks=2):
    names = [f"s{number:02}" for number in range(count)]
    for name in names:
        sandbox.service(name, cluster="prod", tasks=tasks, health_check=True)
    return {name: One(sandbox, name) for name in names}


def test_a_fleet_of_which_one_cannot_start_new_tasks(sandbox, run, tmp_path):
    """The other services are still recycled, none falls below its floor, and the failing one is as it was."""
    witnesses = services(sandbox, SERVICES)
    sandbox.fault("launch_fails", service="s03", reason=NO_IMAGE)
    page = tmp_path / "report.html"
    done = run(max_task_age="1h", recycle_serial=10 if SERVICES > 20 else 4, recycle_report_path=str(page))

    assert done.code != 0
    sick = witnesses.pop("s03")
    sick.kept()
    sick.given_back()
    assert sick.stopped() == set()
    for name, witness in witnesses.items():
        witness.kept()
        witness.replaced()
        assert done.row(f"{name}.prod")[:5] == ["recycled", "2", "0", "0", "0"]
        assert done.recap(f"{name}.prod")["failed"] == 0
    assert done.row("s03.prod")[:3] == ["failed", "0", "0"]
    assert done.row("s03.prod")[4] == "2"
    (why,) = [line for line in done.table if NO_IMAGE in line]
    assert why.startswith("s03.prod: ")
    assert [text.count(NO_IMAGE) for text in (why, page.read_text(), done.errors)] == [1, 1, 0]
    # Ansible also shows the failure twice, the second time with the result, whose list of failed tasks repeats it.
    failures = int(done.row("s03.prod")[3])
    assert done.output.count(NO_IMAGE) == len([why, *done.stats["recycle_summary"]["failed"]]) + 2 + failures
    assert done.recap("s03.prod")["failed"] == 1
    assert max(map(len, done.batches())) == (10 if SERVICES > 20 else 4)
    told = done.stats["recycle_summary"]
    assert (told["services"], told["replaced"]) == (SERVICES, 2 * (SERVICES - 1))
    assert told["statuses"] == {"recycled": SERVICES - 1, "failed": 1}
    assert list(told["failed"]) == ["s03.prod"]
    assert page.read_text().count('<section class="course"') == SERVICES
    assert "timeline" not in str(told)


@pytest.mark.long
def test_no_batch_is_begun_after_too_many_failures(sandbox, run):
    """This also holds for a batch in which all services fail, which would end the play before the summary."""
    witnesses = services(sandbox, 4, tasks=1)
    sandbox.fault("launch_fails", service="s00", reason=NO_IMAGE)
    done = run(max_task_age="1h", recycle_serial=1, recycle_max_fail_percentage=0)
    assert done.code != 0
    assert done.row("s00.prod")[0] == "failed"
    for name in ("s01", "s02", "s03"):
        assert done.row(f"{name}.prod")[0] == "not started"
        witnesses[name].untouched()
    assert "3 not started: too many services had failed before" in done.table
    assert done.stats["recycle_summary"]["not_started"] == ["s01.prod", "s02.prod", "s03.prod"]

    # All in one batch, one at a time.
    limited = [One(sandbox, name) for name in ("s00", "s01")]
    done = run("--limit", "s00.prod,s01.prod", max_task_age="1h", recycle_serial="100%", recycle_max_fail_percentage=50,
               recycle_throttle=1)  # fmt: skip
    assert (done.row("s00.prod")[0], done.row("s01.prod")[0]) == ("failed", "recycled")
    assert len(done.batches()) == 1
    (_first, end), (begin, _last) = sorted((times[0], times[-1]) for times in map(writes, limited))
    assert end < begin
    witnesses["s02"].untouched()


def test_all_of_them_in_one_process(sandbox, run, tmp_path):
    """The same summary, artifacts and page; one of them cannot start new tasks."""
    witnesses = services(sandbox, 5)
    sandbox.fault("launch_fails", service="s03", reason=NO_IMAGE)
    page = tmp_path / "report.html"
    options = {"batch_size": 1, "reason": "", "wait_time": 0, "recycle_serial": ""}
    done = run(max_task_age="1h", recycle_concurrency=4, recycle_report_path=str(page), **options)
    assert done.code != 0
    assert done.output.count("TASK [Replace the tasks]") == 0
    assert "[s00.prod] fleet: 5 services, 4 at a time" in done.errors
    sick = witnesses.pop("s03")
    sick.kept()
    sick.given_back()
    for name, witness in witnesses.items():
        witness.kept()
        witness.replaced()
        assert done.row(f"{name}.prod")[:5] == ["recycled", "2", "0", "0", "0"]
        assert done.recap(f"{name}.prod")["failed"] == 0
    assert done.row("s03.prod")[0] == "failed"
    assert done.recap("s03.prod")["failed"] == 1
    assert len([line for line in done.table if NO_IMAGE in line]) == 1
    told = done.stats["recycle_summary"]
    assert (told["services"], told["replaced"], list(told["failed"])) == (5, 8, ["s03.prod"])
    assert page.read_text().count('<section class="course"') == 5


def test_in_one_process_in_check_mode_and_with_too_many_failures(sandbox, run):
    witnesses = services(sandbox, 3, tasks=1)
    planned = run("--check", max_task_age="1h", recycle_concurrency=2)
    assert planned.code == 0
    assert planned.row("s00.prod")[:5] == ["would recycle", "0", "0", "0", "1"]
    for witness in witnesses.values():
        witness.untouched()
    sandbox.fault("launch_fails", service="s00", reason=NO_IMAGE)
    done = run(max_task_age="1h", recycle_concurrency=1, recycle_max_fail_percentage=0)
    assert [done.row(f"{name}.prod")[0] for name in witnesses] == ["failed", "not started", "not started"]
    assert any("2 not started: 1 of 3 services of the fleet failed" in line for line in done.table)
    witnesses["s01"].untouched()


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        (
            {"service_recycle_mail": {"to": "x@example.com"}},
            "service_recycle_mail. Omit it",
        ),
        ({"max_task_age": "soon"}, "max_task_age"),
        ({"all_tasks": True}, "Choose the service and its stale tasks"),
        ({"recycle_concurrency": 0.5}, "concurrency"),
        ({"recycle_calls_per_second": -1}, "calls_per_second must be a number above 0 (got -1)"),
    ],
)
def test_what_one_process_cannot_do_is_refused(sandbox, run, variables, words):
    (witness,) = services(sandbox, 1, tasks=1).values()
    done = run(**{"max_task_age": "1h", "recycle_concurrency": 3, **variables})
    assert done.code != 0
    assert words in done.output.replace("\n", " ")
    witness.untouched()


def test_one_process_is_for_one_region_and_has_no_variables_of_hosts(sandbox, run, tmp_path):
    (witness,) = services(sandbox, 1, tasks=1).values()
    variables = tmp_path / "group_vars/ecs_services.yml"
    variables.parent.mkdir()
    variables.write_text("service_recycle_batch_size: 3\n")
    done = run(max_task_age="1h", recycle_concurrency=3)
    assert "does not use the variables service_recycle_batch_size. Omit it" in done.output.replace("\n", " ")
    variables.unlink()
    sandbox.service("s00", cluster="prod", region="us-east-1", tasks=1)
    source = tmp_path / "fleet.ecs_services.yml"
    source.write_text(yaml.safe_dump({**yaml.safe_load(source.read_text()), "regions": ["eu-central-1", "us-east-1"]}))
    done = run(max_task_age="1h", recycle_concurrency=3)
    assert "for one region and account (eu-central-1 123456789012, us-east-1 123456789012)" in done.output
    witness.untouched()


def test_check_mode_and_nothing_to_replace(sandbox, run, tmp_path):
    (witness,) = services(sandbox, 1, tasks=1).values()
    page = tmp_path / "report.html"
    planned = run("--check", max_task_age="1h", recycle_report_path=str(page))
    assert planned.code == 0
    assert planned.row("s00.prod")[:5] == ["would recycle", "0", "0", "0", "1"]
    assert planned.table[-1] == "check mode: nothing was changed; the tasks left would be replaced"
    assert not page.exists()
    done = run(max_task_age="900d", recycle_report_path=str(page))
    assert (done.code, done.row("s00.prod")[0], done.recap("s00.prod")["failed"]) == (0, "unchanged", 0)
    assert "Courses" not in page.read_text()
    witness.untouched()


@pytest.mark.parametrize(
    ("fleet", "variables"),
    [
        pytest.param(False, {"max_task_age": "1h"}, id="neither a service nor a fleet"),
        pytest.param(True, {"max_task_age": "1h", "cluster": "dev"}, id="a cluster, and a fleet that has its own"),
        pytest.param(True, {"max_task_age": "1h", "all_tasks": True}, id="two selectors"),
    ],
)
def test_what_is_not_said_in_full_is_refused_at_once(sandbox, run, fleet, variables):
    (witness,) = services(sandbox, 1, tasks=1).values()
    done = run(fleet=fleet, **variables)
    assert done.code != 0
    assert "Choose the service and its stale tasks: -e cluster=NAME -e service=NAME, or an inventory" in done.output
    witness.untouched()


def test_a_namesake_in_another_region_is_not_taken_for_the_service(sandbox, run, tmp_path):
    """A region that is set for all services does not change this. The page shows where the unseen service is."""
    page = tmp_path / "report.html"
    (witness,) = services(sandbox, 1, tasks=1).values()
    sandbox.service("s00", cluster="prod", region="us-east-1", tasks=1)
    done = run(max_task_age="1h", service_recycle_region="us-east-1", recycle_report_path=str(page))
    assert done.row("s00.prod")[0] == "failed"
    assert "eu-central-1, account 123456789012" in page.read_text()
    assert "The ARN of service s00 names the region eu-central-1" in " ".join(done.table)
    witness.untouched()


def test_one_service_of_a_fleet_by_name(sandbox, run):
    """Even with an inventory, ``service`` means that service alone."""
    witnesses = services(sandbox, 2, tasks=1)
    done = run(max_task_age="1h", cluster="prod", service="s01")
    assert (done.code, done.row("prod/s01")[0]) == (0, "recycled")
    assert done.stats["recycle"]["status"] == "recycled"
    witnesses["s00"].untouched()
    witnesses["s01"].replaced()


def kept(witness):
    """Return whether a service has its old tasks. The journal cannot tell, as it also has calls for namesakes."""
    return {task["arn"] for task in witness.now()["tasks"]} == set(witness.old)


def test_options_under_their_own_names(sandbox, run):
    """The role's options and a region work: a namesake in another region is not touched."""
    witnesses = services(sandbox, 2, tasks=4)
    for name in witnesses:
        sandbox.service(name, cluster="prod", region="us-east-1", tasks=4)
    options = {"all_tasks": True, "batch_size": 2, "max_tasks": 2, "reason": ""}
    done = run(fleet=False, cluster="prod", service="s00", region="us-east-1", **options)
    assert (done.code, done.row("prod/s00")[:2]) == (0, ["recycled", "2"])
    assert done.stats["recycle"]["plan"]["steps"] == 1
    assert kept(witnesses["s00"])
    done = run(max_task_age="1h", region="us-east-1")
    assert {done.row(f"{name}.prod")[0] for name in witnesses} == {"failed"}
    assert "The ARN of service s00 names the region eu-central-1" in " ".join(done.table)
    assert all(map(kept, witnesses.values()))


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"bach_size": 3}, "Did you mean batch_size?"),
        ({"service_recycle_bach_size": 3}, "Did you mean service_recycle_batch_size?"),
        ({"batch_size": 3, "service_recycle_batch_size": 4}, "are mutually exclusive"),
    ],
)
def test_unknown_variables_are_refused(sandbox, run, variables, words):
    (witness,) = services(sandbox, 1, tasks=1).values()
    done = run(max_task_age="1h", **variables)
    assert done.code != 0
    assert words in done.output.replace("\n", " ")
    witness.untouched()
