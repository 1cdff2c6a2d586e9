# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Steps of ``ecs_stack``: each reads its resource, plans the change and returns the function that writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core.change import Change
from ..._core.errors import Failed
from ..._core.events.target.options import read_target
from ..._core.events.target.plan import plan_target, warnings_of
from ..._core.failures.rule import plan_rule, read_rule
from ..._core.stacks.iam import plan_role
from ..._core.stacks.messaging import plan_queue, plan_topic
from ..._core.stacks.place import StackPlace
from ..calls import api_destinations, log_groups
from .iam_role import write_role
from .messaging import write_queue, write_topic
from .rule import find_rule, write_rule
from .stack import Client, find_queues, find_role, find_topics
from .target import LiveTarget
from .waits import Writes

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Planned:
    """The plan of a step: the change, and the function that makes the writes."""

    change: Change
    write: Callable[[Change], Writes]
    warnings: Sequence[str] = ()


def plan_step(client: Client, place: StackPlace, kind: str, params: Params) -> Planned:
    """Read the resource of the step and plan its change. Raises ``Refused``, ``Failed`` and ``CallFailed``."""
    return PLANNERS[kind](client, place, params)


def check_step(kind: str, params: Params) -> None:
    """Raise ``Refused`` for errors in the options that can be found without a call."""
    if kind == "rule":
        read_rule(params)
    elif kind == "target" and not params["api_destination"]:
        read_target(params)


def _queue(client: Client, place: StackPlace, params: Params) -> Planned:
    arn, name = place.named("sqs", params["name"]), params["name"]
    found = find_queues(client, place, [name])[name]
    change = plan_queue(params, found)
    return Planned(change, lambda change: write_queue(client("sqs"), arn, change))


def _topic(client: Client, place: StackPlace, params: Params) -> Planned:
    arn, name = place.named("sns", params["name"]), params["name"]
    found = find_topics(client, place, [name])[name]
    change = plan_topic(params, found)
    return Planned(change, lambda change: write_topic(client("sns"), arn, params, change))


def _iam_role(client: Client, _place: StackPlace, params: Params) -> Planned:
    name = params["name"]
    present = params["state"] == "present"
    found = find_role(client("iam"), name, list(params["policies"]) if present else [])
    if found is None and present and params["assume_role_policy_document"] is None:
        raise Failed(f"The role {name} does not exist. Set assume_role_policy_document to create it")
    return Planned(plan_role(params, found), lambda change: write_role(client("iam"), name, change))


def _log_group_key(client: Client, _place: StackPlace, params: Params) -> Planned:
    name, key = params["name"], params["kms_key_arn"]
    found = log_groups.log_group(client("logs"), name)
    if found is None:
        raise Failed(f"The log group {name} does not exist. Create it first")

    def write(_change: Change) -> Writes:
        log_groups.associate_key(client("logs"), name, key)
        yield "set the KMS key"

    return Planned(Change({"kms_key_arn": found.get("kmsKeyId")}, {"kms_key_arn": key}), write)


def _rule(client: Client, _place: StackPlace, params: Params) -> Planned:
    wanted, events = read_rule(params), client("events")
    current = find_rule(events, wanted.name, wanted.bus, to_delete=not wanted.present)
    change = plan_rule(wanted, current)
    return Planned(change, lambda change: write_rule(events, wanted.bus, current, change), wanted.warnings)


def _target(client: Client, _place: StackPlace, params: Params) -> Planned:
    if params["api_destination"]:
        found = api_destinations.describe_api_destination(client("events"), params["api_destination"])
        if found is None:
            raise Failed(f"The API destination {params['api_destination']} does not exist. Create it first")
        params = {**params, "arn": found.arn}
    wanted = read_target(params)
    live = LiveTarget(client, wanted)
    read = live.read()
    change = plan_target(wanted, read, live.rule_arn)
    return Planned(change, live.write, [*warnings_of(wanted, read, change), *live.missing])


PLANNERS: Mapping[str, Callable[[Client, StackPlace, Params], Planned]] = {
    "queue": _queue,
    "topic": _topic,
    "iam_role": _iam_role,
    "log_group_key": _log_group_key,
    "rule": _rule,
    "target": _target,
}
