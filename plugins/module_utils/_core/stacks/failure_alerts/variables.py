# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Read and check the variables of the role failure_alerts. Messages name what is wrong and quote no secret."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import Refused
from ...events.sentry_dsn import read_dsn
from ...failures.filters import TAKEN_BY
from ...names import KMS_KEY, LOG_GROUP_NAME, POLICY, TOPIC, ArnRule, read_arn_text, read_name
from ...option_values import check_value
from ..ownership import Owner
from ..variables import as_bool, as_int, as_list, as_mapping, check_known
from .web import SERVICES, check_web

ROLE = "failure_alerts"
TAG = "steadyops.ecs/failure-alerts"
DEFAULT_KINDS = ("task", "service_task", "service_action", "deployment", "launch")
MORE_KINDS = ("deployment_hook", "daemon", "container_instance", "task_retirement")
KINDS = (*DEFAULT_KINDS, *MORE_KINDS, "state_machine")
FILTERS = ("clusters", "services", "task_families", "state_machine_arns")
RULE_OPTIONS = (*TAKEN_BY, "description", "enabled")
MOST_TARGETS = 5
# The values that amazon.aws.cloudwatchlogs_log_group accepts. For any other number it deletes the log group.
RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653)
OF_THE_CONNECTION = ("region", "profile", "assume_role_arn", "assume_role_duration")
OF_THE_ROLE = ("result", "sentry_package", "quiet_package")  # set by the role itself
KNOWN = (
    *("state", "name", "kinds", *FILTERS, "rule_options", "severity", "emails", "mail_subject", "queue", "log_group"),
    *("log_retention_days", *SERVICES, "sentry_function", "dead_letter", "tags", "package_dir", *OF_THE_CONNECTION),
    *("topic_arn", "container_log_group", "kms_key", "permissions_boundary", "quiet_period"),
)
_SOURCES = ("dsn", "dsn_secret_arn", "dsn_parameter")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_CHANNELS = ("emails", "topic_arn", "queue", "log_group", "sentry_function", *SERVICES)
# The channels, named by the ids of their targets. The role does not manage targets with other ids.
CHANNELS = ("mail", "topic", "queue", "log", "sentry-function", *(name.replace("_", "-") for name in SERVICES))


QUIET = "quiet"  # the id of the target that invokes the function of the quiet period
TARGETS = (*CHANNELS, QUIET)
# In seconds. Scheduler fires within a minute; a day is long enough for anyone and keeps the number of windows low.
QUIET_PERIODS = (60, 86_400)
# The channels that EventBridge reaches with the role NAME-events.
BY_ROLE = ("mail", "topic", *CHANNELS[-len(SERVICES) :])
# The inline policies of the IAM role with which EventBridge reaches receivers. The first is created before any
# connection. Connections and API destinations have no tags, so they are ours if our IAM role has this policy.
INVOKE, PUBLISH = "invoke-api-destinations", "publish"


