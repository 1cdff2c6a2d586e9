# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Policies of topics, queues and log groups, in which one statement is ours and the rest is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...arns import Arn
from ...errors import Refused

Document = dict[str, Any]


def read_policy_document(resource: str, text: str | None) -> Document:
    """Return the policy document; empty if there is no policy. Raise ``Refused`` if its contents could not be kept."""
    if not (text or "").strip():
        return {}
    try:
        document = json.loads(text or "")
    except ValueError:
        document = None
    if not isinstance(document, dict) or not all(isinstance(each, dict) for each in _statements(document)):
        raise Refused(
            f"The policy of {resource} is not one that can be read, so nothing can be added to it without losing what "
            "it says. Fix it, or set resource_policy: false and allow EventBridge by other means"
        )
    return document


def find_statement(document: Document, sid: str) -> dict[str, Any] | None:
    return next((statement for statement in _statements(document) if statement.get("Sid") == sid), None)


def with_statement(document: Document, statement: Mapping[str, Any]) -> Document:
    """Return the document with the statement in place of the one with the same Sid, or at the end. The rest is kept."""
    kept = _statements(document)
    places = [number for number, each in enumerate(kept) if each.get("Sid") == statement["Sid"]]
    first = places[0] if places else len(kept)
    others = [each for each in kept[first:] if each.get("Sid") != statement["Sid"]]
    return {**(document or {"Version": "2012-10-17"}), "Statement": [*kept[:first], dict(statement), *others]}


def without_statement(document: Document, sid: str) -> Document | None:
    """Return the document without that statement; None if none is left, which AWS does not accept as a policy."""
    kept = [statement for statement in _statements(document) if statement.get("Sid") != sid]
    return {**document, "Statement": kept} if kept else None


def least_topic_policy_document(topic: Arn) -> Document:
    """Return the minimal policy of a topic, which cannot be without one: access for its own account."""
    actions = (
        "GetTopicAttributes SetTopicAttributes AddPermission RemovePermission DeleteTopic Subscribe "
        "ListSubscriptionsByTopic Publish"
    )
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TopicOwner",
                "Effect": "Allow",
                "Principal": {"AWS": str(Arn(topic.partition, "iam", "", topic.account, "root"))},
                "Action": [f"sns:{action}" for action in actions.split()],
                "Resource": str(topic),
            }
        ],
    }


def _statements(document: Document) -> list[Any]:
    found = document.get("Statement", [])
    return found if isinstance(found, list) else [found]
