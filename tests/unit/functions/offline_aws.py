# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients for the retry function without AWS: they give random answers and remember the calls."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from tests.unit.core.retry.samples import CAPACITY, ECS
from tests.unit.functions.loaded import LETTERS

QUOTED = ("the value {} is not valid", 'Unknown "{}"', "no: {}")


class OfflineAws:
    """``asked`` has the requests of RunTask, ``told`` everything that people may read, ``queued`` waiting messages.

    ``buries`` is false if the dead-letter queue refuses messages. Every schedule and rule has the same ``targets``.
    """

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.asked: list[dict[str, Any]] = []
        self.told: list[str] = []
        self.queued: list[str] = []
        self.buries = True
        self.targets: list[dict[str, Any]] = []
        self.quoting: Callable[[str], str] = repr

    def run_task(self, **request: Any) -> dict[str, Any]:
        json.dumps(request)
        self.asked.append(request)
        count, drawn = request["count"], self.chance.random()
        if drawn < 0.1:
            raise ReadTimeoutError(endpoint_url="https://ecs")
        if drawn < 0.4:
            code = self.chance.choice(
                ["ThrottlingException", "ServerException", "InvalidParameterException", "AccessDeniedException",
                 "ConflictException", "ClientException"]
            )  # fmt: skip
            raise self.error(code, self.chance.choice(QUOTED).format(self.quoting(self.chance.choice(values(request)))))
        started = self.chance.randint(0, count)
        tasks = [{"taskArn": f"{ECS}:task/prod/{self.chance.getrandbits(128):032x}"} for _time in range(started)]
        reason = self.chance.choice([CAPACITY, "AGENT", "ATTRIBUTE", "RESOURCE:CPU"])
        return {"tasks": tasks, "failures": [{"reason": reason}] if started < count else []}

    def list_tasks(self, **_asked: Any) -> dict[str, Any]:
        if self.chance.random() < 0.1:
            raise self.error("AccessDeniedException", "no")
        return {"taskArns": []}

    def send_message_batch(self, Entries: list[dict[str, Any]], **_more: Any) -> dict[str, Any]:  # noqa: N803
        failed = [each for each in Entries if self.chance.random() < 0.02]
        self.queued += [each["MessageBody"] for each in Entries if each not in failed]
        return {"Failed": [{"Id": each["Id"], "Code": "InternalError"} for each in failed]}

    def send_message(self, QueueUrl: str, MessageBody: str) -> dict[str, Any]:  # noqa: N803
        assert QueueUrl == LETTERS
        self.told.append(MessageBody)
        if not self.buries:
            raise self.error("QueueDoesNotExist", "The queue does not exist")
        return {}

    def publish(self, Subject: str, Message: str, **_more: Any) -> dict[str, Any]:  # noqa: N803
        assert Subject.isascii()
        assert len(Subject) <= 100
        self.told += [Subject, Message]
        return {}

    def list_schedules(self, NamePrefix: str, **_more: Any) -> dict[str, Any]:  # noqa: N803
        return {"Schedules": [{"Name": NamePrefix, "GroupName": str(number)} for number in range(len(self.targets))]}

    def get_schedule(self, GroupName: str, **_more: Any) -> dict[str, Any]:  # noqa: N803
        return {"Target": self.targets[int(GroupName)]}

    def list_rules(self, NamePrefix: str, **_more: Any) -> dict[str, Any]:  # noqa: N803
        return {"Rules": [{"Name": NamePrefix}]}

    def list_targets_by_rule(self, **_more: Any) -> dict[str, Any]:
        return {"Targets": self.targets}

    @staticmethod
    def error(code: str, message: str) -> ClientError:
        return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": {}}, "Call")


def values(value: Any) -> list[str]:
    """Return all texts inside overrides and tags, and one other text."""
    found, left = ["plain"], [value.get("overrides"), value.get("tags")]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left.extend(item for name, item in value.items() if name not in ("name", "key"))
        elif isinstance(value, list):
            left.extend(value)
        elif isinstance(value, str):
            found.append(value)
    return found