@dataclass(frozen=True)
class Alerts:
    """The values of the variables. ``rules`` has options of ecs_failure_rule by kind, ``web`` the settings by service.

    ``kms_key`` and ``boundary`` are ARNs; None keeps the ones that the resources have.
    """

    name: str
    present: bool
    kinds: Sequence[str] = ()
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    severity: str = "error"
    emails: Sequence[str] = ()
    mail_subject: str = ""
    topic_arn: str | None = None
    queue: str | None = None
    log_group: str | None = None
    retention_days: int = 30
    web: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    function: Mapping[str, Any] | None = None
    dead_letter: bool = True
    container_log_group: str | None = None
    kms_key: str | None = None
    boundary: str | None = None
    quiet_period: int = 0
    tags: Mapping[str, Any] = field(default_factory=dict)

    @property
    def owner(self) -> Owner:
        return Owner(TAG, self.name, f"{ROLE}_name")

    @property
    def channels(self) -> list[str]:
        """The channels that are set, each as the id of its targets."""
        given = {
            "mail": bool(self.emails),
            "topic": self.topic_arn is not None,
            "queue": self.queue is not None,
            "log": self.log_group is not None,
            "sentry-function": self.function is not None,
            **{name.replace("_", "-"): name in self.web for name in SERVICES},
        }
        return [channel for channel in CHANNELS if given[channel] and self.present]

    @property
    def by_role(self) -> list[str]:
        """The channels that EventBridge reaches with a role."""
        return [channel for channel in self.channels if channel in BY_ROLE]

    @property
    def own_queue(self) -> str | None:
        """The name of the queue that the role creates; None if an ARN or nothing is given."""
        return None if self.queue is None or self.queue.startswith("arn:") else self.queue

    @property
    def own_log_group(self) -> str | None:
        return None if self.log_group is None or self.log_group.startswith("arn:") else self.log_group

    def rule(self, kind: str) -> str:
        return f"{self.name}-{kind.replace('_', '-')}"

    def told_rule(self, kind: str) -> str:
        """Return the name of the rule for what the function of the quiet period sends."""
        return f"{self.rule(kind)}-told"

    @property
    def targets(self) -> dict[str, list[str]]:
        """The ids of the targets of each rule, by the name of the rule."""
        first = [QUIET] if self.quiet_period else self.channels
        told = {self.told_rule(kind): self.channels for kind in self.kinds if self.quiet_period}
        return {**{self.rule(kind): first for kind in self.kinds}, **told}

    def web_name(self, service: str) -> str:
        """Return the name of the connection and of the API destination of a service."""
        return f"{self.name}-{service.replace('_', '-')}"

    @property
    def undelivered(self) -> str:
        return f"{self.name}-undelivered"

    @property
    def function_name(self) -> str:
        """The name of the function that notifies Sentry, and of its IAM role."""
        return f"{self.name}-sentry"

    @property
    def function_log(self) -> str:
        return f"/aws/lambda/{self.name}-sentry"

    @property
    def quiet_name(self) -> str:
        """The name of the function of the quiet period, of its IAM role, and of its table."""
        return f"{self.name}-quiet"

    @property
    def quiet_log(self) -> str:
        return f"/aws/lambda/{self.quiet_name}"

    @property
    def ends_role(self) -> str:
        """The IAM role with which EventBridge Scheduler ends quiet periods."""
        return f"{self.quiet_name}-ends"

    @property
    def function_names(self) -> list[str]:
        """The names of the functions that the variables ask for."""
        sentry, quiet = self.function is not None, bool(self.quiet_period)
        return [*([self.function_name] if sentry else []), *([self.quiet_name] if quiet else [])]

    @property
    def events_role(self) -> str:
        return f"{self.name}-events"


def read_alerts(variables: Mapping[str, Any]) -> Alerts:
    """Return the values of the role's variables, whose names are without its prefix. Raises ``Refused``."""
    given = {name: value for name, value in variables.items() if value is not None and name not in OF_THE_ROLE}
    check_known(ROLE, given, KNOWN)
    for name, value in given.items():
        check_value(f"{ROLE}_{name}", value)
    name = str(given.get("name", "ecs-failures"))
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name):
        raise Refused(
            f"failure_alerts_name must have 1 to 40 letters, digits, hyphens and underscores, because all names begin"
            f" with it (got '{name}')."
        )
    present = given.get("state", "present") == "present"
    alerts = Alerts(
        name=name,
        present=present,
        severity=str(given.get("severity", "error")),
        emails=[str(each) for each in as_list(given.get("emails"))],
        mail_subject=str(given.get("mail_subject", "Failures of Amazon ECS")),
        topic_arn=_arn("topic_arn", given, TOPIC),
        queue=_text(given.get("queue")),
        log_group=_text(given.get("log_group")),
        retention_days=as_int(f"{ROLE}_log_retention_days", given.get("log_retention_days", 30)),
        dead_letter=as_bool(f"{ROLE}_dead_letter", given.get("dead_letter", True)),
        container_log_group=_text(given.get("container_log_group")),
        kms_key=_arn("kms_key", given, KMS_KEY),
        boundary=_arn("permissions_boundary", given, POLICY),
        tags=as_mapping(f"{ROLE}_tags", given.get("tags")),
        **(_of_present(given) if present else {}),
    )
    if present:
        _check(alerts, given)
    return alerts


