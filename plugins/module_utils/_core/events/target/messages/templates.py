# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Ready-made messages: what each receiver expects, as an input transformer.

A message is data with two sorts of placeholder. ``Own("reason")`` is a whole JSON value, which EventBridge writes with
its quotes and escapes. ``"<stop_code>"`` inside a text is put in as it is, so only values that cannot have a quote or a
line break are used there. A test checks both rules for every message. A value that an event does not have is an empty
text in either place, so nothing here depends on one, and no receiver is sent a block that must not be empty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from ....errors import Refused
from .fields import EVENT_KINDS, REPETITIONS, EventKind, with_repetitions
from .limits import HEADLINES, longest
from .subject import NO_SUBJECT, Subject

SEVERITIES = ("critical", "error", "warning", "info")


CONSOLE = "https://console.aws.amazon.com/go/view?arn="  # opens what an ARN names, in the partition aws
_LOGS = "https://<region>.console.aws.amazon.com/cloudwatch/home?region=<region>#logsV2:"
# The name of a container's log stream ends in the id of its task (awslogs-stream-prefix in the documentation of ECS).
_LINES_OF_TASK = r"""fields @timestamp, @logStream, @message
| parse @logStream /(?<task>[^\/]+)$/
| filter strcontains("TASK ", concat("/", task, " "))
| sort @timestamp desc
| limit 1000"""
_SIGNS = {"~": "$257E", "(": "$2528", ")": "$2529", "'": "$2527"}


@dataclass(frozen=True)
class Message:
    """The options of a message. ``title`` replaces the first words; ``subject`` says what failed, in short names.

    ``template`` is the user's own, for the name ``custom``. ``repetitions``: the events are those of a quiet period.
    """

    name: str
    channel: str | None = None
    severity: str = "error"
    title: str | None = None
    subject: Subject = NO_SUBJECT
    log_group: str | None = None
    template: str | None = None
    repetitions: bool = False


def transformer(message: Message, event_kind: str) -> tuple[dict[str, str], str]:
    """Return ``input_paths_map`` and ``input_template`` of a message about a kind of event."""
    kind = EVENT_KINDS[event_kind]
    if message.title is not None:
        kind = replace(kind, title=message.title)
    if message.repetitions:
        kind = with_repetitions(kind)
    template = TEMPLATES[message.name](kind, message)
    fields = kind.all_fields()
    used = sorted(set(re.findall(r"<([^<>]+)>", template)))
    return {name: fields[name].path for name in used}, template


def headline(kind: EventKind, message: Message) -> str:
    """Return what failed, and how: short names first. It ends with an ARN if the rule is about several families."""
    who, cluster = message.subject.name or kind.who, message.subject.cluster
    place = f" in {cluster}" if cluster and kind.fields.keys() & {"cluster", "service"} else ""
    arn = "" if message.subject.name or not kind.arn or kind.fields[kind.arn].free else f", <{kind.arn}>"
    return f"{kind.title}{f': {who}' if who else ''}{place}: {kind.cause}{arn}"


def short_headline(kind: EventKind, message: Message) -> str:
    """Return a headline that no event can make too long for the receiver. It has no names that only the event knows.

    Raises ``Refused`` if title and subject alone are too long.
    """
    most, head = HEADLINES[message.name], _head(kind.title, message.subject)
    full = f"{head}: {kind.cause}"
    if longest(full) <= most:
        return full
    if len(head) > most:
        raise Refused(
            f"message_options: title and subject make a headline of {len(head)} characters, and {message.name} takes "
            f"{most}. Shorten them"
        )
    return head


def fitting(name: str, title: str, subject: Subject) -> Subject:
    """Return as much of a subject as fits into the receiver's headline. ``name`` is that of the message."""
    some = (subject, Subject(subject.name), NO_SUBJECT)
    return next(each for each in some if len(_head(title, each)) <= HEADLINES.get(name, 40_000) or each == NO_SUBJECT)


def _head(title: str, subject: Subject) -> str:
    named = " in ".join(filter(None, (subject.name, subject.cluster)))
    return f"{title}: {named}" if named else title


def links(kind: EventKind, message: Message) -> dict[str, str]:
    """Return pages of the AWS console, by their labels."""
    found = {kind.fields[kind.link].label: f"{CONSOLE}<{kind.link}>"} if kind.link else {}
    if message.log_group and kind.link == "task":
        found["Logs of the task"] = _LOGS + _insights(message.log_group)
    if message.log_group:
        found["Log group"] = _LOGS + "log-groups/log-group/" + _twice(message.log_group)
    return found


