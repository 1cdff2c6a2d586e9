# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Compare the wanted queues and topics with those found, and plan the changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..change import Change
from .iam import same_policy


def plan_queue(wanted: Mapping[str, Any], found: Mapping[str, Any] | None) -> Change:
    """Return a queue before and after the change: the attributes that ``wanted`` names, and all tags.

    ``wanted`` is the option ``queue`` of ``ecs_stack``, ``found`` a queue of ``ecs_stack_info``.
    """
    return _plan(wanted, found, {})


def plan_topic(wanted: Mapping[str, Any], found: Mapping[str, Any] | None) -> Change:
    """Return a topic before and after the change: as for a queue, plus the subscriptions to add or remove."""
    standing = (found or {}).get("subscriptions", [])
    gone, after = set(wanted["unsubscribe"]), set(map(_named, wanted["subscriptions"]))
    before = [_named(each) for each in standing if each["arn"] in gone or _named(each) in after]
    return _plan(wanted, found, {"subscriptions": (sorted(before), sorted(after))})


def mail_topic(name: str, emails: Iterable[str], found: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the options of a topic of ours that sends mail to ``emails``, without its attributes and tags.

    Confirmed addresses that are not among them are unsubscribed; SNS cannot unsubscribe an address that has not
    confirmed. Subscriptions of other protocols are left alone.
    """
    emails = list(dict.fromkeys(emails))
    gone = [arn for address, arn in confirmed_emails(found).items() if address not in emails]
    wanted = [{"protocol": "email", "endpoint": address} for address in emails]
    return {"name": name, "state": "present", "subscriptions": wanted, "unsubscribe": gone}


def retired_topic(name: str, found: Mapping[str, Any]) -> tuple[dict[str, Any] | None, bool]:
    """Return the options that remove a topic of ours, and whether others have subscribed something to it.

    Such a topic stays, and the options only unsubscribe the addresses; they are None if there are none.
    """
    shared = any(each["protocol"] != "email" for each in found["subscriptions"])
    if not shared:
        return {"name": name, "state": "absent"}, False
    mail = list(confirmed_emails(found).values())
    return ({"name": name, "unsubscribe": mail} if mail else None), True


def confirmed_emails(found: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the addresses that receive mail from a topic, each with the ARN of its subscription.

    Until an address has confirmed, SNS gives a word such as ``PendingConfirmation`` instead of the ARN.
    """
    standing = [each for each in (found or {}).get("subscriptions", ()) if each["protocol"] == "email"]
    return {each["endpoint"]: each["arn"] for each in standing if each["arn"].startswith("arn:")}


def _plan(wanted: Mapping[str, Any], found: Mapping[str, Any] | None, more: Mapping[str, tuple[Any, Any]]) -> Change:
    name, attributes = {"name": wanted["name"]}, dict(wanted["attributes"])
    before: dict[str, Any] | None = None
    if found is not None:
        known = {key: found["attributes"].get(key) for key in attributes}
        for key in attributes.keys() & _SAME.keys():
            if known[key] is not None and _SAME[key](json.loads(known[key]), json.loads(attributes[key])):
                attributes[key] = known[key]
        before = {**name, "attributes": known, "tags": dict(found["tags"])}
        before |= {key: sides[0] for key, sides in more.items()}
    if wanted["state"] == "absent":
        return Change(before, None)
    tags = wanted["tags"]
    if tags is None:
        tags = found["tags"] if found else {}
    after = {**name, "attributes": attributes, "tags": {key: str(value) for key, value in tags.items()}}
    return Change(before, {**after, **{key: sides[1] for key, sides in more.items()}})


def _named(subscription: Mapping[str, Any]) -> str:
    return f"{subscription['protocol']} {subscription['endpoint']}"


def _same_redrive(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two redrive policies mean the same. SQS returns numbers as text or as numbers."""
    return {key: str(value) for key, value in one.items()} == {key: str(value) for key, value in other.items()}


# Attributes that contain JSON, each with the function that compares it.
_SAME: Mapping[str, Callable[[Any, Any], bool]] = {"Policy": same_policy, "RedrivePolicy": _same_redrive}
