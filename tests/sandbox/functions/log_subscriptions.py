# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscription filters of CloudWatch Logs: send the log events that match a pattern to a function."""

from __future__ import annotations

import base64
import gzip
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from moto.logs.models import LogStream

from .. import stored
from ..access.policy_check import why_not
from ..account import Account
from ..delivery import to_function as deliver_lambda
from ..model.state import SandboxError
from ..wire import Call
from .filter_pattern import FilterPatternError, compile_pattern

LOGS = "logs.amazonaws.com"
MOST = 2  # filters of one log group
NO_PERMISSION = (
    "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your "
    "function."
)
FORWARD = LogStream._send_log_events  # moto's own, for destinations other than functions


def install(account: Account) -> None:
    """Make moto forward only the log events that match the filter, instead of all of them."""

    def forward(
        stream: Any, service: str, destination_arn: str, filter_name: str, log_events: list[dict[str, Any]]
    ) -> None:
        group = stream.log_group
        try:
            wanted = compile_pattern(group.subscription_filters[filter_name].filter_pattern or "")
        except (FilterPatternError, KeyError):
            return
        kept = [event for event in log_events if wanted(event["message"])]
        if not kept:
            return
        if service != "lambda":
            FORWARD(stream, service, destination_arn, filter_name, kept)
        elif may_invoke(account, destination_arn, group.arn) is None:  # else drop them silently, as AWS does
            told = {
                "messageType": "DATA_MESSAGE",
                "owner": account.number,
                "logGroup": group.name,
                "logStream": stream.log_stream_name,
                "subscriptionFilters": [filter_name],
                "logEvents": [{**event, "id": f"{event['id']:056d}"} for event in kept],
            }
            deliver_lambda.invoke_later(account, destination_arn, payload(told))

    LogStream._send_log_events = forward


def payload(told: dict[str, Any]) -> str:
    data = gzip.compress(json.dumps(told).encode())
    return json.dumps({"awslogs": {"data": base64.b64encode(data).decode()}})


def may_invoke(account: Account, function_arn: str, group_arn: str) -> str | None:
    """Return why CloudWatch Logs may not invoke a function, or None if it may."""
    function = stored.function(function_arn)
    if function is None:
        return f"there is no function {function_arn}"
    context = {"aws:sourcearn": f"{group_arn.removesuffix(':*')}:*", "aws:sourceaccount": account.number}
    policy = {"Statement": function.policy.statements}
    return why_not(policy, LOGS, "lambda:InvokeFunction", function_arn, context)


def put_subscription_filter(account: Account, call: Call) -> dict[str, Any] | None:
    """Raise SandboxError where AWS refuses the filter; return None to let moto create a new one."""
    asked = call.parameters
    group = stored.backend("logs", call.region).groups.get(asked["logGroupName"])
    if group is None:
        raise SandboxError("ResourceNotFoundException", "The specified log group does not exist.")
    name, arn = asked["filterName"], asked["destinationArn"]
    read_pattern(asked)
    if name not in group.subscription_filters and len(group.subscription_filters) >= MOST:
        raise SandboxError("LimitExceededException", "Resource limit exceeded.")
    if ":lambda:" in arn:
        if may_invoke(account, arn, group.arn) is not None:
            raise SandboxError("InvalidParameterException", NO_PERMISSION)
        deliver_lambda.invoke_later(account, arn, payload(control_message(account, group.name, name)))
    if name not in group.subscription_filters:
        return None
    group.subscription_filters[name].update(asked.get("filterPattern") or "", arn, asked.get("roleArn"))
    return {}  # moto would refuse to change one of two filters


def read_pattern(asked: Mapping[str, Any]) -> Callable[[str], bool]:
    try:
        return compile_pattern(asked.get("filterPattern") or "")
    except FilterPatternError as problem:
        raise SandboxError("InvalidParameterException", f"Invalid filter pattern: {problem}") from problem


def filter_log_events(account: Account, call: Call) -> dict[str, Any] | None:
    """Answer FilterLogEvents with a pattern, because moto only supports patterns of a single term."""
    if not call.parameters.get("filterPattern"):
        return None
    wanted = read_pattern(call.parameters)
    asked = {key: value for key, value in call.parameters.items() if key != "filterPattern"}
    answer: dict[str, Any] = account.ask_moto("logs", call.region, "FilterLogEvents", asked)
    return {**answer, "events": [event for event in answer["events"] if wanted(event["message"])]}


def match_metric_filter(_account: Account, call: Call) -> dict[str, Any]:
    """Answer TestMetricFilter: which of the messages a pattern matches."""
    wanted = read_pattern(call.parameters)
    messages = list(enumerate(call.parameters["logEventMessages"], 1))
    found = [{"eventNumber": at, "eventMessage": text, "extractedValues": {}} for at, text in messages if wanted(text)]
    return {"matches": found}


def control_message(account: Account, group: str, name: str) -> dict[str, Any]:
    """Return the message that a destination gets on PutSubscriptionFilter. Receivers must ignore it."""
    text = "CWL CONTROL MESSAGE: Checking health of destination Lambda function."
    return {
        "messageType": "CONTROL_MESSAGE",
        "owner": "CloudwatchLogs",
        "logGroup": group,
        "logStream": "",
        "subscriptionFilters": [name],
        "logEvents": [{"id": "", "timestamp": int(time.time() * 1000), "message": text}],
    }


OPERATIONS = {
    "PutSubscriptionFilter": put_subscription_filter,
    "FilterLogEvents": filter_log_events,
    "TestMetricFilter": match_metric_filter,
}
