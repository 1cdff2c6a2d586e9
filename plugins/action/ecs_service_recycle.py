# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the module of the same name as Ansible would, and print the progress lines that it sends.

The module runs once and in the same processes as without this plugin, so signals, a killed playbook, check mode, async
and the result work as usual. The plugin only adds a thread that reads a pipe.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display

from ..module_utils._progress import HELLO, VARIABLE

SWITCH = "ecs_progress"  # name of a variable; false turns progress off
END = b"\0"

display = Display()


class ActionModule(NormalAction):
    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        if not self._is_watched(task_vars or {}):
            return super().run(tmp, task_vars)
        with contextlib.ExitStack() as stack:
            try:
                pipe = stack.enter_context(_printed(f"[{(task_vars or {}).get('inventory_hostname', 'localhost')}]"))
            except OSError:  # for example no space for temporary files, which is no reason to fail
                pipe = None
            if pipe:
                before = self._task.environment
                stack.callback(setattr, self._task, "environment", before)
                self._task.environment = [*(before or []), {VARIABLE: pipe}]
            return super().run(tmp, task_vars)

    def _is_watched(self, task_vars: dict[str, Any]) -> bool:
        """Return whether to show progress: the module runs on this machine, in the foreground and without no_log."""
        here = self._connection.transport == "local"
        wanted = boolean(self._templar.template(task_vars.get(SWITCH, True)), strict=False)
        return bool(here and wanted and not self._task.no_log and not self._task.async_val)


@contextlib.contextmanager
def _printed(prefix: str) -> Iterator[str]:
    """Yield the path of a pipe. Lines written to it are printed at once, until the context is left."""
    folder = tempfile.mkdtemp(prefix="ecs_progress_")
    pipe = None
    try:
        path = os.path.join(folder, "lines")
        os.mkfifo(path, 0o600)
        # Open it for writing too: then the reader never sees the end of the file, and END can be written from here.
        pipe = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        reader = threading.Thread(target=_print_lines, args=(pipe, prefix, folder), daemon=True)
        with _no_signals():
            reader.start()
        try:
            yield path
        finally:
            os.write(pipe, END)
            reader.join()
    finally:
        if pipe is not None:
            os.close(pipe)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _no_signals() -> Iterator[None]:
    """Block signals, so that threads started here receive none. Otherwise the main thread might not wake for one."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _print_lines(pipe: int, prefix: str, folder: str) -> None:
    rest = b""
    while END not in rest:
        *lines, rest = (rest + os.read(pipe, 65536)).split(b"\n")
        for line in lines:
            text = line.decode("utf-8", "replace")
            if text == HELLO:  # the pipe is open, so a playbook killed from now on leaves no files behind
                shutil.rmtree(folder, ignore_errors=True)
                continue
            with contextlib.suppress(Exception):  # the Ansible command is gone
                # Print to standard error, because callbacks such as json print a document to standard output.
                display.display(f"{prefix} {''.join(each for each in text if each.isprintable())}", stderr=True)
