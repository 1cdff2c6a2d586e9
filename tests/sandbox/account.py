# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The AWS account that the sandbox simulates: a cluster model for each region, moto, settings and the journal."""

from __future__ import annotations

import json
import os
import random
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import Client

from .agenda import Agenda
from .call_faults import CallFault
from .delivery.faults import DeliveryFault
from .delivery.queue import DeliveryQueue
from .ecs import events as ecs_events
from .model.latencies import Latencies
from .model.scheduler import Cluster
from .model.state import SandboxError

if TYPE_CHECKING:
    from .events.api_destinations import ApiDestination
    from .events.connections import Connection

# Moto's hundreds of machine images take most of the time and memory of a target group's VPC; nothing uses them.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")

NUMBER = "123456789012"  # moto's account
TARGETS = {
    "dynamodb": "DynamoDB_20120810",
    "ecs": "AmazonEC2ContainerServiceV20141113",
    "application-autoscaling": "AnyScaleFrontendService",
    "events": "AWSEvents",
    "sqs": "AmazonSQS",
    "states": "AWSStepFunctions",
    "logs": "Logs_20140328",
    "kinesis": "Kinesis_20131202",
    "firehose": "Firehose_20150804",
}


class Moto(DomainDispatcherApplication):
    """Moto's server with a cache: moto searches all its folders on each call, which takes longer than most calls."""

    @lru_cache(maxsize=1000)  # noqa: B019 - there is one of it
    def get_backend_for_host(self, host: str | None) -> Any:
        return super().get_backend_for_host(host)


