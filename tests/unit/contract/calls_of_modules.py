# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the calls to AWS that a plugin can make by reading its source, without running anything.

The analysis starts where Ansible starts the plugin. It follows every function and class that is named, through ``_aws``
and ``_core``, to the functions that ``aws_call`` decorates. A method counts if its class is named and a reached
function reads an attribute with the method's name. So the result may contain too many calls, but it misses none.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

PLUGINS = Path(__file__).parents[3] / "plugins"


@dataclass(frozen=True)
class Definition:
    """A named object at the top level of a file, or a method of a class there."""

    file: Path
    name: str
    node: ast.AST
    methods: tuple[Definition, ...] = field(default=(), compare=False)

    @property
    def call(self) -> str | None:
        """Return the call as IAM names it if ``aws_call`` or ``pages`` decorates the function, or else None."""
        for decorator in getattr(self.node, "decorator_list", []):
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) in {"aws_call", "pages"}:
                return ast.literal_eval(decorator.args[0])
        return None


@dataclass(frozen=True)
class Source:
    """One file: what it defines, and what it imports from our files, as a file and perhaps a name in it."""

    definitions: dict[str, Definition]
    imports: dict[str, tuple[Path, str | None]]


@cache
def source(file: Path) -> Source:
    definitions: dict[str, Definition] = {}
    imports: dict[str, tuple[Path, str | None]] = {}
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            imports |= dict(_imported(file, node))
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            methods = [Definition(file, f"{node.name}.{each.name}", each) for each in node.body if _is_function(each)]
            definitions[node.name] = Definition(file, node.name, node, tuple(methods))
        elif _is_function(node):
            definitions[node.name] = Definition(file, node.name, node)
        else:  # a value, such as a table of functions
            names = [name.id for name in ast.walk(node) if isinstance(name, ast.Name) and _is_stored(name)]
            definitions |= {name: Definition(file, name, node) for name in names}
    return Source(definitions, imports)


def _imported(file: Path, node: ast.ImportFrom) -> Iterator[tuple[str, tuple[Path, str | None]]]:
    folder = file.parents[node.level - 1].joinpath(*(node.module or "").split("."))
    for alias in node.names:
        inside = folder / f"{alias.name}.py"
        name = alias.asname or alias.name
        if inside.exists():
            yield name, (inside, None)
        elif folder.with_suffix(".py").exists():
            yield name, (folder.with_suffix(".py"), alias.name)
        elif (folder / "__init__.py").exists():
            yield name, (folder / "__init__.py", alias.name)


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))


def _is_stored(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def _find(file: Path, name: str) -> Definition | None:
    """Return the definition of a name in a file, followed through imports."""
    here = source(file)
    if name in here.definitions:
        return here.definitions[name]
    target, inner = here.imports.get(name, (None, None))
    return _find(target, inner) if target and inner else None


def _parts(found: Definition) -> list[ast.AST]:
    """Return the code that counts when a definition is named: all of it, but of methods only the special ones."""
    if not found.methods:
        return [found.node]
    always = [each.node for each in found.methods if each.name.rpartition(".")[2].startswith("__")]
    methods = {each.node for each in found.methods}
    rest = [node for node in ast.iter_child_nodes(found.node) if node not in methods]
    return [*always, *rest]


def _names(part: ast.AST) -> Iterator[str]:
    """Yield the names that a part reads from its surroundings, without those that it binds itself."""
    nodes = list(ast.walk(part))
    bound = {node.arg for node in nodes if isinstance(node, ast.arg)}
    if _is_function(part):
        bound |= {node.id for node in nodes if isinstance(node, ast.Name) and _is_stored(node)}
    yield from (node.id for node in nodes if isinstance(node, ast.Name) and node.id not in bound)


def calls_of(path: str, start: str = "main") -> set[str]:
    """Return the calls that a plugin can make, as IAM names them. Its path is relative to ``plugins``."""
    first = _find(PLUGINS / path, start)
    assert first, f"{path} has no {start}"
    waiting = [first, *first.methods]
    seen = set(waiting)
    methods: list[Definition] = []
    read: set[str] = set()
    while waiting:
        found = waiting.pop()
        named: list[Definition | None] = []
        for part in _parts(found):
            named += [_find(found.file, name) for name in _names(part)]
            for node in ast.walk(part):
                if isinstance(node, ast.Attribute):
                    read.add(node.attr)
                    target, inner = source(found.file).imports.get(ast.unparse(node.value), (None, None))
                    named.append(_find(target, node.attr) if target and not inner else None)
        methods += found.methods
        named += [each for each in methods if each.name.rpartition(".")[2] in read]
        new = {each for each in named if each} - seen
        seen |= new
        waiting += new
    return {found.call for found in seen if found.call}