def _twice(text: str) -> str:
    """Encode a name twice, with $ for %, as the console requires."""
    return quote(quote(text, safe=""), safe="").replace("%", "$")


def _insights(log_group: str) -> str:
    """Return a query of CloudWatch Logs Insights for everything that the containers of the task wrote.

    A link to the log stream itself is not possible, because EventBridge cannot cut the id of the task out of the ARN;
    the query can. AWS does not document this URL. Public code builds it this way: an object of JSURL, with * for % in
    its texts, and the signs between them encoded twice; assumed: an ARN and times may be in it unencoded.
    """
    query, group = (quote(each, safe="").replace("%", "*") for each in (_LINES_OF_TASK, log_group))
    times = "end~'<time>~start~'<created_at>~timeType~'ABSOLUTE~tz~'UTC"
    detail = f"~({times}~editorString~'{query.replace('TASK', '<task>')}~source~(~'{group}))"
    return "logs-insights$3FqueryDetail$3D" + "".join(_SIGNS.get(each, each) for each in detail)


class Own(str):
    """A field as a whole JSON value."""

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
    """Return a field for a receiver that accepts only texts: as a whole value if it may need escapes, else in quotes,
    so that a number or a list becomes a text."""
    return Own(name) if kind.all_fields()[name].free else f"<{name}>"


def _own(kind: EventKind) -> dict[str, Own]:
    return {name: Own(name) for name in (*kind.fields, *kind.details)}


def _sentry(kind: EventKind, message: Message) -> str:
    # Sentry's tags are for searching: short, and on one line.
    tags = {name: f"<{name}>" for name, field in kind.fields.items() if not field.free and name != "exit_codes"}
    return _document(
        {
            "platform": "other",
            "level": {"critical": "fatal"}.get(message.severity, message.severity),
            "logger": "aws.ecs",
            "timestamp": Own("time"),
            "message": {"formatted": headline(kind, message)},
            "tags": {**tags, "account": "<account>", "region": "<region>"},
            "extra": {**links(kind, message), **_own(kind)},
            "fingerprint": ["ecs", kind.same],
        }
    )


def _slack_webhook(kind: EventKind, message: Message, **more: str) -> str:
    # Attachments, because their fields may be empty; Slack refuses a block without text.
    fields = [{"title": field.label, "value": _text(kind, name)} for name, field in kind.fields.items()]
    colours = {"warning": "warning", "info": "good"}
    attachment = {
        "color": colours.get(message.severity, "danger"),
        "fallback": headline(kind, message),
        "mrkdwn_in": [],
        "fields": fields,
        "footer": "<account> <region> <time>",
    }
    pages = [
        {"color": attachment["color"], "fallback": label, "title": label, "title_link": url}
        for label, url in links(kind, message).items()
    ]
    # Only the fields have text that callers wrote, and the empty mrkdwn_in keeps Slack from formatting it.
    plain = {"text": headline(kind, message), "mrkdwn": False, "attachments": [attachment, *pages]}
    return _document({**more, **plain})


def _slack(kind: EventKind, message: Message) -> str:
    return _slack_webhook(kind, message, channel=message.channel or "")


def _pagerduty(kind: EventKind, message: Message) -> str:
    return _document(
        {
            "event_action": "trigger",
            "dedup_key": kind.same,
            "links": [{"href": url, "text": label} for label, url in links(kind, message).items()],
            "payload": {
                "summary": headline(kind, message),
                "source": kind.source,
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
            "message": short_headline(kind, message),
            "alias": kind.same,
            "description": "\n".join([headline(kind, message), *_lines(links(kind, message))]),
            "priority": {"critical": "P1", "error": "P2", "warning": "P3", "info": "P5"}[message.severity],
            "source": "EventBridge",
            "details": {**details, "account": Own("account"), "region": Own("region"), "time": Own("time")},
        }
    )


def _teams(kind: EventKind, message: Message) -> str:
    colour = {"warning": "warning", "info": "default"}.get(message.severity, "attention")
    # A RichTextBlock shows Markdown unformatted, and a FactSet does not, so free text goes into the former.
    facts = [{"title": field.label, "value": f"<{name}>"} for name, field in kind.fields.items() if not field.free]
    texts = [
        {
            "type": "RichTextBlock",
            "inlines": [
                {"type": "TextRun", "text": f"{field.label}: ", "weight": "bolder"},
                {"type": "TextRun", "text": Own(name)},
            ],
        }
        for name, field in kind.fields.items()
        if field.free
    ]
    pages = [{"type": "Action.OpenUrl", "title": label, "url": url} for label, url in links(kind, message).items()]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "text": headline(kind, message), "weight": "bolder", "color": colour, "wrap": True},
            *texts,
            {"type": "FactSet", "facts": facts},
            {"type": "TextBlock", "text": "<account> <region> <time>", "isSubtle": True, "wrap": True},
        ],
        "actions": pages,
    }
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return _document({"type": "message", "attachments": [content]})


