# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Read and check the variables of the role, without calling AWS."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ...errors import Refused
from ...limits import check_tags
from ...names import KMS_KEY, POLICY, STANDARD_QUEUE, STANDARD_TOPIC, NameRule, read_arn_text, read_name
from ..variables import as_bool, as_int, as_list, as_mapping, check_known

NAME = NameRule(r"[A-Za-z0-9_-]{1,50}", "1 to 50 letters, digits, hyphens and underscores")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
ROLE = "scheduled_task"
PREFIX = f"{ROLE}_"
# Variables that only the tasks use, and the result of an earlier run.
BESIDES = ("region", "profile", "assume_role_arn", "assume_role_duration", "result")
WAYS = ("execution", "catch", "task", "skipped")
CONCURRENCY = ("allow", "forbid", "replace")
LEVELS = ("OFF", "ALL", "ERROR", "FATAL")
RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653)
# Keys of the option ``job`` that have a variable, each with that variable.
OF_JOB = {
    "cluster": "cluster",
    "task_definition": "task_definition",
    "timeout": "timeout",
    "concurrency": "concurrency",
    "starting_deadline": "starting_deadline",
    "notify_topic_arn": "topic_arn",
    "skipped_topic_arn": "topic_arn",
}
# Options of ecs_task_schedule that have no variable: keys of ``schedule``.
OF_SCHEDULE = (
    "using",
    "group_name",
    "flexible_time_window",
    "start_date",
    "end_date",
    "description",
    "kms_key_arn",
    "action_after_completion",
    "maximum_retry_attempts",
    "maximum_event_age_in_seconds",
)
# Options of modules as their messages name them, with the variables that they come from. The first match counts.
_VARIABLES = {
    r"\bjob\.network_configuration\.(subnets|security_groups|assign_public_ip)\b": r"\1",
    r"\bjob\.(cluster|task_definition|timeout|concurrency|starting_deadline)\b": r"\1",
    r"\bjob\.": "job.",
    r"^schedule_expression_timezone\b": "timezone",
    r"^(schedule_expression|input)\b": r"\1",
    rf"^`?({'|'.join(OF_SCHEDULE)})\b`?": r"schedule.\1",
}


@dataclass(frozen=True)
class Variables:
    """The values of the variables; None if not given. The modules read ``job`` and ``schedule``, kept as written."""

    name: str
    present: bool
    cluster: str
    task_definition: str
    timeout: str
    job: Mapping[str, Any]
    schedule_expression: str
    schedule: Mapping[str, Any]
    notify: tuple[str, ...]
    emails: tuple[str, ...]
    logging_level: str
    log_retention_days: int
    tracing: bool
    tags: Mapping[str, str]
    topic_arn: str | None = None
    subnets: tuple[str, ...] | None = None
    security_groups: tuple[str, ...] | None = None
    assign_public_ip: bool | None = None
    timezone: str | None = None
    enabled: bool | None = None
    input: Any = None
    dead_letter_arn: str | None = None  # an empty text removes the current one
    pass_role_arns: tuple[str, ...] | None = None
    permissions_boundary: str | None = None  # None keeps the current one
    kms_key: str | None = None  # None keeps the current one
    concurrency: str = "allow"
    starting_deadline: str | None = None

    @property
    def using(self) -> str:
        return str(self.schedule.get("using") or "scheduler")

    @property
    def group(self) -> str:
        return str(self.schedule.get("group_name") or "default")

    @property
    def family(self) -> str:
        return self.task_definition.rpartition("/")[2].partition(":")[0]

    @property
    def cluster_name(self) -> str:
        return self.cluster.rpartition("/")[2]

    @property
    def ways(self) -> tuple[str, ...]:
        """The ways to notify: none without a topic, and ``skipped`` only if executions can be skipped."""
        skips = self.concurrency != "allow" or self.starting_deadline
        told = self.present and (self.topic_arn or self.emails)
        return tuple(way for way in self.notify if skips or way != "skipped") if told else ()


