# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Plan what the role does: create what is missing, change what differs, remove what is left over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...arns import parse_arn
from ...change import Change
from ...errors import Refused
from ...events.target.options import read_target
from ...events.target.plan import Found, check_rule, plan_target, rule_arn
from ...failures.rule import plan_rule, read_rule
from ...schedules.plan import plan_schedule, schedule_facts
from ...schedules.schedule import RULE, SCHEDULER, read_schedule
from ...states.machine import plan_machine, read_machine
from ..difference import StackPlan, Step
from ..found import rule_of
from ..iam import plan_role, wanted_role
from ..messaging import confirmed_emails, mail_topic, plan_topic, retired_topic
from ..ownership import Owner, kept_note, refusal, shared_note
from ..place import StackPlace, place_in
from ..steps import whole
from . import wanted
from .names import RULES, Names
from .policies import schedule_policy, schedule_trust, states_policy, states_trust
from .there import There
from .variables import PREFIX, Variables, naming_variables, read_variables

TAG = "steadyops.ecs/scheduled-task"
_STACK = "Create or update the IAM roles and the topic"
_UNUSED = "Remove the rules, the topic and the IAM roles"
# The keys of the plan, each with the task of the role that writes its items, in the order of the tasks.
TASKS = {
    "log_groups": "Create or update the log group",
    **dict.fromkeys(("roles", "topics", "log_group_keys"), _STACK),
    "state_machines": "Create or update the state machine",
    **dict.fromkeys(("rules", "targets"), "Notify the topic"),
    "removed_schedules": "Remove the schedule",
    "schedules": "Create or update the schedule",
    "removed_state_machines": "Remove the state machine",
    "removed_log_groups": "Remove the log group",
    **dict.fromkeys(("removed_targets", "removed_rules", "removed_topics", "removed_roles"), _UNUSED),
}


def names_to_find(given: Mapping[str, Any], read: wanted.Reader) -> dict[str, list[str]]:
    """Return what ``ecs_stack_info`` must look up. Raises ``Refused`` for invalid variables."""
    variables = read_variables(given)
    # ARNs depend on the account, which is not known yet; any account will do to check the options that contain them.
    names = Names(variables.name, StackPlace("aws", "eu-west-1", "123456789012"))
    if variables.present:
        _read_options(names, variables, read)
    topic = [variables.topic_arn] if variables.topic_arn else []
    family = [variables.task_definition] if variables.present and variables.pass_role_arns is None else []
    group = [variables.group] if variables.present and variables.group != "default" else []
    return {
        "state_machines": [names.name],
        "schedules": [f"{variables.group}/{names.name}"],
        "schedule_groups": group if variables.using == SCHEDULER else [],
        "rules": [names.name, *map(names.rule, RULES)],
        "iam_roles": [names.states_role, names.schedule_role],
        "log_groups": [names.log_group],
        "topics": [names.topic],
        "topic_policies": topic,
        "task_definitions": family,
    }


def make_plan(given: Mapping[str, Any], stack: Mapping[str, Any], read: wanted.Reader, now: float) -> dict[str, Any]:
    """Return the plan in the form of ``StackPlan.facts``. Raises ``Refused`` before anything is written."""
    variables = read_variables(given)
    names = Names(variables.name, place_in(stack))
    owner = Owner(TAG, names.name, f"{PREFIX}name")
    there = There(stack, names, owner, variables.group)
    plan = (_Present if variables.present else _Absent)(names, variables, there, now)
    plan.make(read)
    return plan.plan.facts()


def _read_options(
    names: Names, variables: Variables, read: wanted.Reader
) -> tuple[wanted.Parameters, wanted.Parameters]:
    """Return the options of the state machine and of the schedule. Raises ``Refused``."""
    with naming_variables():
        machine = read(wanted.MACHINE, wanted.machine(names, variables, {}))
        schedule = read(wanted.SCHEDULE, wanted.schedule(names, variables, {}))
        read_machine(machine)
        read_schedule(schedule)
    return machine, schedule


