# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Lambda functions, who may call them, and how many may run: one call, one function.

A qualified ARN, of an alias or a version, has a policy of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._amazon import NOT_FOUND, aws_call
from ..._core.arns import Arn


@aws_call("lambda:GetPolicy", expected=NOT_FOUND)
def function_policy(functions: Any, function: Arn) -> str | None:
    """Return the policy, JSON; None without a policy and without a function: Lambda answers the same."""
    return functions.get_policy(**_named(function))["Policy"]


@aws_call("lambda:GetFunctionConfiguration", expected=NOT_FOUND, then=False)
def function_exists(functions: Any, function: Arn) -> bool:
    functions.get_function_configuration(**_named(function))
    return True


@aws_call("lambda:GetFunction", expected=NOT_FOUND)
def whole_function(functions: Any, name: str) -> Mapping[str, Any] | None:
    """Return ``Configuration``, ``Tags`` and ``Concurrency`` of a function; None when there is none of that name."""
    answer: Mapping[str, Any] = functions.get_function(FunctionName=name)
    return answer


def find_function(functions: Any, function: Arn) -> tuple[bool, str | None]:
    """Return whether the function exists, and its policy; where it has none, that takes two calls."""
    policy = function_policy(functions, function)
    return policy is not None or function_exists(functions, function), policy


@aws_call("lambda:AddPermission", expected="ResourceConflictException")
def add_permission(functions: Any, function: Arn, statement: Mapping[str, Any]) -> None:
    """Add a statement that lets a service call the function; one of its Sid may be there, put by a lost call."""
    condition = statement["Condition"]
    account = condition.get("StringEquals", {}).get("AWS:SourceAccount")
    functions.add_permission(
        **_named(function),
        StatementId=statement["Sid"],
        Action=statement["Action"],
        Principal=statement["Principal"]["Service"],
        SourceArn=condition["ArnLike"]["AWS:SourceArn"],
        **({"SourceAccount": account} if account else {}),
    )


@aws_call("lambda:RemovePermission", expected=NOT_FOUND)
def remove_permission(functions: Any, function: Arn, sid: str) -> None:
    """Remove a statement, if it is there."""
    functions.remove_permission(**_named(function), StatementId=sid)


@aws_call("lambda:GetFunctionConcurrency", expected=NOT_FOUND)
def reserved_concurrency(functions: Any, name: str) -> int | None:
    """Return how many executions are reserved; None when none are, or when there is no such function."""
    return functions.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")


@aws_call("lambda:PutFunctionConcurrency", expected=NOT_FOUND, then=False)
def put_concurrency(functions: Any, name: str, count: int) -> bool:
    """Reserve so many executions. False when there is no such function."""
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=count)
    return True


@aws_call("lambda:DeleteFunctionConcurrency", expected=NOT_FOUND)
def delete_concurrency(functions: Any, name: str) -> None:
    """Reserve nothing; the function need not exist."""
    functions.delete_function_concurrency(FunctionName=name)


def _named(function: Arn) -> dict[str, str]:
    _function, name, *qualifier = function.resource.split(":")
    unqualified = Arn(function.partition, function.service, function.region, function.account, f"function:{name}")
    return {"FunctionName": str(unqualified), **({"Qualifier": qualifier[0]} if qualifier else {})}
