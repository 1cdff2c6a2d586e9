# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Plan what the role failure_alerts writes and removes, in which order, and what it reports."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...change import Change
from ...errors import Refused
from ...events.api_destination import plan_api_destination, read_api_destination
from ...events.connection.plan import plan_connection
from ...events.connection.read import read_connection
from ...events.target.messages.fields import EVENT_KINDS
from ...events.target.messages.subject import NO_SUBJECT, Subject, subject_of
from ...events.target.messages.templates import fitting
from ...events.target.options import read_target
from ...events.target.plan import Found, Place, check_rule, missing, plan_target
from ...failures.covers import covers
from ...failures.rule import plan_rule, read_rule
from .. import iam
from ..difference import StackPlan, Step, differing
from ..found import api_destination_of, connection_of, policy_place, rule_of
from ..messaging import confirmed_emails, mail_topic, plan_queue, plan_topic, retired_topic
from ..ownership import kept_note, others, refusal, shared_note
from ..place import StackPlace, place_in, place_of
from ..steps import whole
from ..trails import trail_note
from . import quiet
from .look import gone_channels, rules_before
from .variables import BY_ROLE, INVOKE, KINDS, MOST_TARGETS, PUBLISH, QUIET, TARGETS, Alerts
from .web import SERVICES

Stack = Mapping[str, Any]

DESCRIPTION = "Failures of Amazon ECS, for {name}"
TWO_WEEKS = "1209600"
RUNTIME = "python3.13"
MESSAGES = {
    "mail": "sns_text",
    "queue": "plain",
    "webhook": "plain",
    **{name.replace("_", "-"): name for name in SERVICES if name != "webhook"},
}
# The kinds whose messages link to the logs of containers.
_OF_CONTAINERS = ("task", "service_task", "service_action", "deployment")
_ENVIRONMENT = {
    "SENTRY_DSN": "dsn",
    "SENTRY_DSN_SECRET": "dsn_secret_arn",
    "SENTRY_DSN_PARAMETER": "dsn_parameter",
    "SENTRY_ENVIRONMENT": "environment",
}


