# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.bench.roles: measure a role beside a play of plain modules that makes the same resources.

``python -m tests.bench.roles ROUNDS COMMIT`` runs the role of another commit as well, to compare before and after.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.sandbox.client import Sandbox

ROOT = Path(__file__).parents[2]
ROUNDS = 3

# The alert of source 000: a rule, a topic, an address.
ROLE: dict[str, Any] = {
    "roles": ["steadyops.ecs.failure_alerts"],
    "vars": {
        "failure_alerts_kinds": ["task"],
        "failure_alerts_clusters": ["production"],
        "failure_alerts_task_families": ["nightly"],
        "failure_alerts_rule_options": {"task": {"exit_codes": [1, 137, 139, 255]}},
        "failure_alerts_emails": ["ops@example.org"],
    },
}
PATTERN = {
    "source": ["aws.ecs"],
    "detail-type": ["ECS Task State Change"],
    "detail": {
        "clusterArn": ["arn:aws:ecs:eu-central-1:123456789012:cluster/production"],
        "taskDefinitionArn": ["arn:aws:ecs:eu-central-1:123456789012:task-definition/nightly:1"],
        "lastStatus": ["STOPPED"],
        "stoppedReason": ["Essential container in task exited"],
        "containers": {"exitCode": [1, 137, 139, 255]},
    },
}
STATEMENT = {
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": "sns:Publish",
    "Resource": "arn:aws:sns:eu-central-1:123456789012:failures",
}
MODULES: dict[str, Any] = {
    "tasks": [
        {
            "name": "Create the topic",
            "community.aws.sns_topic": {
                "name": "failures",
                "subscriptions": [{"endpoint": "ops@example.org", "protocol": "email"}],
                "policy": {"Version": "2012-10-17", "Statement": [STATEMENT]},
            },
            "register": "topic",
        },
        {
            "name": "Create the rule",
            "amazon.aws.cloudwatchevent_rule": {
                "name": "failures",
                "event_pattern": json.dumps(PATTERN),
                "targets": [{"id": "mail", "arn": "{{ topic.sns_arn }}"}],
            },
        },
    ]
}
# The most time and calls that the role may take, as multiples of those of the modules, in the first and second run.
LIMITS = {"first": (2.5, 1.3), "second": (1.5, 1.0)}
MOST_LINES = 40  # of output in a run that changes nothing


@dataclass(frozen=True)
class Measured:
    seconds: float
    calls: int
    lines: int
    changed: int


def main(rounds: int = ROUNDS, before: str | None = None) -> int:
    print(f"The alert of source 000, by the role and by plain modules: medians of {rounds} rounds, in turn.")
    print("The role adds a dead-letter queue, a readable message, tags and check mode.\n")
    with tempfile.TemporaryDirectory() as folder:
        plays = {"modules": (MODULES, {}), "role": (ROLE, {})}
        if before:
            plays["role before"] = (ROLE, _build_of(before, Path(folder)))
        found = _measure(plays, rounds, Path(folder))
    for name in plays:
        for run in LIMITS:
            each = found[name, run]
            print(
                f"{name:12} {run:7} {each.seconds:5.1f} s  {each.calls:3} calls  {each.lines:3} lines  "
                f"changed={each.changed}"
            )
    print()
    verdicts = []
    for run, (most_time, most_calls) in LIMITS.items():
        role, modules = found["role", run], found["modules", run]
        verdicts.append(_verdict(f"time of the {run} run, of the modules'", role.seconds / modules.seconds, most_time))
        verdicts.append(_verdict(f"calls of the {run} run, of the modules'", role.calls / modules.calls, most_calls))
    verdicts.append(_verdict("lines of a run that changes nothing", found["role", "second"].lines, MOST_LINES))
    verdicts.append(_verdict("tasks that the second run changes", found["role", "second"].changed, 0))
    return 0 if all(verdicts) else 1


def _measure(
    plays: Mapping[str, tuple[dict[str, Any], dict[str, str]]], rounds: int, folder: Path
) -> dict[tuple[str, str], Measured]:
    runs: dict[tuple[str, str], list[Measured]] = {}
    for _round in range(rounds):
        for name, (play, environment) in plays.items():
            with Sandbox.start(speed=100) as sandbox:
                for run in LIMITS:
                    measured = _run(sandbox, folder / "play.yml", play, environment)
                    runs.setdefault((name, run), []).append(measured)
    return {
        key: Measured(
            statistics.median(each.seconds for each in some), some[-1].calls, some[-1].lines, some[-1].changed
        )
        for key, some in runs.items()
    }


def _run(sandbox: Sandbox, path: Path, play: dict[str, Any], environment: Mapping[str, str]) -> Measured:
    path.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, **play}]))
    seen, began = sandbox.state()["calls"], time.perf_counter()
    done = subprocess.run(
        ["ansible-playbook", path],
        env={**os.environ, **environment, "AWS_URL": sandbox.url},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    recap = next(line for line in lines if line.startswith("localhost") and "changed=" in line)
    changed = int(recap.partition("changed=")[2].split()[0])
    return Measured(seconds, sandbox.state()["calls"] - seen, len(lines), changed)


def _build_of(commit: str, folder: Path) -> dict[str, str]:
    """Install the collection of a commit, and return the environment that finds it first."""
    collection = folder / "before/ansible_collections/steadyops/ecs"
    collection.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x", "-C", collection], input=archive, check=True)
    path = str(folder / "before")
    return {"ANSIBLE_COLLECTIONS_PATH": path, "PYTHONPATH": path}


def _verdict(words: str, ratio: float, most: float) -> bool:
    good = ratio <= most
    print(f"{'pass' if good else 'FAIL'}  {words}: {ratio:.4g} (at most {most:g})")
    return good


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS, sys.argv[2] if sys.argv[2:] else None))
