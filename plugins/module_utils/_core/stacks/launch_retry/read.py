# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Read and check the variables of the role launch_retry, without calling AWS."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import Refused
from ...limits import check_tags
from ...names import (
    CLUSTER,
    ECS_NAME,
    FAMILY,
    FAMILY_NAME,
    KMS_KEY,
    LOG_GROUP,
    LOG_GROUP_NAME,
    POLICY,
    STANDARD_TOPIC,
    read_arn,
    read_arn_text,
    read_name_or_arn,
)
from ...names import ROLE as ROLE_ARN
from ...retry.options import read_options
from ..ownership import Owner
from ..variables import as_bool, as_int, as_list, as_mapping, check_known

ROLE = "launch_retry"
TAG = "steadyops.ecs/launch-retry"
SOURCES = ("eventbridge", "log_subscription")
# Documentation of PutRetentionPolicy, without the values that amazon.aws.cloudwatchlogs_log_group does not accept.
RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653)

_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# The variables that only the tasks of the role use, and the one that the role sets.
_OF_THE_TASKS = ("region", "profile", "assume_role_arn", "assume_role_duration", "package_dir", "result")
_PLAIN = (
    "state", "name", "source", "log_group", "pass_role_arns", "event_pattern", "filter_pattern", "topic_arn", "emails",
    "alarm_actions", "volume_role_arns", "reserved_concurrency", "runtime", "log_retention_days",
    "permissions_boundary", "kms_key", "tags",
)  # fmt: skip


@dataclass(frozen=True)
class Retries:
    """What the user wants. If the stack must be absent, only ``owner``, ``present`` and ``log_group`` are set.

    ``options`` are those of the function, without its own role. ``clusters`` are as the user wrote them,
    ``cluster_names`` and ``families`` are names. ``pass_role_arns`` are by family; a family that is not in it gets the
    roles of its task definition. ``volume_role_arns`` are those of ``volumeConfigurations``.
    """

    owner: Owner
    present: bool
    log_group: str | None = None
    source: str = SOURCES[0]
    clusters: tuple[str, ...] = ()
    cluster_names: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    pass_role_arns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    volume_role_arns: tuple[str, ...] = ()
    event_pattern: str | None = None
    filter_pattern: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    topic_arn: str | None = None
    emails: tuple[str, ...] = ()
    alarm_actions: tuple[str, ...] = ()
    reserved_concurrency: int | None = 5
    runtime: str = "python3.13"
    log_retention_days: int = 30
    permissions_boundary: str | None = None
    kms_key: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.owner.name

    @property
    def retries_stops(self) -> bool:
        """Whether tasks that had started are retried: the user must say which, and give the templates for RunTask."""
        rules = self.options.get("rules", ())
        asked = self.options.get("stopped_tasks") or any(
            rule.get("action") == "retry" and not rule.get("launch_failure") for rule in rules
        )
        return bool(self.options.get("launch_templates") and asked)