def _of_present(given: Mapping[str, Any]) -> dict[str, Any]:
    web = {name: _settings(name, given[name]) for name in SERVICES if name in given}
    function = given.get("sentry_function")
    wanted = [str(kind) for kind in as_list(given.get("kinds", list(DEFAULT_KINDS)))]
    _check_kinds(wanted)
    if as_list(given.get("state_machine_arns")):
        wanted.append("state_machine")
    kinds = [kind for kind in KINDS if kind in wanted]
    return {
        "web": web,
        "function": None if function is None else _settings("sentry_function", function),
        "quiet_period": as_int(f"{ROLE}_quiet_period", given.get("quiet_period", 0)),
        "kinds": kinds,
        "rules": _rules(kinds, given),
    }


def _settings(name: str, value: Any) -> dict[str, Any]:
    given = as_mapping(f"{ROLE}_{name}", value)
    # ansible-core before 2.19 turns a template that yields JSON into a dictionary.
    texts = {key: json.dumps(each) if isinstance(each, (dict, list)) else each for key, each in given.items()}
    return {key: str(each) for key, each in texts.items() if each is not None}


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)


def _arn(name: str, given: Mapping[str, Any], rule: ArnRule) -> str | None:
    return read_arn_text(f"{ROLE}_{name}", _text(given.get(name)), rule)


def _check_kinds(wanted: Sequence[str]) -> None:
    unknown = [kind for kind in wanted if kind not in KINDS]
    if unknown:
        raise Refused(f"failure_alerts_kinds must be some of {', '.join(KINDS)} (got {', '.join(unknown)}).")


