# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control endpoint, /_sandbox/, with which tests and demonstrations control the sandbox. JSON in, JSON out.

Durations are AWS's seconds: the sandbox divides them by its speed. See README.md beside this file.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl

from moto.moto_api._internal.models import moto_api_backend

from ..account import NUMBER, Account
from ..call_faults import KINDS, CallFault
from ..delivery import sns_api
from ..delivery.faults import KINDS as DELIVERY_KINDS
from ..delivery.faults import DeliveryFault
from ..ecs import load_balancer
from ..events import bus as event_bus
from ..model.faults import MIDWAY, STANDING, Fault
from ..model.programs import read_program
from ..model.state import SandboxError
from ..wire import Answer
from . import acts, staging

PREFIX = "/_sandbox/"
Handler = Callable[[Account, Any], Any]


def answer(account: Account, environ: dict[str, Any]) -> Answer:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    key = (environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix(PREFIX).strip("/"))
    try:
        asked: Any = dict(parse_qsl(environ["QUERY_STRING"]))
        if length:
            given = json.loads(environ["wsgi.input"].read(length))
            asked = given if isinstance(given, list) else {**asked, **given}
        handler = ROUTES.get(key)
        if handler is None:
            known = ", ".join(f"{method} {PREFIX}{path}" for method, path in ROUTES)
            return reply(404, {"error": f"no such page; there are {known}"})
        if handler in WITHOUT_LOCK:
            return reply(200, handler(account, asked))
        with account.lock:
            return reply(200, handler(account, asked))
    except SandboxError as problem:
        return reply(400, {"error": str(problem), "code": problem.code})
    except (KeyError, TypeError, ValueError, LookupError) as problem:
        return reply(400, {"error": f"{type(problem).__name__}: {problem}"})


def reply(status: int, value: Any) -> Answer:
    return Answer(status, [("Content-Type", "application/json")], [json.dumps(value, indent=1).encode()])


def reset(account: Account, asked: dict[str, Any]) -> dict[str, Any]:
    """Reset the sandbox and moto: no services, no faults, an empty journal. Takes the parameters of `settings`."""
    moto_api_backend.reset()
    account.forget()
    return settings(account, asked)


def settings(account: Account, asked: dict[str, Any]) -> dict[str, Any]:
    account.configure(**asked)
    return {
        "speed": account.speed,
        "clock_offset": account.clock_offset,
        "latency": account.latency,
        "region": account.region,
        "events": account.emit,
        "cloudtrail": account.cloudtrail,
        "redact": account.redact,
        "latencies": account.own.__dict__,
        "stop_task_drains": account.stop_task_drains,
        "own_revision": account.own_revision,
        "smtp": account.smtp,
        "routes": account.routes,
    }


def journal(account: Account, asked: dict[str, Any]) -> dict[str, Any]:
    """Return calls and changes, oldest first: calls after number `since`, changes from the instant `since_time` on."""
    changes = [
        {**change._asdict(), "region": region}
        for region, cluster in account.clusters.items()
        for change in account.cluster(region).journal
        if change.time >= float(asked.get("since_time", 0))
    ]
    calls = account.calls[int(asked.get("since", 0)) :]
    wanted = asked.get("service")
    return {"calls": calls, "changes": [c for c in changes if wanted in (None, c["service"])]}


