# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the unit tests of one file against its mutants, each in a forked process.

The parent holds pytest and every library that the tests import, but no module of the collection and no test. So a child
starts in milliseconds, and imports again everything that could have seen the original.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import importlib
import importlib.abc
import importlib.machinery
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from .mutations import Mutant

PACKAGE = "ansible_collections.steadyops.ecs.plugins.module_utils._core"
OPTIONS = ["-x", "-q", "-o", "addopts=--import-mode=importlib --strict-markers", "-W", "ignore"]
OPTIONS += [f"-pno:{plugin}" for plugin in ("cacheprovider", "unraisableexception", "threadexception", "logging")]
OURS = ("ansible_collections", "tests")
MEMORY = 2 << 30  # bytes of address space beyond what the parent has
POLL = 0.005  # seconds
LONGEST = 0.5  # seconds of processor time; tests that take longer are left out
SHORTEST_LIMIT = 20.0  # seconds for one mutant
SHORTEST_WORK = 5  # seconds of processor time for one mutant


class BrokenTests(Exception):
    """The tests fail without a mutant."""


@dataclass(frozen=True)
class Subject:
    """A file of ``_core`` and the tests that must notice a change to it, the nearest first."""

    path: Path  # below _core
    tests: tuple[str, ...]

    @property
    def module(self) -> str:
        return ".".join([PACKAGE, *self.path.with_suffix("").parts])


def subject(root: Path, path: Path) -> Subject:
    """Return the subject of a file. Its tests are in the folder of the same name below ``tests/unit/core``, or in the
    nearest folder above.
    """
    folder = root / "tests/unit/core" / path.parent
    while not folder.is_dir():
        folder = folder.parent
    files = sorted(folder.rglob("test_*.py") if path.parent.parts else folder.glob("test_*.py"))
    files.sort(key=lambda file: not file.stem.startswith(f"test_{path.stem}"))
    return Subject(path, tuple(str(file.relative_to(root)) for file in files))


