# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mutants of a source file: the same file with one small change each.

Every change replaces one piece of the source text, so a mutant reads like an edit that a person could make. Text that
only people read is left alone: docstrings, annotations, raised messages and any string with more than ``PROSE`` spaces.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

PROSE = 2
COMPARISONS = {
    ast.Lt: ("<=", ">="),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<="),
    ast.GtE: (">", "<"),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
}
ARITHMETIC = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "+"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
    ast.LShift: ("<<", ">>"),
    ast.BitOr: ("|", "&"),
    ast.BitAnd: ("&", "|"),
}
NAMES = {
    "any": "all",
    "all": "any",
    "min": "max",
    "max": "min",
    "startswith": "endswith",
    "endswith": "startswith",
    "match": "search",
    "search": "match",
    "fullmatch": "match",
    "partition": "rpartition",
    "rpartition": "partition",
}
EMPTY = ("None", "False", "0", "''", "()", "[]", "{}")
ATOMS = (ast.Name, ast.Attribute, ast.Call, ast.Constant, ast.Subscript)


@dataclass(frozen=True)
class Mutant:
    """``before`` and ``after`` are the changed lines, with runs of white space reduced to one space."""

    function: str  # its qualified name, empty at the level of the module
    line: int
    before: str
    after: str
    source: str


class Edit(NamedTuple):
    """A piece of the source, with offsets in bytes, and its replacement."""

    start: int
    end: int
    text: str


def mutants(source: str) -> list[Mutant]:
    """Return every mutant that compiles, each once, in the order of the source."""
    found: dict[str, Mutant] = {}
    for function, edit in _Mutator(source).edits():
        mutant = _mutant(source.encode(), function, edit)
        if mutant.source != source and _compiles(mutant.source):
            found.setdefault(mutant.source, mutant)
    return sorted(found.values(), key=lambda each: each.line)


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _mutant(source: bytes, function: str, edit: Edit) -> Mutant:
    text = edit.text.encode()
    changed = source[: edit.start] + text + source[edit.end :]
    first = source.rfind(b"\n", 0, edit.start) + 1

    def lines(whole: bytes, end: int) -> str:
        last = whole.find(b"\n", end)
        return " ".join(whole[first : last if last >= 0 else len(whole)].decode().split())

    before, after = lines(source, edit.end), lines(changed, edit.start + len(text))
    return Mutant(function, source.count(b"\n", 0, edit.start) + 1, before, after, changed.decode())