def plan_alerts(
    alerts: Alerts, stack: Stack, package: Mapping[str, Any], quiet_package: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the plan. ``package`` is that of the function for Sentry, ``quiet_package`` that of the quiet period.

    Raises ``Refused``.
    """
    return _Planner(alerts, stack, package, quiet_package).plan()


def web_secrets(alerts: Alerts) -> dict[str, Any]:
    """Return the secrets, which the plan must not hold: the keys of connections and the URLs of API destinations, each
    by name, and the environment of the function for Sentry."""
    connections, endpoints = {}, {}
    for service, settings in alerts.web.items():
        made = SERVICES[service](settings)
        http = {place: [_parameter(each) for each in many] for place, many in (made.http or {}).items()}
        connections[alerts.web_name(service)] = {"api_key": dict(made.api_key), "invocation_http_parameters": http}
        endpoints[alerts.web_name(service)] = made.endpoint
    return {"connections": connections, "endpoints": endpoints, "environment": _environment(alerts)}


def _parameter(given: Mapping[str, str]) -> dict[str, Any]:
    return {"value": None, "secret_value": None, **given}


def _environment(alerts: Alerts) -> dict[str, str]:
    given = alerts.function or {}
    return {name: given[key] for name, key in _ENVIRONMENT.items() if given.get(key)}


class _Planner:
    def __init__(
        self, alerts: Alerts, stack: Stack, package: Mapping[str, Any], quiet_package: Mapping[str, Any]
    ) -> None:
        self.alerts, self.stack, self.package, self.quiet_package = alerts, stack, package, quiet_package
        self.place: StackPlace = place_in(stack)
        self.owner = alerts.owner
        self.tags = self.owner.tags(alerts.tags)
        self.rules = rules_before(alerts, stack)
        self.targets = [(name, each) for name, rule in self.rules.items() for each in rule["targets"]]
        mine = [each for _rule, each in self.targets if each["id"] in TARGETS]
        # A resource that our rules already reach is ours, whatever its tags are.
        self.reached = {each[key] for each in mine for key in ("arn", "role_arn", "dead_letter_arn")} - {None}
        self.subjects: dict[str, Subject] = {}  # by kind, once the rules are planned
        role = self._ours("iam_roles", alerts.events_role)
        self.may_have_web = role is not None and INVOKE in role["policies"]
        self.not_ours = self._not_ours()
        self.kept: list[str] = []
        self.unconfirmed: list[str] = []
        self.steps = {
            "log_groups": Step("Create the log groups"),
            "first": Step("Create the queues and IAM roles"),
            "tables": Step("Create the table of the quiet period"),
            "functions": Step("Create the functions"),
            "connections": Step("Create the connections"),
            "api_destinations": Step("Create the API destinations"),
            "routes": Step("Route failures to their receivers"),
            "api_destinations_removed": Step("Remove API destinations"),
            "connections_removed": Step("Remove connections"),
            "functions_removed": Step("Remove the functions"),
            "tables_removed": Step("Remove the table of the quiet period"),
            "iam_removed": Step("Remove IAM roles and their policies"),
            "log_groups_removed": Step("Remove log groups"),
        }

    def plan(self) -> dict[str, Any]:
        alerts = self.alerts
        rules: list[dict[str, Any]] = []
        if alerts.present:
            if self.not_ours:
                raise Refused(refusal(self.owner, self.not_ours, "pass the ARN of an existing queue or log group"))
            self._check_room()
            self._check_key()
            self._queues()
            self._log_groups()
            self._function()
            self._quiet()
            self._events_role()
            self._web()
            topic = self._topic()
            self._removed_targets()
            rules = self._rules()
            self._targets()
            self._add_old_topic(topic)
        else:
            self._removed_targets()
            self._removed_rules()
        self._removed()
        self._join()
        result = {
            "rules": rules,
            "channels": alerts.channels,
            "unconfirmed_emails": self.unconfirmed,
            "kept": self.kept,
            "not_managed": [] if alerts.present else self.not_ours,
        }
        return StackPlan(self.steps, result, self._notes()).facts()

    def _join(self) -> None:
        """Merge the tasks that call ``ecs_stack`` into one, unless a task of another module comes between them."""
        routes = self.steps["routes"]
        if not any(self.steps[key].items for key in _OTHER_MODULES):
            routes.take(self.steps["first"], in_front=True)
        if not any(self.steps[f"{key}_removed"].items for key in _OTHER_MODULES):
            routes.take(self.steps["iam_removed"])

    # ---- ownership

    def _not_ours(self) -> list[str]:
        alerts = self.alerts
        named = [
            *(("rules", name) for kind in KINDS for name in (alerts.rule(kind), alerts.told_rule(kind))),
            *(("queues", name) for name in (alerts.own_queue, alerts.undelivered)),
            *(("log_groups", name) for name in (alerts.own_log_group, alerts.function_log, alerts.quiet_log)),
            ("topics", alerts.name),
            *(("iam_roles", name) for name in (alerts.events_role, *self._functions_names(), alerts.ends_role)),
            *(("functions", name) for name in self._functions_names()),
            ("tables", alerts.quiet_name),
        ]
        found = {pair: self.stack.get(pair[0], {}).get(pair[1]) for pair in named if pair[1]}
        unsure = [pair for pair, each in found.items() if each is not None and not self._reaches(pair[0], each)]
        return others(self.owner, self.stack, [(kind, str(name)) for kind, name in unsure]) + self._untagged_of_others()

    def _reaches(self, kind: str, found: Mapping[str, Any]) -> bool:
        """Return whether a rule of ours reaches this, or reaches the function whose IAM role or log group this is."""
        if not self.alerts.present or kind == "rules":
            return False
        of_functions = tuple(
            part
            for name in self._functions_names()
            if str(self.place.arn("lambda", f"function:{name}")) in self.reached
            for part in (f"role/{name}", f"log-group:/aws/lambda/{name}")
        )
        return found["arn"] in self.reached or found["arn"].endswith(of_functions)

    def _functions_names(self) -> tuple[str, str]:
        return self.alerts.function_name, self.alerts.quiet_name

    def _untagged_of_others(self) -> list[str]:
        """Describe connections and API destinations of others. Without tags, they are ours if our role has INVOKE."""
        if self.may_have_web:
            return []
        kinds = (("connections", "connection"), ("api_destinations", "API destination"))
        return [f"{word} {name}" for kind, word in kinds for name, each in self.stack.get(kind, {}).items() if each]

    def _ours(self, kind: str, name: str) -> Mapping[str, Any] | None:
        """Return the resource of this name, or None if there is none or it is not ours."""
        found: Mapping[str, Any] | None = self.stack.get(kind, {}).get(name)
        return found if found is not None and (self.owner.owns(found) or self._reaches(kind, found)) else None

    def _check_room(self) -> None:
        for name, ours in self.alerts.targets.items():
            theirs = [target["id"] for rule, target in self.targets if rule == name and target["id"] not in TARGETS]
            if len(theirs) + len(ours) > MOST_TARGETS:
                raise Refused(
                    f"The rule {name} has targets that this role did not create: {', '.join(theirs)}. A rule has at"
                    f" most five targets, so {', '.join(ours)} cannot be added. Nothing was changed. Remove some"
                    " receivers, or choose another failure_alerts_name."
                )

    # ---- what is created and changed

    def _add_route(self, kind: str, params: Mapping[str, Any], change: Change) -> None:
        self.steps["routes"].add_step(kind, params, change)

    def _queues(self) -> None:
        alerts = self.alerts
        if alerts.dead_letter:
            self._queue(alerts.undelivered, {"MessageRetentionPeriod": TWO_WEEKS})
        if alerts.own_queue:
            fifo = alerts.own_queue.endswith(".fifo")
            self._queue(alerts.own_queue, {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if fifo else {})

    def _queue(self, name: str, attributes: Mapping[str, str]) -> None:
        params = {"name": name, "attributes": {**attributes, **self._encrypted()}, "tags": self.tags}
        change = plan_queue(whole("queue", params), self.stack["queues"][name])
        self.steps["first"].add_step("queue", params, change)

    def _check_key(self) -> None:
        key = self.alerts.kms_key
        if key and key.split(":")[3] != self.place.region:
            raise Refused(
                f"failure_alerts_kms_key: {key} is not a key of {self.place.region}. Give a key of this region."
            )

    def _encrypted(self) -> dict[str, str]:
        """Return the attribute of a queue or a topic that names its KMS key."""
        return {"KmsMasterKeyId": self.alerts.kms_key} if self.alerts.kms_key else {}

    def _log_groups(self) -> None:
        alerts = self.alerts
        for name in (alerts.own_log_group, *(f"/aws/lambda/{each}" for each in alerts.function_names)):
            if name is None:
                continue
            found = self.stack["log_groups"][name]
            key = {"kms_key_arn": alerts.kms_key} if alerts.kms_key else {}
            wanted = {"retention_days": alerts.retention_days, "tags": self.tags}
            before = found and {each: found[each] for each in wanted}
            if before != wanted:
                item = {"log_group_name": name, "retention": alerts.retention_days, "tags": self.tags}
                created = {} if found else key
                item["kms_key_id"] = created.get("kms_key_arn", "")
                self.steps["log_groups"].add(item, f"log group {name}", before, {**wanted, **created})
            if found and key and found["kms_key_arn"] != alerts.kms_key:
                change = Change({"kms_key_arn": found["kms_key_arn"]}, key)
                self.steps["first"].add_step("log_group_key", {"name": name, **key}, change)

    def _iam_role(self, name: str, trusted: Mapping[str, Any], about: str, documents: Mapping[str, Any]) -> None:
        """Plan an IAM role. ``documents`` has inline policies by name; INVOKE and PUBLISH are removed if not in it."""
        found = self.stack["iam_roles"][name]
        wanted = iam.wanted_role(name, trusted, about, self.tags, self.alerts.boundary, documents)
        self.steps["first"].add_step("iam_role", wanted, iam.plan_role(wanted, found))
        gone = {INVOKE, PUBLISH} & (found or {"policies": {}})["policies"].keys() - documents.keys()
        if gone:
            params = {"name": name, "policies": dict.fromkeys(sorted(gone))}
            self.steps["iam_removed"].add_step("iam_role", params, iam.plan_role(whole("iam_role", params), found))

    def _function(self) -> None:
        alerts, name = self.alerts, self.alerts.function_name
        if alerts.function is None:
            return
        about = f"Function that reports Amazon ECS failures to Sentry, for {alerts.name}"
        documents = {"log-and-dsn": iam.policy([*self._usual_statements(name), *self._dsn_statements(alerts.function)])}
        self._iam_role(name, iam.trust(self.place, "lambda"), about, documents)
        function = {
            "description": f"Reports Amazon ECS failures to Sentry, for {alerts.name}",
            "handler": "sentry_function.handler",
            "runtime": alerts.function.get("runtime", RUNTIME),
        }
        self._lambda(name, function, self.package, _environment(alerts))

    def _quiet(self) -> None:
        """Plan the function that combines repeated failures, with everything that it needs."""
        alerts, name = self.alerts, self.alerts.quiet_name
        if not alerts.quiet_period:
            return
        about = f"Function that combines repeated Amazon ECS failures, for {alerts.name}"
        statements = [*self._usual_statements(name), *quiet.function_statements(alerts, self.place)]
        self._iam_role(name, iam.trust(self.place, "lambda"), about, {"count-and-send": iam.policy(statements)})
        about = f"Lets EventBridge Scheduler end quiet periods, for {alerts.name}"
        documents = {"invoke-function": quiet.ends_policy(alerts, self.place)}
        self._iam_role(alerts.ends_role, quiet.ends_trust(self.place), about, documents)
        table = {**quiet.TABLE, "tags": self.tags}
        if changed := differing(table, self.stack["tables"][name]):
            found = self.stack["tables"][name]
            before = found and {key: found[key] for key in changed}
            self.steps["tables"].add({"name": name, **table}, f"table {name}", before, changed)
        function = {
            "description": f"Combines repeated Amazon ECS failures, for {alerts.name}",
            "handler": quiet.HANDLER,
            "runtime": RUNTIME,
        }
        environment = quiet.environment_of(alerts, self.place)
        self._lambda(name, function, self.quiet_package, environment, environment_variables=environment)

    def _lambda(
        self,
        name: str,
        function: Mapping[str, Any],
        package: Mapping[str, Any],
        environment: Mapping[str, str],
        **more: Any,
    ) -> None:
        """Plan a function. Without ``environment_variables`` in ``more``, the task takes them from the secrets."""
        key = self.alerts.kms_key
        wanted = {
            **function,
            "role_arn": str(self.place.arn("iam", f"role/{name}")),
            "timeout": 30,
            "memory_size": 128,
            "dead_letter_arn": self._undelivered(),
            **({"kms_key_arn": key} if key else {}),
            "tags": self.tags,
        }
        hashes = {key: hashlib.sha256(value.encode()).hexdigest() for key, value in environment.items()}
        found = self.stack["functions"][name]
        compared = {**wanted, "code_sha256": package.get("code_sha256"), "environment": hashes}
        before = found and {key: found[key] for key in compared}
        if before != compared:
            letters = self._undelivered() or ""
            item = {**wanted, **more, "name": name, "zip_file": package.get("path"), "dead_letter_arn": letters}
            self.steps["functions"].add(item, f"function {name}", before, compared)

    def _usual_statements(self, function: str) -> list[dict[str, Any]]:
        log = self.place.arn("logs", f"log-group:/aws/lambda/{function}:*")
        statements = [iam.allow(["logs:CreateLogStream", "logs:PutLogEvents"], str(log))]
        if self.alerts.dead_letter:
            statements.append(iam.allow("sqs:SendMessage", str(self._undelivered())))
        if self.alerts.kms_key:
            # For the environment and for the dead-letter queue.
            statements.append(iam.allow_key(self.place, self.alerts.kms_key))
        return statements

    def _dsn_statements(self, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
        statements = []
        if "dsn_secret_arn" in settings:
            statements.append(iam.allow("secretsmanager:GetSecretValue", settings["dsn_secret_arn"]))
        if "dsn_parameter" in settings:
            parameter = self.place.arn("ssm", f"parameter/{settings['dsn_parameter'].removeprefix('/')}")
            statements.append(iam.allow("ssm:GetParameter", str(parameter)))
        return statements

    def _undelivered(self) -> str | None:
        return str(self.place.arn("sqs", self.alerts.undelivered)) if self.alerts.dead_letter else None

    def _events_role(self) -> None:
        """Plan the role with which EventBridge reaches topics and API destinations.

        A topic could admit EventBridge by its policy, but would then admit the rules of all accounts, because
        EventBridge passes SNS nothing that a condition could check. "Using resource-based policies for Amazon
        EventBridge" in its User Guide: topics, queues and functions accept either such a policy or a role.
        """
        alerts = self.alerts
        if not alerts.by_role:
            return
        about = f"Lets EventBridge send Amazon ECS failures to their receivers, for {alerts.name}"
        sources = [str(self.place.arn("events", f"rule/{name}")) for name in self._sending_rules()]
        documents = {}
        if alerts.web:
            # AWS chooses the last part of the ARN when the API destination is created.
            names = sorted(alerts.web_name(service) for service in alerts.web)
            reached = [str(self.place.arn("events", f"api-destination/{name}/*")) for name in names]
            documents[INVOKE] = iam.policy([iam.allow("events:InvokeApiDestination", reached)])
        topics = self._topics()
        if topics:
            keys = [iam.allow_key(place_of(arn, self.place.region), key) for arn, key in topics.items() if key]
            distinct = [each for number, each in enumerate(keys) if each not in keys[:number]]
            documents[PUBLISH] = iam.policy([iam.allow("sns:Publish", list(topics)), *distinct])
        self._iam_role(alerts.events_role, iam.trust(self.place, "events", sources), about, documents)

    def _sending_rules(self) -> list[str]:
        """Return the names of the rules that send to the receivers."""
        return sorted(name for name, ids in self.alerts.targets.items() if ids != [QUIET])

    def _topics(self) -> dict[str, str | None]:
        """Return the ARNs of the topics that the rules reach, each with its KMS key; None for AWS's own or no key."""
        alerts, found = self.alerts, {}
        own = str(self.place.arn("sns", alerts.name))
        if alerts.emails:
            found[own] = {"attributes": {**_attributes(self.stack["topics"][alerts.name]), **self._encrypted()}}
        if alerts.topic_arn == own:
            raise Refused(
                f"failure_alerts_topic_arn is {own}, which is the topic that the role creates for"
                " failure_alerts_emails. "
                "Give another topic, or choose another failure_alerts_name."
            )
        if alerts.topic_arn:
            found[alerts.topic_arn] = self.stack["topic_policies"][alerts.topic_arn]
            if found[alerts.topic_arn] is None:
                raise Refused(
                    f"failure_alerts_topic_arn: the topic {alerts.topic_arn} does not exist. Create it first, or"
                    " check the "
                    "ARN and the credentials."
                )
        keys = {arn: _attributes(topic).get("KmsMasterKeyId") for arn, topic in found.items()}
        return {arn: None if key and "alias/aws/" in key else key for arn, key in keys.items()}

    def _web(self) -> None:
        secrets = web_secrets(self.alerts)["connections"]
        for service, settings in self.alerts.web.items():
            name = self.alerts.web_name(service)
            self._connection(name, secrets[name])
            self._api_destination(name, SERVICES[service](settings))

    def _connection(self, name: str, secrets: Mapping[str, Any]) -> None:
        item = {"name": name, "description": DESCRIPTION.format(name=self.alerts.name)}
        params = {**_CONNECTION, **item, **secrets}
        change = plan_connection(read_connection(params), connection_of(self.stack["connections"][name]))
        if change.changed:
            self.steps["connections"].add(item, f"connection {name}", change.before, change.after)

    def _api_destination(self, name: str, service: Any) -> None:
        item = {
            "name": name,
            "description": DESCRIPTION.format(name=self.alerts.name),
            "connection": name,
            "http_method": "POST",
            "invocation_rate_limit_per_second": service.per_second,
        }
        connection = self.stack["connections"][name]
        given = {"state": "present", "invocation_endpoint": service.endpoint}
        wanted = read_api_destination({**_WAITING, **given, **item})
        found = api_destination_of(self.stack["api_destinations"][name])
        change = plan_api_destination(wanted, found, connection and connection["arn"])
        if change.changed:
            self.steps["api_destinations"].add(item, f"API destination {name}", change.before, change.after)

    def _topic(self) -> dict[str, Any] | None:
        """Plan the topic. If it is no longer wanted, return its parameters: that step must follow the targets."""
        alerts, found = self.alerts, self.stack.get("topics", {}).get(self.alerts.name)
        if not alerts.emails:
            return self._removed_topic()
        params = {
            **mail_topic(alerts.name, alerts.emails, found),
            "attributes": {"DisplayName": alerts.mail_subject, **self._encrypted()},
            "tags": self.tags,
        }
        self._add_route("topic", params, plan_topic(whole("topic", params), found))
        known = confirmed_emails(found)
        self.unconfirmed = [each for each in dict.fromkeys(alerts.emails) if each not in known]
        return None

    def _rules(self) -> list[dict[str, Any]]:
        facts = []
        for kind in self.alerts.kinds:
            name = self.alerts.rule(kind)
            usual = {"description": DESCRIPTION.format(name=self.alerts.name)}
            params = {"name": name, "kind": kind, "tags": self.tags, **usual, **self.alerts.rules[kind]}
            after = self._rule(params)
            if self.alerts.quiet_period:
                told, pattern = self.alerts.told_rule(kind), quiet.pattern_of(self.alerts, kind)
                self._rule({"name": told, "event_pattern": pattern, "tags": self.tags, **usual})
            after["arn"] = str(self.place.arn("events", f"rule/{name}"))
            self.subjects[kind] = subject_of(json.dumps(after["event_pattern"]))
            facts.append({**after, "covers": covers(after["event_pattern"])})
        self._removed_rules()
        return facts

    def _rule(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Plan a rule and return its facts."""
        change = plan_rule(read_rule(whole("rule", params)), rule_of(_bare(self.rules.get(params["name"]))))
        self._add_route("rule", params, change)
        return dict(change.after or {})

    def _targets(self) -> None:
        alerts = self.alerts
        for kind in alerts.kinds:
            for rule in (alerts.rule(kind), alerts.told_rule(kind)):
                for channel in alerts.targets.get(rule, ()):
                    self._target(kind, rule, channel)

    def _target(self, kind: str, rule: str, channel: str) -> None:
        alerts = self.alerts
        service = channel.replace("-", "_")
        params: dict[str, Any] = {"rule": rule, "id": channel, "dead_letter_arn": self._undelivered()}
        if channel in MESSAGES or (channel == "topic" and alerts.quiet_period):
            params |= self._message(kind, channel)
        if channel == QUIET:
            params |= {"input_transformer": quiet.input_of(kind)}
        arn = self._receiver(channel)
        if channel in BY_ROLE:
            params |= {"role_arn": str(self.place.arn("iam", f"role/{alerts.events_role}"))}
        params |= {"api_destination": alerts.web_name(service)} if service in alerts.web else {"arn": arn}
        if channel == "queue" and arn.endswith(".fifo"):
            params |= {"message_group_id": alerts.name}
        try:
            wanted = read_target(whole("target", {**params, "arn": arn}))
            found = self._found(rule, channel, wanted)
            check_rule(wanted, found, self.place.region)
            change = plan_target(wanted, found, str(self.place.arn("events", f"rule/{rule}")))
        except Refused as error:
            raise Refused(f"failure_alerts_{_VARIABLES.get(channel, service)}: {error}") from None
        lacking = [words for words in missing(wanted, found, self.place.region) if words.startswith("arn:")]
        if lacking and channel in ("queue", "log") and not self._makes(channel):
            raise Refused(f"failure_alerts_{'queue' if channel == 'queue' else 'log_group'}: {lacking[0]}")
        self._add_route("target", {key: value for key, value in params.items() if value is not None}, change)

    def _message(self, kind: str, channel: str) -> dict[str, Any]:
        """Return the options of a target that define its message."""
        alerts = self.alerts
        settings = alerts.web.get(channel.replace("-", "_"), {})
        if channel == "topic":
            settings = {"template": quiet.CUSTOM_NOTIFICATION}
        template = "custom" if settings.get("template") else MESSAGES[channel]
        subject = fitting(template, EVENT_KINDS[kind].title, self.subjects.get(kind, NO_SUBJECT))
        options = {
            "severity": alerts.severity,
            "channel": settings.get("channel"),
            "subject": subject.name,
            "cluster": subject.cluster,
            "log_group": alerts.container_log_group if kind in _OF_CONTAINERS else None,
            "template": settings.get("template"),
            "repetitions": bool(alerts.quiet_period),
        }
        given = {name: value for name, value in options.items() if value}
        return {"message_template": template, "message_options": given, "message_for": kind}

    def _makes(self, channel: str) -> bool:
        return (self.alerts.own_queue if channel == "queue" else self.alerts.own_log_group) is not None

    def _receiver(self, channel: str) -> str:
        """Return the ARN of the receiver that a target sends to."""
        alerts, place = self.alerts, self.place
        if channel == "mail":
            return str(place.arn("sns", alerts.name))
        if channel == "topic":
            return str(alerts.topic_arn)
        if channel == "queue":
            return str(place.named("sqs", str(alerts.queue)))
        if channel == "log":
            return str(place.named("logs", str(alerts.log_group).removesuffix(":*"), "log-group:"))
        if channel == "sentry-function":
            return str(place.arn("lambda", f"function:{alerts.function_name}"))
        if channel == QUIET:
            return str(place.arn("lambda", f"function:{alerts.quiet_name}"))
        name = f"{alerts.name}-{channel}"
        found = self.stack["api_destinations"][name]
        new = str(place.arn("events", f"api-destination/{name}/00000000-0000-0000-0000-000000000000"))
        return str(found["arn"]) if found else new

    def _found(self, rule: str, channel: str, wanted: Any) -> Found:
        ours = next((target for name, target in self.targets if (name, target["id"]) == (rule, channel)), None)
        arns = {wanted.arn, wanted.dead_letter_arn} - {None}
        places = {str(arn): place for arn in arns if (place := self._policy_place(arn)) is not None}
        return Found(ours, rule=rule_of(_bare(self.rules.get(rule))), places=places)

    def _policy_place(self, arn: Any) -> Place | None:
        place = policy_place(arn, self.stack)
        if place is None or not place.exists or arn.resource not in (self.alerts.own_queue, self.alerts.undelivered):
            return place
        # The state of the queue after the steps before this one.
        fifo = arn.resource.endswith(".fifo") or place.deduplicates
        return replace(place, deduplicates=fifo, key=self.alerts.kms_key or place.key)

    # ---- what is removed

    def _removed_targets(self) -> None:
        for name, target in self.targets:
            stays = target["id"] in self.alerts.targets.get(name, ())
            if target["id"] in TARGETS and not stays:
                params = {"rule": name, "id": target["id"], "arn": target["arn"], "state": "absent"}
                self._add_route("target", params, Change({"arn": target["arn"]}, None))

    def _removed_rules(self) -> None:
        for name, rule in self.rules.items():
            if name in self.alerts.targets:
                continue
            if any(target["id"] not in TARGETS for target in rule["targets"]):
                self.kept.append(f"rule {name}")
            else:
                params = {"name": name, "state": "absent"}
                self._add_route("rule", params, Change({"name": name}, None))

    def _removed_topic(self) -> dict[str, Any] | None:
        name = self.alerts.name
        topic = self._ours("topics", name)
        if topic is None:
            return None
        params, shared = retired_topic(name, topic)
        if shared:
            self.kept.append(f"topic {name}")
        return params

    def _add_old_topic(self, params: Mapping[str, Any] | None) -> None:
        if params:
            change = plan_topic(whole("topic", params), self.stack["topics"][self.alerts.name])
            self._add_route("topic", params, change)

    def _removed(self) -> None:
        """Plan the removal of resources that no channel needs any more.

        Queues and log groups are kept until everything is removed, because of their contents.
        """
        alerts = self.alerts
        gone = gone_channels(alerts, self.stack)
        if not alerts.by_role:
            self._remove_role(alerts.events_role)
        services = [name for name in SERVICES if name not in alerts.web]
        for service in services:
            if (service.replace("_", "-") in gone) or (self.may_have_web and not alerts.present):
                self._add_removed_web(alerts.web_name(service))
        for name in self._functions_names():
            if name not in alerts.function_names:
                self._remove_ours("functions", name, "function")
                self._remove_role(name)
        if not alerts.quiet_period:
            self._remove_role(alerts.ends_role)
            self._remove_ours("tables", alerts.quiet_name, "table")
        if not alerts.present:
            self._removed_stores()

    def _removed_stores(self) -> None:
        alerts = self.alerts
        self._add_old_topic(self._removed_topic())
        for queue in (alerts.undelivered, alerts.own_queue):
            if queue and self._ours("queues", queue) is not None:
                self._add_route("queue", {"name": queue, "state": "absent"}, Change({"name": queue}, None))
        for group in (alerts.own_log_group, alerts.function_log, alerts.quiet_log):
            if group:
                self._remove_ours("log_groups", group, "log group")

    def _remove_role(self, name: str) -> None:
        if self._ours("iam_roles", name) is not None:
            params = {"name": name, "state": "absent"}
            self.steps["iam_removed"].add_step("iam_role", params, Change({"name": name}, None))

    def _remove_ours(self, kind: str, name: str, word: str) -> None:
        if self._ours(kind, name) is not None:
            self._add_removed(kind, name, word)

    def _add_removed(self, kind: str, name: str, word: str) -> None:
        key = "log_group_name" if kind == "log_groups" else "name"
        self.steps[f"{kind}_removed"].add({key: name}, f"{word} {name}", {"name": name}, None)

    def _add_removed_web(self, name: str) -> None:
        for kind, word in (("api_destinations", "API destination"), ("connections", "connection")):
            if self.stack.get(kind, {}).get(name) is not None:
                self._add_removed(kind, name, word)

    # ---- notes

    def _notes(self) -> list[str]:
        notes = []
        if self.unconfirmed:
            notes.append(
                f"Not confirmed yet: {', '.join(self.unconfirmed)}. AWS has sent a confirmation request to each of "
                "these addresses. An address receives no alerts until someone opens the link in that email."
            )
        if self.kept:
            notes.append(shared_note(self.kept))
        if self.not_ours:
            notes.append(kept_note(self.not_ours))
        trail = trail_note(self.stack.get("trails")) if "launch" in self.alerts.kinds else None
        return [*notes, *([trail] if trail else [])]


# What tasks of other modules write, between the tasks that call ecs_stack.
_OTHER_MODULES = ("tables", "functions", "connections", "api_destinations")
# Channel -> its variable, where the two names differ.
_VARIABLES = {"mail": "emails", "topic": "topic_arn", "log": "log_group"}
_WAITING = {"wait": True, "wait_timeout": 60, "wait_delay": 2}
_CONNECTION = {
    **_WAITING,
    "state": "present",
    "basic": None,
    "oauth": None,
    "kms_key_identifier": None,
    "update_secret": "on_change",
}


def _attributes(found: Mapping[str, Any] | None) -> Mapping[str, str]:
    return {} if found is None else found["attributes"]


def _bare(rule: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return the rule without its targets, which are planned one by one."""
    return rule and {**rule, "targets": None}
