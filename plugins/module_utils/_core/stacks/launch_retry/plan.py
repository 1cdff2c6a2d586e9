# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Plan what the role launch_retry writes, from its variables and what ``ecs_stack_info`` has found."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...arns import parse_arn
from ...change import Change
from ...errors import Refused
from ...events.target.options import read_target
from ...events.target.plan import Found, plan_target
from ...failures.rule import plan_rule, read_rule
from ...log_subscription.model import Filter, FunctionAccess, feeds, log_groups_in, sid_of, statement_in
from ...log_subscription.plan import plan_subscription, read_subscription, warnings_of
from ..difference import StackPlan, Step, differing
from ..found import policy_place, rule_of
from ..iam import plan_role
from ..messaging import confirmed_emails, plan_queue, plan_topic, retired_topic
from ..ownership import kept_note, others, refusal, shared_note
from ..place import place_in
from ..steps import whole
from ..trails import trail_note
from .read import Retries, read_retries
from .wanted import BATCH_SIZE, TARGET, Names, Wanted, mark

_STACK = "Create or update the IAM role, the queues and the topic"
_ROUTES = "Send the events of the rules to the function"
_OLD_ROUTES = "Remove rules that are not needed"
_OLD_STACK = "Remove the topic, the IAM role and the queues with all messages in them"
# The keys of the plan, each with the task of the role that writes its items, in the order of the tasks.
TASKS = {
    "log_groups": "Create or update the log group of the function",
    **dict.fromkeys(("roles", "log_group_keys", "queues", "topics"), _STACK),
    "functions": "Create or update the function",
    "concurrency": "Reserve executions for the function",
    "mappings": "Invoke the function with retries that are due",
    "alarms": "Create or update the alarm on the dead-letter queue",
    **dict.fromkeys(("rules", "targets"), _ROUTES),
    "subscriptions": "Send refused launches from the log group of the trail to the function",
    **dict.fromkeys(("old_targets", "old_rules"), _OLD_ROUTES),
    "old_subscriptions": "Remove subscription filters that are not needed",
    "old_mappings": "Stop invoking the function",
    "old_functions": "Remove the function",
    "old_log_groups": "Remove the log group of the function",
    "old_alarms": "Remove the alarm",
    **dict.fromkeys(("old_topics", "old_queues", "old_roles"), _OLD_STACK),
}
REMOVES = frozenset(key for key in TASKS if key.startswith("old_"))