class _Mutator:
    def __init__(self, source: str) -> None:
        self.source = source.encode()
        self.tree = ast.parse(source)
        self.starts = [0]
        for line in self.source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.kinds: dict[type[ast.AST], Callable[[Any], Iterator[Edit]]] = {
            ast.Compare: self.compare,
            ast.BoolOp: self.connective,
            ast.UnaryOp: self.unary,
            ast.BinOp: self.arithmetic,
            ast.AugAssign: self.arithmetic,
            ast.Constant: self.constant,
            ast.JoinedStr: self.text,
            ast.If: self.condition,
            ast.IfExp: self.condition,
            ast.While: self.condition,
            ast.For: self.loop,
            ast.comprehension: self.comprehension,
            ast.Call: self.call,
            ast.Name: self.name,
            ast.Attribute: self.attribute,
            ast.Return: self.result,
            ast.Dict: self.members,
            ast.List: self.members,
            ast.Tuple: self.members,
            ast.Set: self.members,
        }

    def edits(self) -> Iterator[tuple[str, Edit]]:
        yield from self.walk(self.tree, "")

    def walk(self, node: ast.AST, function: str) -> Iterator[tuple[str, Edit]]:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            return
        for edit in self.kinds.get(type(node), lambda _node: iter(()))(node):
            yield function, edit
        if function and isinstance(node, ast.stmt):
            for edit in self.removal(node):
                yield function, edit
        if isinstance(node, (ast.Raise, ast.JoinedStr)):  # texts, and nodes whose places Python 3.11 does not know
            return
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            function = f"{function}.{node.name}" if function else node.name
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "ctx", "bases"):
                continue
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, ast.AST) and not _is_docstring(each):
                    yield from self.walk(each, function)

    # -- where a node stands ----------------------------------------------------------------------------------------

    def start(self, node: Any) -> int:
        return self.starts[node.lineno - 1] + int(node.col_offset)

    def end(self, node: Any) -> int:
        return self.starts[node.end_lineno - 1] + int(node.end_col_offset)

    def segment(self, node: ast.AST) -> str:
        return self.source[self.start(node) : self.end(node)].decode()

    def replace(self, node: ast.AST, text: str) -> Edit:
        return Edit(self.start(node), self.end(node), text)

    def wrapped(self, node: ast.AST) -> str:
        return self.segment(node) if isinstance(node, ATOMS) else f"({self.segment(node)})"

    def between(self, left: ast.AST, right: ast.AST, pattern: str, text: str) -> Iterator[Edit]:
        """Replace the operator between two operands."""
        begin = self.end(left)
        found = re.search(pattern.encode(), self.source[begin : self.start(right)])
        if found:
            yield Edit(begin + found.start(), begin + found.end(), text)

    # -- kinds of changes -------------------------------------------------------------------------------------------

    def compare(self, node: ast.Compare) -> Iterator[Edit]:
        operands = [node.left, *node.comparators]
        for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
            for text in COMPARISONS[type(operator)]:
                yield from self.between(left, right, r"[<>=!]=?|is\s+not|is|not\s+in|in", text)

    def connective(self, node: ast.BoolOp) -> Iterator[Edit]:
        word, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            yield from self.between(left, right, rf"\b{word}\b", other)
        for dropped in node.values:
            kept = [self.wrapped(each) for each in node.values if each is not dropped]
            yield self.replace(node, f" {word} ".join(kept))

    def unary(self, node: ast.UnaryOp) -> Iterator[Edit]:
        yield self.replace(node, self.wrapped(node.operand))

    def arithmetic(self, node: ast.BinOp | ast.AugAssign) -> Iterator[Edit]:
        sign, other = ARITHMETIC[type(node.op)]
        left, right = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.target, node.value)
        yield from self.between(left, right, re.escape(sign), other)

    def constant(self, node: ast.Constant) -> Iterator[Edit]:
        value = node.value
        if isinstance(value, bool):
            yield self.replace(node, str(not value))
        elif isinstance(value, (int, float)):
            yield self.replace(node, str(value + 1))
            yield self.replace(node, f"({value - 1})" if value - 1 < 0 else str(value - 1))
        elif isinstance(value, str):
            yield from self.text(node)

    def text(self, node: ast.Constant | ast.JoinedStr) -> Iterator[Edit]:
        segment = self.segment(node)
        if segment.count(" ") <= PROSE:
            yield self.replace(node, "'mutant'" if segment.strip("frb'\"") == "" else "''")

    def condition(self, node: ast.If | ast.IfExp | ast.While) -> Iterator[Edit]:
        yield self.replace(node.test, "False")
        if not isinstance(node, ast.While):
            yield self.replace(node.test, "True")

    def loop(self, node: ast.For) -> Iterator[Edit]:
        yield self.replace(node.iter, "()")

    def comprehension(self, node: ast.comprehension) -> Iterator[Edit]:
        yield self.replace(node.iter, "()")
        for test in node.ifs:
            yield self.replace(test, "True")
            yield self.replace(test, "False")

    def call(self, node: ast.Call) -> Iterator[Edit]:
        function = ast.unparse(node.func)
        for one, other in zip(node.args, node.args[1:], strict=False) if function not in ("min", "max") else ():
            between = self.source[self.end(one) : self.start(other)].decode()
            yield Edit(self.start(one), self.end(other), self.segment(other) + between + self.segment(one))
        for number, keyword in enumerate(node.keywords):
            if keyword.arg:
                following = node.keywords[number + 1 :]
                yield Edit(self.start(keyword), self.start(following[0]) if following else self.end(node) - 1, "")
        if function == "re.compile":
            yield from self.expression(node.args)

    def expression(self, args: Sequence[ast.expr]) -> Iterator[Edit]:
        """Remove one alternative or anchor of a regular expression, or its flags."""
        start, end = self.start(args[0]), self.end(args[0])
        text = self.source[start:end]
        for found in re.finditer(rb"\$(?=[|)\"'])|\\b", text):
            yield Edit(start + found.start(), start + found.end(), "")
        for begin, finish in _alternatives(text):
            yield Edit(start + begin, start + finish, "")
        for flag in args[1:]:
            yield self.replace(flag, "0")

    def name(self, node: ast.Name) -> Iterator[Edit]:
        if node.id in NAMES and isinstance(node.ctx, ast.Load):
            yield self.replace(node, NAMES[node.id])

    def attribute(self, node: ast.Attribute) -> Iterator[Edit]:
        if node.attr in NAMES:
            yield Edit(self.end(node) - len(node.attr), self.end(node), NAMES[node.attr])

    def result(self, node: ast.Return) -> Iterator[Edit]:
        # mypy finds None in place of another empty value.
        if node.value is not None and ast.unparse(node.value) not in EMPTY:
            yield self.replace(node.value, "None")

    def members(self, node: ast.Dict | ast.List | ast.Tuple | ast.Set) -> Iterator[Edit]:
        """Remove one member of a literal."""
        if isinstance(node, ast.Dict):
            starts = [
                self.start(key) if key else self.source.rfind(b"**", 0, self.start(value))
                for key, value in zip(node.keys, node.values, strict=True)
            ]
        elif self.source[self.start(node) : self.start(node) + 1] in (b"[", b"(", b"{") and not _is_target(node):
            starts = [self.start(each) for each in node.elts]
        else:
            return
        if not starts:
            return
        if len(starts) == 1 and isinstance(node, (ast.Tuple, ast.Set)):
            yield self.replace(node, "()")
            return
        for start, end in zip(starts, [*starts[1:], self.end(node) - 1], strict=True):
            yield Edit(start, end, "")

    def removal(self, node: ast.stmt) -> Iterator[Edit]:
        kinds = (ast.Assign, ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Delete)
        if isinstance(node, kinds) or (isinstance(node, ast.Expr) and not _is_docstring(node)):
            yield self.replace(node, "pass")


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_target(node: ast.List | ast.Tuple | ast.Set) -> bool:
    return not isinstance(node, ast.Set) and not isinstance(node.ctx, ast.Load)


def _alternatives(text: bytes) -> Iterator[tuple[int, int]]:
    """Return where the alternatives of a regular expression are in its literal, each with one of the bars beside it."""
    opened: list[list[int]] = [[-1]]  # for each open group: where it begins, then where its bars are
    at = text.find(b'"') if b'"' in text else text.find(b"'")
    opened[0][0] = at
    while at < len(text):
        char = text[at : at + 1]
        if char == b"\\":
            at += 1
        elif char == b"(":
            opened.append([at])
        elif char == b"|":
            opened[-1].append(at)
        elif (char == b")" and len(opened) > 1) or at == len(text) - 1:
            bars = [*opened.pop(), at]
            if len(bars) > 2:
                yield bars[0] + 1, bars[1] + 1
                yield from itertools.pairwise(bars[1:])
        at += 1
