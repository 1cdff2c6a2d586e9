# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The steps of ``ecs_stack``: for each kind, its options with their defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import Refused
from ..failures.filters import TAKEN_BY
from ..limits import DELIVERY
from ..names import QUEUE, TOPIC, NameRule, read_name

REQUIRED = object()
STATES = ("present", "absent")
# Documentation of CreateQueue and CreateTopic.
_QUEUE_NAME = NameRule(QUEUE.resource, "1 to 80 letters, digits, hyphens and underscores, and .fifo for FIFO queues")
_TOPIC_NAME = NameRule(TOPIC.resource, "letters, digits, hyphens and underscores, and .fifo for FIFO topics")
# API model of IAM: roleNameType.
_ROLE_NAME = NameRule(r"[\w+=,.@-]{1,64}", "1 to 64 letters, digits and _ + = , . @ -")

OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "queue": {"name": REQUIRED, "state": "present", "attributes": {}, "tags": None},
    "topic": {
        "name": REQUIRED,
        "state": "present",
        "attributes": {},
        "tags": None,
        "subscriptions": [],
        "unsubscribe": [],
    },
    # The KMS key of an existing log group. No module of amazon.aws changes it.
    "log_group_key": {"name": REQUIRED, "kms_key_arn": REQUIRED},
    "iam_role": {
        "name": REQUIRED,
        "state": "present",
        **dict.fromkeys(("assume_role_policy_document", "description", "boundary", "tags")),
        "policies": {},
    },
    # The options of ecs_failure_rule.
    "rule": {
        "name": REQUIRED,
        "event_bus_name": "default",
        "state": "present",
        "enabled": None,
        "description": None,
        "kind": None,
        **dict.fromkeys(TAKEN_BY),
        "event_pattern": None,
        "tags": None,
        "purge_tags": True,
    },
    # The options of ecs_notification_target, and one more.
    "target": {
        "rule": REQUIRED,
        "event_bus_name": "default",
        "id": REQUIRED,
        "arn": None,
        "state": "present",
        "role_arn": None,
        "resource_policy": True,
        "dead_letter_arn": None,
        **dict.fromkeys(DELIVERY),
        "input": None,
        "input_path": None,
        "input_transformer": None,
        "message_template": None,
        "message_options": None,
        "message_for": None,
        "message_group_id": None,
        "partition_key_path": None,
        "http_parameters": None,
        "api_destination": None,
    },
}


def read_step(number: int, step: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the kind of a step and all its options. Raises ``Refused`` for unknown, missing or invalid options."""
    where = f"steps[{number}]"
    kinds = [kind for kind, options in step.items() if options is not None]
    if len(kinds) != 1 or kinds[0] not in OPTIONS:
        raise Refused(f"{where} must have exactly one key of {', '.join(OPTIONS)} (got {', '.join(kinds) or 'none'})")
    (kind,) = kinds
    known, given = OPTIONS[kind], step[kind]
    if not isinstance(given, Mapping):
        raise Refused(f"{where}.{kind} must be a dictionary (got {type(given).__name__})")
    unknown = sorted(map(str, given.keys() - known.keys()))
    if unknown:
        raise Refused(f"{where}.{kind} has no option {', '.join(unknown)}. It has {', '.join(known)}")
    params = {**known, **{key: value for key, value in given.items() if value is not None}}
    missing = [key for key, value in params.items() if value is REQUIRED]
    if missing:
        raise Refused(f"{where}.{kind} needs {', '.join(missing)}")
    if params.get("state", "present") not in STATES:
        raise Refused(f"{where}.{kind}.state must be one of {', '.join(STATES)} (got {params['state']!r})")
    if kind in ("queue", "topic"):
        read_name(f"{where}.{kind}.name", str(params["name"]), _QUEUE_NAME if kind == "queue" else _TOPIC_NAME)
        params["attributes"] = {key: str(value) for key, value in params["attributes"].items()}
    if kind == "iam_role":
        _read_role(f"{where}.{kind}", params)
    return kind, params


def whole(kind: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options of a step, those that ``params`` omits with their defaults."""
    return read_step(0, {kind: params})[1]


def _read_role(where: str, params: dict[str, Any]) -> None:
    """Check the name and the documents of a role, and convert its tags to text, in place."""
    read_name(f"{where}.name", str(params["name"]), _ROLE_NAME)
    for option in ("assume_role_policy_document", "policies", "tags"):
        if not isinstance(params[option], (Mapping, type(None))):
            raise Refused(f"{where}.{option} must be a dictionary (got {type(params[option]).__name__})")
    for name, document in params["policies"].items():
        if not isinstance(document, (Mapping, type(None))):
            raise Refused(f"{where}.policies.{name} must be a policy document (got {type(document).__name__})")
    if params["tags"] is not None:
        params["tags"] = {str(key): str(value) for key, value in params["tags"].items()}


def label_of(kind: str, params: Mapping[str, Any]) -> str:
    """Return the name of a step in messages and diffs."""
    if kind == "target":
        return f"target {params['id']} of rule {params['rule']}"
    return f"{'role' if kind == 'iam_role' else kind} {params['name']}"
