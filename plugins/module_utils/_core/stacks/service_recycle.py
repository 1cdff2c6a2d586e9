# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The variables of the role service_recycle and of its playbook, which also accepts options under their own names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from ..errors import Refused
from .variables import check_known

ROLE = "service_recycle"
PREFIX = f"{ROLE}_"
# Options of the module. Each is also a variable of the role and an extra variable of the playbook.
OPTIONS = (
    "cluster", "service", "state", "started_before", "max_task_age", "token", "secrets_changed", "tasks",
    "all_tasks", "exclude_tasks", "availability_zones", "capacity_providers", "order", "max_tasks", "batch_size",
    "batch_wait", "checkpoints", "checkpoint_wait", "bake_time", "alarms", "max_failures", "timeout", "on_failure",
    "stop_method", "check_images", "surge", "minimum_healthy_percent", "wait_for", "stabilize_time", "wait_timeout",
    "wait_for_capacity", "wait_delay", "on_deployment", "deployment_timeout", "protected_tasks",
    "protected_timeout", "suspend_scaling", "lease", "reason",
)  # fmt: skip
ALIASES = {"wait_time": "batch_wait"}
# Options that all AWS modules have. The role has variables for the first two; the playbook accepts all of them.
AWS_OPTIONS = (
    "region", "profile", "access_key", "secret_key", "session_token", "endpoint_url", "aws_ca_bundle",
    "validate_certs", "aws_config", "debug_botocore_endpoint_logs",
)  # fmt: skip
OF_THE_ROLE = (
    "region", "profile", "assume_role_arn", "assume_role_duration", "mail", "topic_arn", "notify_on",
    "subject_prefix",
)  # fmt: skip
RESULTS = ("result", "untold")  # variables that the role sets
OF_THE_PLAYBOOK = (
    "recycle_serial", "recycle_throttle", "recycle_max_fail_percentage", "recycle_report_path",
    "recycle_concurrency", "recycle_calls_per_second",
)  # fmt: skip

# Variables for what only the role does, and one process for all services does not.
_OF_EACH_SERVICE = tuple(f"{PREFIX}{name}" for name in OF_THE_ROLE if name not in AWS_OPTIONS)

# The playbook itself passes these to the role: a fleet has its own values, or a blank answer counts as omitted.
_HANDED_OVER = (
    "cluster", "service", "state", "started_before", "max_task_age", "token", "secrets_changed", "all_tasks",
)  # fmt: skip
# Prefixes of variables of Ansible, AWX and Automation Controller, and of the users' own variables.
_NOT_OURS = ("ansible_", "awx_", "tower_", "_")


def check_role_variables(names: Iterable[str]) -> None:
    """Raise ``Refused`` for names with the prefix of the role that are not variables of the role."""
    given = [name.removeprefix(PREFIX) for name in names]
    check_known(ROLE, given, (*OPTIONS, *OF_THE_ROLE, *RESULTS))


def options_of_playbook(extra: Iterable[str]) -> dict[str, str]:
    """Return the options that the playbook must pass to the role, each with the name of its extra variable.

    ``extra`` are the names of all extra variables.

    Raises ``Refused`` for an extra variable that nothing reads, and for an option that is given twice.
    """
    names = [name for name in extra if not name.startswith(_NOT_OURS)]
    check_role_variables(name for name in names if name.startswith(PREFIX))
    bare = [name for name in names if not name.startswith(PREFIX)]
    known = (*OPTIONS, *ALIASES, *AWS_OPTIONS, *OF_THE_PLAYBOOK, "ecs_progress")
    unknown = sorted(set(bare) - set(known))
    if unknown:
        near = [match for name in unknown for match in difflib.get_close_matches(name, known, 1)]
        meant = f" Did you mean {', '.join(dict.fromkeys(near))}?" if near else ""
        raise Refused(
            f"{', '.join(unknown)}: the playbook service_recycle has no such variable, so it would do nothing.{meant} "
            "Extra variables can be the options of ecs_service_recycle, those of the playbook, and the variables of "
            "the role. Begin the names of your own variables with an underscore."
        )
    options: dict[str, str] = {}
    for name in bare:
        option = ALIASES.get(name, name)
        others = [each for each in (f"{PREFIX}{option}", options.get(option)) if each in names]
        if others:
            raise Refused(f"{name} and {others[0]} are mutually exclusive. Set one of them")
        options[option] = name
    return {option: name for option, name in options.items() if option in OPTIONS and option not in _HANDED_OVER}


def options_in_one_process(extra: Iterable[str]) -> dict[str, str]:
    """Return the options that apply to every service of a fleet, each with the name of its extra variable.

    The extra variable has the name of the option or of the role's variable.

    Raises ``Refused`` as ``options_of_playbook`` does.
    """
    names = list(extra)
    options_of_playbook(names)
    options: dict[str, str] = {}
    for name in names:
        bare = name.removeprefix(PREFIX)
        options[ALIASES.get(bare, bare)] = name
    return {option: options[option] for option in OPTIONS if option in options and option not in ("cluster", "service")}


def unused_in_one_process(extra: Iterable[str]) -> list[str]:
    """Return the extra variables that are variables of the role and that one process for all services does not use."""
    return [name for name in extra if name in _OF_EACH_SERVICE]
