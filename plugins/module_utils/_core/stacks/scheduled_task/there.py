# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The resources that exist under the role's names, and who owns them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...arns import parse_arn
from ...events.target.plan import Found, Place
from ...limits import DELIVERY_DEFAULTS
from ...schedules.by_rule import check_is_schedule, rule_schedule, target_id_of
from ...schedules.schedule import RULE, SCHEDULER
from ..found import attributes_place, rule_of
from ..ownership import WORDS, Owner
from .names import RULES, Names

Thing = Mapping[str, Any]
OTHER_PARTS = ("input_path", "input_transformer", "message_group_id", "partition_key_path", "http_parameters")


@dataclass(frozen=True)
class There:
    """The stack of ``ecs_stack_info`` as seen by a role with these names. ``group`` is the schedule's group."""

    stack: Mapping[str, Any]
    names: Names
    owner: Owner
    group: str

    def find(self, kind: str, name: str) -> Thing | None:
        found: Thing | None = (self.stack.get(kind) or {}).get(name)
        return found

    def ours(self, kind: str, name: str) -> Thing | None:
        """Return the resource if it exists and has our tag, otherwise None."""
        found = self.find(kind, name)
        return found if self.owner.owns(found) else None

    def machine(self) -> dict[str, Any] | None:
        """Return the state machine. One that is being deleted counts as absent: it is gone after its last execution."""
        found = self.find("state_machines", self.names.name)
        if found is None or found["status"] == "DELETING":
            return None
        return {key: value for key, value in found.items() if key != "status"}

    def schedule(self, using: str) -> Thing | None:
        """Return the schedule of that kind, of any owner, in the shape of its module. ``foreign`` has the parts of its
        target that the module does not know. Raises ``Refused`` for a rule that is not a schedule with one target."""
        if using == SCHEDULER:
            return self.find("schedules", f"{self.group}/{self.names.name}")
        rule = rule_of(self.find("rules", self.names.name))
        if rule is None:
            return None
        check_is_schedule(rule)
        targets = list(rule.targets or ())
        target_id_of(rule.name, {each["id"]: each["arn"] for each in targets}, self.names.machine_arn)
        known, foreign = _starts(targets[0] if targets else {})
        return {**rule_schedule(rule, known, rule.tags), "foreign": foreign}

    def owns_schedule(self, using: str) -> bool:
        """Return whether a schedule of that kind exists and is ours.

        In EventBridge Scheduler only groups have tags, schedules have none. A schedule is therefore ours if it starts
        our state machine with our IAM role. A rule that does so counts as ours too, even if it was made by hand.
        """
        found = self.find(*self._place_of(using))
        if found is None:
            return False
        targets = [found["target"]] if using == SCHEDULER else found["targets"] or []
        ours = (self.names.machine_arn, self.names.role_arn(self.names.schedule_role))
        return self.owner.owns({"tags": found.get("tags") or {}}) or [
            (each["arn"], each["role_arn"]) for each in targets
        ] == [ours]

    def _place_of(self, using: str) -> tuple[str, str]:
        by_rule = using == RULE
        return ("rules", self.names.name) if by_rule else ("schedules", f"{self.group}/{self.names.name}")

    def others(self) -> dict[tuple[str, str], str]:
        """Describe the resources that exist under our names and are not ours, by kind and name."""
        names = self.names
        tagged = [
            ("state_machines", names.name),
            ("iam_roles", names.states_role),
            ("iam_roles", names.schedule_role),
            ("log_groups", names.log_group),
            *(("rules", names.rule(way)) for way in RULES),
            ("topics", names.topic),
        ]
        found = [key for key in tagged if self.find(*key) is not None and not self.ours(*key)]
        for using in (SCHEDULER, RULE):
            place = self._place_of(using)
            if self.find(*place) is not None and not self.owns_schedule(using):
                found.append((place[0], names.name))
        return {key: f"{WORDS[key[0]]} {key[1]}" for key in found}

    def target(self, way: str, target_id: str, topic_arn: str | None) -> Found:
        """Return the target of our rule that notifies the topic, and the policies of the topics that it may reach."""
        name = self.names.rule(way)
        rule = rule_of(self.ours("rules", name))
        targets = list(rule.targets or ()) if rule else []
        ours = next((each for each in targets if each["id"] == target_id), None)
        others = sum(each is not ours for each in targets)
        return Found(ours, others, rule=rule, places=self._places(topic_arn))

    def _places(self, topic_arn: str | None) -> dict[str, Place]:
        own = self.ours("topics", self.names.topic)
        given = self.find("topic_policies", topic_arn) if topic_arn else None
        found = {topic_arn: given and given["attributes"]} if topic_arn else {}
        found[self.names.topic_arn] = own and own["attributes"]
        arns = {text: parse_arn(text) for text in found}
        # A topic that was not found counts as existing, because it is created before the target.
        return {text: attributes_place(arn, found[text] or {}) for text, arn in arns.items() if arn}


def _starts(target: Thing) -> tuple[dict[str, Any], list[str]]:
    """Return a rule's target in the shape of a schedule's target, and the parts that this shape has no place for."""
    text = target.get("input")
    known = {
        "arn": target.get("arn"),
        "role_arn": target.get("role_arn"),
        "input": _data(text),
        "dead_letter_arn": target.get("dead_letter_arn"),
        **{key: usual if target.get(key) is None else target[key] for key, usual in DELIVERY_DEFAULTS.items()},
        "task": None,
    }
    return known, [part for part in OTHER_PARTS if target.get(part)]


def _data(text: str | None) -> Any:
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text
