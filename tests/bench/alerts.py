# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The alert of source 000, with the role and with the modules of amazon.aws and community.aws, on one sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from tests.sandbox.client import Sandbox

CLUSTER = "arn:aws:ecs:eu-central-1:123456789012:cluster/production"
ROLE = {
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
        "clusterArn": [CLUSTER],
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
MODULES = {
    "tasks": [
        {
            "name": "Have a topic",
            "community.aws.sns_topic": {
                "name": "failures",
                "subscriptions": [{"endpoint": "ops@example.org", "protocol": "email"}],
                "policy": {"Version": "2012-10-17", "Statement": [STATEMENT]},
            },
            "register": "topic",
        },
        {
            "name": "Have a rule",
            "amazon.aws.cloudwatchevent_rule": {
                "name": "failures",
                "event_pattern": json.dumps(PATTERN),
                "targets": [{"id": "mail", "arn": "{{ topic.sns_arn }}"}],
            },
        },
    ]
}
# What each brings, so that the figures are read with it in mind.
BRINGS = {
    "role": "dead-letter queue, readable message, any revision, tags, check mode; removes itself",
    "modules": "the rule, its topic and the whole event",
}


def compare() -> None:
    """Tasks, calls and seconds of the first and of the second run."""
    print("The alert of source 000: a rule, a topic, an address.\n")
    with Sandbox.start(speed=100) as sandbox, tempfile.TemporaryDirectory() as folder:
        for name, play in (("modules", MODULES), ("role", ROLE)):
            for run in ("first", "second"):
                tasks, calls, seconds, changed = _run(sandbox, Path(folder) / f"{name}.yml", play)
                print(
                    f"{name:8} {run:7} {tasks:3} tasks  {calls:3} calls  {seconds:5.1f} s  changed={changed}"
                    + (f"  {BRINGS[name]}" if run == "first" else "")
                )
    print()


def _run(sandbox: Sandbox, path: Path, play: dict[str, Any]) -> tuple[int, int, float, int]:
    path.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, **play}]))
    seen, began = sandbox.state()["calls"], time.perf_counter()
    environment = {**os.environ, "AWS_URL": sandbox.url, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"}
    environment["ANSIBLE_DEPRECATION_WARNINGS"] = "false"
    done = subprocess.run(["ansible-playbook", path], env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    told = json.loads(done.stdout)
    stats = told["stats"]["localhost"]
    assert not stats["failures"], done.stdout
    return stats["ok"], sandbox.state()["calls"] - seen, seconds, stats["changed"]
