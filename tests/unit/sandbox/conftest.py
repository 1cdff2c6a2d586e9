# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One sandbox for all tests of a process, empty before each, and a real mail server and web service outside AWS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.sandbox.client import Sandbox
from tests.sinks import Mailbox, Web, mailbox, web

from .aws import client

__all__ = ["Mailbox", "Web", "mailbox", "web"]

SPEED = 100
REGION = "eu-central-1"
NUMBER = "123456789012"
Aws = Callable[[str], Any]


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    with Sandbox.start(speed=SPEED) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.reset(speed=SPEED)
    return running


@pytest.fixture
def ecs(sandbox: Sandbox) -> Any:
    """ECS with a cluster and a task definition of two containers, and every event kept."""
    sandbox.settings(events=True)
    made = client(sandbox, "ecs")
    made.create_cluster(clusterName="default")
    containers = [
        {"name": "app", "image": "x", "memory": 64},
        {"name": "side", "image": "y", "memory": 64, "essential": False},
    ]
    made.register_task_definition(family="job", containerDefinitions=containers, networkMode="awsvpc")
    return made


@pytest.fixture
def events(running: Sandbox) -> Sandbox:
    """A faster sandbox, so retries do not wait for long."""
    running.reset(speed=500, latencies={"connection": 5.0})
    return running


@pytest.fixture(scope="session")
def clients() -> dict[tuple[str, str], Any]:
    return {}


@pytest.fixture
def aws(events: Sandbox, clients: dict[tuple[str, str], Any]) -> Aws:
    def client(service: str) -> Any:
        key = (events.url, service)
        if key not in clients:
            config = Config(retries={"max_attempts": 0}, parameter_validation=False)
            clients[key] = boto3.client(
                service,
                region_name=REGION,
                endpoint_url=events.url,
                aws_access_key_id="sandbox",
                aws_secret_access_key="sandbox",
                config=config,
            )
        return clients[key]

    return client
