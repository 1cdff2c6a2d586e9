# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a function's uploaded zip in a separate process, with the standard library and boto3, as on AWS.

The function uses the real clock: the sandbox's speed does not shorten its timeout. Any request that it sends to an
address other than loopback goes to a proxy that does not exist.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import uuid
import zipfile
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from ..access import callers
from ..account import Account

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six.py")  # boto3 and its dependencies
MACHINE = {"PATH": os.defpath, "LANG": "en_US.UTF-8", "TZ": ":UTC"}
NOWHERE = "http://127.0.0.1:9"
ONE_BY_ONE = Lock()


class Ran(NamedTuple):
    """The outcome of a run. ``payload``: the result as JSON, or the error object. ``error``: Unhandled, or None."""

    payload: str
    error: str | None
    log: str
    request: str
    seconds: float


def run(account: Account, function: Any, payload: str) -> Ran:
    request, began = str(uuid.uuid4()), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sandbox-function-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "tmp").mkdir()
        outcome = folder / "outcome"
        try:
            task = unpacked(function)
            told = {
                "event": json.loads(payload or "{}"),
                "handler": function.handler,
                "task": str(task),
                "environment": environment(account, function, task, folder),
                "outcome": str(outcome),
                "timeout": float(function.timeout),
                "name": function.function_name,
                "version": str(function.version),
                "arn": function.function_arn,
                "memory": str(function.memory_size),
                "request": request,
            }
            log = in_process(told)
        except (zipfile.BadZipFile, ValueError) as problem:
            return failed("Runtime.BadPackage", str(problem), "", request, began)
        except subprocess.TimeoutExpired as problem:
            text = f"{request} Task timed out after {float(function.timeout):.2f} seconds"
            return failed("Sandbox.Timedout", text, told_so_far(problem), request, began)
        if not outcome.exists():
            return failed("Runtime.ExitError", f"RequestId: {request} Error: Runtime exited", log, request, began)
        found = json.loads(outcome.read_text())
    if "error" in found:
        answer = json.dumps({**found["error"], "requestId": request})
        return Ran(answer, "Unhandled", log, request, time.monotonic() - began)
    return Ran(found["result"], None, log, request, time.monotonic() - began)


def unpacked(function: Any) -> Path:
    """Return the folder with the function's files. All runs of the same zip share it, so it must not be changed."""
    if not str(function.run_time).startswith("python3."):
        raise ValueError(f"the sandbox runs Python functions, not {function.run_time}")
    with ONE_BY_ONE, zipfile.ZipFile(io.BytesIO(function.code_bytes)) as archive:
        task = place() / hashlib.sha256(function.code_bytes).hexdigest()
        if not task.exists():
            new = tempfile.mkdtemp(dir=place())
            archive.extractall(new)
            Path(new).rename(task)
    return task


@cache
def place() -> Path:
    """Return the folder for unpacked functions and their runtime, which lasts as long as this process."""
    folder, packages = Path(tempfile.mkdtemp(prefix="sandbox-functions-")), Path(sysconfig.get_path("purelib"))
    (folder / "runtime").mkdir()
    for each in RUNTIME:
        if (packages / each).exists():
            (folder / "runtime" / each).symlink_to(packages / each)
    return folder


@cache
def processes() -> socket.socket:
    """Start bootstrap.py and return its socket. It forks a process for each socket sent, while this process lives."""
    ours, theirs = socket.socketpair()
    with theirs:
        subprocess.Popen(
            [sys.executable, "-I", "-S", str(BOOTSTRAP), str(place())],
            env={**MACHINE, "HOME": os.devnull},
            stdin=theirs,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
    return ours


def in_process(told: dict[str, Any]) -> str:
    """Run a function and return what it prints. Kill it after its timeout and raise ``TimeoutExpired``."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs, ONE_BY_ONE:
            socket.send_fds(processes(), [b"!"], [theirs.fileno()])
        ours.sendall(json.dumps(told).encode())
        ours.shutdown(socket.SHUT_WR)
        pid = int.from_bytes(ours.recv(4, socket.MSG_WAITALL), "big")
        end, log = time.monotonic() + told["timeout"], b""
        ours.settimeout(told["timeout"])
        try:
            while more := ours.recv(65536):
                log += more
                ours.settimeout(max(end - time.monotonic(), 0.001))
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired([], told["timeout"], log) from None
    return log.decode("utf-8", "replace")


def environment(account: Account, function: Any, task: Path, folder: Path) -> dict[str, str]:
    region, name_of_session = function.region, function.function_name  # CloudTrail shows the session's name
    return {
        **MACHINE,
        "HOME": str(folder / "tmp"),
        "TMPDIR": str(folder / "tmp"),
        "LAMBDA_TASK_ROOT": str(task),
        "_HANDLER": str(function.handler),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        **{name.upper(): value for name, value in callers.session(account, function.role, name_of_session).items()},
        "AWS_ENDPOINT_URL": account.url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": str(function.version),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.function_name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "sandbox",
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NOWHERE),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost,::1"),
        **{str(name): str(value) for name, value in (function.environment_vars or {}).items()},
    }


def failed(kind: str, text: str, log: str, request: str, began: float) -> Ran:
    answer = json.dumps({"errorType": kind, "errorMessage": text})
    return Ran(answer, "Unhandled", f"{log}{text}\n", request, time.monotonic() - began)


def told_so_far(problem: subprocess.TimeoutExpired) -> str:
    output = problem.stdout or b""
    return output.decode("utf-8", "replace") if isinstance(output, bytes) else str(output)
