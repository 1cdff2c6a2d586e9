# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.bench.modules [rounds [module ...]]: measure tasks that change nothing, beside the nearest module.

Ansible runs each task once, which creates the resource, and keeps the file that it built from module and arguments.
Then these files run again, ours and the nearest in turn, under the same Python and environment, so the load of the
machine affects both. A run is measured from the start of the process to its end. Calls are those that reached the
sandbox; kB is the size of the file in which Ansible packs the module with everything that it imports.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import yaml

from tests.sandbox.client import Sandbox

ROUNDS = 7
MOST_RATIO = 1.05  # times the nearest module's time and its CPU; a smaller excess is noise
MOST_WAITING = 2  # wall time as a multiple of CPU; the calls alone make it 1.1
HEADINGS = ("module", "nearest", "ours s", "its s", "ratio", "CPU s", "its s", "ratio", "calls", "kB")
WIDTHS = (41, 49, 6, 6, 5, 6, 6, 5, 5, 7)
ARN = "arn:aws:{service}:eu-central-1:123456789012:{name}"
TOPIC = ARN.format(service="sns", name="alerts")
FUNCTION = ARN.format(service="lambda", name="function:retry")
ROLE = "arn:aws:iam::123456789012:role/bench"
MACHINE = ARN.format(service="states", name="stateMachine:theirs")
PATTERN = {
    "source": ["aws.ecs"],
    "detail-type": ["ECS Task State Change"],
    "detail": {"clusterArn": [ARN.format(service="ecs", name="cluster/prod")], "lastStatus": ["STOPPED"]},
}
PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
JOB = {"cluster": "prod", "task_definition": "web", "timeout": "2h", "network_configuration": {"subnets": ["subnet-1"]}}
TAGS = {"team": "shop"}
TRUSTED = {"Service": ["events.amazonaws.com", "scheduler.amazonaws.com", "states.amazonaws.com"]}
TRUST = {"Effect": "Allow", "Principal": TRUSTED, "Action": "sts:AssumeRole"}

CONNECTION = {"name": "ours", "api_key": {"name": "X-Key", "value": "k3y"}}
RULE = {"event_pattern": json.dumps(PATTERN), "description": "Failures"}
READ_LOG_GROUP = ("amazon.aws.cloudwatchlogs_log_group_info", {"log_group_name": "trail"})


def rule(name: str, **options: Any) -> tuple[str, dict[str, Any]]:
    return "amazon.aws.cloudwatchevent_rule", {"name": name, **(options or RULE)}


@dataclass(frozen=True)
class Pair:
    """A module of ours with its options, and the nearest module of amazon.aws or community.aws with its options.

    Where these collections have no module for the resource, the nearest is one for another resource of the same service
    or kind. ``slow_because`` says why ours takes longer on purpose; such a pair is shown and has no limit.
    """

    ours: str
    options: dict[str, Any]
    nearest: tuple[str, dict[str, Any]]
    slow_because: str = ""


