# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox as a WSGI application: it applies faults, answers its own operations and passes the rest to moto."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any

from werkzeug.test import run_wsgi_app

from . import wire
from .account import Account
from .call_faults import AFTERWARDS, CallFault
from .control import endpoint as control
from .delivery import sns_api, sqs_api
from .ecs import (
    autoscaling_api,
    cloudtrail,
    elb_api,
)
from .ecs import (
    run_task as ecs_run_task,
)
from .ecs import (
    services as ecs_services,
)
from .ecs import (
    tags as ecs_tags,
)
from .ecs import (
    tasks as ecs_tasks,
)
from .ecs.operation import operations_of
from .events import api_destinations, connections_api
from .events import routing as event_routing
from .events import rules as event_rules
from .functions import api as lambda_api
from .functions import log_subscriptions, logs_policies, tables
from .model.state import SandboxError
from .states import api as states_api
from .wire import Answer, Call

OWN: dict[str, dict[str, Callable[[Account, Call], Any]]] = {
    "ecs": operations_of(ecs_services, ecs_tasks, ecs_run_task, ecs_tags),
    "application-autoscaling": autoscaling_api.OPERATIONS,
    "elasticloadbalancing": elb_api.OPERATIONS,
    "vpc-lattice": elb_api.LATTICE,
    "events": {**event_rules.OPERATIONS, **connections_api.OPERATIONS, **api_destinations.OPERATIONS},
    "sns": sns_api.OPERATIONS,
    "sqs": sqs_api.OPERATIONS,
    "logs": {**logs_policies.OPERATIONS, **log_subscriptions.OPERATIONS},
    "lambda": lambda_api.OPERATIONS,
    "dynamodb": tables.OPERATIONS,
    "states": states_api.OPERATIONS,
}


class Sandbox:
    def __init__(self, account: Account) -> None:
        lambda_api.tell_of_dead_letters(account)
        self.account = account
        account.ask_aws = self.ask
        account.route = event_routing.route

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/_sandbox"):
            answer: Answer | None = control.answer(self.account, environ)
        else:
            answer = self.serve(environ)
        if answer is None:
            return cut(environ)
        if not any(name.lower() == "content-length" for name, _value in answer.headers):
            answer.headers.append(("Content-Length", str(sum(map(len, answer.body)))))
        start_response(f"{answer.status} {'OK' if answer.status < 300 else 'Error'}", answer.headers)
        return answer.body

    def serve(self, environ: dict[str, Any]) -> Answer | None:
        """Return the answer to a call, or None to reset the connection without an answer."""
        account = self.account
        call = wire.read(environ, account.region)
        with account.lock:
            line = note(account, call)
            faults = [fault for fault in account.faults if fault.strikes(call, account.chance)]
            delay = account.latency + sum(fault.seconds for fault in faults if fault.kind == "slow")
        time.sleep(delay / account.speed)
        before = [fault for fault in faults if fault.kind not in (*AFTERWARDS, "slow")]
        after = [fault for fault in faults if fault.kind in AFTERWARDS]
        if before and not before[0].carried_out:
            answer = wire.error(call, before[0].error(call))
        elif after and after[0].kind == "silent":
            line["outcome"] = "silent, not carried out"
            wait_for_release(account, environ)
            return None
        elif after and not after[0].carried_out:
            line["outcome"] = "reset, not carried out"
            return None
        else:
            answer = self.carry_out(call, environ)
            if before:
                answer = wire.error(call, before[0].error(call))
                answer.outcome += ", carried out"
        line["outcome"] = answer.outcome
        cloudtrail.record(account, call, answer)
        for fault in after:
            if not self.deliver(fault, line, environ):
                return None
        return answer

    def carry_out(self, call: Call, environ: dict[str, Any]) -> Answer:
        handler = handler_of(call)
        try:
            if handler:
                value = handler(self.account, call)
                if value is not None:
                    return value if isinstance(value, Answer) else wire.answer(call, value)
        except SandboxError as problem:
            return wire.error(call, problem)
        except KeyError as missing:
            return wire.error(call, SandboxError("ClientException", f"{missing} is required."))
        return self.pass_on(environ)

    def ask(self, service: str, region: str, operation: str, parameters: dict[str, Any]) -> Any:
        """Make a call from one AWS service to another. Faults do not strike it and the journal omits it."""
        call = Call(service, operation, region, "json", parameters)
        handler = handler_of(call)
        value = handler(self.account, call) if handler else None
        return value if value is not None else self.account.ask_moto(service, region, operation, parameters)

    def pass_on(self, environ: dict[str, Any]) -> Answer:
        """Return moto's answer to the request."""
        environ["wsgi.input"].seek(0)
        chunks, status, headers = run_wsgi_app(self.account.moto, environ)
        if environ["PATH_INFO"] == "/moto-api/reset":
            self.account.forget_deliveries()
        code = int(status.split()[0])
        kept = [(name, value) for name, value in headers if name.lower() not in ("date", "server")]
        outcome = "ok" if code < 400 else headers.get("x-amzn-errortype", f"HTTP {code}")
        return Answer(code, kept, [b"".join(chunks)], outcome)

    def deliver(self, fault: CallFault, line: dict[str, Any], environ: dict[str, Any]) -> bool:
        """Apply a fault that withholds the answer. Return whether the answer reaches the client after all."""
        account = self.account
        if fault.kind == "connection_reset":
            line["outcome"] += ", reset"
            return False
        outcome, line["outcome"] = line["outcome"], "held"
        released = wait_for_release(account, environ)
        line["outcome"] = f"{outcome}, held, {'released' if released else 'client gone'}"
        return released


def wait_for_release(account: Account, environ: dict[str, Any]) -> bool:
    """Wait for the act `release`. Return False if the client disconnects first."""
    with account.lock:
        releases = account.releases
        while account.releases == releases:
            if gone(environ["werkzeug.socket"]):
                return False
            account.released.wait(0.02)
    return True


def handler_of(call: Call) -> Callable[[Account, Call], Any] | None:
    """Return the sandbox's handler for a call, or None. REST operations are paths in which a star matches any text."""
    known = OWN.get(call.service, {})
    if call.protocol != "rest":
        return known.get(call.operation)
    return next((known[each] for each in known if fnmatchcase(call.operation, each)), None)


def note(account: Account, call: Call) -> dict[str, Any]:
    line = {
        "number": len(account.calls) + 1,
        "time": time.time(),
        "service": call.service,
        "operation": call.operation,
        "region": call.region,
        "parameters": {key: shorten(value) for key, value in call.parameters.items()},
        "write": call.write,
        "agent": call.agent,
        "access_key": call.access_key,
        "outcome": "under way",
    }
    account.calls.append(line)
    return line


def shorten(value: Any) -> Any:
    """Shorten a value for the journal: a long list becomes its length, a long text is cut off."""
    if isinstance(value, list) and len(value) > 10:
        return f"{len(value)} items"
    return f"{value[:500]}..." if isinstance(value, str) and len(value) > 500 else value


def gone(connection: socket.socket) -> bool:
    """Return whether the other end closed the connection, as the kernel does for a process that was killed."""
    readable, *_others = select.select([connection], [], [], 0)
    try:
        return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


class Cut(ConnectionError):
    """Raised to close a connection on purpose."""


def cut(environ: dict[str, Any]) -> Iterable[bytes]:
    """Reset the connection: the client sees ECONNRESET instead of an answer."""
    connection: socket.socket = environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise Cut
