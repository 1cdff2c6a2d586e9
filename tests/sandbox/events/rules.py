# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EventBridge's rules, targets and events. Moto stores them; this module first checks requests as AWS does.

Messages are AWS's where they are known. Otherwise the error code is AWS's and the wording is ours.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from datetime import datetime, timezone
from typing import Any

from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.pattern.match import matches

from .. import stored
from ..access.permissions import cannot_assume
from ..account import NUMBER, Account
from ..model.state import SandboxError
from ..request_check import check
from ..wire import Call
from . import bus as event_bus
from . import input_transformer
from .pattern_check import read_pattern

INVALID = "ValidationException"
MOST_TARGETS = 5
PATTERN_SIZE = 2048  # default quota of a rule, which AWS raises on request; the API accepts at most 4096
ENTRIES_SIZE = 262_144
NEEDS_ROLE = ("states", "kinesis", "firehose", "ecs", "batch", "execute-api", "redshift", "ssm", "codebuild")


def bus_of(call: Call) -> str:
    """Return the name of a request's event bus. Raise SandboxError if it does not exist."""
    name = str(call.parameters.get("EventBusName") or "default").rsplit("event-bus/", 1)[-1]
    if name not in stored.backend("events", call.region).event_buses:
        raise SandboxError("ResourceNotFoundException", f"Event bus {name} does not exist.")
    return name


def rule_of(call: Call, key: str) -> Any:
    bus, name = bus_of(call), call.parameters[key]
    for rule in stored.rules(call.region, bus):
        if rule.name == name:
            return rule
    raise SandboxError("ResourceNotFoundException", f"Rule {name} does not exist on EventBus {bus}.")


def put_rule(account: Account, call: Call) -> Any:
    check("events", "PutRule", call.parameters)
    asked = dict(call.parameters)
    bus = bus_of(call)
    pattern, schedule = asked.get("EventPattern"), asked.get("ScheduleExpression")
    if not pattern and not schedule:
        raise SandboxError(INVALID, "Parameter(s) EventPattern or ScheduleExpression must be specified.")
    if pattern:
        try:
            read_pattern(pattern)
        except ValueError as problem:
            text = f"Event pattern is not valid. Reason: {problem}"
            raise SandboxError("InvalidEventPatternException", text) from problem
        if len(pattern) > PATTERN_SIZE:
            raise SandboxError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
    if any(rule.name == asked["Name"] for rule in stored.rules(call.region, bus)):
        asked.pop("Tags", None)  # only for a new rule; TagResource tags an existing one
    return account.ask_moto("events", call.region, "PutRule", asked)


def delete_rule(_account: Account, call: Call) -> None:
    check("events", "DeleteRule", call.parameters)
    bus_of(call)


def needs_rule(operation: str, key: str) -> Any:
    """Return a handler for an operation that moto answers correctly if the rule exists."""

    def checked(_account: Account, call: Call) -> None:
        check("events", operation, call.parameters)
        rule_of(call, key)

    return checked


def put_targets(account: Account, call: Call) -> Any:
    check("events", "PutTargets", call.parameters)
    rule, targets = rule_of(call, "Rule"), call.parameters["Targets"]
    for target in targets:
        check_target(target, rule)
    ids = {target["Id"] for target in [*rule.targets, *targets]}
    if len(ids) > MOST_TARGETS:
        raise SandboxError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
    failed = refused(account, [(target["Id"], target["Arn"]) for target in targets])
    if failed:
        ids = {each["TargetId"] for each in failed}
        kept = [target for target in targets if target["Id"] not in ids]
        if kept:
            account.ask_moto("events", call.region, "PutTargets", {**call.parameters, "Targets": kept})
        return {"FailedEntryCount": len(failed), "FailedEntries": failed}
    return None


def remove_targets(account: Account, call: Call) -> Any:
    check("events", "RemoveTargets", call.parameters)
    rule_of(call, "Rule")
    wanted = call.parameters["Ids"]
    failed = refused(account, [(each, None) for each in wanted])
    if failed:
        ids = {each["TargetId"] for each in failed}
        kept = [each for each in wanted if each not in ids]
        if kept:
            account.ask_moto("events", call.region, "RemoveTargets", {**call.parameters, "Ids": kept})
        return {"FailedEntryCount": len(failed), "FailedEntries": failed}
    return None


def refused(account: Account, targets: list[tuple[str, str | None]]) -> list[dict[str, str]]:
    failed = []
    for name, arn in targets:
        fault = account.strike("targets_refused", {"target": name, "arn": arn})
        if fault:
            failed.append({"TargetId": name, "ErrorCode": fault.code, "ErrorMessage": fault.message})
    return failed