def _datadog(kind: EventKind, message: Message) -> str:
    safe = {name: field for name, field in kind.fields.items() if not field.free and name != "exit_codes"}
    tags = [f"{name}:<{name}>" for name in safe]
    # Datadog refuses an empty text, and any free text may be empty, so it becomes a tag.
    text = [headline(kind, message), *_lines(links(kind, message))]
    text += [f"{field.label}: <{name}>" for name, field in safe.items()]
    rest = [Own(name) for name, field in kind.fields.items() if field.free]
    return _document(
        {
            "title": short_headline(kind, message),
            "text": "\n".join(text),
            "alert_type": {"critical": "error"}.get(message.severity, message.severity),
            "tags": [*tags, *rest, "account:<account>", "region:<region>"],
        }
    )


def _lines(pages: Mapping[str, str]) -> list[str]:
    return [f"{label}: {url}" for label, url in pages.items()]


def _sns_text(kind: EventKind, message: Message) -> str:
    """Return lines of text, each in quotes, as EventBridge requires. Nobody reads them as JSON, so they may also
    contain free text."""
    who = "<group>" if "group" in kind.fields else kind.who
    who = who or ("<task_definition>" if "task_definition" in kind.fields else "")
    named = replace(kind, who=who, arn="" if who else kind.arn)
    why = " <container_reasons>" if "container_reasons" in kind.details else ""
    lines = [
        headline(named, message) + why,
        *(f"{field.label}: <{name}>" for name, field in kind.fields.items()),
        *_lines(links(kind, message)),
        "Account <account> in <region> at <time>",
    ]
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)


def _plain(kind: EventKind, message: Message) -> str:
    about = {
        "title": kind.title,
        "headline": headline(kind, message),
        "severity": message.severity,
        "detail_type": Own("detail_type"),
    }
    where = {name: Own(name) for name in ("time", "account", "region", "event_id")}
    return _document({**about, **_own(kind), **where, "links": links(kind, message)})


def _custom(kind: EventKind, message: Message) -> str:
    """Fill in the user's own template. Fields of other kinds of event are empty, so one template serves all rules."""
    fields = kind.all_fields()
    own = {"headline": headline(kind, message), "title": kind.title, "severity": message.severity}
    own |= {"link": next(iter(links(kind, message).values()), ""), "key": kind.same}

    def part(found: re.Match[str]) -> str:
        inside = found[0].startswith('"')

        def value(placeholder: re.Match[str]) -> str:
            name = placeholder[1]
            if name in own:
                text = json.dumps(own[name], ensure_ascii=False)
                return text[1:-1] if inside else text
            if name not in ALL_FIELDS:
                raise Refused(
                    f"message_options, template: <{name}> is unknown. Placeholders are {', '.join(sorted(own))} and "
                    f"the fields {', '.join(sorted(ALL_FIELDS))}"
                )
            if inside and any(
                each.all_fields()[name].free for each in EVENT_KINDS.values() if name in each.all_fields()
            ):
                raise Refused(
                    f"message_options, template: <{name}> stands inside a text, and EventBridge would not escape its "
                    "quotes. Make it a value of its own, without quotes around it"
                )
            return placeholder[0] if name in fields else "" if inside else '""'

        return re.sub(r"<([^<>]*)>", value, found[0])

    return re.sub(r'"(?:[^"\\]|\\.)*"?|[^"]+', part, message.template or "{}", flags=re.DOTALL)


ALL_FIELDS = frozenset(name for kind in EVENT_KINDS.values() for name in kind.all_fields()) | REPETITIONS.keys()

TEMPLATES: dict[str, Callable[[EventKind, Message], str]] = {
    "sentry": _sentry,
    "slack": _slack,
    "slack_webhook": _slack_webhook,
    "pagerduty": _pagerduty,
    "opsgenie": _opsgenie,
    "jira": _opsgenie,
    "teams": _teams,
    "datadog": _datadog,
    "sns_text": _sns_text,
    "plain": _plain,
    "custom": _custom,
}
