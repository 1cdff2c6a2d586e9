# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter patterns of CloudWatch Logs: terms, and JSON patterns in braces. Patterns in brackets are not supported.

For a missing field, neither = nor != holds. AWS's documentation leaves != open, so our patterns must say NOT EXISTS
where they mean that.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable
from typing import Any, NamedTuple

Test = Callable[[Any], bool]
MISSING = object()
LONGEST = 1024  # characters
TOKEN = re.compile(
    r"""\s*(?:
    (?P<selector>\$(?:\.(?:\['[^']*'\]|[\w:@-]+)|\[\d+\]|\['[^']*'\])*)
    |(?P<text>"(?:[^"\\]|\\.)*")
    |(?P<regex>%(?:[^%\\]|\\.)+%)
    |(?P<sign>&&|\|\||!=|<=|>=|=|<|>|\(|\))
    |(?P<word>[^\s"()&|=<>!]+)
    )""",
    re.VERBOSE,
)
SELECTOR = re.compile(r"\['([^']*)'\]|\[(\d+)\]|\.([\w:@-]+)")
ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


class FilterPatternError(ValueError):
    """The pattern is one that PutSubscriptionFilter would refuse."""


class Token(NamedTuple):
    kind: str
    text: str


def compile_pattern(pattern: str) -> Callable[[str], bool]:
    """Return a function that tests whether a message matches. Raise FilterPatternError if the pattern is invalid."""
    if len(pattern) > LONGEST:
        raise FilterPatternError(f"a filter pattern has at most {LONGEST} characters")
    stripped = pattern.strip()
    if stripped.startswith("["):
        raise FilterPatternError("the sandbox knows no patterns in brackets")
    if not stripped.startswith("{"):
        return terms(stripped)
    if not stripped.endswith("}"):
        raise FilterPatternError("a closing brace is missing")
    test = Reader(tokens(stripped[1:-1])).all()

    def matches(message: str) -> bool:
        try:
            value = json.loads(message)
        except ValueError:
            return False
        return isinstance(value, (dict, list)) and test(value)

    return matches


def tokens(text: str) -> list[Token]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match or not match.lastgroup:
            raise FilterPatternError(f"not understood: {text[at:]}")
        found.append(Token(match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


class Reader:
    """A parser for patterns in braces. && binds more tightly than ||."""

    def __init__(self, left: list[Token]) -> None:
        self.left = left

    def all(self) -> Test:
        test = self.either()
        if self.left:
            raise FilterPatternError(f"not expected: {self.left[0].text}")
        return test

    def either(self) -> Test:
        tests = [self.both()]
        while self.take("||"):
            tests.append(self.both())
        return tests[0] if len(tests) == 1 else lambda value: any(test(value) for test in tests)

    def both(self) -> Test:
        tests = [self.one()]
        while self.take("&&"):
            tests.append(self.one())
        return tests[0] if len(tests) == 1 else lambda value: all(test(value) for test in tests)

    def one(self) -> Test:
        if self.take("("):
            test = self.either()
            if not self.take(")"):
                raise FilterPatternError("a closing parenthesis is missing")
            return test
        return comparison(self.next("selector"), self)

    def take(self, sign: str) -> bool:
        if self.left and self.left[0] == Token("sign", sign):
            self.left.pop(0)
            return True
        return False

    def next(self, *kinds: str) -> Token:
        if not self.left or self.left[0].kind not in kinds:
            found = self.left[0].text if self.left else "the end"
            raise FilterPatternError(f"{' or '.join(kinds)} expected instead of {found}")
        return self.left.pop(0)


def comparison(selector: Token, reader: Reader) -> Test:
    way = [name or field or int(index) for name, index, field in SELECTOR.findall(selector.text)]
    sign = reader.next("sign", "word")
    if sign.kind == "word":
        return about(way, f"{sign.text} {reader.next('word').text}".upper())
    wanted = reader.next("text", "regex", "word")
    if sign.text in ORDERS:
        return ordered(way, ORDERS[sign.text], number(wanted))
    if sign.text not in ("=", "!="):
        raise FilterPatternError(f"not a comparison: {sign.text}")
    test = equality(wanted)

    def compare(value: Any) -> bool:
        found = look_up(value, way)
        if found is MISSING or isinstance(found, (dict, list)):
            return False
        return test(found) == (sign.text == "=")

    return compare


def about(way: list[str | int], words: str) -> Test:
    if words == "NOT EXISTS":
        return lambda value: look_up(value, way) is MISSING
    wanted = {"IS NULL": None, "IS TRUE": True, "IS FALSE": False}
    if words not in wanted:
        raise FilterPatternError(f"not a comparison: {words}")
    return lambda value: look_up(value, way) is wanted[words]


def ordered(way: list[str | int], order: Callable[[Any, Any], bool], wanted: float) -> Test:
    def compare(value: Any) -> bool:
        found = look_up(value, way)
        return isinstance(found, (int, float)) and not isinstance(found, bool) and order(found, wanted)

    return compare


def number(token: Token) -> float:
    try:
        return float(token.text)
    except ValueError:
        raise FilterPatternError(f"a number is expected instead of {token.text}") from None


def equality(wanted: Token) -> Test:
    """Return a test for equality: * in a text matches anything, numbers compare by value, regexes match anywhere."""
    if wanted.kind == "regex":
        expression = re.compile(wanted.text[1:-1])
        return lambda found: expression.search(text_of(found)) is not None
    if wanted.kind == "word":
        try:
            value = float(wanted.text)
        except ValueError:
            pass
        else:
            return lambda found: isinstance(found, (int, float)) and not isinstance(found, bool) and found == value
    text = json.loads(wanted.text) if wanted.kind == "text" else wanted.text
    pattern = re.compile(".*".join(re.escape(part) for part in text.split("*")), re.DOTALL)
    return lambda found: pattern.fullmatch(text_of(found)) is not None


def text_of(found: Any) -> str:
    return found if isinstance(found, str) else json.dumps(found)


def look_up(value: Any, way: list[str | int]) -> Any:
    for step in way:
        inside = isinstance(value, list) and step < len(value) if isinstance(step, int) else isinstance(value, dict)
        if not inside or (isinstance(value, dict) and step not in value):
            return MISSING
        value = value[step]
    return value


def terms(pattern: str) -> Callable[[str], bool]:
    """Return a test for all plain terms, no term with a minus, and at least one of those with a question mark."""
    found = re.findall(r'([-?]?)("(?:[^"\\]|\\.)*"|\S+)', pattern)
    read = [(sign, json.loads(term) if term.startswith('"') else term) for sign, term in found]
    wanted = [term for sign, term in read if not sign]
    some = [term for sign, term in read if sign == "?"]
    never = [term for sign, term in read if sign == "-"]
    return lambda message: (
        all(term in message for term in wanted)
        and (not some or any(term in message for term in some))
        and not any(term in message for term in never)
    )
