# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The retry function with records and messages that nobody should write, but somebody may."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import random
import time
from typing import Any

import pytest

from tests.unit.core.retry.samples import OWN_ROLE, REGION, ROLE, request
from tests.unit.functions.hostile import CLUSTERS, FAMILIES, HIDDEN, MARK, QUOTINGS, SECRET, Source
from tests.unit.functions.loaded import CONTEXT, LETTERS, QUEUE, TOPIC, loaded
from tests.unit.functions.offline_aws import OfflineAws

CLIENTS = (("ecs", True), *((name, False) for name in ("ecs", "sqs", "sns", "scheduler", "events")))
KNOWN = [{"name": "TOKEN", "value": f"{SECRET}-of-the-template"}]
OPTIONS = {
    "clusters": list(CLUSTERS),
    "families": list(FAMILIES),
    "max_attempts": 4,
    "own_role_arns": [OWN_ROLE],
    "trusted_callers": [ROLE],
    "rebuild_hidden": True,
    "stopped_tasks": ["spot", "host_loss", "failed_to_start"],
    "launch_templates": {
        "report": {
            "networkConfiguration": request()["networkConfiguration"],
            "overrides": {"containerOverrides": [{"name": "app", "environment": KNOWN}]},
        }
    },
}
SECRETS = (SECRET.lower(), base64.b64encode(SECRET.encode()).decode().lower(), SECRET.encode().hex())
ROUND = 5000  # number of records that one process handles with the same memory


def fuzz(folder: Any, start: int, most: int) -> dict[str, int]:
    """Handle this many records and messages. Return the counts of what became of them."""
    seen = {"records": 0, "calls": 0, "told": 0, "lost": 0}
    with loaded(folder) as function:
        while seen["records"] < most:
            source = Source(start + seen["records"])
            aws = OfflineAws(random.Random(start))
            function.handler.handled.clear()
            function.aws._clients.update({(name, REGION, once): aws for name, once in CLIENTS})
            begun = seen["records"]
            while seen["records"] - begun < min(ROUND, most):
                seen["records"] += handle(function.handler, aws, source, seen)
            seen["calls"] += len(aws.asked)
            seen["told"] += len(aws.told)
            for asked in aws.asked:
                check_call(asked)
    return seen


def handle(handler: Any, aws: OfflineAws, source: Source, seen: dict[str, int]) -> int:
    aws.quoting = source.one_of(*QUOTINGS)
    aws.buries = source.chance.random() > 0.01
    aws.targets = [target(source) for _time in range(source.chance.choice([0, 1, 1, 2]))]
    delivery, size = source.delivery(aws.queued)
    printed, before = io.StringIO(), len(aws.told)
    try:
        with contextlib.redirect_stdout(printed):
            found = handler.handler(delivery, CONTEXT)
        assert found.keys() == {"batchItemFailures"}
    except RuntimeError:  # Lambda delivers the event again, as the dead-letter queue refused it
        if aws.buries:
            raise
        seen["lost"] += 1
    shown = [printed.getvalue(), *aws.told[before:]]
    for text in shown:
        assert not any(secret in text.lower() for secret in SECRETS), text
        text.encode()  # so that it can be printed and sent
        assert len(text) < 250_000
    assert all(isinstance(json.loads(line), dict) for line in printed.getvalue().splitlines())
    return size


def target(source: Source) -> dict[str, Any]:
    """Return the target of a schedule or a rule, most often of the one that made the call."""
    overrides = {"containerOverrides": [{"name": "app", "command": ["run"], "environment": KNOWN}]}
    more = source.one_of({}, {}, {"Input": "<aws.scheduler.execution-id>"}, {"Input": "no JSON"}, {"Input": HIDDEN})
    parameters = source.one_of({"TaskDefinitionArn": "report"}, {"TaskDefinitionArn": "other"}, {})
    return {"Arn": "prod", "Input": json.dumps(overrides), "EcsParameters": parameters, **more}


def check_call(asked: dict[str, Any]) -> None:
    """Assert that a call is for a job that the options name, and contains nothing that nobody requested."""
    assert asked.get("cluster", "default").rpartition("/")[2] in CLUSTERS
    assert asked["taskDefinition"].rpartition("/")[2].partition(":")[0] in FAMILIES
    assert 1 <= asked["count"] <= 10
    assert asked["startedBy"].startswith("retry/")
    assert int(asked["startedBy"].split("/")[1]) <= OPTIONS["max_attempts"]
    assert not asked.get("enableExecuteCommand")
    overrides = asked.get("overrides", {})
    assert not {"taskRoleArn", "executionRoleArn"} & overrides.keys()
    for container in overrides.get("containerOverrides", []):
        for each in container.get("environment", []):
            assert each.keys() <= {"name", "value"}
            assert MARK not in json.dumps(each)
    assert HIDDEN not in json.dumps(overrides)
    assert MARK not in json.dumps(overrides)


@pytest.mark.parametrize("most", [1000, pytest.param(100_000, marks=pytest.mark.long)])
def test_hostile_records_and_messages(tmp_path, monkeypatch, most):
    environment = {"RETRY_QUEUE_URL": QUEUE, "DEAD_LETTER_QUEUE_URL": LETTERS, "TOPIC_ARN": TOPIC, "AWS_REGION": REGION}
    for name, value in {**environment, "RETRY_OPTIONS": json.dumps(OPTIONS)}.items():
        monkeypatch.setenv(name, value)
    begun = time.process_time()
    seen = fuzz(tmp_path, 1, most)
    print(f"{seen}: {time.process_time() - begun:.1f} s of processor time")
    assert seen["records"] >= most
    assert seen["calls"] > most / 40
    assert seen["told"] > most / 10