SCRYPT = "its secrets are compared with scrypt, as slowly as somebody could guess them; the next pair does without"
PAIRS = [
    Pair("ecs_failure_rule", {"name": "ours", "kind": "task", "clusters": ["prod"]}, rule("theirs")),
    Pair("ecs_failure_rule_info", {"name": "ours"}, READ_LOG_GROUP),
    Pair(
        "ecs_notification_target",
        {"rule": "failures", "id": "mail", "arn": TOPIC, "message_template": "sns_text"},
        rule("theirs-mail", **RULE, targets=[{"id": "mail", "arn": TOPIC}]),
    ),
    Pair("events_connection", CONNECTION, rule("theirs"), SCRYPT),
    Pair("events_connection", {**CONNECTION, "update_secret": "never"}, rule("theirs")),
    Pair(
        "events_api_destination",
        {"name": "ours", "connection": "sentry", "invocation_endpoint": "https://example.com/", "http_method": "POST"},
        rule("theirs"),
    ),
    Pair(
        "ecs_task_state_machine",
        {"name": "ours", "role_arn": ROLE, "job": JOB, "tags": TAGS},
        (
            "community.aws.stepfunctions_state_machine",
            {"name": "theirs", "role_arn": ROLE, "definition": json.dumps(PASS), "tags": TAGS},
        ),
    ),
    Pair(
        "ecs_task_schedule",
        {"name": "ours", "schedule_expression": "rate(1 hour)", "role_arn": ROLE, "state_machine_arn": MACHINE},
        rule(
            "theirs-hourly",
            schedule_expression="rate(1 hour)",
            targets=[{"id": "job", "arn": MACHINE, "role_arn": ROLE}],
        ),
    ),
    Pair(
        "ecs_retry_subscription",
        {"name": "ours", "log_group": "trail", "function_arn": FUNCTION},
        (
            "amazon.aws.cloudwatchlogs_log_group_metric_filter",
            {
                "filter_name": "theirs",
                "log_group_name": "trail",
                "filter_pattern": '{ $.eventName = "RunTask" }',
                "state": "present",
                "metric_transformation": {"metric_name": "a", "metric_namespace": "b", "metric_value": "1"},
            },
        ),
    ),
    Pair("ecs_retry_subscription_info", {"log_group": "trail"}, READ_LOG_GROUP),
    Pair(
        "lambda_function_concurrency",
        {"function_name": "retry", "reserved_concurrent_executions": 5},
        (
            "amazon.aws.lambda_policy",
            {
                "function_name": "retry",
                "statement_id": "theirs",
                "action": "lambda:InvokeFunction",
                "principal": "events.amazonaws.com",
            },
        ),
    ),
    Pair(
        "ecs_service_task_info",
        {"cluster": "prod", "service": "web"},
        ("community.aws.ecs_service_info", {"cluster": "prod", "service": "web", "details": True}),
    ),
    Pair(
        "ecs_service_recycle",
        {"cluster": "prod", "service": "web", "max_task_age": "10000d"},
        (
            "community.aws.ecs_service",
            {"cluster": "prod", "name": "web", "state": "present", "task_definition": "web:1", "desired_count": 3},
        ),
    ),
]


def prepare(sandbox: Sandbox) -> None:
    """Create the resources that those of the pairs refer to."""
    session = boto3.session.Session("sandbox", "sandbox", region_name="eu-central-1")
    names = ("iam", "sns", "logs", "lambda", "events")
    iam, sns, logs, functions, events = (session.client(name, endpoint_url=sandbox.url) for name in names)
    trust = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    iam.create_role(RoleName="bench", AssumeRolePolicyDocument=trust)
    sns.create_topic(Name="alerts")
    logs.create_log_group(logGroupName="trail")
    events.put_rule(Name="failures", EventPattern=json.dumps(PATTERN))
    key = {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "k3y"}}
    events.create_connection(Name="sentry", AuthorizationType="API_KEY", AuthParameters=key)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("handler.py", "")
    functions.create_function(
        FunctionName="retry", Runtime="python3.13", Role=ROLE, Handler="handler.x", Code={"ZipFile": content.getvalue()}
    )
    sandbox.service("web", cluster="prod", tasks=3, health_check=True)


@dataclass
class Payload:
    """The file that Ansible built from a module and its arguments, and the measurements of its runs."""

    module: str
    file: Path
    calls: int = 0
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def run(self, sandbox: Sandbox) -> None:
        """Run the file once and measure it. It must change nothing."""
        before = sandbox.state()["calls"]
        began = time.perf_counter()
        with subprocess.Popen([sys.executable, self.file], stdout=subprocess.PIPE, env=environment(sandbox)) as process:
            assert process.stdout
            printed = process.stdout.read()
            _pid, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.wall.append(time.perf_counter() - began)
        self.cpu.append(used.ru_utime + used.ru_stime)
        self.calls = sandbox.state()["calls"] - before
        assert json.loads(printed)["changed"] is False, f"{self.module}: {printed.decode()}"


def environment(sandbox: Sandbox) -> dict[str, str]:
    return {**os.environ, "AWS_URL": sandbox.url}