def read_retries(variables: Mapping[str, Any]) -> Retries:
    """Read the variables of the role, which are named without its prefix. Raises ``Refused``."""
    check_known(ROLE, variables, known_variables())
    given = {name: value for name, value in variables.items() if value not in (None, "")}
    state, name = given.get("state", "present"), str(given.get("name", "launch-retry"))
    _choose("state", state, ("present", "absent"))
    if not _NAME.fullmatch(name):
        raise Refused(
            f"{_named('name')} must have 1 to 40 letters, digits, hyphens and underscores, because all names begin "
            f"with it (got {name!r})"
        )
    log_group = str(given["log_group"]) if "log_group" in given else None
    if log_group:
        log_group = read_name_or_arn(_named("log_group"), log_group, LOG_GROUP_NAME, LOG_GROUP)[0]
    owner = Owner(TAG, name, _named("name"))
    if state == "absent":
        return Retries(owner, present=False, log_group=log_group)
    source = given.get("source", SOURCES[0])
    _choose("source", source, SOURCES)
    if source == "log_subscription" and not log_group:
        raise Refused(
            f"{_named('log_group')} is required with {_named('source')}: log_subscription. Name the log group that the "
            "trail of CloudTrail writes to"
        )
    options = _function_options(given)
    clusters, families = tuple(options.get("clusters", ())), options.get("families", ())
    if not clusters or not families:
        raise Refused(
            f"{_named('clusters')} and {_named('task_families')} are required: the function may retry the launches of "
            "these families in these clusters and no others"
        )
    family_names = tuple(_names("task_families", families, FAMILY_NAME, FAMILY))
    retries = Retries(
        owner=owner,
        present=True,
        log_group=log_group,
        source=source,
        clusters=clusters,
        cluster_names=tuple(_names("clusters", clusters, ECS_NAME, CLUSTER)),
        families=family_names,
        pass_role_arns=_passed_roles(given.get("pass_role_arns"), family_names),
        volume_role_arns=_volume_roles(given, options),
        event_pattern=_json(given.get("event_pattern")),
        filter_pattern=given.get("filter_pattern"),
        options=options,
        **_notifications(given),
        **_function(given),
    )
    _check_templates(retries)
    return retries


def known_variables() -> tuple[str, ...]:
    """Return the names of all variables, without the prefix of the role."""
    return (*_PLAIN, *(_VARIABLES.get(option, option) for option in _READERS), *_OF_THE_TASKS)


def _named(name: str) -> str:
    return f"{ROLE}_{name}"


