# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed, Failed
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.connection.secret_text import (
    MASK,
    scrub,
    scrubbed,
)
from hypothesis import given
from hypothesis import strategies as st

SECRET = st.text(st.characters(codec="utf-8"), min_size=9).filter(lambda text: text.strip("*"))


@pytest.mark.parametrize(
    ("text", "secrets", "expected"),
    [
        ("nothing here", ["s3cret"], "nothing here"),
        ("Value 's3cret' at 'x'", ["s3cret"], "Value '********' at 'x'"),
        ("s3cret-and-more", ["s3cret", "s3cret-and-more"], "********"),
        ("a", [""], "a"),
    ],
)
def test_scrub(text, secrets, expected):
    assert scrub(text, secrets) == expected


@given(secret=SECRET, form=st.sampled_from(["plain", "json", "query", "path", "base64", "python"]))
def test_no_way_of_quoting_gets_it_through(secret, form):
    quoted = {
        "plain": secret,
        "json": json.dumps(secret),
        "query": quote_plus(secret),
        "path": quote(secret, safe=""),
        "base64": base64.b64encode(secret.encode()).decode(),
        "python": repr(secret),
    }[form]
    assert quoted.strip("'\"") not in scrub(f"AWS said: {quoted}.", [secret]).replace(MASK, "")


@pytest.mark.parametrize(
    "error", [Failed("it was s3cret"), CallFailed("CreateConnection", "ValidationException", "s3cret")]
)
def test_errors_leave_scrubbed(error):
    with pytest.raises(type(error)) as raised, scrubbed(["s3cret"]):
        raise error
    assert "s3cret" not in str(raised.value)
    assert MASK in str(raised.value)
    assert getattr(raised.value, "code", "ValidationException") == "ValidationException"