@dataclass
class _Plan:
    """The removals, which both states of the role need."""

    names: Names
    variables: Variables
    there: There
    now: float
    plan: StackPlan = field(default_factory=lambda: StackPlan({key: Step(task) for key, task in TASKS.items()}))
    kept: list[str] = field(default_factory=list)  # ours, but kept because others use them

    def add(self, key: str, item: wanted.Parameters, label: str, change: Change) -> None:
        self.plan.steps[key].add(item, label, change.before, change.after)

    def remove_schedule(self, using: str) -> None:
        """Remove our schedule. Raises ``Refused`` for a rule to which others have added targets."""
        if not self.there.owns_schedule(using):
            return
        name, found = self.names.name, self.there.schedule(using) or {}
        item = {"name": name, "using": using}
        if using == SCHEDULER:
            item["group_name"] = str(found["group_name"])
        else:
            item["state_machine_arn"] = self.names.machine_arn
        facts = {key: value for key, value in schedule_facts(found, self.now).items() if key != "foreign"}
        self.add(
            "removed_schedules", item, f"{'schedule' if using == SCHEDULER else 'rule'} {name}", Change(facts, None)
        )

    def remove_rule(self, way: str) -> None:
        """Remove our target and the rule. A rule that has targets of others is kept."""
        name = self.names.rule(way)
        rule = self.there.ours("rules", name)
        if rule is None and self.there.find("rules", name) is not None:
            return
        item = {"rule": name, "id": wanted.TARGET_ID, **wanted.given({"arn": self.variables.topic_arn})}
        found = self.there.target(way, wanted.TARGET_ID, self.variables.topic_arn)
        self.remove_target(item, found)
        if found.others:
            self.kept.append(f"rule {name}")
        else:
            self.plan.steps["removed_rules"].add_step("rule", {"name": name, "state": "absent"}, Change(rule, None))

    def remove_target(self, item: wanted.Parameters, found: Found) -> None:
        item = {**item, "state": "absent"}
        change = plan_target(read_target(wanted.whole_target(item)), found, self.names.rule_arn(item["rule"]))
        self.plan.steps["removed_targets"].add_step("target", item, change)

    def remove_topic(self) -> None:
        """Remove our topic. If it has subscriptions other than email, only those of email are removed."""
        name = self.names.topic
        topic = self.there.ours("topics", name)
        if topic is None:
            return
        params, shared = retired_topic(name, topic)
        if shared:
            self.kept.append(f"topic {name}")
        if params:
            self.plan.steps["removed_topics"].add_step("topic", params, plan_topic(whole("topic", params), topic))

    def remove_tagged(self, key: str, kind: str, name: str) -> None:
        found = self.there.ours(kind, name)
        if found is not None:
            self.add(key, {"name": name}, name, Change(found, None))

    def finish(self, **result: Any) -> None:
        """Set the role's result, and add a note about what is kept."""
        self.plan.result.update(result, kept=self.kept)
        if self.kept:
            self.plan.notes.append(shared_note(self.kept))


class _Absent(_Plan):
    """Remove everything that is ours."""

    def make(self, _read: wanted.Reader) -> None:
        names = self.names
        self.remove_schedule(SCHEDULER)
        try:
            self.remove_schedule(RULE)
        except Refused:
            self.keep_rule_of_schedule()
        if self.there.machine() is not None:
            self.remove_tagged("removed_state_machines", "state_machines", names.name)
        for way in RULES:
            self.remove_rule(way)
        self.remove_topic()
        self.remove_tagged("removed_log_groups", "log_groups", names.log_group)
        for role in (names.schedule_role, names.states_role):
            found = self.there.ours("iam_roles", role)
            self.plan.steps["removed_roles"].add_step(
                "iam_role", {"name": role, "state": "absent"}, Change(found, None)
            )
        others = list(self.there.others().values())
        self.finish(state_machine=None, schedule=None, topic_arn=None, unconfirmed_emails=[], not_managed=others)
        if others:
            self.plan.notes.append(kept_note(others))

    def keep_rule_of_schedule(self) -> None:
        """Keep a rule that others use, without our targets: the state machine that they start is removed."""
        name = self.names.name
        self.kept.append(f"rule {name}")
        for target in (self.there.find("rules", name) or {})["targets"] or []:
            if target["arn"] == self.names.machine_arn:
                # ecs_task_schedule adds no statement to the policy of a dead-letter queue, so there is none to remove.
                self.remove_target({"rule": name, "id": target["id"], "resource_policy": False}, Found(target))


