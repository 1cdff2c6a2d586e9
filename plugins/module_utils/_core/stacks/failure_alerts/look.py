# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""What the role failure_alerts must look up in the account before it plans: names by kind of ``ecs_stack_info``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .variables import BY_ROLE, INVOKE, KINDS, QUIET, TARGETS, Alerts
from .web import SERVICES

Look = dict[str, Any]


def look(alerts: Alerts) -> Look:
    """Return what to look up first: all rules and what the variables name; if absent, all but unnamed web services."""
    absent = not alerts.present
    quiet = absent or bool(alerts.quiet_period)
    function, by_role = absent or alerts.function is not None, absent or bool(alerts.by_role)
    queues = [alerts.queue] if alerts.queue else []
    groups = [alerts.log_group.removesuffix(":*")] if alerts.log_group else []
    return _named(
        rules=_rules(alerts),
        queues=[*queues, *([alerts.undelivered] if absent or alerts.dead_letter else [])],
        topics=[alerts.name] if absent or alerts.emails else [],
        topic_policies=[alerts.topic_arn] if alerts.topic_arn and not absent else [],
        log_groups=[
            *groups,
            *([alerts.function_log] if function else []),
            *([alerts.quiet_log] if quiet else []),
        ],
        log_group_policies=[] if absent else groups,
        iam_roles=_roles(alerts, by_role, function, quiet),
        functions=_functions(alerts, function, quiet),
        function_policies=[] if absent else _functions(alerts, function, quiet),
        tables=[alerts.quiet_name] if quiet else [],
        connections=[alerts.web_name(name) for name in alerts.web],
        api_destinations=[alerts.web_name(name) for name in alerts.web],
        trails="launch" in alerts.kinds,
    )


def look_again(alerts: Alerts, stack: Mapping[str, Any]) -> Look:
    """Return what else to look up once the rules are known: the resources of channels that are no longer wanted."""
    if not alerts.present:
        role = stack["iam_roles"][alerts.events_role]
        ours = alerts.owner.owns(role) and INVOKE in role["policies"]
        names = [alerts.web_name(name) for name in SERVICES] if ours else []
        return _named(connections=names, api_destinations=names)
    gone = gone_channels(alerts, stack)
    web = [name for name in SERVICES if name.replace("_", "-") in gone]
    function, quiet = "sentry-function" in gone, QUIET in gone
    names = [alerts.web_name(name) for name in web]
    return _named(
        topics=[alerts.name] if "mail" in gone else [],
        iam_roles=_roles(alerts, bool(gone & set(BY_ROLE)) and not alerts.by_role, function, quiet),
        functions=_functions(alerts, function, quiet),
        tables=[alerts.quiet_name] if quiet else [],
        connections=names,
        api_destinations=names,
    )


def rules_before(alerts: Alerts, stack: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the rules that the role manages, by name."""
    rules: Mapping[str, Any] = stack["rules"]
    return {name: rules[name] for name in _rules(alerts) if alerts.owner.owns(rules.get(name))}


def gone_channels(alerts: Alerts, stack: Mapping[str, Any]) -> set[str]:
    """Return the ids of the targets that the role has created and that no rule needs any more."""
    rules = rules_before(alerts, stack).values()
    before = {target["id"] for rule in rules for target in rule["targets"]} & set(TARGETS)
    return before - {each for ids in alerts.targets.values() for each in ids}


def _rules(alerts: Alerts) -> list[str]:
    return [name for kind in KINDS for name in (alerts.rule(kind), alerts.told_rule(kind))]


def _functions(alerts: Alerts, function: bool, quiet: bool) -> list[str]:
    return [*([alerts.function_name] if function else []), *([alerts.quiet_name] if quiet else [])]


def _roles(alerts: Alerts, by_role: bool, function: bool, quiet: bool) -> list[str]:
    ends = [alerts.ends_role] if quiet else []
    return [*([alerts.events_role] if by_role else []), *_functions(alerts, function, quiet), *ends]


def _named(trails: bool = False, **names: Sequence[str]) -> Look:
    """Return only the kinds that have something to look up."""
    found: Look = {kind: list(some) for kind, some in names.items() if some}
    return {**found, "trails": True} if trails else found


def together(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return the results of two lookups as one stack."""
    both = dict(first)
    for kind, found in second.items():
        both[kind] = {**first.get(kind, {}), **found} if isinstance(found, Mapping) else found
    return both