def payloads(sandbox: Sandbox, folder: Path, tasks: list[tuple[str, dict[str, Any]]]) -> list[Payload]:
    """Run each task once with Ansible, and return the files that it kept."""
    play = [
        {"name": module, module: options, "vars": {"ansible_remote_tmp": str(folder / str(number))}}
        for number, (module, options) in enumerate(tasks)
    ]
    path = folder / "play.yml"
    path.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": play}]))
    keep = {"ANSIBLE_KEEP_REMOTE_FILES": "true", "ANSIBLE_PIPELINING": "false"}
    done = subprocess.run(
        ["ansible-playbook", path], env={**environment(sandbox), **keep}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [
        Payload(module, next((folder / str(number)).glob("ansible-tmp-*/AnsiballZ_*.py")))
        for number, (module, _options) in enumerate(tasks)
    ]


def pairs(sandbox: Sandbox, folder: Path, wanted: frozenset[str]) -> Iterator[tuple[Pair, Payload, Payload]]:
    """Return each pair with the files of our and of the nearest module; if modules are wanted, only their pairs."""
    chosen = [pair for pair in PAIRS if not wanted or pair.ours in wanted]
    tasks = [task for pair in chosen for task in ((f"steadyops.ecs.{pair.ours}", pair.options), pair.nearest)]
    made = payloads(sandbox, folder, tasks)
    return zip(chosen, made[::2], made[1::2], strict=True)


def main(rounds: int = ROUNDS, wanted: frozenset[str] = frozenset()) -> int:
    print(f"A task that changes nothing, beside the nearest module: the quickest of {rounds} runs each, in turn.\n")
    show(HEADINGS)
    slower, worst = [], 0.0
    with Sandbox.start(speed=100) as sandbox, tempfile.TemporaryDirectory() as folder:
        prepare(sandbox)
        for pair, ours, nearest in pairs(sandbox, Path(folder), wanted):
            for _round in range(rounds):
                ours.run(sandbox)
                nearest.run(sandbox)
            ratio, words = compare(ours, nearest)
            worst = worst if pair.slow_because else max(worst, ratio)
            if ratio > 1:
                slower.append(f"slower  {words}{pair.slow_because and f': {pair.slow_because}'}")
    print("", *slower, sep="\n")
    good = worst <= MOST_RATIO
    print(f"{'pass' if good else 'FAIL'}  time or CPU, of the nearest module: {worst:.2f} (at most {MOST_RATIO:g})\n")
    return 0 if good else 1


def compare(ours: Payload, nearest: Payload) -> tuple[float, str]:
    """Print the row of a pair. Return the ratio that counts, and both ratios in words.

    The quickest runs are compared, because other load on the machine only makes a run slower. The larger ratio counts.
    On a machine so busy that processes wait longer than they compute, the CPU ratio counts: the other one depends on
    who waited longer.
    """
    wall, wall_of_nearest, cpu, cpu_of_nearest = (
        min(each) for each in (ours.wall, nearest.wall, ours.cpu, nearest.cpu)
    )
    ratio, cpu_ratio = wall / wall_of_nearest, cpu / cpu_of_nearest
    seconds = (wall, wall_of_nearest, ratio, cpu, cpu_of_nearest, cpu_ratio)
    show(
        (
            ours.module,
            nearest.module,
            *(f"{each:.2f}" for each in seconds),
            f"{ours.calls}/{nearest.calls}",
            "/".join(f"{each.file.stat().st_size / 1000:.0f}" for each in (ours, nearest)),
        )
    )
    words = f"{ours.module} takes {ratio:.2f} of the time and {cpu_ratio:.2f} of the CPU of {nearest.module}"
    busy = wall_of_nearest > MOST_WAITING * cpu_of_nearest
    return cpu_ratio if busy else max(ratio, cpu_ratio), words + (" (busy machine)" if busy else "")


def show(cells: tuple[str, ...]) -> None:
    texts = [
        cell.ljust(width) if number < 2 else cell.rjust(width)
        for number, (cell, width) in enumerate(zip(cells, WIDTHS, strict=True))
    ]
    print("  ".join(texts), flush=True)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS, frozenset(sys.argv[2:])))
