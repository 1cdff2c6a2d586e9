# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account as ecs_stack_info returns it, and its state after a plan of failure_alerts was carried out."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

from ansible_collections.steadyops.ecs.plugins.filter.failure_alerts_plan import FilterModule
from ansible_collections.steadyops.ecs.plugins.module_utils._core.change import Change
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.connection.plan import description_to_write
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.connection.read import read_connection
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.https_url import shown_url
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.failure_alerts.plan import _CONNECTION
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.steps import label_of, read_step

from tests.unit.core.stacks.roles import role_facts

REGION, ACCOUNT = "eu-central-1", "123456789012"
PLACE = {"account": ACCOUNT, "partition": "aws", "region": REGION}
TAG = "steadyops.ecs/failure-alerts"
PACKAGE = {"path": "build/sentry.zip", "code_sha256": "abc="}
FILTERS = FilterModule().filters()
KINDS = {"queue": "queues", "topic": "topics", "rule": "rules", "iam_role": "iam_roles"}


def given(**variables: Any) -> dict[str, Any]:
    return {f"failure_alerts_{name}": value for name, value in variables.items()}


class World:
    """What exists, by kind and name; resources without an entry do not exist."""

    def __init__(self) -> None:
        self.things: dict[str, dict[str, Any]] = {}
        self.trails = {"logs_launches": True, "denied": None}
        self.looked: dict[str, list[str]] = {}

    def put(self, kind: str, key: str, /, **facts: Any) -> None:
        self.things.setdefault(kind, {})[key] = facts

    def find(self, look: dict[str, Any]) -> dict[str, Any]:
        """Return what ecs_stack_info would return."""
        found: dict[str, Any] = dict(PLACE)
        for kind, names in look.items():
            if kind == "trails":
                found["trails"] = self.trails
            else:
                found[kind] = {name: self.things.get(kind, {}).get(name.rpartition(":")[2]) for name in names}
        return copy.deepcopy(found)

    def plan(self, **variables: Any) -> dict[str, Any]:
        """Look, look again, and plan, as the tasks of the role do."""
        values = given(**variables)
        first = FILTERS["failure_alerts_names"](values)
        if first["refused"]:
            return first
        self.looked = first["look"]
        stack = self.find(first["look"])
        plan: dict[str, Any] = FILTERS["failure_alerts_plan"](values, stack, PACKAGE, quiet_package=PACKAGE)
        if plan["look"]:
            assert plan["changes"] == []
            plan = FILTERS["failure_alerts_plan"](values, stack, PACKAGE, self.find(plan["look"]), PACKAGE)
        assert plan["look"] == {}
        return plan

    def carry_out(self, plan: dict[str, Any], **variables: Any) -> None:
        """Change the world as the plan says, using the parameters of the modules that the tasks call."""
        secrets = FILTERS["failure_alerts_secrets"](given(**variables))
        for item in plan["log_groups"]:
            arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{item['log_group_name']}"
            old = self.things.get("log_groups", {}).get(item["log_group_name"], {})
            key = old.get("kms_key_arn") if old else item["kms_key_id"] or None
            facts = {"arn": arn, "retention_days": item["retention"], "kms_key_arn": key, "tags": item["tags"]}
            self.put("log_groups", item["log_group_name"], **facts)
        self._steps(plan, "first")
        self._functions(plan, secrets)
        for item in plan["connections"]:
            self._connection(item, secrets["connections"][item["name"]])
        for item in plan["api_destinations"]:
            self.put(
                "api_destinations", item["name"], name=item["name"], arn=self._drawn("api-destination", item["name"]),
                state="ACTIVE", description=item["description"], connection_arn=self._drawn("connection", item["name"]),
                endpoint=shown_url(secrets["endpoints"][item["name"]]), method=item["http_method"],
                rate=item["invocation_rate_limit_per_second"],
            )  # fmt: skip
        self._steps(plan, "routes")
        for kind in ("api_destinations", "connections", "functions", "log_groups", "tables"):
            for item in plan[f"{kind}_removed"]:
                del self.things[kind][item.get("name") or item["log_group_name"]]
        self._steps(plan, "iam_removed")

    def _steps(self, plan: dict[str, Any], key: str) -> None:
        for step in plan[key]:
            ((kind, params),) = step.items()
            self._step(kind, read_step(0, {kind: params})[1], plan)

    def _functions(self, plan: dict[str, Any], secrets: dict[str, Any]) -> None:
        for item in plan["functions"]:
            environment = item.get("environment_variables", secrets["environment"])
            hashes = {key: hashlib.sha256(each.encode()).hexdigest() for key, each in environment.items()}
            arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{item['name']}"
            self.put(
                "functions", item["name"],
                **{"kms_key_arn": None, **item, "dead_letter_arn": item["dead_letter_arn"] or None},
                arn=arn, environment=hashes, code_sha256=PACKAGE["code_sha256"],
            )  # fmt: skip
        for item in plan["tables"]:
            arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{item['name']}"
            self.put("tables", item["name"], arn=arn, status="ACTIVE", **item)

    def _drawn(self, what: str, name: str) -> str:
        return f"arn:aws:events:{REGION}:{ACCOUNT}:{what}/{name}/12345678-aaaa-bbbb-cccc-1234567890ab"

    def _connection(self, item: dict[str, Any], secrets: dict[str, Any]) -> None:
        wanted = read_connection({**_CONNECTION, **item, **secrets})
        after = {"description": item["description"], "secret_values": "written"}
        description = description_to_write(wanted, None, Change(None, after), b"0" * 16)
        http = {place: [{"key": each.key, "secret": each.secret, "value": None if each.secret else each.value}
                        for each in many] for place, many in wanted.http.places()}  # fmt: skip
        authorization = {"kind": "api_key", "identity": secrets["api_key"]["name"], "secret": None, "endpoint": None,
                         "method": None, "http": None}  # fmt: skip
        self.put(
            "connections", item["name"], name=item["name"], arn=self._drawn("connection", item["name"]),
            state="AUTHORIZED", reason="", description=description, authorization=authorization, http=http, kms_key="",
            secret_arn=None,
        )  # fmt: skip

    def _step(self, kind: str, params: dict[str, Any], plan: dict[str, Any]) -> None:
        if kind == "log_group_key":
            self.things["log_groups"][params["name"]]["kms_key_arn"] = params["kms_key_arn"]
            return
        label = label_of(kind, params)
        changes = [each for change in plan["changes"] for each in change["items"] if each["label"] == label]
        after = next((each["after"] for each in changes if each["after"]), None)
        if kind == "target":
            self._target(params, after)
            return
        things = self.things.setdefault(KINDS[kind], {})
        if params["state"] == "absent":
            del things[params["name"]]
            return
        old = things.get(params["name"], {})
        if kind == "rule":
            things[params["name"]] = {
                "name": params["name"], "arn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{params['name']}",
                "bus": "default", "state": after["state"], "pattern_text": json.dumps(after["event_pattern"]),
                "description": after["description"], "role_arn": None, "schedule": None, "managed_by": None,
                "tags": after["tags"], "targets": old.get("targets", []),
            }  # fmt: skip
            return
        if kind == "iam_role":
            arn = f"arn:aws:iam::{ACCOUNT}:role/{params['name']}"
            things[params["name"]] = role_facts(params, old or {"arn": arn})
            return
        service = "sqs" if kind == "queue" else "sns"
        facts = {
            "arn": f"arn:aws:{service}:{REGION}:{ACCOUNT}:{params['name']}",
            "attributes": {**old.get("attributes", {}), **params["attributes"]},
            "tags": old.get("tags", {}) if params["tags"] is None else params["tags"],
        }
        if kind == "topic":
            stay = [each for each in old.get("subscriptions", []) if each["arn"] not in params["unsubscribe"]]
            known = {each["endpoint"] for each in stay}
            stay += [{"arn": "PendingConfirmation", **each} for each in params["subscriptions"]
                     if each["endpoint"] not in known]  # fmt: skip
            facts["subscriptions"] = stay
        things[params["name"]] = facts

    def _target(self, params: dict[str, Any], after: dict[str, Any] | None) -> None:
        rule = self.things["rules"][params["rule"]]
        rule["targets"] = [each for each in rule["targets"] if each["id"] != params["id"]]
        if params["state"] == "absent":
            return
        assert after
        target = {key: value for key, value in after.items() if key != "permissions"}
        if params["api_destination"]:
            target["arn"] = self.things["api_destinations"][params["api_destination"]]["arn"]
        rule["targets"].append(target)
        for permission in after["permissions"]:
            self._permit(permission["resource"], permission["statement"])

    def _permit(self, arn: str, statement: dict[str, Any]) -> None:
        service, name = arn.split(":")[2], arn.rpartition(":")[2]
        kind, policy = {"sqs": ("queues", "Policy"), "sns": ("topics", "Policy"),
                        "logs": ("log_group_policies", "policy"),
                        "lambda": ("function_policies", "policy")}[service]  # fmt: skip
        thing = self.things.setdefault(kind, {}).setdefault(name, {})
        place = thing["attributes"] if service in ("sqs", "sns") else thing
        document = json.loads(place.get(policy) or '{"Version": "2012-10-17", "Statement": []}')
        stay = [each for each in document["Statement"] if each["Sid"] != statement["Sid"]]
        place[policy] = json.dumps({**document, "Statement": [*stay, statement]})

    def confirm(self) -> None:
        """Confirm all subscriptions, as if everybody had followed the link in the mail."""
        for topic in self.things["topics"].values():
            for number, each in enumerate(topic["subscriptions"]):
                each["arn"] = f"{topic['arn']}:{number}"