def _rules(kinds: Sequence[str], given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the options of ecs_failure_rule by kind: the filters that the kind takes, then those of rule_options."""
    more = as_mapping(f"{ROLE}_rule_options", given.get("rule_options"))
    unknown = [str(kind) for kind in more if kind not in KINDS]
    if unknown:
        raise Refused(
            f"failure_alerts_rule_options has {', '.join(unknown)}: its keys are the kinds {', '.join(KINDS)}."
        )
    no_dictionary = [kind for kind, options in more.items() if not isinstance(options, Mapping)]
    if no_dictionary:
        raise Refused(
            f"failure_alerts_rule_options has {', '.join(no_dictionary)}, which is not a dictionary. Put exit_codes"
            " or another option under it."
        )
    strange = sorted({str(name) for options in more.values() for name in options} - set(RULE_OPTIONS))
    if strange:
        raise Refused(f"failure_alerts_rule_options has {', '.join(strange)}. It can have {', '.join(RULE_OPTIONS)}.")
    filters = {name: as_list(given.get(name)) for name in FILTERS}
    found = {}
    for kind in kinds:
        usual = {name: values for name, values in filters.items() if values and kind in TAKEN_BY[name]}
        said = {name: _option(kind, name, value) for name, value in more.get(kind, {}).items() if value is not None}
        found[kind] = {**usual, **said}
    return found


def _option(kind: str, name: str, value: Any) -> Any:
    where = f"{ROLE}_rule_options.{kind}.{name}"
    if name == "enabled":
        return as_bool(where, value)
    if name == "description":
        return str(value)
    values = as_list(value)
    return [as_int(where, each) for each in values] if "exit_codes" in name else [str(each) for each in values]


def _check(alerts: Alerts, given: Mapping[str, Any]) -> None:
    if not alerts.kinds:
        raise Refused(
            "failure_alerts_kinds must have at least one kind of failure. To remove the alerts, set "
            "failure_alerts_state: absent."
        )
    if len(alerts.mail_subject) > 100:
        raise Refused(
            f"failure_alerts_mail_subject has {len(alerts.mail_subject)} characters, but SNS allows 100 in the"
            " display name of a topic."
        )
    channels = alerts.channels
    if not channels:
        raise Refused(f"No receiver is set. Set at least one of {', '.join(f'{ROLE}_{name}' for name in _CHANNELS)}.")
    if len(channels) > MOST_TARGETS:
        raise Refused(
            f"An EventBridge rule has at most five targets, but these are {len(channels)}: {', '.join(channels)}."
            " Remove some, or run the role twice with two values of failure_alerts_name."
        )
    wrong = [each for each in alerts.emails if not _EMAIL.fullmatch(each)]
    if wrong:
        raise Refused(f"failure_alerts_emails must be email addresses (got {', '.join(wrong)}).")
    _check_quiet(alerts)
    _check_places(alerts)
    if "log_retention_days" in given and alerts.retention_days not in RETENTION_DAYS:
        raise Refused(
            f"failure_alerts_log_retention_days is {alerts.retention_days}, but must be one of "
            f"{', '.join(map(str, RETENTION_DAYS))}."
        )
    if alerts.function is not None:
        if len([name for name in _SOURCES if name in alerts.function]) != 1:
            raise Refused("failure_alerts_sentry_function needs exactly one of dsn, dsn_secret_arn and dsn_parameter.")
        if "dsn" in alerts.function:
            # The function can reach a Sentry server without TLS; EventBridge cannot.
            dsn = re.sub("^http:", "https:", alerts.function["dsn"])
            read_dsn(f"{ROLE}_sentry_function.dsn", dsn)
    check_web(ROLE, alerts.web)


def _check_quiet(alerts: Alerts) -> None:
    least, most = QUIET_PERIODS
    if alerts.quiet_period and not least <= alerts.quiet_period <= most:
        raise Refused(
            f"failure_alerts_quiet_period must be 0 (off) or {least} to {most} seconds (got {alerts.quiet_period})."
        )
    if alerts.quiet_period and not alerts.dead_letter:
        raise Refused(
            "failure_alerts_quiet_period needs failure_alerts_dead_letter: the dead-letter queue keeps the failures "
            "that the function of the quiet period cannot handle. Set failure_alerts_dead_letter to true."
        )


def _check_places(alerts: Alerts) -> None:
    queue, group = alerts.queue, alerts.log_group
    if alerts.own_queue and not re.fullmatch(r"[A-Za-z0-9_-]{1,75}([.]fifo)?", alerts.own_queue):
        raise Refused(
            f"failure_alerts_queue must have 1 to 75 letters, digits, hyphens and underscores, and .fifo at the end"
            f" for a FIFO queue; or be the ARN of a queue (got '{queue}')."
        )
    if alerts.own_log_group and not re.fullmatch(r"[A-Za-z0-9_./#-]{1,512}", alerts.own_log_group):
        raise Refused(
            f"failure_alerts_log_group must have 1 to 512 letters, digits and _-./#; or be the ARN of a log group"
            f" (got '{group}')."
        )
    if alerts.container_log_group is not None:
        read_name(f"{ROLE}_container_log_group", alerts.container_log_group, LOG_GROUP_NAME)
    if queue and not alerts.own_queue and not re.match(r"arn:[a-z-]+:sqs:", queue):
        raise Refused(f"failure_alerts_queue is '{queue}', which is not the ARN of an SQS queue.")
    if group and not alerts.own_log_group and not re.match(r"arn:[a-z-]+:logs:", group):
        raise Refused(f"failure_alerts_log_group is '{group}', which is not the ARN of a log group.")