class Account:
    """The account's state. Hold ``lock`` to use it, but not while moto handles a call: moto may call back over HTTP."""

    number = NUMBER

    def __init__(self, speed: float = 1.0, region: str = "eu-central-1") -> None:
        self.lock = threading.RLock()
        self.released = threading.Condition(self.lock)
        self.moto = Moto(create_backend_app)
        self.region = region
        self.speed = speed
        self.own = Latencies(ending=10.0)
        self.url = ""  # of the server, once it runs
        # The application replaces both: ask_aws then also reaches the sandbox's own operations, route the rules.
        self.ask_aws: Callable[[str, str, str, dict[str, Any]], Any] = self.ask_moto
        self.route: Callable[[Account, str, str, dict[str, Any], int], None] = lambda *_event: None
        self.queue = DeliveryQueue()
        self.forget()

    def forget(self) -> None:
        """Reset everything but the speed and the latencies. This does not reset moto."""
        self.clusters: dict[str, Cluster] = {}
        for each in getattr(self, "sockets", []):
            each.close()
        self.sockets: list[socket.socket] = []  # endpoints that do not answer
        self.faults: list[CallFault] = []
        self.calls: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []  # what the services have emitted: see events/bus.py
        self.chance = random.Random(1)
        self.clock_offset = 0.0
        self.latency = 0.0
        self.releases = 0  # how often held answers have been released
        self.definitions: dict[str, dict[str, Any]] = {}  # task definitions never change
        self.requests: dict[str, dict[str, Any]] = {}  # service ARN -> parameters of CreateService
        self.task_requests: dict[str, dict[str, Any]] = {}  # task ARN -> parameters of RunTask or StartTask
        self.run_tokens: dict[tuple[str, str, str], tuple[dict[str, Any], list[str]]] = {}  # of RunTask
        self.waiters: dict[str, list[Callable[[], None]]] = {}  # task ARN -> callbacks for when it is STOPPED
        self.agenda = Agenda()
        self.sessions: dict[tuple[str, str, str], dict[str, str]] = {}  # of roles that services assume
        self.service_sessions: dict[str, str] = {}  # access key -> states.amazonaws.com
        self.clients: dict[tuple[str, str, str, str], Any] = {}
        self.timers: dict[str, Any] = {}  # of schedules, by ARN
        self.batches: set[str] = set()  # event source mappings whose function is running
        self.executions: dict[str, Any] = {}  # of state machines, by ARN
        self.cloudtrail = False  # whether to record calls even without a trail
        self.redact = ["overrides.containerOverrides.environment"]  # the parts of a request that CloudTrail hides
        self.emit = False  # whether to emit events even if there is no rule
        self.known: set[tuple[str, str]] = set()  # (region, cluster) that moto has
        self.stop_task_drains = False
        self.own_revision = False
        self.digests: dict[str, str] = {}  # image -> digest that ECS has resolved
        self.smtp = ""  # "127.0.0.1:2525"
        self.routes: dict[str, str] = {}  # origin -> origin on loopback
        self.forget_deliveries()

    def forget_deliveries(self) -> None:
        """Reset the state that must not outlive moto's: /moto-api/reset resets this, too."""
        self.queue.forget()
        self.deliveries: list[dict[str, Any]] = []  # see delivery/attempts.py
        self.delivery_faults: list[DeliveryFault] = []
        self.connections: dict[tuple[str, str], Connection] = {}  # (region, name)
        self.api_destinations: dict[tuple[str, str], ApiDestination] = {}
        self.function_dead_letters: dict[str, str] = {}  # function ARN -> ARN of its own dead-letter queue
        self.log_policies: dict[tuple[str, str], dict[str, Any]] = {}  # (region, ARN of the log group)
        self.confirmations: dict[str, tuple[Any, str]] = {}  # token -> moto's subscription, and its future ARN

    def configure(
        self,
        speed: float | None = None,
        latencies: dict[str, float] | None = None,
        clock_offset: float | None = None,
        latency: float | None = None,
        seed: int | None = None,
        events: bool | None = None,
        cloudtrail: bool | None = None,
        redact: list[str] | None = None,
        smtp: str | None = None,
        routes: dict[str, str] | None = None,
        stop_task_drains: bool | None = None,
        own_revision: bool | None = None,
    ) -> None:
        """Change settings; None keeps the current value.

        ``latencies`` and ``latency`` (of every call) are in AWS's seconds, ``clock_offset`` is in real seconds.
        ``events``: emit the events of services even while the default bus has no rule.
        ``cloudtrail``: record calls even without a trail.
        ``stop_task_drains``: see model/tasks.drains. ``own_revision``: see model/services.replace_lost.
        ``redact``: paths in RunTask's parameters that CloudTrail hides; by default, the environment of overrides.
        ``smtp``: host:port of a mail server. ``routes``: origin -> origin on loopback that answers for it; the new
        routes replace all earlier ones.
        """
        if speed is not None:
            if speed <= 0:
                raise ValueError("speed has to be above 0")
            self.speed = speed
        self.own = replace(self.own, **(latencies or {}))
        if clock_offset is not None:
            self.clock_offset = clock_offset
        if latency is not None:
            self.latency = latency
        if seed is not None:
            self.chance.seed(seed)
        self.emit = self.emit if events is None else events
        self.cloudtrail = self.cloudtrail if cloudtrail is None else cloudtrail
        self.redact = self.redact if redact is None else redact
        if smtp is not None:
            self.smtp = smtp
        if routes is not None:
            self.routes = {origin.lower().rstrip("/"): there.rstrip("/") for origin, there in routes.items()}
        self.stop_task_drains = self.stop_task_drains if stop_task_drains is None else stop_task_drains
        self.own_revision = self.own_revision if own_revision is None else own_revision
        for cluster in self.clusters.values():
            cluster.own_revision = self.own_revision
            cluster.latencies = self.own.divided(self.speed)
            cluster.stop_task_drains = self.stop_task_drains

    def cluster(self, region: str | None = None) -> Cluster:
        """Return the model of a region, advanced to the present; create it if necessary."""
        region, now = region or self.region, time.time()
        if region not in self.clusters:
            chance, latencies = random.Random(self.chance.random()), self.own.divided(self.speed)
            made = self.clusters[region] = Cluster(chance, now, latencies, f"arn:aws:ecs:{region}:{NUMBER}")
            made.waits_for_protected, made.stop_task_drains = True, self.stop_task_drains
            made.own_revision = self.own_revision
            made.on_task = partial(ecs_events.task_changed, self, region)
            made.on_occurrence = partial(ecs_events.occurred, self, region)
        self.clusters[region].advance(now)
        return self.clusters[region]

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Run ``action`` after this many of AWS's seconds, without holding the lock."""
        with self.lock:
            self.agenda.at(time.time() + seconds / self.speed, action)

    def background(self, action: Callable[[], None]) -> None:
        """Run an ``action`` that may take long in a thread, without holding the lock."""
        threading.Thread(target=action, daemon=True).start()

    def strike(self, kind: str, line: dict[str, Any]) -> DeliveryFault | None:
        """Return an active fault of this kind that strikes the target, delivery or connection, or None."""
        with self.queue.changed:
            for fault in self.delivery_faults:
                if fault.kind == kind and fault.strikes(line, self.chance):
                    return fault
        return None

    def now(self) -> float:
        """Return the time on AWS's clock, which may be ahead of or behind the client's."""
        return time.time() + self.clock_offset

    def stamp(self, instant: float | None) -> float | None:
        """Convert an instant of a model to AWS's clock, rounded to milliseconds."""
        return None if instant is None else round(instant + self.clock_offset, 3)

    # -- moto ---------------------------------------------------------------------------------------------------

    def ask_moto(self, service: str, region: str, operation: str, parameters: dict[str, Any]) -> Any:
        """Call moto in this process. Return decoded JSON for JSON services, the XML text for the others."""
        scope = f"AWS4-HMAC-SHA256 Credential=sandbox/20200101/{region}/{service}/aws4_request, SignedHeaders=host"
        headers = {"Authorization": scope}
        if service in TARGETS:
            headers["X-Amz-Target"] = f"{TARGETS[service]}.{operation}"
            data, kind = json.dumps(parameters), "application/x-amz-json-1.1"
        else:
            data, kind = urlencode({"Action": operation, **parameters}), "application/x-www-form-urlencoded"
        answer = Client(self.moto).post("/", data=data, headers=headers, content_type=kind)
        if service not in TARGETS:
            return answer.text
        value = json.loads(answer.text or "{}")
        if answer.status_code >= 400:
            code = answer.headers.get("x-amzn-errortype") or str(value.get("__type", "ClientException"))
            text = value.get("message") or value.get("Message") or ""
            raise SandboxError(code.rsplit("#", 1)[-1], text, answer.status_code)
        return value

    def need_cluster(self, region: str, name: str) -> None:
        if (region, name) not in self.known:
            found = self.ask_moto("ecs", region, "DescribeClusters", {"clusters": [name]})["clusters"]
            if not found or found[0].get("status") != "ACTIVE":
                raise SandboxError("ClusterNotFoundException", "Cluster not found.")
            self.known.add((region, name))

    def definition(self, region: str, name: str) -> dict[str, Any]:
        """Return a task definition by ARN, ``family:revision`` or family."""
        if name not in self.definitions:
            try:
                answer = self.ask_moto("ecs", region, "DescribeTaskDefinition", {"taskDefinition": name})
            except SandboxError as problem:
                raise SandboxError("ClientException", "Unable to describe task definition.") from problem
            found: dict[str, Any] = answer["taskDefinition"]
            if ":" not in name:
                return found  # the latest revision, which may change
            self.definitions[name] = self.definitions[found["taskDefinitionArn"]] = found
        return self.definitions[name]
