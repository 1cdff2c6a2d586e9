# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Bring a subscription into its wanted state: write the permission, then the filter. Deletion reverses the order."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

from ..._core.arns import Arn
from ..._core.change import Change
from ..._core.errors import Failed
from ..._core.log_subscription.model import Filter, FunctionAccess, sid_of, statement_for, statement_in
from ..._core.log_subscription.plan import WantedSubscription, no_function
from ..calls import functions
from ..calls.log_subscriptions import delete_subscription_filter, put_subscription_filter
from .waits import GONE, Wait, refusal_of, settled

Client = Callable[[str], Any]

# CloudWatch Logs accepts a filter only if it may call the function. Until it sees a new permission, it answers:
NOT_ALLOWED = "Could not execute the lambda function"
ACCEPTED = Wait(settled={GONE}, still="CloudWatch Logs may not call {function} yet ({reason})")
ACCEPTED_AT_ONCE = replace(  # when the module does not manage the permission
    ACCEPTED,
    failing={
        "REFUSED": "CloudWatch Logs may not call {function}: {reason}. Set resource_policy: true, or allow "
        "logs.amazonaws.com to invoke it for the log group {log_group}"
    },
)


def function_access(client: Client, function: Arn | None, wanted: WantedSubscription) -> FunctionAccess | None:
    """Return the facts of the function. Its policy is read only if the module manages a statement in it."""
    if function is None:
        return None
    if not wanted.permission:
        return FunctionAccess(function, functions.function_exists(client("lambda"), function))
    exists, policy = functions.find_function(client("lambda"), function)
    return FunctionAccess(function, exists, statement_in(policy, sid_of(wanted.log_group, wanted.name)))


def write_subscription(
    client: Client,
    wanted: WantedSubscription,
    change: Change,
    access: FunctionAccess | None,
    stale: Arn | None,
    current: Filter | None = None,
) -> Generator[str | float, None, None]:
    """Make the writes of ``change``. ``stale`` is the alias or version that loses its permission.

    ``current`` is the filter that is replaced, if any.
    """
    sid = sid_of(wanted.log_group, wanted.name)
    function = wanted.function
    if change.after is None or function is None:
        if change.before and change.before["destination_arn"]:
            delete_subscription_filter(client("logs"), wanted.log_group, wanted.name)
            yield "deleted the subscription filter"
        if access and access.statement and wanted.permission:
            functions.remove_permission(client("lambda"), access.function, sid)
            yield "removed the invoke permission"
        return
    missing = no_function(wanted, access)
    if missing:
        raise Failed(missing)
    if wanted.permission and change.differs("permission"):
        if access and access.statement:
            functions.remove_permission(client("lambda"), function, sid)
            yield "removed an outdated invoke permission"
        functions.add_permission(client("lambda"), function, statement_for(function, wanted.log_group, wanted.name))
        yield "added the invoke permission"
    if change.differs("destination_arn", "filter_pattern"):

        def put() -> None:
            put_subscription_filter(
                client("logs"), wanted.log_group, wanted.name, wanted.pattern or "", str(function), current
            )

        wait = ACCEPTED if wanted.permission else ACCEPTED_AT_ONCE
        names = {"function": function, "log_group": wanted.log_group}
        yield from settled(lambda: refusal_of(put, NOT_ALLOWED), wait, wanted.patience, **names)
        yield "put the subscription filter"
    if stale and wanted.permission:
        functions.remove_permission(client("lambda"), stale, sid)
        yield f"removed the invoke permission of {stale}"
