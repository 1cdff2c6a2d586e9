# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs inside the process of a function: event on standard input, outcome into the file that is named.

Standard library only, and nothing of the sandbox: Python starts it isolated, with the function's own path.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback


class Context:
    def __init__(self, told: dict) -> None:  # type: ignore[type-arg]
        self.end = time.monotonic() + told["timeout"]
        self.function_name = told["name"]
        self.function_version = told["version"]
        self.invoked_function_arn = told["arn"]
        self.memory_limit_in_mb = told["memory"]
        self.aws_request_id = told["request"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = None

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.end - time.monotonic()) * 1000))


def failure(problem: BaseException) -> dict:  # type: ignore[type-arg]
    return {
        "errorMessage": str(problem),
        "errorType": type(problem).__name__,
        "stackTrace": traceback.format_tb(problem.__traceback__),
    }


def main() -> None:
    told = json.load(sys.stdin)
    sys.path[:0] = told["path"]
    os.chdir(told["path"][0])
    outcome: dict = {}  # type: ignore[type-arg]
    try:
        module, _, name = told["handler"].rpartition(".")
        handler = getattr(importlib.import_module(module.replace("/", ".")), name)
        outcome["result"] = json.dumps(handler(told["event"], Context(told)))
    except BaseException as problem:  # noqa: BLE001 - whatever it is, the function has failed
        traceback.print_exc()
        outcome["error"] = failure(problem)
    sys.stdout.flush()
    with open(told["outcome"], "w", encoding="utf-8") as file:  # noqa: PTH123 - as little as can be is imported here
        json.dump(outcome, file)


main()