def read_variables(given: Mapping[str, Any]) -> Variables:
    """Read the variables, which are named without the role's prefix. Raises ``Refused``."""
    check_known(ROLE, given, (*Variables.__dataclass_fields__.keys() - {"present"}, "state", "suspend", *BESIDES))
    given = {name: value for name, value in given.items() if value is not None}
    suspended = _optional_flag("suspend", given)
    if suspended is not None and "enabled" in given:
        raise Refused(
            f"`{PREFIX}suspend` and `{PREFIX}enabled` are mutually exclusive: both say whether the schedule runs"
        )
    state = _choice("state", given.get("state", "present"), ("present", "absent"))
    read = Variables(
        name=read_name(f"{PREFIX}name", str(given.get("name", "")), NAME),
        present=state == "present",
        cluster=str(given.get("cluster", "default")),
        task_definition=str(given.get("task_definition", "")),
        timeout=str(given.get("timeout", "")),
        job=as_mapping(f"{PREFIX}job", given.get("job")),
        schedule_expression=str(given.get("schedule_expression", "")),
        schedule=as_mapping(f"{PREFIX}schedule", given.get("schedule")),
        notify=tuple(_choice("notify", way, WAYS) for way in _texts("notify", given.get("notify", ["execution"]))),
        emails=_texts("emails", given.get("emails")),
        logging_level=_choice("logging_level", given.get("logging_level", "ERROR"), LEVELS),
        log_retention_days=as_int(f"{PREFIX}log_retention_days", given.get("log_retention_days", 30)),
        tracing=as_bool(f"{PREFIX}tracing", given.get("tracing", False)),
        tags={str(key): str(value) for key, value in as_mapping(f"{PREFIX}tags", given.get("tags")).items()},
        topic_arn=read_arn_text(f"{PREFIX}topic_arn", given.get("topic_arn"), STANDARD_TOPIC),
        subnets=_optional_texts("subnets", given),
        security_groups=_optional_texts("security_groups", given),
        assign_public_ip=_optional_flag("assign_public_ip", given),
        timezone=given.get("timezone"),
        enabled=_optional_flag("enabled", given) if suspended is None else not suspended,
        input=given.get("input"),
        dead_letter_arn=given.get("dead_letter_arn"),
        pass_role_arns=_optional_texts("pass_role_arns", given),
        permissions_boundary=read_arn_text(
            f"{PREFIX}permissions_boundary", given.get("permissions_boundary") or None, POLICY
        ),
        kms_key=read_arn_text(f"{PREFIX}kms_key", given.get("kms_key") or None, KMS_KEY),
        concurrency=_choice("concurrency", given.get("concurrency", "allow"), CONCURRENCY),
        starting_deadline=None if given.get("starting_deadline") is None else str(given["starting_deadline"]),
    )
    _check(read)
    return read


def in_variables(message: str) -> str:
    """Return a module's message with our variable in place of the module's option."""
    for option, variable in _VARIABLES.items():
        message, count = re.subn(option, PREFIX + variable, message)
        if count:
            break
    return message


@contextmanager
def naming_variables() -> Iterator[None]:
    """Re-raise a ``Refused`` that names options of a module so that it names our variables."""
    try:
        yield
    except Refused as error:
        raise Refused(in_variables(str(error))) from None


def _check(variables: Variables) -> None:
    """Raise ``Refused`` for invalid values and for variables that cannot be combined."""
    check_tags(f"{PREFIX}tags", variables.tags)
    read_arn_text(f"{PREFIX}dead_letter_arn", variables.dead_letter_arn or None, STANDARD_QUEUE)
    if variables.topic_arn and variables.emails:
        raise Refused(
            f"`{PREFIX}emails` and `{PREFIX}topic_arn` are mutually exclusive. Subscribe the addresses to that topic,"
            " or "
            "omit one of them"
        )
    for address in variables.emails:
        if not EMAIL.fullmatch(address):
            raise Refused(f"`{PREFIX}emails` must have email addresses (got {address!r})")
    if (variables.topic_arn or variables.emails) and not variables.notify:
        source = "topic_arn" if variables.topic_arn else "emails"
        raise Refused(
            f"`{PREFIX}notify` is empty, but `{PREFIX}{source}` is set. Choose {', '.join(WAYS)}, or omit the other one"
        )
    taken = [key for key in OF_JOB if key in variables.job]
    if taken:
        raise Refused(f"`{PREFIX}job` must not have the key {taken[0]}: set `{PREFIX}{OF_JOB[taken[0]]}` instead")
    unknown = [str(key) for key in variables.schedule if key not in OF_SCHEDULE]
    if unknown:
        raise Refused(
            f"`{PREFIX}schedule` must not have the key {unknown[0]}. Its keys are {', '.join(OF_SCHEDULE)}; the rest "
            "has variables of its own"
        )
    _choice("schedule.using", variables.using, ("scheduler", "rule"))
    if not variables.present:
        return
    for name in ("task_definition", "timeout", "schedule_expression"):
        if not getattr(variables, name):
            raise Refused(f"`{PREFIX}{name}` is required, unless `{PREFIX}state` is absent")
    days = variables.log_retention_days
    if days not in RETENTION_DAYS:
        raise Refused(f"`{PREFIX}log_retention_days` must be one of {', '.join(map(str, RETENTION_DAYS))} (got {days})")


def _choice(name: str, value: Any, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise Refused(f"`{PREFIX}{name}` must be one of {', '.join(choices)} (got {value!r})")
    return str(value)


def _texts(name: str, value: Any) -> tuple[str, ...]:
    values = as_list(value)
    if not all(isinstance(each, (str, int)) for each in values):
        raise Refused(f"`{PREFIX}{name}` must be a list of texts (got {value!r})")
    return tuple(dict.fromkeys(map(str, values)))


def _optional_texts(name: str, given: Mapping[str, Any]) -> tuple[str, ...] | None:
    return _texts(name, given[name]) if name in given else None


def _optional_flag(name: str, given: Mapping[str, Any]) -> bool | None:
    return as_bool(PREFIX + name, given[name]) if name in given else None
