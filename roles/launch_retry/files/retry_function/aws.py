# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The AWS calls of the retry function. They use the runtime's botocore: boto3 would take a fifth longer to start."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from _core.retry.callers import MOST_CANDIDATES, SCHEDULE, Caller
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.session import get_session

AT_ONCE = 10  # messages that one call can send
ENOUGH = 100_000  # characters after which a call is made; SQS still accepts it with one more message

# RunTask is not repeated here, so that every answer goes through the retry decision.
_PATIENT = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 5})
_ONCE = Config(connect_timeout=3, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 1})

_PARAMETER = re.compile(r"parameter (?:in )?([A-Za-z_.\[\]0-9]{1,80})")

_SESSION = get_session()
_clients: dict[tuple[str, str, bool], Any] = {}


class CallFailed(Exception):
    """A call returned an error or no answer. ``status`` is the HTTP status, 0 when unknown."""

    def __init__(self, code: str, message: str, status: int = 0) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


class Unsent(Exception):
    """Some messages could not be put into the queue. ``entries`` are pairs of what they are about and why."""

    def __init__(self, entries: list[tuple[Any, str]]) -> None:
        super().__init__(f"{len(entries)} messages were not sent")
        self.entries = entries


class Aws:
    """The environment says where messages go; see ``handler``."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._region = environment["AWS_REGION"]
        self._queue = environment["RETRY_QUEUE_URL"]
        self._dead_letters = environment.get("DEAD_LETTER_QUEUE_URL", "")
        self._topic = environment.get("TOPIC_ARN", "")
        self._waiting: list[tuple[str, int, Any]] = []

    def run_task(self, region: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Call RunTask and return its answer. Raises ``CallFailed``."""
        return _asked(lambda: _client("ecs", region, once=True).run_task(**request))

    def tasks_of(self, region: str, cluster: str, started_by: str) -> list[str]:
        """Return the ARNs of the running tasks with this ``startedBy``."""
        answer = _asked(lambda: _client("ecs", region).list_tasks(cluster=cluster, startedBy=started_by))
        return list(answer["taskArns"])

    def targets_of(self, region: str, caller: Caller) -> list[dict[str, Any]]:
        """Return the targets of the schedules or rules that may be the caller. Stop once there are too many."""
        if caller.kind == SCHEDULE:
            return self._schedules(region, caller)
        events = _client("events", region)
        targets: list[dict[str, Any]] = []
        for page in _pages(lambda **more: events.list_rules(NamePrefix=caller.name, **more)):
            for rule in page["Rules"]:
                if caller.is_named(rule["Name"]) and len(targets) <= MOST_CANDIDATES:
                    name = rule["Name"]
                    for found in _pages(lambda name=name, **more: events.list_targets_by_rule(Rule=name, **more)):
                        targets += found["Targets"]
        return targets

    def _schedules(self, region: str, caller: Caller) -> list[dict[str, Any]]:
        scheduler = _client("scheduler", region)
        targets: list[dict[str, Any]] = []
        for page in _pages(lambda **more: scheduler.list_schedules(NamePrefix=caller.name, **more)):
            for each in page["Schedules"]:
                if caller.is_named(each["Name"]) and len(targets) <= MOST_CANDIDATES:
                    names = {"Name": each["Name"], "GroupName": each["GroupName"]}
                    targets.append(_asked(lambda names=names: scheduler.get_schedule(**names))["Target"])
        return targets

    def send_later(self, body: str, delay: int, about: Any) -> None:
        """Queue a message for the next ``send_off``."""
        self._waiting.append((body, delay, about))

    def send_off(self, full: bool = False) -> None:
        """Send the waiting messages; with ``full``, only if they fill a call. Raises ``Unsent`` for those not sent."""
        sent = self._waiting
        if not sent or (full and len(sent) < AT_ONCE and sum(len(body) for body, _delay, _about in sent) < ENOUGH):
            return
        self._waiting = []
        entries = [
            {"Id": str(number), "MessageBody": body, "DelaySeconds": delay}
            for number, (body, delay, _about) in enumerate(sent)
        ]
        sqs = _client("sqs", self._region)
        try:
            answer = _asked(lambda: sqs.send_message_batch(QueueUrl=self._queue, Entries=entries))
        except CallFailed as error:
            raise Unsent([(about, error.code) for _body, _delay, about in sent]) from None
        refused = [(sent[int(each["Id"])][2], str(each["Code"])) for each in answer.get("Failed", [])]
        if refused:
            raise Unsent(refused)

    def bury(self, letter: str) -> None:
        """Put a letter into the dead-letter queue, if there is one."""
        if self._dead_letters:
            _asked(lambda: _client("sqs", self._region).send_message(QueueUrl=self._dead_letters, MessageBody=letter))

    def publish(self, subject: str, text: str) -> None:
        """Publish to the topic, if there is one."""
        if self._topic:
            sns = _client("sns", self._region)
            _asked(lambda: sns.publish(TopicArn=self._topic, Subject=subject, Message=text))


def _client(service: str, region: str, once: bool = False) -> Any:
    if (service, region, once) not in _clients:
        config = _ONCE if once else _PATIENT
        _clients[service, region, once] = _SESSION.create_client(service, region_name=region, config=config)
    return _clients[service, region, once]


def _pages(call: Callable[..., Any]) -> Iterator[Any]:
    """Yield the answers of a call that returns its result in pages."""
    more: dict[str, str] = {}
    while True:
        answer = _asked(partial(call, **more))
        yield answer
        if not answer.get("NextToken"):
            return
        more = {"NextToken": answer["NextToken"]}


def _asked(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except ClientError as error:
        told = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        raise CallFailed(str(told.get("Code") or "Unknown"), str(told.get("Message") or ""), status) from None
    except ParamValidationError as error:
        # Its message contains the values of the parameters.
        names = dict.fromkeys(_PARAMETER.findall(str(error)))
        raise CallFailed("ParamValidationError", f"botocore does not take {', '.join(names)[:200]}") from None
    except BotoCoreError as error:
        raise CallFailed(type(error).__name__, str(error)) from None
