# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Python that has already imported what Ansible and its AWS modules import, which takes most of a short run's time.

It halves the time of plays with many tasks that nobody interrupts. For Ansible, it is an interpreter like any other: a
program that takes the path of a script and ends as that script does. It passes its folder, arguments, environment,
input and outputs to a server, which forks. The demo, molecule and tests that end a run use Python itself.
"""

from __future__ import annotations

import gc
import importlib
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

# Settings of an Ansible whose output a program reads. A run with other settings must load its settings again.
SETTINGS = {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_DEPRECATION_WARNINGS": "false"}
PLUGINS = Path(__file__).parents[2] / "plugins"
# Ansible gets its own server: if Python has already imported collections, Ansible's way of finding them fails.
ANSIBLE = ["ansible.cli.playbook", "tests.end_to_end.warm_boto3"]  # boto3 is for the inventory
OF_COLLECTIONS = {
    "amazon.aws": [
        "cloudwatch_metric_alarm",
        "cloudwatchlogs_log_group",
        "iam_policy",
        "iam_role",
        "lambda",
        "lambda_event",
        "sts_assume_role",
    ],
    "community.aws": ["sns_topic", "sqs_queue"],
    "steadyops.ecs": sorted(path.stem for path in (PLUGINS / "modules").glob("*.py")),
}
MODULES = [
    *(
        f"ansible_collections.{collection}.plugins.modules.{name}"
        for collection, names in OF_COLLECTIONS.items()
        for name in names
    ),
    "tests.end_to_end.warm_boto3",
]

PACKED = "WARM_PYTHON_PACKED"  # environment variable with the folder ``packed``

# This program starts for each run, so it imports almost nothing.
INTERPRETER = """#!{python} -IS
import array, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
variables = (f"{{name}}={{value}}" for name, value in os.environ.items())
said = "\\0".join([os.getcwd(), str(len(sys.argv) - 1), *sys.argv[1:], *variables]).encode("utf-8", "surrogateescape")
server.sendmsg([len(said).to_bytes(8, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
server.sendall(said)
sys.exit(int(server.recv(9) or 1))
"""


@contextmanager
def warm_python(interpreter: Path, imported: list[str], packed: Path | None = None) -> Iterator[Path]:
    """Start a server, and provide the path of its interpreter as long as the server lives.

    Ansible packs each module with everything that it imports, which takes seconds. Its runs share what they packed in a
    new folder ``packed``: Ansible locks each file that it writes there.
    """
    address = interpreter.with_suffix(".socket")
    interpreter.write_text(INTERPRETER.format(python=sys.executable, address=str(address)))
    interpreter.chmod(0o700)
    command = [sys.executable, "-m", __name__, str(address), *imported]
    shared = {PACKED: str(packed)} if packed else {}
    if packed:
        packed.mkdir()
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, **SETTINGS, **shared}) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        try:
            yield interpreter
        finally:
            server.kill()


def serve(address: str, imported: list[str]) -> NoReturn:
    """Fork for every caller until this process is killed."""
    for module in imported:
        importlib.import_module(module)
        del sys.modules[module]  # it will run as a script; modules that it imports stay loaded
    if "ansible.constants" in sys.modules:
        _load_plugins()
    if PACKED in os.environ:
        Path(sys.modules["ansible.constants"].DEFAULT_LOCAL_TMP, "ansiballz_cache").symlink_to(os.environ[PACKED])
    gc.freeze()  # garbage collection in a fork would copy all of this memory
    server = socket.socket(socket.AF_UNIX)
    server.bind(address)
    server.listen(16)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    while True:
        caller, _address = server.accept()
        if os.fork() == 0:
            server.close()
            _answer(caller)
        caller.close()


def _load_plugins() -> None:
    """Load our plugins, Ansible's own, and what ours import when called, as Ansible's collection loader does.

    That loader compiles every file again, in the process of each task, which takes half of a play's time. Ansible also
    reads the documentation of each plugin that may have options, which takes half of its first process's time.
    """
    from ansible.plugins import loader  # noqa: PLC0415 - of the server for Ansible

    loader.init_plugin_loader()
    assert loader.filter_loader.get("steadyops.ecs.recycle_row")
    assert loader.inventory_loader.get("steadyops.ecs.ecs_services")
    for each in ("become", "callback", "connection", "shell"):
        list(getattr(loader, f"{each}_loader").all(class_only=True))
    for plan in (PLUGINS / "module_utils/_core/stacks").rglob("[a-z]*.py"):
        words = plan.relative_to(PLUGINS).with_suffix("").parts
        importlib.import_module(".".join(["ansible_collections.steadyops.ecs.plugins", *words]))
    warnings.filterwarnings("ignore", message="AnsibleCollectionFinder has already been configured")


def _answer(caller: socket.socket) -> NoReturn:
    """Run what the caller wants, and send back its exit code. If the caller is killed, kill its run, too."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setpgrp()
    size, files, _flags, _address = socket.recv_fds(caller, 8, 3)
    said = b""
    while len(said) < int.from_bytes(size, "big") and (more := caller.recv(65536)):
        said += more
    folder, count, *words = said.decode("utf-8", "surrogateescape").split("\0")
    runner = os.fork()
    if runner == 0:
        caller.close()
        _become(folder, words[: int(count)], words[int(count) :], files)
    for file in files:
        os.close(file)  # the reader of the output waits for its last writer
    ended = threading.Event()
    threading.Thread(target=_end_with, args=(caller, ended), daemon=True).start()
    _pid, status = os.waitpid(runner, 0)
    ended.set()
    with suppress(ConnectionError):  # the caller was killed
        caller.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _end_with(caller: socket.socket, ended: threading.Event) -> None:
    """Kill this run, with its group, if the caller ends before it."""
    with suppress(ConnectionError):
        caller.recv(1)  # the caller sends nothing more, so this waits until it is gone
    if not ended.is_set():
        os.killpg(0, signal.SIGKILL)


def _become(folder: str, arguments: list[str], environment: list[str], files: list[int]) -> NoReturn:
    variables = dict(each.split("=", 1) for each in environment)
    names = {name for name in variables.keys() | os.environ.keys() if name.startswith("ANSIBLE_")}
    others = any(variables.get(name) != os.environ.get(name) for name in names)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    constants = sys.modules.get("ansible.constants")
    if constants and others:
        folder, plugins = constants.DEFAULT_LOCAL_TMP, constants.config._plugins
        importlib.reload(constants)  # it read its settings when it was imported
        # Keep what was packed, and the options of the plugins that were loaded.
        constants.DEFAULT_LOCAL_TMP, constants.config._plugins = folder, plugins
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.stdin, sys.stdout, sys.stderr = (open(number, mode) for number, mode in enumerate("rww"))  # noqa: SIM115, PTH123
    sys.argv = arguments
    sys.path[0] = str(Path(arguments[0]).parent)
    try:
        runpy.run_path(arguments[0], run_name="__main__")
        code: object = 0
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as Python ends
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2:])