def names_to_find(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``ecs_stack_info`` must look up. Raises ``Refused`` for invalid variables."""
    retries = read_retries(variables)
    names = Names(retries.name)
    return {
        "rules": list(names.rules),
        "queues": list(names.queues),
        "topics": [names.topic],
        "log_groups": [names.log_group],
        "iam_roles": [names.name],
        "functions": [names.name],
        "function_policies": [names.name],
        "event_source_mappings": [names.name],
        "subscription_filters": [retries.log_group] if retries.log_group else [],
        "alarms": [names.dead_letters],
        "task_definitions": [family for family in retries.families if family not in retries.pass_role_arns],
        "trails": retries.present,
    }


def options_to_pack(variables: Mapping[str, Any], stack: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that go into the package of the function. Raises ``Refused``."""
    wanted = Wanted(read_retries(variables), place_in(stack))
    return wanted.function_options(_task_roles(wanted, stack.get("task_definitions", {})))


def plan_stack(
    variables: Mapping[str, Any], stack: Mapping[str, Any], package: Mapping[str, Any] | None = None
) -> StackPlan:
    """Return everything that the role must write. Raises ``Refused``.

    ``package`` has the ``path`` and ``code_sha256`` of the packed function. Without it, the plan does not know whether
    the code differs and serves only to check ownership before anything is packed.
    """
    return _Planner(Wanted(read_retries(variables), place_in(stack)), stack).plan(package or {})


class _Planner:
    """Compare the wanted stack with what was found. Each method adds items to one or more steps."""

    def __init__(self, wanted: Wanted, stack: Mapping[str, Any]) -> None:
        self.wanted, self.stack = wanted, stack
        self.retries: Retries = wanted.retries
        self.names = wanted.names
        self.function = wanted.place.arn("lambda", f"function:{self.names.name}")
        self.others = self._others()
        self.steps = {key: Step(task) for key, task in TASKS.items()}
        self.notes: list[str] = []
        self.kept: list[str] = []  # ours, but kept because others use them

    def plan(self, package: Mapping[str, Any]) -> StackPlan:
        if self.retries.present:
            if self.others:
                raise Refused(refusal(self.retries.owner, self.others))
            self._make(package)
        elif self.others:
            self.notes.append(kept_note(self.others))
        self._remove()
        if self.kept:
            self.notes.append(shared_note(self.kept))
        return StackPlan(self.steps, self._result(), self.notes)

    # ---- ownership

    def found(self, kind: str, name: str) -> Any:
        return self.stack.get(kind, {}).get(name)

    def ours(self, kind: str, name: str) -> Any:
        """Return what was found if the role manages it, otherwise None."""
        found = self.found(kind, name)
        return found if found is not None and self._owns(kind, found) else None

    def _owns(self, kind: str, found: Mapping[str, Any]) -> bool:
        marked = kind == "alarms" and found["description"].endswith(mark(self.wanted))
        return marked or self.retries.owner.owns(found)

    def _others(self) -> list[str]:
        names = self.names
        taggable = [
            *(("rules", name) for name in names.rules),
            ("iam_roles", names.name),
            *(("queues", name) for name in names.queues),
            ("topics", names.topic),
            ("functions", names.name),
            ("log_groups", names.log_group),
            ("alarms", names.dead_letters),
        ]
        found = others(self.retries.owner, self.stack, [each for each in taggable if not self.ours(*each)])
        return found + [
            f"subscription filter {each.name} of {group}"
            for group, each in self._filters()
            if each.name == names.name and not self._feeds(each)
        ]

    def _filters(self) -> Iterator[tuple[str, Filter]]:
        for group, filters in self.stack.get("subscription_filters", {}).items():
            yield from ((group, Filter(**each)) for each in filters or ())

    def _feeds(self, each: Filter) -> bool:
        return feeds(each, self.function)

    # ---- present

    def _make(self, package: Mapping[str, Any]) -> None:
        key = parse_arn(str(self.retries.kms_key))
        if key and key.region != self.wanted.place.region:
            raise Refused(
                f"launch_retry_kms_key: {key} is not a key of {self.wanted.place.region}. Give one of this region"
            )
        task_roles = self._task_roles()
        self._role(task_roles)
        self._log_group()
        self._queues()
        self._topic()
        self._function(package)
        self._mapping()
        self._alarm()
        self._rules_and_targets()
        self._subscription()
        note = trail_note(self.stack.get("trails"))
        if note:
            self.notes.append(note)
        if not (self.wanted.topic_arn or self.retries.alarm_actions):
            self.notes.append(
                "No one is notified of launches that are given up. Set launch_retry_emails or launch_retry_topic_arn."
            )

    def _task_roles(self) -> dict[str, list[str]]:
        definitions = self.stack.get("task_definitions", {})
        asked = [family for family in self.retries.families if family not in self.retries.pass_role_arns]
        missing = [family for family in asked if definitions.get(family) is None]
        if missing:
            raise Refused(
                f"The task definition {', '.join(missing)} does not exist in {self.wanted.place.region}. Register it, "
                "or set launch_retry_pass_role_arns to the roles that its tasks get"
            )
        return _task_roles(self.wanted, definitions)

    def _role(self, task_roles: Mapping[str, Sequence[str]]) -> None:
        wanted = self.wanted.role(task_roles)
        self._add_step("roles", "iam_role", wanted, plan_role(wanted, self.ours("iam_roles", self.names.name)))

    def _log_group(self) -> None:
        name, found, key = self.names.log_group, self.ours("log_groups", self.names.log_group), self.retries.kms_key
        wanted = {**self.wanted.log_group(), **({"kms_key_id": key} if key and found is None else {})}
        shown = {"retention_days": wanted["retention"], "tags": wanted["tags"]}
        self._add_differing("log_groups", wanted, found, shown)
        if key and found:
            # The module for log groups sets a key only when it creates one.
            change = Change({"kms_key_arn": found["kms_key_arn"]}, {"kms_key_arn": key})
            self._add_step("log_group_keys", "log_group_key", {"name": name, "kms_key_arn": key}, change)

    def _queues(self) -> None:
        for wanted in self.wanted.queues():
            self._add_step("queues", "queue", wanted, plan_queue(wanted, self.ours("queues", wanted["name"])))

    def _topic(self) -> None:
        found = self.ours("topics", self.names.topic)
        wanted = self.wanted.topic(found)
        if wanted:
            self._add_step("topics", "topic", wanted, plan_topic(wanted, found))

    def _function(self, package: Mapping[str, Any]) -> None:
        found = self.ours("functions", self.names.name)
        wanted = self.wanted.function({"path": package.get("path")})
        shown = {key: wanted[key] for key in _SHOWN_OF_FUNCTION if key in wanted}
        shown |= {"role_arn": wanted["role"], "code_sha256": package.get("code_sha256")}
        standing = (found or {}).get("environment", {})
        environment = {name: self._address(name, queue, standing) for name, queue in self._addresses().items()}
        if self.wanted.topic_arn:
            environment["TOPIC_ARN"] = _hash(self.wanted.topic_arn)
        topic = {"TOPIC_ARN": self.wanted.topic_arn} if self.wanted.topic_arn else {}
        self._add_differing(
            "functions", {**wanted, "environment_variables": topic}, found, {**shown, "environment": environment}
        )
        reserved, before = self.retries.reserved_concurrency, (found or {}).get("reserved_concurrency")
        if reserved != before:
            item = {
                "name": self.names.name,
                "reserved_concurrent_executions": reserved,
                "state": "absent" if reserved is None else "present",
            }
            self.steps["concurrency"].add(item, self.names.name, before, reserved)

    def _addresses(self) -> dict[str, str]:
        """Return the queue for each variable of the function's environment that holds a queue's URL."""
        return {"RETRY_QUEUE_URL": self.names.name, "DEAD_LETTER_QUEUE_URL": self.names.dead_letters}

    def _address(self, variable: str, queue: str, standing: Mapping[str, str]) -> str:
        """Return the hash of a queue's URL: the one that the function has, if it is a URL of that queue.

        For a queue that does not exist yet, return the hash of the URL that it is expected to have.
        """
        place = self.wanted.place
        domain = "amazonaws.com.cn" if place.partition == "aws-cn" else "amazonaws.com"
        found = [each["url"] for name in self.names.queues if (each := self.ours("queues", name))]
        candidates = [f"{url.rpartition('/')[0]}/{queue}" for url in found]
        candidates.append(f"https://sqs.{place.region}.{domain}/{place.account}/{queue}")
        hashes = [_hash(address) for address in candidates]
        return standing[variable] if standing.get(variable) in hashes else hashes[0]

    def _mapping(self) -> None:
        wanted = {"function_name": self.names.name, "source_arn": self.wanted.queue_arn, "batch_size": BATCH_SIZE}
        found = None
        if self.ours("functions", self.names.name):
            found = next(iter(self._mappings()), None)
        shown = {"state": "Enabled", "batch_size": BATCH_SIZE}
        if found and found["state"] in ("Enabling", "Creating", "Updating"):
            found = {**found, "state": "Enabled"}
        self._add_differing("mappings", wanted, found, shown)

    def _mappings(self) -> list[Mapping[str, Any]]:
        mappings = self.found("event_source_mappings", self.names.name) or []
        return [each for each in mappings if each["source_arn"] == self.wanted.queue_arn]

    def _alarm(self) -> None:
        wanted = self.wanted.alarm()
        shown = {key: value for key, value in wanted.items() if key != "name"}
        self._add_differing("alarms", wanted, self.ours("alarms", self.names.dead_letters), shown)

    def _rules_and_targets(self) -> None:
        for params in self.wanted.rules():
            try:
                wanted = read_rule(params)
            except Refused as error:
                raise Refused(f"launch_retry_{error}" if params["event_pattern"] is not None else error) from None
            found = self.ours("rules", params["name"])
            change = plan_rule(wanted, rule_of(found))
            self.notes += wanted.warnings
            item = {key: params[key] for key in ("name", "description", "tags")}
            self._add_step("rules", "rule", {**item, "event_pattern": wanted.event_pattern}, change)
            self._target(params["name"], found)

    def _target(self, rule: str, found: Mapping[str, Any] | None) -> None:
        item = self.wanted.target(rule)
        targets = found["targets"] if found else []
        ours = next((each for each in targets if each["id"] == TARGET), None)
        self._add_step("targets", "target", item, self._target_change({**item, "state": "present"}, ours, targets))

    def _target_change(self, item: Mapping[str, Any], ours: Any, targets: Sequence[Mapping[str, Any]]) -> Change:
        wanted = read_target({**_TARGET_DEFAULTS, **item})
        arns = {str(wanted.arn), str(wanted.dead_letter_arn), *((ours["arn"], ours["dead_letter_arn"]) if ours else ())}
        places = {}
        for arn in filter(None, map(parse_arn, map(str, arns))):
            place = policy_place(arn, self.stack)
            if place is not None:
                places[str(arn)] = place
        kept = frozenset(str(each["dead_letter_arn"]) for each in targets if each is not ours)
        found = Found(ours, dead_letters=kept, places=places)
        rule = self.wanted.place.arn("events", f"rule/{item['rule']}")
        return plan_target(wanted, found, str(rule))

    def _subscription(self) -> None:
        item = self.wanted.subscription()
        if item is None:
            return
        group = str(item["log_group"])
        try:
            wanted = read_subscription({**_SUBSCRIPTION_DEFAULTS, **item}, self.wanted.place.region)
            found = self.found("subscription_filters", group)
            filters = None if found is None else [Filter(**each) for each in found]
            # Earlier steps create the function.
            access = FunctionAccess(self.function, True, statement_in(self._policy(), sid_of(group, self.names.name)))
            change = plan_subscription(wanted, filters, access)
        except Refused as error:
            raise Refused(f"launch_retry_{error}" if str(error).startswith("filter_pattern") else error) from None
        self.notes += warnings_of(wanted, filters, access)
        if change.changed:
            self._add_change("subscriptions", item, group, change)

    def _policy(self) -> str | None:
        """Return the resource policy of the function if the function is ours, otherwise None."""
        if not self.ours("functions", self.names.name):
            return None
        standing = self.found("function_policies", self.names.name)
        return str(standing["policy"]) if standing else None

    # ---- what is no longer wanted

    def _remove(self) -> None:
        self._old_rules()
        self._old_subscriptions()
        if not self.retries.emails:
            self._old_topic()
        if self.retries.present:
            return
        if self.ours("functions", self.names.name) and self._mappings():
            item = {"function_name": self.names.name, "source_arn": self.wanted.queue_arn}
            self.steps["old_mappings"].add(item, self.names.name, self.wanted.queue_arn)
        self._add_old("old_functions", "functions", self.names.name)
        self._add_old("old_log_groups", "log_groups", self.names.log_group)
        self._add_old("old_alarms", "alarms", self.names.dead_letters)
        for queue in self.names.queues:
            self._add_old_step("queues", "queue", queue)
        self._add_old_step("iam_roles", "iam_role", self.names.name, "old_roles")

    def _old_rules(self) -> None:
        kept = {rule["name"] for rule in self.wanted.rules()} if self.retries.present else set()
        for name in self.names.rules:
            found = self.ours("rules", name)
            if found is None or name in kept:
                continue
            # Targets before the rule, because removing a target also removes its statements from resource policies.
            for target in found["targets"]:
                if target["id"] == TARGET:
                    item = {key: target[key] for key in ("id", "arn", "dead_letter_arn")}
                    params = {"rule": name, **item, "state": "absent"}
                    self._add_step("old_targets", "target", params, Change({"arn": target["arn"]}, None))
            if any(target["id"] != TARGET for target in found["targets"]):
                self.kept.append(f"rule {name}")
            else:
                self._add_old_step("rules", "rule", name)

    def _old_topic(self) -> None:
        topic = self.ours("topics", self.names.topic)
        if topic is None:
            return
        params, shared = retired_topic(self.names.topic, topic)
        if shared:
            self.kept.append(f"topic {self.names.topic}")
        if params:
            self._add_step("old_topics", "topic", params, plan_topic(whole("topic", params), topic))

    def _old_subscriptions(self) -> None:
        kept = self.retries.log_group if self.retries.source == "log_subscription" else None
        standing = {group for group, each in self._filters() if each.name == self.names.name and self._feeds(each)}
        policy = self._policy()
        for group in log_groups_in(policy):
            if statement_in(policy, sid_of(group, self.names.name)):
                standing.add(group)
        for group in sorted(standing - {kept}):
            item = {"name": self.names.name, "log_group": group, "function_arn": self.wanted.function_arn}
            self.steps["old_subscriptions"].add(item, group, self.names.name)

    # ---- result

    def _result(self) -> dict[str, Any]:
        wanted = self.wanted
        there = {
            "source": self.retries.source,
            "function_arn": wanted.function_arn,
            "role_arn": wanted.role_arn,
            "queue_arn": wanted.queue_arn,
            "dead_letter_arn": wanted.dead_letter_arn,
            "topic_arn": wanted.topic_arn,
        }
        result = there if self.retries.present else dict.fromkeys(there)
        unconfirmed = self._unconfirmed()
        if unconfirmed:
            self.notes.append(
                f"AWS sends a confirmation request to {' and '.join(unconfirmed)}. Messages arrive only after it is "
                "accepted."
            )
        return {**result, "unconfirmed_emails": unconfirmed, "kept": self.kept, "not_managed": self.others}

    def _unconfirmed(self) -> list[str]:
        confirmed = confirmed_emails(self.ours("topics", self.names.topic))
        return [email for email in self.retries.emails if email not in confirmed]

    def _add_differing(
        self, key: str, item: Mapping[str, Any], found: Mapping[str, Any] | None, shown: Mapping[str, Any]
    ) -> None:
        """Add the item if ``shown``, its values under the keys of ``found``, differs from what was found."""
        if differing(shown, found):
            self._add(key, item, found, shown)

    def _add(
        self, key: str, item: Mapping[str, Any], found: Mapping[str, Any] | None, shown: Mapping[str, Any]
    ) -> None:
        changed = differing(shown, found)
        before = None if found is None else {name: found.get(name) for name in changed}
        label = item.get("name") or item.get("log_group_name") or item.get("function_name")
        self.steps[key].add(item, str(label), before, changed)

    def _add_change(self, key: str, item: Mapping[str, Any], label: str, change: Change) -> None:
        short = _differences(change)
        self.steps[key].add(item, label, short.before, short.after)

    def _add_step(self, key: str, kind: str, params: Mapping[str, Any], change: Change) -> None:
        """Add a step of ``ecs_stack`` if it changes something."""
        self.steps[key].add_step(kind, params, _differences(change))

    def _add_old_step(self, found_as: str, kind: str, name: str, key: str = "") -> None:
        if self.ours(found_as, name) is not None:
            params = {"name": name, "state": "absent"}
            self._add_step(key or f"old_{found_as}", kind, params, Change({"name": name}, None))

    def _add_old(self, key: str, kind: str, name: str) -> None:
        if self.ours(kind, name) is not None:
            self.steps[key].add({"name": name}, name, name)


def _task_roles(wanted: Wanted, definitions: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the role ARNs of each family: those that the user gave, or those of its task definition."""
    found = {}
    for family in wanted.retries.families:
        definition = definitions.get(family) or {}
        told = [definition.get(key) for key in ("task_role_arn", "execution_role_arn")]
        roles = wanted.retries.pass_role_arns.get(family, [role for role in told if role])
        # A task definition may name a role instead of giving its ARN.
        found[family] = sorted({str(wanted.place.named("iam", role, "role/")) for role in roles})
    return found


_SHOWN_OF_FUNCTION = (
    "description",
    "handler",
    "runtime",
    "timeout",
    "memory_size",
    "dead_letter_arn",
    "tags",
    "kms_key_arn",
)
_TARGET_DEFAULTS: Mapping[str, Any] = {
    "event_bus_name": "default",
    "resource_policy": True,
    **dict.fromkeys((
        "role_arn", "maximum_retry_attempts", "maximum_event_age_in_seconds", "input", "input_path",
        "input_transformer", "message_template", "message_options", "message_for", "message_group_id",
        "partition_key_path", "http_parameters",
    )),
}  # fmt: skip
_SUBSCRIPTION_DEFAULTS: Mapping[str, Any] = {
    "state": "present",
    "resource_policy": True,
    "wait_timeout": 60,
    "wait_delay": 1,
    **dict.fromkeys((
        "clusters", "task_families", "transient_errors_only", "exclude_role_arns", "regions", "filter_pattern",
    )),
}  # fmt: skip


def _differences(change: Change) -> Change:
    """Return both sides with only the keys that differ."""
    before, after = change.before, change.after
    if before is None or after is None:
        return change
    changed = [name for name in after if change.differs(name)]
    return Change({name: before.get(name) for name in changed}, {name: after[name] for name in changed})


def _hash(value: str) -> str:
    """Return a hash as ``ecs_stack_info`` returns it for values of a function's environment."""
    return hashlib.sha256(value.encode()).hexdigest()
