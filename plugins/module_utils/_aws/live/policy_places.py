# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Read the policies of topics, queues, functions and log groups, and change one statement in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..._core.arns import Arn
from ..._core.events.target.plan import Place
from ..._core.events.target.policy_document import (
    least_topic_policy_document,
    read_policy_document,
    with_statement,
    without_statement,
)
from ..calls import functions, log_groups, sns, sqs

Client = Callable[[str], Any]


def read_place(client: Client, arn: Arn) -> Place:
    """Read the policy of ``arn``. ``client`` returns the boto3 client of an AWS service."""
    if arn.service == "lambda":
        return Place(arn, *functions.find_function(client("lambda"), arn))
    if arn.service == "logs":
        policy, revision = log_groups.log_group_policy(client("logs"), str(arn))
        exists = policy is not None or log_groups.log_group(client("logs"), _log_group(arn)) is not None
        return Place(arn, exists, policy, revision)
    if arn.service == "sns":
        attributes = sns.topic_attributes(client("sns"), str(arn))
    else:
        attributes = sqs.queue_attributes(client("sqs"), arn)
    if attributes is None:
        return Place(arn, exists=False)
    return Place(
        arn,
        policy_document=attributes.get("Policy") or None,
        key=attributes.get("KmsMasterKeyId") or None,
        deduplicates=attributes.get("ContentBasedDeduplication") == "true",
    )


def put_statement(client: Client, place: Place, statement: Mapping[str, Any], stands: bool) -> Place:
    """Add the statement, or replace the one of its Sid if that ``stands`` there, and keep all others.

    Return the place, with its new policy if the policy is written as a whole."""
    if place.arn.service == "lambda":
        if stands:
            functions.remove_permission(client("lambda"), place.arn, statement["Sid"])
        functions.add_permission(client("lambda"), place.arn, statement)
        return place
    return _write(client, place, with_statement(read_policy_document(str(place.arn), place.policy_document), statement))


def remove_statement(client: Client, place: Place, sid: str) -> Place:
    """Remove the statement with this Sid and keep all others."""
    if place.arn.service == "lambda":
        functions.remove_permission(client("lambda"), place.arn, sid)
        return place
    return _write(client, place, without_statement(read_policy_document(str(place.arn), place.policy_document), sid))


def _write(client: Client, place: Place, document: Mapping[str, Any] | None) -> Place:
    arn = place.arn
    if arn.service == "sns":
        sns.set_topic_policy(client("sns"), str(arn), json.dumps(document or least_topic_policy_document(arn)))
    elif arn.service == "sqs":
        sqs.set_queue_policy(client("sqs"), arn, json.dumps(document) if document else "")
    elif document is not None:
        log_groups.put_log_group_policy(client("logs"), str(arn), document, place.revision)
    else:
        log_groups.delete_log_group_policy(client("logs"), str(arn), place.revision)
    return replace(place, policy_document=json.dumps(document) if document else None)


def _log_group(arn: Arn) -> str:
    return arn.resource.removeprefix("log-group:")
