# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Lambda operations that the sandbox answers: Invoke runs the code, AddPermission refuses a duplicate id."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import unquote

from moto.awslambda.models import LambdaFunction

from .. import stored
from ..account import NUMBER, Account
from ..delivery import to_function as deliver_lambda
from ..model.state import SandboxError
from ..wire import Answer, Call


def function_arn(call: Call) -> str:
    """Return the function's ARN. The path has its name, its ARN or part of the ARN."""
    name = unquote(call.operation.split("/functions/", 1)[1].split("/")[0])
    if name.startswith("arn:"):
        arn = name
    else:
        arn = f"arn:aws:lambda:{call.region}:{NUMBER}:function:{name.rsplit(':function:', 1)[-1]}"
    qualifier = call.query.get("Qualifier")
    return f"{arn}:{qualifier}" if qualifier and arn.count(":") == 6 else arn


def invoke(account: Account, call: Call) -> Answer | None:
    arn = function_arn(call)
    function = stored.function(arn)
    if function is None:
        raise SandboxError("ResourceNotFoundException", f"Function not found: {arn}", 404)
    payload = call.body.decode() or "{}"
    try:
        json.loads(payload)
    except ValueError as problem:
        text = f"Could not parse request body into json: {problem}"
        raise SandboxError("InvalidRequestContentException", text) from problem
    kind = call.headers.get("x-amz-invocation-type", "RequestResponse")
    if kind == "DryRun":
        return Answer(204, [], [b""])
    if kind == "Event":
        deliver_lambda.invoke_later(account, arn, payload)
        return Answer(202, [], [b""])
    ran = deliver_lambda.run(account, function, payload)
    headers = [("Content-Type", "application/json"), ("X-Amz-Executed-Version", str(function.version))]
    if ran.error:
        headers.append(("X-Amz-Function-Error", ran.error))
    if call.headers.get("x-amz-log-type") == "Tail":
        headers.append(("X-Amz-Log-Result", base64.b64encode(ran.log.encode()[-4096:]).decode()))
    return Answer(200, headers, [ran.payload.encode()])


def add_permission(_account: Account, call: Call) -> None:
    function, wanted = stored.function(function_arn(call)), call.parameters.get("StatementId")
    if function and any(statement.get("Sid") == wanted for statement in function.policy.statements):
        text = (
            f"The statement id ({wanted}) provided already exists. Please provide a new statement id, or remove the "
            "existing statement."
        )
        raise SandboxError("ResourceConflictException", text, 409)


def remember_dead_letters(account: Account, call: Call) -> None:
    """Store a function's DeadLetterConfig, because moto does not: see ``tell_of_dead_letters``."""
    name = call.parameters.get("FunctionName") or function_arn(call).rsplit(":", 1)[-1]
    config = call.parameters.get("DeadLetterConfig")
    if config is not None:
        arn = f"arn:aws:lambda:{call.region}:{NUMBER}:function:{name}"
        account.function_dead_letters[arn] = config.get("TargetArn") or ""


def tell_of_dead_letters(account: Account) -> None:
    """Make moto's functions report the dead-letter queue that the account stores for them."""
    told = LambdaFunction.get_configuration

    def get_configuration(function: LambdaFunction, on_create: bool = False) -> dict[str, Any]:
        queue = account.function_dead_letters.get(function.function_arn)
        return {**told(function, on_create), **({"DeadLetterConfig": {"TargetArn": queue}} if queue else {})}

    LambdaFunction.get_configuration = get_configuration


def update_configuration(account: Account, call: Call) -> None:
    """Update a function's dead-letter queue and key. Moto accepts a key only when a function is created."""
    remember_dead_letters(account, call)
    function = stored.function(function_arn(call))
    if function and "KMSKeyArn" in call.parameters:
        function.kms_key_arn = call.parameters["KMSKeyArn"]


OPERATIONS = {
    "POST /2015-03-31/functions": remember_dead_letters,
    "PUT /2015-03-31/functions/*/configuration": update_configuration,
    "POST /2015-03-31/functions/*/invocations": invoke,
    "POST /2015-03-31/functions/*/policy": add_permission,
}