def _choose(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise Refused(f"{_named(name)} must be {' or '.join(choices)} (got {value!r})")


def _names(name: str, texts: Any, rule: Any, arn: Any) -> list[str]:
    return [read_name_or_arn(_named(name), str(text), rule, arn)[0] for text in texts]


def _passed_roles(value: Any, families: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return the roles that the user gave, by family. A single list applies to every family."""
    if value is None:
        return {}
    by_family = value if isinstance(value, Mapping) else dict.fromkeys(families, value)
    others = sorted(set(map(str, by_family)) - set(families))
    if others:
        raise Refused(
            f"{_named('pass_role_arns')} has {', '.join(others)}, but {_named('task_families')} does not. Its keys are "
            "families"
        )
    return {str(family): _roles("pass_role_arns", arns) for family, arns in by_family.items()}


def _volume_roles(given: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[str, ...]:
    templates = options.get("launch_templates", {}).values()
    volumes = [each for template in templates for each in template.get("volumeConfigurations") or ()]
    found = [each.get("managedEBSVolume", {}).get("roleArn") for each in volumes]
    return (*_roles("volume_role_arns", given.get("volume_role_arns")), *filter(None, found))


def _roles(name: str, value: Any) -> tuple[str, ...]:
    return tuple(str(read_arn(_named(name), str(arn), ROLE_ARN)) for arn in as_list(value))


def _json(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _notifications(given: Mapping[str, Any]) -> dict[str, Any]:
    emails = tuple(map(str, as_list(given.get("emails"))))
    topic = str(given["topic_arn"]) if "topic_arn" in given else None
    if emails and topic:
        raise Refused(
            f"{_named('emails')} and {_named('topic_arn')} are mutually exclusive. Subscribe the addresses to that "
            "topic, or omit it"
        )
    wrong = [email for email in emails if not _EMAIL.fullmatch(email)]
    if wrong:
        raise Refused(f"{_named('emails')} must be email addresses (got {', '.join(map(repr, wrong))})")
    if topic:
        read_arn(_named("topic_arn"), topic, STANDARD_TOPIC)
    return {
        "emails": tuple(dict.fromkeys(emails)),
        "topic_arn": topic,
        "alarm_actions": tuple(map(str, as_list(given.get("alarm_actions")))),
    }


def _function(given: Mapping[str, Any]) -> dict[str, Any]:
    reserved = as_int(_named("reserved_concurrency"), given.get("reserved_concurrency", 5))
    if reserved != -1 and reserved <= 0:
        raise Refused(
            f"{_named('reserved_concurrency')} must be a positive number, or -1 to reserve nothing (got {reserved})"
        )
    days = as_int(_named("log_retention_days"), given.get("log_retention_days", 30))
    if days not in RETENTION_DAYS:
        raise Refused(
            f"{_named('log_retention_days')} must be one of {', '.join(map(str, RETENTION_DAYS))} (got {days})"
        )
    boundary = given.get("permissions_boundary") or None
    read_arn_text(_named("permissions_boundary"), boundary and str(boundary), POLICY)
    tags = as_mapping(_named("tags"), given.get("tags"))
    check_tags(_named("tags"), tags)
    return {
        "reserved_concurrency": None if reserved == -1 else reserved,
        "runtime": str(given.get("runtime", "python3.13")),
        "log_retention_days": days,
        "permissions_boundary": boundary,
        "kms_key": read_arn_text(_named("kms_key"), given.get("kms_key"), KMS_KEY),
        "tags": tags,
    }


def _check_templates(retries: Retries) -> None:
    templates = retries.options.get("launch_templates", {})
    if retries.options.get("stopped_tasks") and not templates:
        raise Refused(
            f"{_named('stopped_tasks')} requires {_named('launch_templates')}: the event of a task names neither its "
            "subnets nor its security groups"
        )
    others = [family for family in templates if family not in retries.families]
    if others:
        raise Refused(
            f"{_named('launch_templates')} has {', '.join(others)}, but {_named('task_families')} does not. Add "
            f"{'it' if len(others) == 1 else 'them'} there, or remove the template"
        )


def _rules(variable: str, value: Any) -> list[Any]:
    """Return the rules with single values turned into lists, and with numbers and booleans where they belong."""
    return [_rule(variable, rule) if isinstance(rule, Mapping) else rule for rule in as_list(value)]


def _rule(variable: str, rule: Mapping[str, Any]) -> dict[str, Any]:
    read = {str(key): value for key, value in rule.items() if value is not None}
    for key in read.keys() & {"exit_codes", "containers", "stop_codes", "reasons"}:
        read[key] = as_list(read[key])
    if "exit_codes" in read:
        read["exit_codes"] = [as_int(f"{variable}, exit_codes", code) for code in read["exit_codes"]]
    if "launch_failure" in read:
        read["launch_failure"] = as_bool(f"{variable}, launch_failure", read["launch_failure"])
    return read


def _list(_variable: str, value: Any) -> list[Any]:
    return as_list(value)


def _mapping(variable: str, value: Any) -> dict[str, Any]:
    return dict(as_mapping(variable, value))


# _READERS has the options of the function, each with its reader. Each is a variable of the role with the same name,
# except for those in _VARIABLES.
_VARIABLES = {"families": "task_families"}
_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(("max_attempts", "max_age", "base_delay", "max_delay", "fargate_after"), as_int),
    **dict.fromkeys(("rotate_subnets", "retry_quota", "tag_tasks", "rebuild_hidden"), as_bool),
    **dict.fromkeys(("allow_role_overrides", "allow_execute_command"), as_bool),
    **dict.fromkeys(("clusters", "families", "stopped_tasks", "trusted_callers"), _list),
    **dict.fromkeys(("left_alone_started_by", "left_alone_clusters", "left_alone_services", "errors_left_to"), _list),
    "launch_templates": _mapping,
    "rules": _rules,
}


def _function_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the retry options that were given, as ``read_options`` takes them. Raises ``Refused``."""
    options = {}
    for option, read in _READERS.items():
        name = _VARIABLES.get(option, option)
        if name in given:
            options[option] = read(_named(name), given[name])
    try:
        read_options(options)
    except Refused as error:
        words = str(error)  # begins with the option
        for option, name in _VARIABLES.items():
            words = re.sub(rf"^{option}\b", name, words)
        raise Refused(_named(words)) from None
    return options
