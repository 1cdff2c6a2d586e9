# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run tests in several processes: ``pytest -p tests.workers --workers 4``.

pytest-xdist lets each worker import and collect everything, which takes longer than most of the tests here. These
workers are forked after that. When a worker is free, it takes a whole file, or one test if the tests take long.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import traceback
import warnings
from itertools import groupby
from multiprocessing import connection, get_context
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from _pytest.capture import CaptureManager
from _pytest.tmpdir import TempPathFactory

FORK = get_context("fork")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--workers", type=int, default=0, help="processes that run tests; 0: none but this one")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    workers = session.config.option.workers
    if not workers or session.config.option.collectonly or session.testsfailed or not session.items:
        return None
    share = Share(chunks(session.items), workers)
    # pytest's folder for temporary files is created once, and contains one for each worker.
    session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    sys.stdout.flush()
    running = {}
    for number in range(workers):
        reader, writer = FORK.Pipe(duplex=False)
        pid = os.fork()
        if not pid:
            _work(session, number, share, writer)
        writer.close()
        running[reader] = pid
    try:
        _report(session, running)
    except BaseException:
        for pid in running.values():
            os.kill(pid, signal.SIGINT)
        raise
    finally:
        for pid in running.values():
            os.waitpid(pid, 0)
    return True


def chunks(items: list[pytest.Item]) -> list[list[pytest.Item]]:
    """Return what a worker takes at once: a file or, if tests of the file wait for a sandbox, one of its tests."""
    found: list[list[pytest.Item]] = []
    for _path, file in groupby(items, lambda item: item.path):
        tests = list(file)
        found += [[test] for test in tests] if any("sandbox" in _fixtures(test) for test in tests) else [tests]
    return found


def _fixtures(item: pytest.Item) -> list[str]:
    return getattr(item, "fixturenames", [])


class Share:
    """The chunks that all workers take from. A third of the workers take from the end, at the lowest priority: they
    compute while the others wait, and only then.
    """

    def __init__(self, chunks: list[list[pytest.Item]], workers: int) -> None:
        self._chunks, self._computing = chunks, workers // 3
        self._first, self._end = FORK.Value("i", 0), FORK.Value("i", len(chunks))

    def computes(self, number: int) -> bool:
        return number < self._computing

    def take(self, number: int) -> list[pytest.Item]:
        """Return the next chunk, or an empty one if there is none."""
        with self._first.get_lock():
            if self._first.value == self._end.value:
                return []
            if not self.computes(number):
                self._first.value += 1
                return self._chunks[self._first.value - 1]
            self._end.value -= 1
            return self._chunks[self._end.value]


class Teller:
    """Sends the first process the calls of pytest's hooks in this worker."""

    def __init__(self, config: pytest.Config, writer: connection.Connection) -> None:
        self._config, self._writer = config, writer

    def pytest_runtest_logstart(self, nodeid: str, location: Any) -> None:
        self._tell("pytest_runtest_logstart", nodeid=nodeid, location=location)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._tell("pytest_runtest_logreport", report=told)

    def pytest_runtest_logfinish(self, nodeid: str, location: Any) -> None:
        self._tell("pytest_runtest_logfinish", nodeid=nodeid, location=location)

    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage, **where: Any) -> None:
        # An instance of the original warning's class may not be picklable.
        told = warnings.WarningMessage(
            str(warning_message.message), UserWarning, warning_message.filename, warning_message.lineno
        )
        self._tell("pytest_warning_recorded", warning_message=told, **where)

    def _tell(self, hook: str, **arguments: Any) -> None:
        self._writer.send_bytes(pickle.dumps((hook, arguments)))


def _work(session: pytest.Session, number: int, share: Share, writer: connection.Connection) -> NoReturn:
    """Run tests until there are none left, then end this process."""
    config = session.config
    status = 1
    if share.computes(number):
        os.nice(19)
    try:
        config.pluginmanager.unregister(name="terminalreporter")
        config.pluginmanager.register(Teller(config, writer))
        factory: TempPathFactory = config._tmp_path_factory  # type: ignore[attr-defined]
        factory._basetemp = factory.getbasetemp() / f"worker-{number}"
        factory._basetemp.mkdir()
        capture: CaptureManager = config.pluginmanager.getplugin("capturemanager")
        capture.stop_global_capturing()  # all processes would share its file
        capture.start_global_capturing()
        # The next test is not known yet, so the fixtures of the session stay.
        last = SimpleNamespace(listchain=lambda: [session])
        while tests := share.take(number):
            for test, following in zip(tests, [*tests[1:], last], strict=True):
                config.hook.pytest_runtest_protocol(item=test, nextitem=following)
        session._setupstate.teardown_exact(None)
        status = 0
    except KeyboardInterrupt:
        session._setupstate.teardown_exact(None)
    except BaseException:  # noqa: BLE001 - the first process sees how this one ended
        traceback.print_exc(file=sys.__stderr__)
    os._exit(status)


def _report(session: pytest.Session, running: dict[connection.Connection, int]) -> None:
    """Pass the hook calls of the workers on to this pytest until the workers have ended."""
    hooks, config = session.config.hook, session.config
    begun: dict[connection.Connection, str] = {}
    open_ = set(running)
    while open_:
        for reader in connection.wait(open_):
            try:
                hook, arguments = pickle.loads(reader.recv_bytes())
            except EOFError:
                open_.remove(reader)
                if reader in begun:
                    raise session.Failed(f"a worker ended in {begun[reader]}") from None
                continue
            if hook == "pytest_runtest_logstart":
                begun[reader] = arguments["nodeid"]
            elif hook == "pytest_runtest_logfinish":
                del begun[reader]
            elif hook == "pytest_runtest_logreport":
                arguments["report"] = hooks.pytest_report_from_serializable(config=config, data=arguments["report"])
            if hook == "pytest_warning_recorded":
                hooks.pytest_warning_recorded.call_historic(kwargs=arguments)
            else:
                getattr(hooks, hook)(**arguments)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