class _Instead(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports other code in place of one module."""

    def __init__(self, module: str, code: str | ast.Module, **given: Any) -> None:
        self.module, self.code, self.given = module, code, given

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(fullname, self) if fullname == self.module else None

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__.update(self.given)
        exec(compile(self.code, f"<instead of {self.module}>", "exec", dont_inherit=True), module.__dict__)


def _reporting(source: str) -> ast.Module:
    """Return the source with a call of ``__seen__`` with the qualified name at the beginning of each function.

    A function with a decorator also reports itself when the module is imported: a cache would hide some of its calls.
    """
    tree = ast.parse(source)

    def visit(node: ast.AST, outer: str) -> None:
        name = outer
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            name = f"{outer}.{node.name}" if outer else node.name
        for child in ast.iter_child_nodes(node):
            visit(child, name)
        if isinstance(node, ast.FunctionDef):
            report = ast.parse(f"__seen__({name!r})").body
            if node.decorator_list:
                tree.body += report
            node.body[:0] = report

    visit(tree, "")
    return ast.fix_missing_locations(tree)


class _Observer:
    """Plugin of pytest that records which functions of the subject each test calls, and how long the test takes."""

    def __init__(self) -> None:
        self.current: set[str] = set()
        self.outside = self.current  # functions called while pytest collects
        self.tests: dict[str, tuple[float, set[str]]] = {}

    def see(self, function: str) -> None:
        self.current.add(function)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        begun, self.current = time.process_time(), set()
        result = yield
        self.tests[item.nodeid] = time.process_time() - begun, self.current
        return result

    def report(self) -> str:
        tests = {name: [seconds, sorted(called)] for name, (seconds, called) in self.tests.items()}
        modules = [name for name in sys.modules if name.partition(".")[0] not in OURS]
        return json.dumps({"modules": modules, "outside": sorted(self.outside), "tests": tests})


class _Selection:
    """Plugin of pytest that runs the given tests in the given order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self.places = {name: place for place, name in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((each for each in items if each.nodeid in self.places), key=lambda e: self.places[e.nodeid])


def choose_tests(function: str, tests: Mapping[str, Collection[str]], outside: Collection[str]) -> list[str]:
    """Return the tests that call a function, in their order. If no test calls it, if it is called while pytest
    collects, and for constants of the module, return all tests of each file with a test that calls any function.

    ``tests`` are the functions that each test calls, ``outside`` those that are called while pytest collects.
    """
    if function not in outside:
        calling = [name for name, functions in tests.items() if function in functions]
        if calling:
            return calling
    files = {name.partition("::")[0] for name, functions in tests.items() if functions}
    return [name for name in tests if not files or name.partition("::")[0] in files]


class Trials:
    """The tests of one subject. Creating it runs them on the original; raises ``BrokenTests`` if that fails."""

    def __init__(self, subject: Subject, source: str) -> None:
        self.subject, self.source = subject, source
        settings.register_profile(
            "mutants",
            max_examples=20,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        settings.load_profile("mutants")
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        reader, writer = os.pipe()
        begun = time.monotonic()
        child = _fork(partial(self._observe, writer))
        os.close(writer)
        with os.fdopen(reader) as pipe:
            text = pipe.read()
        _pid, status, used = os.wait4(child, 0)
        if os.waitstatus_to_exitcode(status):
            raise BrokenTests(f"the tests fail without a mutant. Run pytest -x {' '.join(subject.tests)}")
        self.limit = max(SHORTEST_LIMIT, 2 * (time.monotonic() - begun))
        self.work = max(SHORTEST_WORK, int(2 * (used.ru_utime + used.ru_stime)))
        seen = json.loads(text)
        self.outside = set(seen["outside"])
        quick = {name: found for name, found in seen["tests"].items() if found[0] <= LONGEST}
        self.tests = {name: set(quick[name][1]) for name in sorted(quick, key=lambda name: quick[name][0])}
        for name in seen["modules"]:
            with contextlib.suppress(Exception):  # parts of libraries that need others to be imported
                importlib.import_module(name)
        gc.freeze()  # so no child looks for garbage in what all children share

    def _observe(self, report: int) -> int:
        observer = _Observer()
        sys.meta_path.insert(0, _Instead(self.subject.module, _reporting(self.source), __seen__=observer.see))
        code = int(pytest.main([*OPTIONS, *self.subject.tests], plugins=[observer]))
        with os.fdopen(report, "w") as pipe:
            pipe.write(observer.report())
        return code

    def _try(self, mutant: Mutant) -> int:
        resource.setrlimit(resource.RLIMIT_CPU, (self.work, self.work))  # ends it early, even on a busy machine
        tests = choose_tests(mutant.function, self.tests, self.outside)
        sys.meta_path.insert(0, _Instead(self.subject.module, mutant.source))
        files = dict.fromkeys(name.partition("::")[0] for name in tests)
        return int(pytest.main([*OPTIONS, *files], plugins=[_Selection(tests)]))

    def run(self, mutants: Sequence[Mutant], workers: int, until: float) -> Iterator[tuple[Mutant, bool]]:
        """Yield each mutant and whether it survived, as they end. A mutant that takes longer than the limit is killed.

        No mutant starts after ``until``, an instant of the monotonic clock.
        """
        waiting, running = list(reversed(mutants)), dict[int, tuple[Mutant, float]]()
        try:
            while running or (waiting and time.monotonic() < until):
                while waiting and len(running) < workers and time.monotonic() < until:
                    mutant = waiting.pop()
                    running[_fork(partial(self._try, mutant))] = mutant, time.monotonic() + self.limit
                time.sleep(POLL)
                for child, (mutant, deadline) in list(running.items()):
                    ended, status = os.waitpid(child, os.WNOHANG)
                    if not ended and time.monotonic() < deadline:
                        continue
                    if not ended:
                        _kill(child)
                    del running[child]
                    yield mutant, bool(ended) and os.waitstatus_to_exitcode(status) == 0
        finally:
            for child in running:
                _kill(child)


def _fork(work: Callable[[], int]) -> int:
    """Start a silent child that exits with the code of its work. Return its process id."""
    child = os.fork()
    if child:
        return child
    try:
        os.setpgid(0, 0)
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silent, stream)
        resource.setrlimit(resource.RLIMIT_AS, (_address_space() + MEMORY, resource.RLIM_INFINITY))
        os._exit(work())
    finally:
        os._exit(70)


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _kill(child: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
