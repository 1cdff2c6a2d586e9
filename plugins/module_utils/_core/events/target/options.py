# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Read and check the options of ecs_notification_target."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...arns import Arn
from ...errors import Refused
from ...json_text import read_json
from ...limits import DELIVERY, check_delivery, check_length
from ...names import EVENTS_NAME, ROLE, STANDARD_QUEUE, read_arn, read_name
from .json_path import check_path
from .kinds import Kind, is_fifo, target_arn
from .messages.fields import EVENT_KINDS
from .messages.subject import NO_SUBJECT, Subject
from .messages.templates import Message, fitting, transformer
from .rule import RuleName, read_rule_name
from .transformer import check_transformer

LONGEST_INPUT = 8192
LONGEST_GROUP = 100
INPUTS = ("input", "input_path", "input_transformer", "message_template")


@dataclass(frozen=True)
class WantedTarget:
    """A target as the user wants it.

    ``facts`` is its shape in results, without ``input_transformer`` if a ``message_template`` makes that; None if the
    target must be absent. ``event_kind`` is the option ``message_for``. ``arn`` and ``dead_letter_arn`` are also set
    for absent targets, if given, because the permissions that these resources still give the rule are removed.
    """

    rule: RuleName
    id: str
    present: bool
    resource_policy: bool
    arn: Arn | None = None
    kind: Kind | None = None
    role: Arn | None = None
    dead_letter_arn: Arn | None = None
    message: Message | None = None
    event_kind: str | None = None
    facts: Mapping[str, Any] | None = None

    def facts_for(self, event_kind: str, of_rule: Subject | None = None) -> dict[str, Any]:
        """Return the facts with the message for that event kind. ``of_rule`` is used if the options have no subject."""
        facts = dict(self.facts or {})
        if self.message:
            message = self.message
            if of_rule is not None and message.subject == NO_SUBJECT:
                title = message.title or EVENT_KINDS[event_kind].title
                message = replace(message, subject=fitting(message.name, title, of_rule))
            paths, template = transformer(message, event_kind)
            check_transformer(paths, template)
            facts["input_transformer"] = {"input_paths_map": paths, "input_template": template}
        return facts

    def __str__(self) -> str:
        return f"target {self.id} of {self.rule}"


def read_target(params: Mapping[str, Any]) -> WantedTarget:
    """Return the target. Raise ``Refused`` for every mistake that can be found without asking AWS."""
    rule = read_rule_name(params["rule"], params["event_bus_name"])
    read_name("id", params["id"], EVENTS_NAME)
    arn, kind = target_arn("arn", params["arn"]) if params["arn"] else (None, None)
    dead_letter = _dead_letter(params["dead_letter_arn"], arn)
    common = {"rule": rule, "id": params["id"], "arn": arn, "kind": kind, "dead_letter_arn": dead_letter}
    if params["state"] == "absent":
        return WantedTarget(**common, present=False, resource_policy=params["resource_policy"])
    if arn is None or kind is None:
        raise Refused(
            "arn is required. Give the ARN of the resource that receives the events, such as a topic, a"
            " queue or a function"
        )
    role = _role(params["role_arn"], arn, kind)
    _check_kind(params, arn, kind)
    check_delivery(params)
    message = _message(params, kind)
    facts = {
        "id": params["id"],
        "rule": rule.name,
        "event_bus_name": rule.bus_name,
        "arn": str(arn),
        "role_arn": params["role_arn"],
        "dead_letter_arn": str(dead_letter) if dead_letter else None,
        **{option: params[option] for option in DELIVERY},
        **_input(params, kind),
        "message_group_id": params["message_group_id"],
        "partition_key_path": params["partition_key_path"],
        "http_parameters": _http_parameters(params["http_parameters"]),
    }
    return WantedTarget(
        **common,
        present=True,
        resource_policy=params["resource_policy"],
        role=role,
        message=message,
        event_kind=params["message_for"],
        facts=facts,
    )


def _dead_letter(text: str | None, target: Arn | None) -> Arn | None:
    if not text:
        return None
    arn = read_arn("dead_letter_arn", text, STANDARD_QUEUE)
    if arn == target:
        raise Refused(
            "dead_letter_arn is the target itself, so events that cannot be delivered would be lost. Give another queue"
        )
    return arn


def _role(text: str | None, arn: Arn, kind: Kind) -> Arn | None:
    role = read_arn("role_arn", text, ROLE) if text else None
    if role is None and kind.role == "required":
        raise Refused(
            f"role_arn is required. EventBridge reaches {kind.rule.words} only with a role that events.amazonaws.com"
            f" may assume and that is allowed {ROLE_ACTIONS[kind.name]} on {arn}"
        )
    if role is not None and kind.role == "never":
        raise Refused(
            f"role_arn: EventBridge uses no role for {kind.rule.words}, and may fail to deliver where one is given. "
            "Omit role_arn; resource_policy does what is needed"
        )
    return role


ROLE_ACTIONS = {
    "state_machine": "states:StartExecution",
    "api_destination": "events:InvokeApiDestination",
    "event_bus": "events:PutEvents",
    "stream": "kinesis:PutRecord",
    "delivery_stream": "firehose:PutRecord",
}


