# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties of the digest of secret values, at a cost that suits tests, and once at the real cost."""

from __future__ import annotations

import hashlib

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.connection.secret_digest import (
    COST,
    MARK_LENGTH,
    SALT_BYTES,
    Cost,
    Mark,
    join_description,
    make_mark,
    split_description,
    verify_mark,
)
from hypothesis import assume, given
from hypothesis import strategies as st

CHEAP = Cost(2, 1, 1)
TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
VALUES = st.lists(st.tuples(TEXT, TEXT), max_size=4)
SALT = st.binary(min_size=SALT_BYTES, max_size=SALT_BYTES)
MARKS = st.builds(make_mark, TEXT, VALUES, SALT, st.just(CHEAP))


@given(name=TEXT, values=VALUES, salt=SALT, order=st.randoms())
def test_the_same_values_verify_in_any_order(name, values, salt, order):
    mark = make_mark(name, values, salt, CHEAP)
    shuffled = list(values)
    order.shuffle(shuffled)
    assert verify_mark(mark, name, shuffled, CHEAP)


@given(name=TEXT, values=VALUES, others=VALUES, salt=SALT)
def test_other_values_do_not(name, values, others, salt):
    assume(sorted(values) != sorted(others))
    assert not verify_mark(make_mark(name, values, salt, CHEAP), name, others, CHEAP)


@given(name=TEXT, other=TEXT, values=VALUES, salt=SALT)
def test_the_values_of_another_thing_do_not(name, other, values, salt):
    assume(name != other)
    assert not verify_mark(make_mark(name, values, salt, CHEAP), other, values, CHEAP)


@given(name=TEXT, values=VALUES, salts=st.lists(SALT, min_size=2, max_size=2, unique=True))
def test_two_digests_of_the_same_values_have_nothing_in_common(name, values, salts):
    first, second = (make_mark(name, values, salt, CHEAP) for salt in salts)
    assert first.salt != second.salt
    assert first.digest != second.digest


@given(words=st.text(), mark=st.none() | MARKS)
def test_description_and_mark_come_back_as_they_were(words, mark):
    assume(split_description(words)[1] is None)
    assert split_description(join_description(words, mark)) == (words, mark)
    assert mark is None or len(join_description(words, mark)) <= len(words) + MARK_LENGTH


@pytest.mark.parametrize(
    "description",
    [
        "",
        "Failures",
        "[steadyops:1:short:text]",
        f"[steadyops:2:{'a' * 22}:{'b' * 43}]",
        f"[steadyops:1:{'a' * 22}:{'b' * 43}] ",
    ],
)
def test_what_is_no_mark_is_of_the_user(description):
    assert split_description(description) == (description, None)


def test_a_guess_is_slow_and_large():
    assert 128 * COST.n * COST.r >= 2**25, "32 MiB"
    assert COST.n * COST.r * COST.p >= 2**17 * 5, "OWASP's least"
    mark = make_mark("sentry", [("api_key", "a secret")], b"0" * SALT_BYTES)
    assert verify_mark(mark, "sentry", [("api_key", "a secret")])
    assert not verify_mark(mark, "sentry", [("api_key", "another")])


@pytest.mark.parametrize("missing", [True, False])
def test_a_python_without_scrypt(missing, monkeypatch):
    """Some builds of Python omit scrypt from the standard library, and some OpenSSL builds forbid it."""

    def forbidden(*_arguments, **_options):
        raise ValueError("[digital envelope routines] unsupported")

    if missing:
        monkeypatch.delattr(hashlib, "scrypt")
    else:
        monkeypatch.setattr(hashlib, "scrypt", forbidden)
    with pytest.raises(Refused, match="update_secret to always or never"):
        verify_mark(Mark("a" * 22, "b" * 43), "sentry", [("api_key", "a secret")])
