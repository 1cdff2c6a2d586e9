# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw event patterns and events that are so small that they often match."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

from tests.examples import examples

law = settings(deadline=None, max_examples=examples(40))

FIELDS = "abcd"
TEXTS = st.sampled_from(["", "a", "b", "A", "ab", "aB", "ba", "abab", "a*b", "a\\b", "1", "10.0.0.1", "10.0.0.9"])
NUMBERS = st.sampled_from([0, 1, -1, 2.5, 137, 143, 1000])
BOOLEANS = st.booleans()
SCALARS = TEXTS | NUMBERS | st.none()
WILDCARDS = st.sampled_from(["*", "a*", "*a", "*a*", "a*b", r"a\*b", r"a\\*", "*b*a*", "ab"])
SOME = TEXTS.filter(bool)


def one_or_more(texts):
    return texts | st.lists(texts, min_size=1, max_size=2)


def operator(name, operands):
    return operands.map(lambda operand: {name: operand})


IGNORING_CASE = operator("equals-ignore-case", SOME)
EXCLUDED = (
    operator("prefix", one_or_more(SOME))
    | operator("suffix", one_or_more(SOME))
    | operator("wildcard", one_or_more(WILDCARDS))
    | operator("equals-ignore-case", one_or_more(TEXTS))
)
NUMERIC = st.tuples(st.sampled_from(["=", "<", "<=", ">", ">="]), NUMBERS).map(list) | st.just([">", 0, "<=", 143])
PRESENT = st.one_of(
    SCALARS,
    operator("prefix", TEXTS | IGNORING_CASE),
    operator("suffix", TEXTS | IGNORING_CASE),
    operator("equals-ignore-case", TEXTS),
    operator("wildcard", WILDCARDS),
    operator("anything-but", one_or_more(TEXTS) | one_or_more(NUMBERS) | EXCLUDED),
    operator("numeric", NUMERIC),
    operator("exists", st.just(True)),
)
ABSENT = operator("exists", st.just(False))
ANY = PRESENT | ABSENT | BOOLEANS | operator("cidr", st.sampled_from(["10.0.0.0/24", "10.0.0.8/31"]))


@st.composite
def patterns(draw, entries=ANY, depth=2):
    """Draw patterns that EventBridge accepts and that lose no condition: each field is on only one side of $or."""
    leaf = st.lists(entries, min_size=1, max_size=2)
    fields = draw(st.permutations(FIELDS))
    outside, inside = fields[: draw(st.integers(1, 2))], fields[2:]
    pattern = {}
    for field in outside:
        pattern[field] = draw(patterns(entries, depth - 1) if depth and draw(st.booleans()) else leaf)
    if draw(st.integers(0, 2)) == 0:
        pattern["$or"] = [{field: draw(leaf)} for field in inside]
    return pattern


def events(scalars=SCALARS | BOOLEANS, depth=2):
    """Draw events with nested objects, and arrays of anything."""
    values = scalars | st.lists(scalars, max_size=3)
    if depth:
        deeper = events(scalars, depth - 1)
        values |= deeper | st.lists(deeper, max_size=3)
    return st.dictionaries(st.sampled_from(FIELDS), values, min_size=1, max_size=3)