def events(account: Account, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the events of the buses after number `since`: {"time", "region", "bus", "event"}, oldest first."""
    return account.events[int(asked.get("since", 0)) :]


def publish(account: Account, asked: dict[str, Any]) -> dict[str, Any]:
    """Publish an event as if an AWS service had emitted it. Missing envelope fields are filled in."""
    region = asked.pop("region", None) or account.region
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "",
        "source": "",
        "account": NUMBER,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(account.now())),
        "region": region,
        "resources": [],
        "detail": {},
        **asked,
    }
    event_bus.publish(account, region, event)
    return event


def deliveries(account: Account, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Return deliveries (see delivery/attempts.py) after number `since`; `rule` (name) and `event` (id) limit them."""
    with account.queue.changed:
        lines = [{**line, "attempts": list(line["attempts"])} for line in account.deliveries]
    lines = lines[int(asked.get("since", 0)) :]
    rule, event = asked.get("rule"), asked.get("event")
    named = [line for line in lines if rule in (None, (line["rule"] or "").rsplit("/", 1)[-1])]
    return [line for line in named if event in (None, line["event"])]


def settle(account: Account, asked: dict[str, Any]) -> dict[str, Any]:
    """Wait up to `timeout` real seconds until no delivery is under way. If `retries` is false, ignore retries."""
    return account.queue.settle(float(asked.get("timeout", 30)), bool(asked.get("retries", True)))


def confirm(account: Account, asked: dict[str, Any]) -> dict[str, Any]:
    """Confirm a subscription. This is the page behind the link in a confirmation mail."""
    return {"confirmed": sns_api.confirm(account, asked["token"]).arn}


def state(account: Account, _asked: dict[str, Any]) -> dict[str, Any]:
    """Return the true current state. It is never stale, whatever faults are on."""
    return {
        **settings(account, {}),
        "now": account.now(),
        "calls": len(account.calls),
        "faults": faults(account, {}),
        "services": [
            acts.describe(account, region, service)
            for region in list(account.clusters)
            for service in account.cluster(region).services.values()
        ],
    }


def switch_on(account: Account, asked: Any) -> list[dict[str, Any]]:
    """Switch on one fault or a list of faults: {"kind": ..., and the parameters of that kind}."""
    for each in asked if isinstance(asked, list) else [asked]:
        details = dict(each)
        region = details.pop("region", None)
        if details.get("kind") in KINDS:
            account.faults.append(CallFault(**details))
        elif details.get("kind") in DELIVERY_KINDS:
            account.delivery_faults.append(DeliveryFault(**details))
        elif details.get("kind") in STANDING or details.get("kind") in MIDWAY:
            fault = account.cluster(region).fault(**details)
            fault.seconds /= account.speed
        else:
            raise ValueError(
                f"no such fault: {details.get('kind')}; there are "
                f"{', '.join([*KINDS, *STANDING, *MIDWAY, *DELIVERY_KINDS])}"
            )
    return faults(account, {})


def faults(account: Account, _asked: dict[str, Any]) -> list[dict[str, Any]]:
    inside: list[Fault] = [fault for cluster in account.clusters.values() for fault in cluster.faults.on]
    return [dict(fault.__dict__) for fault in [*account.faults, *account.delivery_faults, *inside]]


def switch_off(account: Account, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Switch off all faults, or those of one `kind`, and release held answers."""
    kind = asked.get("kind")
    account.faults = [fault for fault in account.faults if kind not in (None, fault.kind)]
    account.delivery_faults = [fault for fault in account.delivery_faults if kind not in (None, fault.kind)]
    for cluster in account.clusters.values():
        cluster.clear_faults(kind)
    acts.release(account)
    return faults(account, {})


def programs(account: Account, asked: Any) -> dict[str, Any]:
    """Set what a family's tasks do: {"family", and the fields of a program}, or {"family", "programs": [...]}."""
    for each in asked if isinstance(asked, list) else [asked]:
        details = dict(each)
        family, region = details.pop("family"), details.pop("region", None)
        given = details.pop("programs", None) or ([details] if details else [])
        read = [read_program(one).divided(account.speed) for one in given]
        account.cluster(region).programs.put(family, read)
    known = [cluster.programs.families for cluster in account.clusters.values()]
    return {family: [asdict(one) for one in each] for families in known for family, each in families.items()}


ROUTES: dict[tuple[str, str], Handler] = {
    ("POST", "reset"): reset,
    ("POST", "settings"): settings,
    ("GET", "journal"): journal,
    ("GET", "events"): events,
    ("POST", "publish"): publish,
    ("GET", "deliveries"): deliveries,
    ("POST", "settle"): settle,
    ("GET", "confirm"): confirm,
    ("GET", "request"): load_balancer.request,
    ("GET", "state"): state,
    ("GET", "faults"): faults,
    ("POST", "faults"): switch_on,
    ("DELETE", "faults"): switch_off,
    ("POST", "services"): staging.stage,
    ("POST", "programs"): programs,
    ("POST", "act"): acts.act,
}
WITHOUT_LOCK = (settle, deliveries, load_balancer.request)  # they wait, or use a lock of their own