def check_target(target: dict[str, Any], rule: Any) -> None:
    name, arn = target["Id"], target["Arn"]
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not parts[2] or not parts[5]:
        raise SandboxError(INVALID, f"Parameter {arn} is not valid. Reason: Provided Arn is not in correct format.")
    service, resource = parts[2], parts[5]
    bus = service == "events" and resource.startswith("event-bus/")
    if parts[3] and parts[3] != rule.region_name and not bus:
        text = f"Parameter {arn} is not valid. Reason: the target has to be in the region of the rule."
        raise SandboxError(INVALID, text)
    if sum(bool(target.get(each)) for each in ("Input", "InputPath", "InputTransformer")) > 1:
        text = f"Only one of Input, InputPath, or InputTransformer must be provided for target {name}."
        raise SandboxError(INVALID, text)
    check_input(target, name)
    if service == "sqs" and arn.endswith(".fifo") and not (target.get("SqsParameters") or {}).get("MessageGroupId"):
        raise SandboxError(INVALID, f"Parameter(s) SqsParameters must be specified for target: {name}.")
    if service == "ecs" and not target.get("EcsParameters"):
        raise SandboxError(INVALID, f"Parameter(s) EcsParameters must be specified for target: {name}.")
    check_role(target, arn, rule.arn, needed=service in NEEDS_ROLE or (service == "events" and not bus))
    check_dead_letters(target, rule)


def check_input(target: dict[str, Any], name: str) -> None:
    if target.get("Input"):
        try:
            json.loads(target["Input"])
        except ValueError as problem:
            raise SandboxError(INVALID, f"JSON syntax error in input for target {name} : {problem}") from problem
    if target.get("InputPath") and not target["InputPath"].startswith("$"):
        raise SandboxError(INVALID, f"Invalid InputPath for target {name} : {target['InputPath']}.")
    if target.get("InputTransformer"):
        complaint = input_transformer.complaint(name, target["InputTransformer"])
        if complaint:
            raise SandboxError(INVALID, complaint)


def check_role(target: dict[str, Any], arn: str, rule_arn: str, needed: bool) -> None:
    role = target.get("RoleArn")
    if not role:
        if needed:
            raise SandboxError(INVALID, f"RoleArn is required for target {arn}.")
        return
    if not re.fullmatch(r"arn:aws[\w-]*:iam::\d{12}:role/.+", role):
        raise SandboxError(INVALID, f"Parameter {role} is not valid. Reason: Provided Arn is not in correct format.")
    if cannot_assume(role, rule_arn):
        raise SandboxError(INVALID, f"Provided role '{role}' cannot be assumed by principal 'events.amazonaws.com'.")


def check_dead_letters(target: dict[str, Any], rule: Any) -> None:
    arn = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not arn:
        return
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "sqs" or parts[3] != rule.region_name or arn.endswith(".fifo"):
        text = f"Parameter {arn} is not valid. Reason: it has to be a standard queue in the region of the rule."
        raise SandboxError(INVALID, text)


def event_pattern_result(_account: Account, call: Call) -> dict[str, bool]:
    check("events", "TestEventPattern", call.parameters)
    try:
        pattern = read_pattern(call.parameters["EventPattern"])
    except ValueError as problem:
        raise SandboxError(
            "InvalidEventPatternException", f"Event pattern is not valid. Reason: {problem}"
        ) from problem
    try:
        event = json.loads(call.parameters["Event"])
    except ValueError:
        event = None
    needed = ("id", "account", "source", "time", "region", "resources", "detail-type")
    if not isinstance(event, dict) or any(name not in event for name in needed):
        raise SandboxError(INVALID, "Parameter Event is not valid.")
    return {"Result": matches(pattern, event)}


def put_events(account: Account, call: Call) -> dict[str, Any]:
    check("events", "PutEvents", call.parameters)
    entries = call.parameters["Entries"]
    if sum(map(entry_size, entries)) > ENTRIES_SIZE:
        raise SandboxError(INVALID, "Total size of the entries in the request is over the limit.")
    answers = [put_event(account, call, entry) for entry in entries]
    return {"FailedEntryCount": sum("ErrorCode" in each for each in answers), "Entries": answers}


def entry_size(entry: dict[str, Any]) -> int:
    texts = [entry.get("Source"), entry.get("DetailType"), entry.get("Detail"), *(entry.get("Resources") or [])]
    return sum(len(text.encode()) for text in texts if text) + (14 if entry.get("Time") else 0)


def put_event(account: Account, call: Call, entry: dict[str, Any]) -> dict[str, str]:
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            text = f"Parameter {name} is not valid. Reason: {name} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": text}
    if entry["Source"].lower().startswith("aws."):
        return {"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": "Not authorized for the source."}
    try:
        detail = json.loads(entry["Detail"])
    except ValueError:
        detail = None
    if not isinstance(detail, dict):
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": NUMBER,
        "time": stamp(entry.get("Time") or time.time()),
        "region": call.region,
        "resources": entry.get("Resources") or [],
        "detail": detail,
    }
    event_bus.put(account, call.region, str(entry.get("EventBusName") or "default").rsplit("event-bus/", 1)[-1], event)
    return {"EventId": event["id"]}


def stamp(instant: Any) -> str:
    return datetime.fromtimestamp(float(instant), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


OPERATIONS = {
    "PutRule": put_rule,
    "DeleteRule": delete_rule,
    "DescribeRule": needs_rule("DescribeRule", "Name"),
    "EnableRule": needs_rule("EnableRule", "Name"),
    "DisableRule": needs_rule("DisableRule", "Name"),
    "ListTargetsByRule": needs_rule("ListTargetsByRule", "Rule"),
    "PutTargets": put_targets,
    "RemoveTargets": remove_targets,
    "TestEventPattern": event_pattern_result,
    "PutEvents": put_events,
}
