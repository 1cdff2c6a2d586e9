# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Read the options of a subscription and plan the changes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..arns import Arn
from ..change import Change
from ..errors import Refused
from ..names import (
    CLUSTER,
    ECS_NAME,
    FAMILY_NAME,
    FILTER_NAME,
    FUNCTION,
    LOG_GROUP,
    LOG_GROUP_NAME,
    ROLE,
    read_arn,
    read_name,
    read_name_or_arn,
)
from ..waiting import Patience, read_patience
from .filter_pattern import check_pattern, check_regexes_of_group, refused_launches
from .model import (
    Filter,
    FunctionAccess,
    function_in,
    log_group_arn,
    permission_facts,
    same_function,
    statement_for,
)

MOST_FILTERS = 2  # of one log group

_REGION = re.compile(r"[a-z]{2,}(-[a-z0-9]+)+")


@dataclass(frozen=True)
class WantedSubscription:
    """``permission``: whether the function's policy is managed, too. ``pattern`` is None if the state is absent."""

    name: str
    log_group: str
    function: Arn | None
    pattern: str | None
    present: bool
    permission: bool
    patience: Patience


def read_log_group(text: str) -> str:
    """Return the name from the name or ARN of a log group. Raises ``Refused``."""
    return read_name_or_arn("log_group", text, LOG_GROUP_NAME, LOG_GROUP)[0]


def read_subscription(params: Mapping[str, Any], region: str | None) -> WantedSubscription:
    """Read the options. ``region`` is the one that the module works in. Raises ``Refused``."""
    group, group_arn = read_name_or_arn("log_group", params["log_group"], LOG_GROUP_NAME, LOG_GROUP)
    present = params["state"] == "present"
    function = None if params["function_arn"] is None else read_function(params["function_arn"], region)
    if present and function is None:
        raise Refused("function_arn is required. Give the ARN of the function that receives the records")
    if function and group_arn and (group_arn.region, group_arn.account) != (function.region, function.account):
        raise Refused(
            f"log_group is of account {group_arn.account} in {group_arn.region}, function_arn of account "
            f"{function.account} in {function.region}. CloudWatch Logs calls those of its own account and region only"
        )
    return WantedSubscription(
        name=read_name("name", params["name"], FILTER_NAME),
        log_group=group,
        function=function,
        pattern=_read_pattern(params) if present else None,
        present=present,
        permission=params["resource_policy"],
        patience=read_patience({"wait": True, **params}),
    )


def read_function(text: str, region: str | None) -> Arn:
    """Read the ARN of a function, which must be in the region that the module works in. Raises ``Refused``."""
    arn = read_arn("function_arn", text, FUNCTION)
    if region and arn.region != region:
        raise Refused(f"function_arn is in {arn.region}, but the module works in {region}. Correct one of them")
    return arn


def _read_pattern(params: Mapping[str, Any]) -> str:
    given = [name for name in ("clusters", "task_families", "exclude_role_arns", "regions") if params[name]]
    given += ["transient_errors_only"] if params["transient_errors_only"] is not None else []
    if params["filter_pattern"] is not None:
        if given:
            raise Refused(f"filter_pattern and {', '.join(given)} are mutually exclusive. Omit one of them")
        return check_pattern(params["filter_pattern"])
    roles = [str(read_arn("exclude_role_arns", role, ROLE)) for role in params["exclude_role_arns"] or []]
    for region in params["regions"] or []:
        if not _REGION.fullmatch(region):
            raise Refused(f"regions must be regions such as eu-central-1 (got {region!r})")
    return refused_launches(
        [read_name_or_arn("clusters", cluster, ECS_NAME, CLUSTER)[0] for cluster in params["clusters"] or []],
        [read_name("task_families", family, FAMILY_NAME) for family in params["task_families"] or []],
        params["transient_errors_only"] is not False,
        roles,
        params["regions"] or [],
    )


def function_to_look_at(wanted: WantedSubscription, filters: Sequence[Filter]) -> Arn | None:
    """Return the function whose policy must be read."""
    current = _named(wanted.name, filters)
    return wanted.function or (function_in(current.destination) if current else None)


