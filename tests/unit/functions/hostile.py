# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw deliveries as AWS makes them, as an attacker forges them, and as no program would make them."""

from __future__ import annotations

import base64
import copy
import gzip
import html
import json
import random
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from ansible_collections.steadyops.ecs.plugins.module_utils._core.amounts import iso

from tests.unit.core.retry.samples import (
    ACCOUNT,
    CAPACITY,
    OWN_ROLE,
    ROLE,
    answer,
    caller,
    cloudtrail,
    event,
    messages,
    request,
    stopped,
    subscription,
)
from tests.unit.functions.offline_aws import QUOTED, values

SECRET = "S3cr3t"  # every value that nobody may read begins with it
MARK = "M4rk"  # every environment that nobody requested contains it
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
CLUSTERS, FAMILIES = ("prod", "default"), ("report", "import")
BOMB = gzip.compress(b" " * 30_000_000)
QUOTINGS: tuple[Callable[[str], str], ...] = (
    str, repr, json.dumps, html.escape, quote,
    lambda text: json.dumps(json.dumps(text)),
    lambda text: base64.b64encode(text.encode("utf-8", "surrogatepass")).decode(),
    lambda text: text[:20],
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 10**30, float("nan"), float("inf"), "", "x", "\ud800", "\x00", "***", HIDDEN, [], {}, [[]],
    [None], {"a": None}, {"": {}}, "a" * 2000, "arn:aws:ecs:::", "prod", "../../x", "{}", [{}], [[[[[[]]]]]],
)  # fmt: skip
WORDS = (
    CAPACITY,
    "AGENT",
    "RESOURCE:CPU",
    "ATTRIBUTE",
    "Rate exceeded",
    "x (ErrorCode: Throttling)",
    "VcpuLimitExceeded",
)
CODES = (
    "ThrottlingException", "ServerException", "AccessDenied", "InvalidParameterException", "ClientException", "Odd",
    "ClusterNotFoundException", "ConflictException",
)  # fmt: skip


