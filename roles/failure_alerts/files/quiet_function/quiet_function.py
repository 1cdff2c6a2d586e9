# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Lambda function that sends repeated failures once. ``quiet_period`` makes the decisions, this file the calls.

Environment: ``ALERTS_NAME``, ``QUIET_PERIOD`` in seconds, ``TABLE``, ``SCHEDULE_ROLE`` (ARN of the role with which
EventBridge Scheduler invokes the function when a window ends) and ``DEAD_LETTERS`` (ARN of the queue for an end that
cannot be delivered).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session
from quiet_period import (  # beside this file in the package, like sentry_event
    Claim,
    Count,
    Failure,
    Look,
    NoteTold,
    Open,
    Remove,
    Schedule,
    Settings,
    Tell,
    Unavailable,
    Window,
    on_end,
    on_failure,
    read_message,
)
from sentry_event import sentry_event

_CONFIG = Config(connect_timeout=2, read_timeout=4, retries={"mode": "standard", "total_max_attempts": 3})
_SESSION = get_session()  # boto3 takes longer to import
_clients: dict[str, Any] = {}


def handler(message: Any, context: Any) -> dict[str, str]:
    """Lambda's entry point. If it raises, Lambda retries, and in the end uses the function's dead-letter queue."""
    function = context.invoked_function_arn
    settings = Settings(os.environ["ALERTS_NAME"], int(os.environ["QUIET_PERIOD"]), function.split(":")[4])
    event = message.get("event") if isinstance(message, Mapping) else None
    fingerprint = sentry_event(event)["fingerprint"] if isinstance(event, Mapping) else []
    read = read_message(message, fingerprint, settings)
    acts = on_failure(read, settings, _now()) if isinstance(read, Failure) else on_end(read, settings, _now())
    done: list[str] = []
    answer: Any = None
    try:
        act = next(acts)
        while True:
            done.append(type(act).__name__)
            try:
                answer = _ACTS[type(act)](act, function)
            except Unavailable as problem:
                print(json.dumps({"unavailable": done[-1], "why": str(problem)}))
                act = acts.throw(problem)
            else:
                act = acts.send(answer)
    except StopIteration:
        return {"key": read.key, "acts": " ".join(done)}


def _now() -> int:
    return int(time.time() * 1000)


def _client(service: str) -> Any:
    if service not in _clients:
        _clients[service] = _SESSION.create_client(service, region_name=os.environ["AWS_REGION"], config=_CONFIG)
    return _clients[service]


def _asked(call: Callable[..., Any], **parameters: Any) -> Any:
    """Return the answer, or None if the condition of a write does not hold. Raises ``Unavailable``."""
    try:
        return call(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return None
        raise Unavailable(f"{error.operation_name}: {error.response['Error']['Code']}") from None
    except BotoCoreError as error:
        raise Unavailable(type(error).__name__) from None


def _of_table(operation: str, key: str, **parameters: Any) -> Any:
    where = {"TableName": os.environ["TABLE"]}
    if operation != "put_item":
        where["Key"] = {"window": {"S": key}}
    return _asked(getattr(_client("dynamodb"), operation), **where, **parameters)


def _count(act: Count, _function: str) -> bool:
    condition = (
        "attribute_exists(#window) AND attribute_not_exists(closing) AND #first <> :id AND ends > :since"
        " AND size(ids) < :full"
    )
    answer = _of_table(
        "update_item",
        act.key,
        UpdateExpression="ADD ids :ids",
        ConditionExpression=condition,
        ExpressionAttributeNames={"#window": "window", "#first": "first"},
        ExpressionAttributeValues={
            ":ids": {"SS": [act.id]},
            ":id": {"S": act.id},
            ":since": {"N": str(act.since)},
            ":full": {"N": str(act.full)},
        },
    )
    return answer is not None


def _look(act: Look, _function: str) -> Window | None:
    return _window(_of_table("get_item", act.key, ConsistentRead=True).get("Item"))


def _window(item: Mapping[str, Any] | None) -> Window | None:
    if not item:
        return None
    return Window(
        item["window"]["S"],
        int(item["opened"]["N"]),
        int(item["ends"]["N"]),
        item["first"]["S"],
        frozenset(item["ids"]["SS"]),
        item["told"]["BOOL"],
        int(item.get("closing", {}).get("N", 0)),
    )


def _schedule(act: Schedule, function: str) -> None:
    # Round up, since a schedule has whole seconds.
    at = datetime.fromtimestamp(-(-act.at // 1000), timezone.utc)
    _asked(
        _client("scheduler").create_schedule,
        Name=act.name,
        ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M:%S})",
        ScheduleExpressionTimezone="UTC",
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target={
            "Arn": function,
            "RoleArn": os.environ["SCHEDULE_ROLE"],
            "Input": json.dumps(act.message),
            "DeadLetterConfig": {"Arn": os.environ["DEAD_LETTERS"]},
        },
    )


def _open(act: Open, _function: str) -> bool:
    window = act.window
    item = {
        "window": {"S": window.key},
        "opened": {"N": str(window.opened)},
        "ends": {"N": str(window.ends)},
        "first": {"S": window.first},
        "ids": {"SS": sorted(window.ids)},
        "told": {"BOOL": False},
    }
    answer = _of_table(
        "put_item",
        window.key,
        Item=item,
        ConditionExpression="attribute_not_exists(#window)",
        ExpressionAttributeNames={"#window": "window"},
    )
    return answer is not None


def _tell(act: Tell, _function: str) -> None:
    """Send an event. Errors are not turned into ``Unavailable``, so that Lambda retries an event that was not sent."""
    answer = _client("events").put_events(Entries=[act.entry])
    if answer["FailedEntryCount"]:
        raise RuntimeError(f"EventBridge has not taken the event: {answer['Entries'][0].get('ErrorCode')}")


def _note_told(act: NoteTold, _function: str) -> None:
    _of_table(
        "update_item",
        act.key,
        UpdateExpression="SET told = :told",
        ConditionExpression="opened = :opened",
        ExpressionAttributeValues={":told": {"BOOL": True}, ":opened": {"N": str(act.opened)}},
    )


def _claim(act: Claim, _function: str) -> Window | None:
    answer = _of_table(
        "update_item",
        act.key,
        UpdateExpression="SET closing = :now",
        ConditionExpression="opened = :opened AND (attribute_not_exists(closing) OR closing < :stale)",
        ExpressionAttributeValues={
            ":now": {"N": str(act.now)},
            ":opened": {"N": str(act.opened)},
            ":stale": {"N": str(act.stale)},
        },
        ReturnValues="ALL_NEW",
    )
    return _window(answer and answer["Attributes"])


def _remove(act: Remove, _function: str) -> None:
    _of_table(
        "delete_item",
        act.key,
        ConditionExpression="opened = :opened",
        ExpressionAttributeValues={":opened": {"N": str(act.opened)}},
    )


_ACTS: dict[type, Callable[[Any, str], Any]] = {
    Count: _count,
    Look: _look,
    Schedule: _schedule,
    Open: _open,
    Tell: _tell,
    NoteTold: _note_told,
    Claim: _claim,
    Remove: _remove,
}
