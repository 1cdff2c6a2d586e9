# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Lambda functions, who may call them, and how many may run: one call, one function.

A qualified ARN, of an alias or a version, has a policy of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._amazon import aws_call
from ..._core.arns import Arn
from ..._core.errors import CallFailed

_NONE = "ResourceNotFoundException"


def function_policy(functions: Any, function: Arn) -> str | None:
    """JSON; None when the function has no policy, or when there is no such function: Lambda answers the same."""
    return _or_none(_function_policy, functions, function)


@aws_call("lambda:GetPolicy")
def _function_policy(functions: Any, function: Arn) -> str:
    return functions.get_policy(**_named(function))["Policy"]


def function_exists(functions: Any, function: Arn) -> bool:
    return bool(_or_none(_get_configuration, functions, function))


@aws_call("lambda:GetFunctionConfiguration")
def _get_configuration(functions: Any, function: Arn) -> Mapping[str, Any]:
    return functions.get_function_configuration(**_named(function))


def add_permission(functions: Any, function: Arn, statement: Mapping[str, Any]) -> None:
    """Add a statement that lets a service call the function; one of its Sid may be there, put by a lost call."""
    try:
        _add_permission(functions, function, statement)
    except CallFailed as error:
        if error.code != "ResourceConflictException":
            raise


@aws_call("lambda:AddPermission")
def _add_permission(functions: Any, function: Arn, statement: Mapping[str, Any]) -> None:
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


def remove_permission(functions: Any, function: Arn, sid: str) -> None:
    """Remove a statement; one that is not there does no harm."""
    _or_none(_remove_permission, functions, function, sid)


@aws_call("lambda:RemovePermission")
def _remove_permission(functions: Any, function: Arn, sid: str) -> None:
    functions.remove_permission(**_named(function), StatementId=sid)


def reserved_concurrency(functions: Any, name: str) -> int | None:
    """How many executions are set apart; None when none are, or when there is no such function."""
    return _or_none(_get_concurrency, functions, name)


@aws_call("lambda:GetFunctionConcurrency")
def _get_concurrency(functions: Any, name: str) -> int | None:
    return functions.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")


@aws_call("lambda:PutFunctionConcurrency")
def put_concurrency(functions: Any, name: str, count: int) -> None:
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=count)


def delete_concurrency(functions: Any, name: str) -> None:
    """Set nothing apart; that there is no function does no harm."""
    _or_none(_delete_concurrency, functions, name)


@aws_call("lambda:DeleteFunctionConcurrency")
def _delete_concurrency(functions: Any, name: str) -> None:
    functions.delete_function_concurrency(FunctionName=name)


def _named(function: Arn) -> dict[str, str]:
    _function, name, *qualifier = function.resource.split(":")
    unqualified = Arn(function.partition, function.service, function.region, function.account, f"function:{name}")
    return {"FunctionName": str(unqualified), **({"Qualifier": qualifier[0]} if qualifier else {})}


def _or_none(call: Any, *arguments: Any) -> Any:
    try:
        return call(*arguments)
    except CallFailed as error:
        if error.code == _NONE:
            return None
        raise