def stale_function(wanted: WantedSubscription, filters: Sequence[Filter]) -> Arn | None:
    """Return the alias or version that our filter will no longer send to. Its permission is removed, too."""
    current = _named(wanted.name, filters)
    before = function_in(current.destination) if current else None
    return before if before and wanted.function and wanted.present and before != wanted.function else None


def plan_subscription(
    wanted: WantedSubscription, filters: Sequence[Filter] | None, access: FunctionAccess | None
) -> Change:
    """Return the current and the wanted state, in the format that the module returns. Raises ``Refused``.

    ``filters`` are those of the log group, or None if it does not exist. ``access`` is that of the function from
    ``function_to_look_at``.
    """
    current = _named(wanted.name, filters or ())
    others = [each for each in filters or () if each is not current]
    if current:
        _refuse_stranger(wanted, current)
    permission = permission_facts(access.statement) if access and access.statement and wanted.permission else None
    before = _subscription_facts(wanted, current, permission) if current or permission else None
    function, pattern = wanted.function, wanted.pattern
    if not wanted.present or function is None or pattern is None:  # always both set if the state is present
        return Change(before, None)
    if filters is None:
        raise Refused(
            f"The log group {wanted.log_group} does not exist. Give the log group of the trail,"
            " CloudWatchLogsLogGroupArn in the result of cloudtrail:DescribeTrails"
        )
    if current is None and len(others) >= MOST_FILTERS:
        names = ", ".join(f"{each.name} (to {each.destination})" for each in others)
        raise Refused(
            f"The log group {wanted.log_group} has {len(others)} subscription filters, and CloudWatch Logs allows "
            f"{MOST_FILTERS}: {names}. Remove one, or take the launches from EventBridge instead"
        )
    check_regexes_of_group(pattern, [each.pattern for each in others])
    after_permission = permission_facts(statement_for(function, wanted.log_group, wanted.name))
    after = {
        "name": wanted.name,
        "log_group": wanted.log_group,
        "log_group_arn": log_group_arn(function, wanted.log_group),
        "destination_arn": str(function),
        "filter_pattern": pattern,
        "permission": after_permission if wanted.permission else None,
    }
    return Change(before, after)


def _subscription_facts(
    wanted: WantedSubscription, current: Filter | None, permission: Mapping[str, Any] | None
) -> dict[str, Any]:
    function = function_in(current.destination) if current else wanted.function
    return {
        "name": wanted.name,
        "log_group": wanted.log_group,
        "log_group_arn": log_group_arn(function, wanted.log_group) if function else None,
        "destination_arn": current.destination if current else None,
        "filter_pattern": current.pattern if current else None,
        "permission": permission,
    }


def _refuse_stranger(wanted: WantedSubscription, current: Filter) -> None:
    """Refuse a filter that sends to another destination: it is not managed by this module, even with this name."""
    there = function_in(current.destination)
    if there is None or (wanted.function and not same_function(there, wanted.function)):
        elsewhere = f"not to {wanted.function}" if wanted.function else "which is not a Lambda function"
        raise Refused(
            f"The subscription filter {wanted.name} of log group {wanted.log_group} sends to {current.destination}, "
            f"{elsewhere}, so it is not managed by this module. Choose another name, or remove the filter with its own "
            "function_arn first"
        )


def no_function(wanted: WantedSubscription, access: FunctionAccess | None) -> str:
    """Return a message if the function does not exist, else "". In check mode, a real run may create it first."""
    if not wanted.present or access is None or access.exists:
        return ""
    return f"The function {access.function} does not exist. Create it first, or check function_arn"


def warnings_of(
    wanted: WantedSubscription, filters: Sequence[Filter] | None, access: FunctionAccess | None
) -> list[str]:
    """Return the warnings for the user. The module does nothing about them."""
    found = [no_function(wanted, access)] if wanted.permission else []
    for each in filters or ():
        there = function_in(each.destination)
        if not wanted.present or each.name == wanted.name or there is None or wanted.function is None:
            continue
        if same_function(there, wanted.function):
            found.append(
                f"The filter {each.name} of {wanted.log_group} sends to the same function, so records that match both"
                " reach it twice"
            )
    return [words for words in found if words]


def _named(name: str, filters: Sequence[Filter]) -> Filter | None:
    return next((each for each in filters if each.name == name), None)
