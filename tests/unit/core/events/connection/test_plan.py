# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to a connection, as a table, and what is refused before anything is written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.connection.model import (
    Authorization,
    Connection,
    HttpParameters,
    Parameter,
    WantedConnection,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.connection.plan import (
    description_to_write,
    plan_connection,
    same_key,
    warnings_of,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.connection.secret_digest import (
    Cost,
    join_description,
    make_mark,
    split_description,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.waiting import Patience

CHEAP = Cost(2, 1, 1)
SALT = b"0123456789abcdef"
KEY = Authorization("api_key", "X-Key", "s3cret")
BASIC = Authorization("basic", "me", "s3cret")
OAUTH = Authorization("oauth", "me", "s3cret", "https://example.com/token", "POST", HttpParameters())
HIDDEN = HttpParameters(body=(Parameter("key", True, "hidden"),))
SHOWN = HttpParameters(header=(Parameter("X-Team", False, "shop"),))


def wanted(authorization=KEY, **more):
    first = WantedConnection("sentry", True, None, authorization, None, None, "on_change", Patience(True, 9, 1))
    return replace(first, **more)


def as_aws_tells(http):
    return HttpParameters(
        *(
            tuple(replace(one, value=None if one.secret else one.value) for one in many)
            for _place, many in http.places()
        )
    )


def current(by=None, **more):
    """Return the connection that AWS returns after ``by`` was written."""
    by = by or wanted()
    mark = make_mark(by.name, by.values(), SALT, CHEAP)
    told = replace(by.authorization, secret=None)
    if told.http:
        told = replace(told, http=as_aws_tells(told.http))
    first = Connection(
        name=by.name,
        arn="arn:aws:events:eu-central-1:123456789012:connection/sentry/1",
        state="AUTHORIZED",
        reason="",
        description=join_description(by.description or "", mark),
        authorization=told,
        http=as_aws_tells(by.http or HttpParameters()),
        kms_key=by.kms_key or "",
        secret_arn=None,
    )
    return replace(first, **more)


def differing(change):
    return {key for key in change.before if change.before[key] != change.after.get(key)}


@pytest.mark.parametrize("kind", [KEY, BASIC, OAUTH])
@pytest.mark.parametrize("http", [None, HttpParameters(), HIDDEN, SHOWN])
@pytest.mark.parametrize("description", [None, "", "Words"])
def test_what_was_written_is_not_written_again(kind, http, description):
    by = wanted(kind, http=http, description=description)
    assert not plan_connection(by, current(by), CHEAP).changed


TABLE = [
    ("nothing given", wanted(None), current(), set()),
    ("other words", wanted(description="New"), current(), {"description"}),
    ("other words, nothing else given", wanted(None, description="New"), current(), {"description"}),
    ("other secret", wanted(replace(KEY, secret="other")), current(), {"secret_values"}),
    ("other secret, never", wanted(replace(KEY, secret="other"), rewrite="never"), current(), set()),
    ("same secret, always", wanted(rewrite="always"), current(), {"secret_values"}),
    ("no digest", wanted(), current(description="By hand"), {"secret_values"}),
    ("no digest, never", wanted(rewrite="never"), current(description="By hand"), set()),
    ("no digest, nothing given", wanted(None), current(description="By hand"), set()),
    ("other header", wanted(replace(KEY, identity="X")), current(), {"api_key", "secret_values"}),
    (
        "other header, never",
        wanted(replace(KEY, identity="X"), rewrite="never"),
        current(),
        {"api_key", "secret_values"},
    ),
    ("other type", wanted(BASIC), current(), {"authorization_type", "api_key", "basic", "secret_values"}),
    ("other method", wanted(replace(OAUTH, method="PUT")), current(wanted(OAUTH)), {"oauth", "secret_values"}),
    ("more parameters", wanted(http=SHOWN), current(), {"invocation_http_parameters", "secret_values"}),
    (
        "none",
        wanted(http=HttpParameters()),
        current(wanted(http=SHOWN)),
        {"invocation_http_parameters", "secret_values"},
    ),
    # The secret values are no longer known, so the digest no longer covers them; the parameters stay.
    ("not given", wanted(), current(wanted(http=HIDDEN)), {"secret_values"}),
    ("lost its authorization", wanted(), current(state="DEAUTHORIZED"), {"secret_values", "state"}),
    (
        "lost its authorization, never",
        wanted(rewrite="never"),
        current(state="DEAUTHORIZED"),
        {"secret_values", "state"},
    ),
    ("lost its network", wanted(), current(state="FAILED_CONNECTIVITY"), {"secret_values", "state"}),
    ("lost it, nothing given", wanted(None), current(state="DEAUTHORIZED"), set()),
    ("other key", wanted(kms_key="alias/mine"), current(), {"kms_key_identifier"}),
    ("AWS's key again", wanted(kms_key=""), current(kms_key="alias/mine"), {"kms_key_identifier"}),
    ("key not given", wanted(), current(kms_key="alias/mine"), set()),
]


@pytest.mark.parametrize(("wish", "there", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_what_changes(wish, there, expected):
    change = plan_connection(wish, there, CHEAP)
    assert differing(change) == expected
    assert change.changed == bool(expected)
    for secret in ("s3cret", "other", "hidden", "steadyops:1"):
        assert secret not in str(change)
        assert secret == "other" or secret not in repr(wish)


def test_a_value_that_aws_keeps_to_itself_although_it_is_no_secret():
    by = wanted(http=SHOWN)
    untold = HttpParameters(header=(Parameter("X-Team", False, None),))
    assert not plan_connection(by, current(by, http=untold), CHEAP).changed
    other = wanted(http=HttpParameters(header=(Parameter("X-Team", False, "toys"),)))
    assert differing(plan_connection(other, current(by, http=untold), CHEAP)) == {"secret_values"}


@pytest.mark.parametrize(
    ("wish", "there", "words"),
    [
        (wanted(None), None, "Set api_key, basic or oauth"),
        (wanted(description="d" * 432), None, "the limit is 431"),
        (wanted(), current(description="d" * 432), "the limit is 431"),
        (wanted(None, description="d" * 432), current(), "the limit is 431"),
    ],
)
def test_refused(wish, there, words):
    with pytest.raises(Refused, match=words):
        plan_connection(wish, there, CHEAP)


@pytest.mark.parametrize("rewrite", ["always", "never"])
def test_without_a_digest_there_is_room_for_all_of_a_description(rewrite):
    assert plan_connection(wanted(description="d" * 512, rewrite=rewrite), None, CHEAP).changed


@pytest.mark.parametrize(
    ("wish", "there", "text", "marked"),
    [
        (wanted(description="Words"), None, "Words", True),
        (wanted(), None, "", True),
        (wanted(rewrite="always"), current(), "", False),
        (wanted(None, description="Words"), current(), "Words", True),
        (wanted(None, description="Words"), current(description=""), "Words", False),
        (wanted(description="", rewrite="never"), current(wanted(description="Old")), "", True),
        (wanted(BASIC, rewrite="never"), current(), "", False),
    ],
)
def test_what_is_kept_in_the_description(wish, there, text, marked):
    written = description_to_write(wish, there, plan_connection(wish, there, CHEAP), SALT)
    words, mark = split_description(written)
    assert (words, mark is not None) == (text, marked)


@pytest.mark.parametrize("there", [None, current(), current(state="DEAUTHORIZED")])
def test_absent(there):
    change = plan_connection(wanted(present=False), there, CHEAP)
    assert change.after is None
    assert change.changed == (there is not None)


def test_a_connection_that_lost_its_authorization_is_worth_a_warning():
    lost = current(state="DEAUTHORIZED", reason="The secret is gone")
    assert "DEAUTHORIZED (The secret is gone)" in warnings_of(wanted(None), lost)[0]
    assert warnings_of(wanted(), lost) == warnings_of(wanted(None), current()) == []
    assert warnings_of(wanted(None, present=False), lost) == []


@pytest.mark.parametrize(
    ("asked", "there", "expected"),
    [
        ("", "", True),
        ("", "alias/a", False),
        ("alias/a", "alias/a", True),
        ("alias/a", "arn:aws:kms:eu-central-1:123456789012:alias/a", True),
        ("1234", "arn:aws:kms:eu-central-1:123456789012:key/1234", True),
        ("234", "arn:aws:kms:eu-central-1:123456789012:key/1234", False),
        ("alias/b", "arn:aws:kms:eu-central-1:123456789012:alias/a", False),
    ],
)
def test_same_key(asked, there, expected):
    assert same_key(asked, there) is expected