def _check_kind(params: Mapping[str, Any], arn: Arn, kind: Kind) -> None:
    """Check the options that only one kind of target accepts."""
    if kind.name == "topic" and is_fifo(arn):
        raise Refused(
            f"arn: {arn.resource} is a FIFO topic. It needs a message group with each message, and EventBridge sends "
            "none. Send to a standard topic, or to a FIFO queue with message_group_id"
        )
    group = params["message_group_id"]
    if group is not None and kind.name != "queue":
        raise Refused(f"message_group_id is for SQS queues, but {arn} is {kind.rule.words}. Omit it")
    if kind.name == "queue" and is_fifo(arn) and group is None:
        raise Refused(f"message_group_id is missing: {arn.resource} is a FIFO queue. Give it, such as alerts")
    check_length("message_group_id", group, LONGEST_GROUP, 1)
    if params["partition_key_path"] is not None:
        if kind.name != "stream":
            raise Refused(f"partition_key_path is for Kinesis streams, but {arn} is {kind.rule.words}. Omit it")
        check_path("partition_key_path", params["partition_key_path"])
    if params["http_parameters"] and kind.name != "api_destination":
        raise Refused(f"http_parameters are for API destinations, but {arn} is {kind.rule.words}. Omit them")


def _message(params: Mapping[str, Any], kind: Kind) -> Message | None:
    given = [option for option in INPUTS if params[option] not in (None, {})]
    if len(given) > 1:
        raise Refused(
            f"{' and '.join(given)} are mutually exclusive: each defines what the target receives. Keep one of them"
        )
    name, options = params["message_template"], params["message_options"] or {}
    for option in ("message_options", "message_for"):
        if params[option] and not name:
            raise Refused(f"{option} requires message_template. Set message_template, or omit {option}")
    if name is None:
        return None
    if kind.name == "log_group":
        raise Refused(
            "message_template: a log group keeps the whole event, and takes nothing of another form than timestamp and "
            "message. Omit message_template, or write an input_transformer of that form"
        )
    if kind.name == "event_bus":
        raise Refused(
            "message_template: an event bus receives events unchanged. Omit message_template, and set it on a "
            "target there"
        )
    return _read_message(name, options, params["message_for"])


def _read_message(name: str, options: Mapping[str, Any], event_kind: str | None) -> Message:
    channel, template = options.get("channel"), options.get("template")
    if name == "slack" and not channel:
        raise Refused("message_options: slack needs a channel. Give message_options.channel, such as C0123456789")
    if name != "slack" and channel:
        raise Refused(f"message_options: channel is for slack, not for {name}. Omit it")
    if (name == "custom") is not bool(template):
        raise Refused(
            "message_options: template goes with message_template custom, and custom needs it. Give both or none"
        )
    for option in ("channel", "title", "subject", "cluster", "log_group"):
        _check_words(f"message_options, {option}", options.get(option))
    message = Message(
        name,
        channel,
        options.get("severity") or "error",
        options.get("title"),
        Subject(options.get("subject") or "", options.get("cluster") or ""),
        options.get("log_group"),
        template,
        bool(options.get("repetitions")),
    )
    for each in [event_kind] if event_kind else EVENT_KINDS:
        paths, text = transformer(message, each)
        if len(text) > LONGEST_INPUT:
            raise Refused("message_options: the texts are too long for a template of EventBridge. Shorten them")
        if template:
            check_transformer(paths, text)
    return message


def _check_words(option: str, text: str | None) -> None:
    if text is not None and (not text.strip() or re.search(r"[<>\x00-\x1f\ue000]", text)):
        raise Refused(f"{option} is {text!r}: write one line without < and >, which EventBridge takes for placeholders")


def _input(params: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    text, path, given = params["input"], params["input_path"], params["input_transformer"]
    if text is not None:
        _check_input(text, kind)
    if path is not None:
        check_path("input_path", path)
    if given is not None:
        paths = {key: str(value) for key, value in (given["input_paths_map"] or {}).items()}
        check_transformer(paths, given["input_template"], for_log_group=kind.name == "log_group")
        given = {"input_paths_map": paths, "input_template": given["input_template"]}
    return {"input": text, "input_path": path, "input_transformer": given}


def _check_input(text: str, kind: Kind) -> None:
    value = read_json("input", text, 'Write a JSON document; a mere text goes in quotes, "like this"')
    check_length("input", text, LONGEST_INPUT)
    if kind.name == "log_group" and not (isinstance(value, dict) and set(value) == {"timestamp", "message"}):
        raise Refused(
            'input: a log group takes only the form {"timestamp": <time>, "message": <message>}. Write it in this '
            "form, or omit it to send the whole event to the log group"
        )


def _http_parameters(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the parameters with all three keys, or None if all of them are empty."""
    given = given or {}
    read = {
        "path_parameter_values": [str(value) for value in given.get("path_parameter_values") or []],
        "header_parameters": {key: str(value) for key, value in (given.get("header_parameters") or {}).items()},
        "query_string_parameters": {
            key: str(value) for key, value in (given.get("query_string_parameters") or {}).items()
        },
    }
    for key in ("header_parameters", "query_string_parameters"):
        for name in read[key]:
            if not name.strip():
                raise Refused(f"http_parameters, {key}: there is a value without a name. Give it one")
    return read if any(read.values()) else None
