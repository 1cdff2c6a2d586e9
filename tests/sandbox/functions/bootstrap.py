# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run functions, each in a process forked from this one, which has imported boto3 and parsed its data.

This file uses only the standard library and Lambda's runtime, nothing of the sandbox: Python starts it isolated. For
each run, a socket arrives through standard input. The function's process reads from it what to run, then sends its
process id (4 bytes) and what the function prints. It writes the outcome into the file that the request names.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import shutil
import signal
import socket
import sys
import time
import traceback

PARSED = ("ecs", "sns", "sqs")  # what most functions call; the data of other services is parsed on demand


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


def main(place: str) -> None:
    """Serve until standard input ends, then remove ``place``, whose ``runtime`` has boto3 and its dependencies."""
    runtime = os.path.join(place, "runtime")  # noqa: PTH118 - as little as can be is imported here
    packages = os.listdir(runtime)  # noqa: PTH208
    sys.path.insert(0, runtime)
    warm_up()
    caller = next_caller()
    if caller:
        run(caller, packages)
    else:
        shutil.rmtree(place)


def warm_up() -> None:
    session = importlib.import_module("botocore.session")
    importlib.import_module("boto3")
    session.create_loader = functools.cache(session.create_loader)
    for service in PARSED:
        session.get_session().create_client(service, "eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
    gc.collect()
    gc.freeze()  # otherwise a garbage collection in a fork would copy all the memory


def next_caller() -> socket.socket | None:
    """Fork for each socket that arrives. Return the socket in the new process, None in this one at the end."""
    sockets = socket.socket(fileno=os.dup(0))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while files := socket.recv_fds(sockets, 1, 1)[1]:
        with socket.socket(fileno=files[0]) as caller:
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                sockets.close()
                return caller.dup()
    return None


def run(caller: socket.socket, packages: list[str]) -> None:
    with caller, caller.makefile() as said, open(os.devnull, encoding="utf-8") as nothing:  # noqa: PTH123
        told = json.load(said)
        os.dup2(nothing.fileno(), 0)
        os.dup2(caller.fileno(), 1)
        os.dup2(caller.fileno(), 2)
        caller.sendall(os.getpid().to_bytes(4, "big"))
    os.environ.clear()
    os.environ.update(told["environment"])
    time.tzset()
    if set(packages) & set(os.listdir(told["task"])):  # noqa: PTH208
        forget({name.removesuffix(".py") for name in packages})
    sys.path.insert(0, told["task"])
    os.chdir(told["task"])
    outcome: dict = {}  # type: ignore[type-arg]
    try:
        module, _dot, name = told["handler"].rpartition(".")
        handler = getattr(importlib.import_module(module.replace("/", ".")), name)
        outcome["result"] = json.dumps(handler(told["event"], Context(told)))
    except BaseException as problem:  # noqa: BLE001 - whatever it is, the function has failed
        traceback.print_exc()
        outcome["error"] = failure(problem)
    sys.stdout.flush()
    with open(told["outcome"], "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(outcome, file)


def forget(packages: set[str]) -> None:
    """Unload modules of the runtime's packages, because the function brings its own version of one of them."""
    for module in list(sys.modules):
        if module.partition(".")[0] in packages:
            del sys.modules[module]


main(sys.argv[1])