class Source:
    """Draws deliveries. The same seed always gives the same deliveries."""

    def __init__(self, start: int) -> None:
        self.chance = random.Random(start)
        self.number = 0

    def one_of(self, *choices: Any) -> Any:
        return self.chance.choice(choices)

    def secret(self) -> str:
        self.number += 1
        ends = ("", " and 'more'", '"x"', "\\n\n", "<b>&", "ü\u20ac", "%20+", "\U0001f600", " " * 3 + "z")
        return f"{SECRET}-{self.chance.getrandbits(40):010x}{self.chance.choice(ends)}"

    def overrides(self, environment: Any) -> dict[str, Any]:
        container: dict[str, Any] = {"name": self.one_of("app", "side"), "command": [self.secret(), "run"]}
        if environment is not None:
            container["environment"] = environment
        found = {"containerOverrides": [container]}
        return found | self.one_of(
            {}, {"cpu": "512"}, {"taskRoleArn": ROLE}, {"executionRoleArn": ROLE, "memory": "1024"}
        )

    def asked(self, environment: Any = None) -> dict[str, Any]:
        """Return RunTask's parameters, most often for a job that may be retried."""
        whole = request(
            cluster=self.one_of("prod", "prod", "arn:aws:ecs:eu-central-1:111122223333:cluster/prod", "other"),
            taskDefinition=self.one_of("report", "report:7", "import", "secret-job"),
            count=self.one_of(1, 1, 3, 10, 11),
            startedBy=self.one_of(
                "pipeline", "chronos-schedule/nightly", "events-rule/nightly", "retry/1/00000000", "x"
            ),
            tags=[{"key": "team", "value": self.secret()}],
        )
        if self.chance.random() < 0.7:
            whole["overrides"] = self.overrides(environment)
        if self.chance.random() < 0.2:
            whole["enableExecuteCommand"] = True
        return whole

    def record(self) -> dict[str, Any]:
        """Return a record of RunTask in CloudTrail, whose environment is hidden in one way or another."""
        forged = [{"name": "TOKEN", "value": f"{SECRET}{MARK}"}]
        asked = self.asked(self.one_of(None, HIDDEN, HIDDEN, f"<{MARK}>", [MARK], {"TOKEN": MARK}, forged, []))
        who = self.one_of("events.amazonaws.com", "scheduler.amazonaws.com", "", "states.amazonaws.com")
        made = cloudtrail(
            asked,
            eventTime=iso(int(time.time()) - self.one_of(0, 0, 60, 100_000)),
            eventID=f"{self.chance.getrandbits(128):032x}",
            userIdentity=caller(self.one_of(ROLE, OWN_ROLE), invokedBy=who),
        )
        if self.chance.random() < 0.3:
            self.mutate(made)
        return self.refused(made)

    def refused(self, made: dict[str, Any]) -> dict[str, Any]:
        """Refuse the call with a reason that may quote a value of the request, or a hidden value."""
        words = self.one_of(*WORDS)
        if self.chance.random() < 0.4:
            shown = made.get("requestParameters")
            known = values(shown) if isinstance(shown, dict) else [self.secret()]
            if HIDDEN in json.dumps(shown, default=str):
                known.append(self.secret())
            words = self.one_of(*QUOTED).format(self.one_of(*QUOTINGS)(self.chance.choice(known)))
        if self.chance.random() < 0.5:
            made["responseElements"] = answer(self.one_of(0, 0, 1), words)
        else:
            made |= {"errorCode": self.one_of(*CODES), "errorMessage": words, "responseElements": None}
        return made

    def task(self) -> dict[str, Any]:
        """Return an event of a stopped task as ECS sends it: with the task's environment."""
        overrides = self.overrides([{"name": "TOKEN", "value": self.secret()}])
        words = self.one_of("Your Spot Task was interrupted.", "Host EC2 (instance i-1) terminated.", "?")
        if self.chance.random() < 0.3:
            words = self.one_of(*QUOTED).format(
                self.one_of(*QUOTINGS)(self.chance.choice(values({"overrides": overrides})))
            )
        made = stopped(
            self.one_of("SpotInterruption", "TaskFailedToStart", "TerminationNotice", "EssentialContainerExited"),
            words,
            overrides=overrides,
            taskArn=f"arn:aws:ecs:eu-central-1:{ACCOUNT}:task/prod/{self.chance.getrandbits(128):032x}",
            stoppedAt=iso(int(time.time())),
            containers=[{"name": "app", **self.one_of({}, {"exitCode": 0}, {"exitCode": 75})}],
        )
        if self.chance.random() < 0.2:
            detail = made["detail"]
            kept = detail["overrides"]
            self.mutate(detail)
            detail["overrides"] = kept  # its values are quoted in the reason
        return made

    def wish(self) -> str:
        """Return a message as the function writes it, or a slightly different one."""
        body: dict[str, Any] = {
            "kind": "steadyops.ecs.retry/1",
            "origin": f"{self.chance.getrandbits(64):x}",
            "at": time.time() - self.one_of(0, 0, 100_000),
            "region": self.one_of("eu-central-1", "eu-central-1", "us-east-1"),
            "request": self.asked([{"name": "TOKEN", "value": self.secret()}]),
            "missing": 1,
            "attempt": 1,
            "bears": 1,
            "token": "",
            "started": [],
        }
        if self.chance.random() < 0.4:
            body |= self.one_of(
                {"bears": 10**9, "attempt": 10**9}, {"attempt": 50, "bears": 1}, {"missing": 10**6}, {"missing": 0},
                {"at": float("nan")}, {"at": float("inf")}, {"at": -1}, {"origin": "\ud800"},
                {"started": ["a"] * 10**4},
                {"attempt": True}, {"token": 5}, {"region": "\n"}, {"attempt": 3, "bears": 3}, {"request": {}},
            )  # fmt: skip
        if self.chance.random() < 0.2:
            self.mutate(body)
        return json.dumps(body)

    def mutate(self, value: Any, times: int = 3) -> None:
        """Replace a part of the value with something odd, remove a part, or add an unknown one."""
        for _time in range(self.chance.randint(1, times)):
            inside = value
            while True:
                keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
                if not keys:
                    break
                key = self.chance.choice(keys)
                if isinstance(inside[key], (dict, list)) and inside[key] and self.chance.random() < 0.7:
                    inside = inside[key]
                    continue
                how = self.chance.random()
                if how < 0.2:
                    del inside[key]
                elif how < 0.3 and isinstance(inside, dict):
                    inside[self.one_of("unknown", "", "omitted", "name")] = copy.deepcopy(self.one_of(*ODD))
                else:
                    inside[key] = copy.deepcopy(self.one_of(*ODD))
                break

    def garbage(self) -> str:
        text = json.dumps(self.one_of(self.record, self.task)())
        return str(
            self.one_of(
                "", "{", "[" * 5000, "null", "[]", '"x"', "1" * 5000, text[: self.chance.randrange(len(text))],
                text.replace(":", "", 1), "\x00\ud800", '{"eventName": "RunTask"}', '{"kind": "steadyops.ecs.retry/1"}',
                '{"detail-type": "ECS Task State Change", "source": "aws.ecs"}', "{" + text + "}",
            )
        )  # fmt: skip

    def delivery(self, queued: list[str]) -> tuple[Any, int]:
        """Return an event of Lambda and how many items it has. ``queued`` messages are delivered sooner or later."""
        kind, size = self.chance.random(), self.chance.randint(1, 12)
        if kind < 0.35:
            texts = [
                json.dumps(self.record()) if self.chance.random() < 0.8 else self.garbage() for _time in range(size)
            ]
            return subscription(*texts, kind=self.one_of("DATA_MESSAGE", "DATA_MESSAGE", "CONTROL_MESSAGE")), size
        if kind < 0.6:
            made: Any = event(self.record()) if self.chance.random() < 0.6 else self.task()
            if self.chance.random() < 0.2:
                made |= self.one_of(
                    {"source": "x"}, {"account": "1"}, {"detail-type": "x"}, {"detail": None}, {"id": 1}
                )
            return made, 1
        if kind < 0.97:
            due = [queued.pop() for _time in range(min(size, len(queued)))]
            while len(due) < size:
                due.append(self.one_of(self.wish, self.wish, self.garbage, lambda: json.dumps(event(self.record())))())
            return messages(*due), size
        odd = self.one_of(
            None, [], "x", {}, {"Records": [None]}, {"Records": "x"}, {"awslogs": None}, {"awslogs": {"data": 1}}
        )
        return (packed(BOMB), 1) if self.chance.random() < 0.02 else (odd, 1)


def packed(content: bytes) -> dict[str, Any]:
    return {"awslogs": {"data": base64.b64encode(content).decode()}}