class _Present(_Plan):
    """Create or change what is missing or differs, and remove what the variables no longer ask for."""

    @property
    def tags(self) -> dict[str, str]:
        return self.there.owner.tags(self.variables.tags)

    @property
    def topic(self) -> str | None:
        return wanted.topic_arn(self.names, self.variables)

    def make(self, read: wanted.Reader) -> None:
        variables = self.variables
        machine_options, schedule_options = _read_options(self.names, variables, read)
        self.check_owners()
        self.check_topic()
        self.check_key()
        self.check_group()
        self.add_roles()
        if variables.emails:
            self.add_topic()
        else:
            self.remove_topic()
        if variables.logging_level != "OFF":
            self.add_log_group()
        else:
            self.remove_tagged("removed_log_groups", "log_groups", self.names.log_group)
        machine = self.add_machine(machine_options)
        for way in RULES:
            if way in variables.ways:
                self.add_rule(way)
                self.add_target(way)
            else:
                self.remove_rule(way)
        # The other schedule is removed first: two schedules never coexist, so nothing runs twice.
        self.remove_schedule(SCHEDULER if variables.using == RULE else RULE)
        schedule = self.add_schedule(schedule_options)
        unconfirmed = self.unconfirmed()
        self.finish(
            state_machine=machine,
            schedule=schedule,
            topic_arn=self.topic,
            unconfirmed_emails=unconfirmed,
            not_managed=[],
        )
        if unconfirmed:
            self.plan.notes.append(
                f"AWS sends a confirmation request to {' and '.join(unconfirmed)}. Until someone opens the link in "
                "it, that address gets no mail."
            )

    # ---- checks before the first write

    def check_owners(self) -> None:
        """Raise ``Refused`` if a resource that would be created or changed is not ours."""
        variables, names = self.variables, self.names
        unused = {("rules", names.rule(way)) for way in RULES if way not in variables.ways}
        unused.add(("schedules" if variables.using == RULE else "rules", names.name))
        if not variables.emails:
            unused.add(("topics", names.topic))
        if variables.logging_level == "OFF":
            unused.add(("log_groups", names.log_group))
        others = [words for key, words in self.there.others().items() if key not in unused]
        if others:
            raise Refused(refusal(self.there.owner, others))

    def check_topic(self) -> None:
        """Raise ``Refused`` if the topic does not exist, or if its policy must admit rules and cannot be read."""
        arn = self.variables.topic_arn
        if not (arn and self.variables.ways):
            return
        found = self.there.find("topic_policies", arn)
        if found is None:
            raise Refused(
                f"The topic {arn} does not exist. Nothing was changed. Create it first, or check `{PREFIX}topic_arn` "
                "and the credentials"
            )
        if found["denied"] and not set(self.variables.ways) <= {"catch", "skipped"}:
            raise Refused(
                f"The topic {arn} cannot be read: AWS answered with {found['denied']}. Nothing was changed. Allow "
                "sns:GetTopicAttributes and sns:SetTopicAttributes, or set "
                f"`{PREFIX}notify` to catch, which needs neither"
            )

    def check_key(self) -> None:
        key, region = parse_arn(str(self.variables.kms_key)), self.names.place.region
        if key and key.region != region:
            raise Refused(
                f"`{PREFIX}kms_key` is {key}, which is not a key of {region}. Nothing was changed. Give a key of this "
                "region"
            )

    def check_group(self) -> None:
        group = self.variables.group
        looked_for = self.there.stack.get("schedule_groups", {})
        if group in looked_for and looked_for[group] is None:
            raise Refused(
                f"The schedule group {group} does not exist. Nothing was changed. Create it with "
                f"'aws scheduler create-schedule-group --name {group}', or omit `{PREFIX}schedule`.group_name"
            )

    def passed_roles(self) -> list[str]:
        """Return the ARNs of the roles that tasks get. Raises ``Refused`` if the task definition cannot be read."""
        variables = self.variables
        overrides = variables.job.get("overrides") or {}
        given = variables.pass_role_arns
        if given is None:
            definition = self.there.find("task_definitions", variables.task_definition)
            if definition is None:
                raise Refused(
                    f"The task definition {variables.task_definition} cannot be seen in {self.names.place.region}. "
                    "Nothing was changed. Register it first and allow ecs:DescribeTaskDefinition, or set "
                    f"`{PREFIX}pass_role_arns` to the roles of its tasks"
                )
            given = (definition["task_role_arn"], definition["execution_role_arn"])
        own = (overrides.get("task_role_arn"), overrides.get("execution_role_arn"))
        return sorted({arn for arn in (*given, *own) if arn})

    # ---- the resources, in the order of the tasks

    def add_roles(self) -> None:
        variables, names = self.variables, self.names
        topic = wanted.topic_of_machine(names, variables, "catch", "skipped")
        states = states_policy(names, variables, self.passed_roles(), topic, self.topic_key())
        for role, description, trusted, policy_name, policy in (
            (
                names.states_role,
                f"Step Functions runs the task {names.name}",
                states_trust(names),
                "steadyops-run-task",
                states,
            ),
            (
                names.schedule_role,
                f"The schedule starts {names.name}",
                schedule_trust(names, variables),
                "steadyops-start-execution",
                schedule_policy(names, variables),
            ),
        ):
            policies = {policy_name: policy}
            item = wanted_role(role, trusted, description, self.tags, variables.permissions_boundary, policies)
            self.plan.steps["roles"].add_step("iam_role", item, plan_role(item, self.there.find("iam_roles", role)))

    def topic_key(self) -> str | None:
        """Return the topic's KMS key; None without one, or for AWS's own, which every role of the account may use."""
        variables = self.variables
        if variables.emails:
            found = self.there.find("topics", self.names.topic)
        else:
            found = self.there.find("topic_policies", str(variables.topic_arn))
        key = variables.kms_key if variables.emails else None
        key = key or (found["attributes"].get("KmsMasterKeyId") if found else None)
        return None if key is None or key.endswith("alias/aws/sns") else key

    def add_topic(self) -> None:
        """Subscribe the addresses and unsubscribe all other confirmed email addresses. Other subscriptions are kept."""
        name, emails, key = self.names.topic, self.variables.emails, self.variables.kms_key
        found = self.there.find("topics", name)
        item = {
            **mail_topic(name, emails, found),
            "attributes": {
                "DisplayName": f"ECS job {self.names.name}",
                **({"KmsMasterKeyId": key} if key else {}),
            },
            "tags": self.tags,
        }
        self.plan.steps["topics"].add_step("topic", item, plan_topic(item, found))

    def unconfirmed(self) -> list[str]:
        """Return the addresses that get no mail yet."""
        found = self.there.find("topics", self.names.topic)
        return [address for address in self.variables.emails if address not in confirmed_emails(found)]

    def add_log_group(self) -> None:
        name, key = self.names.log_group, self.variables.kms_key
        found = self.there.find("log_groups", name)
        item = {"retention_days": self.variables.log_retention_days, "tags": self.tags}
        if found is None or any(found[each] != value for each, value in item.items()):
            created = {"kms_key_id": key} if key and found is None else {}
            self.add("log_groups", {"name": name, **item, **created}, name, Change(found, {**item, **created}))
        if found and key:
            change = Change({"kms_key_arn": found["kms_key_arn"]}, {"kms_key_arn": key})
            self.plan.steps["log_group_keys"].add_step("log_group_key", {"name": name, "kms_key_arn": key}, change)

    def add_machine(self, options: wanted.Parameters) -> Mapping[str, Any] | None:
        found = self.there.machine()
        change = plan_machine(read_machine({**options, "tags": self.tags}), self.names.machine_arn, found)
        if change.changed:
            item = wanted.machine(self.names, self.variables, self.tags)
            self.add("state_machines", item, self.names.name, change)
        return change.after

    def add_rule(self, way: str) -> None:
        item = wanted.rule(self.names, self.variables, way, self.tags)
        found = rule_of(self.there.find("rules", item["name"]))
        if found is not None:
            found = replace(found, targets=None)
        self.plan.steps["rules"].add_step("rule", item, plan_rule(read_rule(wanted.whole_rule(item)), found))

    def add_target(self, way: str) -> None:
        region = self.names.place.region
        item = wanted.target(self.names, way, str(self.topic))  # set whenever there is a way to notify
        target = read_target(wanted.whole_target(item))
        found = self.there.target(way, wanted.TARGET_ID, self.topic)
        check_rule(target, found, region)
        change = plan_target(target, found, rule_arn(target, region, found.target))
        self.plan.steps["targets"].add_step("target", item, change)

    def add_schedule(self, options: wanted.Parameters) -> Mapping[str, Any] | None:
        using = self.variables.using
        # The target is always written as a whole, so parts that others have added to it are removed.
        found = {key: value for key, value in (self.there.schedule(using) or {}).items() if key != "foreign"}
        asked = read_schedule({**options, "tags": self.tags if using == RULE else None})
        with naming_variables():
            change = plan_schedule(asked, found or None, (), self.names.place.region, self.now)
        # A constant input replaces the event, which has the time.
        constant = change.after is not None and change.after["target"]["input"] is not None
        if self.variables.starting_deadline and using == RULE and constant:
            raise Refused(
                f"`{PREFIX}starting_deadline` needs the event that the rule {self.names.name} passes on, but its "
                f"target has a constant input. Nothing was changed. Omit `{PREFIX}input`, remove the input of the "
                f"target, or set `{PREFIX}schedule`.using to scheduler"
            )
        if change.changed:
            item = wanted.schedule(self.names, self.variables, self.tags)
            self.add("schedules", item, self.names.name, change)
        return change.after
