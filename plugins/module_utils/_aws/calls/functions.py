# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Lambda functions, their resource policies and their reserved concurrency.

An alias or a version, named by a qualified ARN, has a separate policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._amazon import NOT_FOUND, aws_call
from ..._core.arns import Arn


@aws_call("lambda:GetPolicy", expected=NOT_FOUND)
def function_policy(functions: Any, function: Arn) -> str | None:
    """Return the policy as JSON. None means no policy or no function: Lambda answers the same in both cases."""
    return functions.get_policy(**_named(function))["Policy"]


@aws_call("lambda:GetFunctionConfiguration", expected=NOT_FOUND, then=False)
def function_exists(functions: Any, function: Arn) -> bool:
    functions.get_function_configuration(**_named(function))
    return True


@aws_call("lambda:GetFunction", expected=NOT_FOUND)
def whole_function(functions: Any, name: str) -> Mapping[str, Any] | None:
    """Return ``Configuration``, ``Tags`` and ``Concurrency`` of a function, or None if none has that name."""
    answer: Mapping[str, Any] = functions.get_function(FunctionName=name)
    return answer


def find_function(functions: Any, function: Arn) -> tuple[bool, str | None]:
    """Return whether the function exists, and its policy. Without a policy, this takes two calls."""
    policy = function_policy(functions, function)
    return policy is not None or function_exists(functions, function), policy


@aws_call("lambda:AddPermission", expected="ResourceConflictException")
def add_permission(functions: Any, function: Arn, statement: Mapping[str, Any]) -> None:
    """Let a service call the function. The statement may exist already, from an earlier call whose answer was lost."""
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
    """Remove a statement if it exists."""
    functions.remove_permission(**_named(function), StatementId=sid)


@aws_call("lambda:GetFunctionConcurrency", expected=NOT_FOUND)
def reserved_concurrency(functions: Any, name: str) -> int | None:
    """Return how many executions are reserved, or None if none are or the function does not exist."""
    return functions.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")


@aws_call("lambda:PutFunctionConcurrency", expected=NOT_FOUND, then=False)
def put_concurrency(functions: Any, name: str, count: int) -> bool:
    """Reserve this many executions. Return False if the function does not exist."""
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=count)
    return True


@aws_call("lambda:DeleteFunctionConcurrency", expected=NOT_FOUND)
def delete_concurrency(functions: Any, name: str) -> None:
    """Remove the reservation. The function need not exist."""
    functions.delete_function_concurrency(FunctionName=name)


def _named(function: Arn) -> dict[str, str]:
    _function, name, *qualifier = function.resource.split(":")
    unqualified = Arn(function.partition, function.service, function.region, function.account, f"function:{name}")
    return {"FunctionName": str(unqualified), **({"Qualifier": qualifier[0]} if qualifier else {})}
