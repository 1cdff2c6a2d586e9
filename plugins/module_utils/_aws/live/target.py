# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The real target: read it and the resources that it reaches, and make the writes in order."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from typing import Any

from ..._core.arns import parse_arn
from ..._core.aws_errors import is_denied
from ..._core.change import Change
from ..._core.errors import CallFailed, Refused
from ..._core.events.target.options import WantedTarget
from ..._core.events.target.plan import Found, Place, check_rule, entries, missing, needs_rule, rule_arn
from ..calls import event_rules, event_targets
from ..shapes.event_target import boto_target, target_facts
from .policy_places import put_statement, read_place, remove_statement
from .waits import when_role_is_ready

# Seconds before each retry, when EventBridge reports a concurrent modification or when a role is so new that it is not
# known everywhere yet.
PAUSES = (1.0, 2.0, 4.0, 8.0)


class LiveTarget:
    """One target of one rule."""

    def __init__(self, client: Callable[[str], Any], wanted: WantedTarget) -> None:
        """``client`` returns the boto3 client of an AWS service."""
        self._client = client
        self._wanted = wanted
        self._places: dict[str, Place] = {}
        self.rule_arn: str | None = None
        self.missing: list[str] = []  # messages about resources that must be created first

    def read(self) -> Found:
        """Return the current state. Raise ``Refused`` as soon as it forbids the target, which saves further calls."""
        wanted = self._wanted
        name, bus = wanted.rule.name, wanted.rule.bus
        events = self._client("events")
        region = events.meta.region_name
        listed = event_targets.list_targets(events, name, bus)
        ours = next((target for target in listed or [] if target["Id"] == wanted.id), None)
        target = ours and target_facts(ours, name, wanted.rule.bus_name)
        facts = None
        if listed is not None and needs_rule(wanted, target):
            facts = event_rules.describe_rule(events, name, bus)
        others = [each for each in listed or [] if each is not ours]
        dead_letters = frozenset(each.get("DeadLetterConfig", {}).get("Arn", "") for each in others)
        found = Found(target, len(others), dead_letters, facts, rule_exists=listed is not None)
        check_rule(wanted, found, region)
        self.rule_arn = rule_arn(wanted, region, target)
        for arn in dict.fromkeys(entry.place for entry in entries(wanted, found, self.rule_arn)):
            self._read_place(arn)
        found = replace(found, places=self._places)
        self.missing = missing(wanted, found, region)
        return found

    def _read_place(self, arn: str) -> None:
        parsed = parse_arn(arn)
        if parsed is None:
            return
        try:
            self._places[arn] = read_place(self._client, parsed)
        except CallFailed as error:
            # With resource_policy false, the policy holds no statement of ours, so access to it is not required.
            if self._wanted.resource_policy or not is_denied(error.code):
                raise

    def write(self, change: Change) -> Generator[str | float, None, None]:
        """Make the writes: grant access before the rule sends, and revoke it only after the rule has stopped sending.

        Raise ``Refused`` before any write if something is missing."""
        if self.missing:
            raise Refused(self.missing[0])
        before, after = _statements(change.before), _statements(change.after)
        for (arn, sid), statement in after.items():
            if before.get((arn, sid)) != statement:
                stands = (arn, sid) in before
                self._places[arn] = put_statement(self._client, self._places[arn], statement, stands)
                yield f"allowed the rule to reach {arn}"
        yield from self._write_target(change)
        for arn, sid in before:
            if (arn, sid) not in after:
                self._places[arn] = remove_statement(self._client, self._places[arn], sid)
                yield f"removed the permission of the rule for {arn}"

    def _write_target(self, change: Change) -> Generator[str | float, None, None]:
        rule, events = self._wanted.rule, self._client("events")
        before, after = _facts(change.before), _facts(change.after)
        if before == after:
            return
        if after:
            write = functools.partial(event_targets.put_target, events, rule.name, rule.bus, boto_target(after))
        else:
            write = functools.partial(event_targets.remove_targets, events, rule.name, rule.bus, [self._wanted.id])
        yield from when_role_is_ready(write, PAUSES, transient=True)
        yield "put the target" if after else "removed the target"


def _facts(target: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the target without its statements. Empty if only statements of a former target are left."""
    facts = {key: value for key, value in (target or {}).items() if key != "permissions"}
    return facts if "arn" in facts else {}


def _statements(target: Mapping[str, Any] | None) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Return the statements by the ARN of their resource and their Sid."""
    standing = (target or {}).get("permissions", [])
    return {(each["resource"], each["statement"]["Sid"]): each["statement"] for each in standing}
