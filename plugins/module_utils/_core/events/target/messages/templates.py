# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Ready-made messages: what each receiver wants to be sent, as an input transformer.

A message is data with two sorts of placeholder: ``Own("reason")`` is a whole JSON value, which EventBridge writes with
its quotes and escapes; ``"<stop_code>"`` inside a text is put in as it is, so only what cannot have a quote or a line
break stands there. Both rules are held against every message by a test. A value that an event does not have is an
empty text in either place, so nothing here depends on one, and no receiver is sent a block that must not be empty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .fields import EVENT_KINDS, EventKind

SEVERITIES = ("critical", "error", "warning", "info")


@dataclass(frozen=True)
class Message:
    """The option ``message`` and what goes with it. ``title`` takes the place of the one that the event has."""

    name: str
    channel: str | None = None
    severity: str = "error"
    title: str | None = None


def transformer(message: Message, event_kind: str) -> tuple[dict[str, str], str]:
    """``input_paths_map`` and ``input_template`` of a message about a kind of event."""
    kind = EVENT_KINDS[event_kind]
    if message.title is not None:
        kind = EventKind(message.title, kind.code, kind.subject, kind.same, kind.fields, kind.details)
    template = TEMPLATES[message.name](kind, message)
    fields = kind.all_fields()
    used = sorted(set(re.findall(r"<([^<>]+)>", template)))
    return {name: fields[name].path for name in used}, template


class Own(str):
    """A field as a JSON value of its own."""

    __slots__ = ()


def _document(data: Any) -> str:
    text = json.dumps(_marked(data), ensure_ascii=False, separators=(",", ":"))
    return re.sub(r'"\ue000([a-z_]+)"', r"<\1>", text)


def _marked(data: Any) -> Any:
    if isinstance(data, Own):
        return f"\ue000{data}"
    if isinstance(data, Mapping):
        return {key: _marked(value) for key, value in data.items()}
    return [_marked(each) for each in data] if isinstance(data, list) else data


def _text(kind: EventKind, name: str) -> str:
    """A field for one who takes only texts: as its own value where it may need escapes, else in quotes, so that a
    number or a list becomes a text."""
    return Own(name) if kind.all_fields()[name].free else f"<{name}>"


def _own(kind: EventKind) -> dict[str, Own]:
    return {name: Own(name) for name in (*kind.fields, *kind.details)}


def _sentry(kind: EventKind, message: Message) -> str:
    # Sentry's tags are for searching: short, and of one line.
    tags = {name: f"<{name}>" for name, field in kind.fields.items() if not field.free and name != "exit_codes"}
    return _document(
        {
            "platform": "other",
            "level": {"critical": "fatal"}.get(message.severity, message.severity),
            "logger": "aws.ecs",
            "timestamp": Own("time"),
            "message": {"formatted": kind.headline},
            "tags": {**tags, "account": "<account>", "region": "<region>"},
            "extra": _own(kind),
            "fingerprint": ["ecs", kind.same],
        }
    )


def _slack_webhook(kind: EventKind, message: Message, **more: str) -> str:
    # Attachments, because a field of one may be empty; Slack refuses a block without text.
    fields = [{"title": field.label, "value": _text(kind, name)} for name, field in kind.fields.items()]
    colours = {"warning": "warning", "info": "good"}
    attachment = {
        "color": colours.get(message.severity, "danger"),
        "fallback": kind.headline,
        "fields": fields,
        "footer": "<account> <region> <time>",
    }
    return _document({**more, "text": kind.headline, "attachments": [attachment]})


def _slack(kind: EventKind, message: Message) -> str:
    return _slack_webhook(kind, message, channel=message.channel or "")


def _pagerduty(kind: EventKind, message: Message) -> str:
    return _document(
        {
            "event_action": "trigger",
            "dedup_key": kind.same,
            "payload": {
                "summary": kind.headline,
                "source": kind.subject,
                "severity": message.severity,
                "timestamp": Own("time"),
                "class": Own(kind.code),
                "custom_details": _own(kind),
            },
        }
    )


def _opsgenie(kind: EventKind, message: Message) -> str:
    details = {name: _text(kind, name) for name in kind.fields}
    return _document(
        {
            "message": kind.headline,
            "alias": kind.same,
            "priority": {"critical": "P1", "error": "P2", "warning": "P3", "info": "P5"}[message.severity],
            "source": "EventBridge",
            "details": {**details, "account": Own("account"), "region": Own("region"), "time": Own("time")},
        }
    )


def _teams(kind: EventKind, message: Message) -> str:
    colour = {"warning": "warning", "info": "default"}.get(message.severity, "attention")
    facts = [{"title": field.label, "value": _text(kind, name)} for name, field in kind.fields.items()]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "text": kind.headline, "weight": "bolder", "color": colour, "wrap": True},
            {"type": "FactSet", "facts": facts},
            {"type": "TextBlock", "text": "<account> <region> <time>", "isSubtle": True, "wrap": True},
        ],
    }
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return _document({"type": "message", "attachments": [content]})


def _datadog(kind: EventKind, message: Message) -> str:
    safe = {name: field for name, field in kind.fields.items() if not field.free and name != "exit_codes"}
    tags = [f"{name}:<{name}>" for name in safe]
    # Datadog refuses an empty text, and any free text may be empty: it becomes a tag.
    text = [f"{kind.title}.", *(f"{field.label}: <{name}>" for name, field in safe.items())]
    rest = [Own(name) for name, field in kind.fields.items() if field.free]
    return _document(
        {
            "title": kind.headline,
            "text": "\n".join(text),
            "alert_type": {"critical": "error"}.get(message.severity, message.severity),
            "tags": [*tags, *rest, "account:<account>", "region:<region>"],
        }
    )


def _sns_text(kind: EventKind, _message: Message) -> str:
    """Lines of text, each in quotes, as EventBridge wants them. Nobody reads them as JSON, so free text may stand
    in them as well."""
    lines = [kind.headline, *(f"{field.label}: <{name}>" for name, field in kind.fields.items())]
    lines.append("Account <account> in <region> at <time>")
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)


def _plain(kind: EventKind, message: Message) -> str:
    about = {"title": kind.title, "severity": message.severity, "detail_type": Own("detail_type")}
    where = {name: Own(name) for name in ("time", "account", "region", "event_id")}
    return _document({**about, **_own(kind), **where})


TEMPLATES: dict[str, Callable[[EventKind, Message], str]] = {
    "sentry": _sentry,
    "slack": _slack,
    "slack_webhook": _slack_webhook,
    "pagerduty": _pagerduty,
    "opsgenie": _opsgenie,
    "teams": _teams,
    "datadog": _datadog,
    "sns_text": _sns_text,
    "plain": _plain,
}
