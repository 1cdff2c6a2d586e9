# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DSNs of Sentry, hosted by Sentry or by the user."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.sentry_dsn import read_dsn


@pytest.mark.parametrize(
    ("dsn", "base"),
    [
        ("https://abc123@o42.ingest.sentry.io/7", "https://o42.ingest.sentry.io"),
        ("https://abc123@sentry.example.org:8443/7", "https://sentry.example.org:8443"),
        ("https://abc123@example.org/tools/sentry/7", "https://example.org/tools/sentry"),
        ("https://abc123@example.org:9000/sentry/7", "https://example.org:9000/sentry"),
        ("https://abc123@[2001:db8::1]:9000/7", "https://[2001:db8::1]:9000"),
    ],
)
def test_port_and_path_are_kept(dsn, base):
    read = read_dsn("dsn", dsn)
    assert (read.store, read.envelope) == (f"{base}/api/7/store/", f"{base}/api/7/envelope/")
    assert read.auth.endswith("sentry_key=abc123")


@pytest.mark.parametrize(
    ("dsn", "words"),
    [
        ("", "must begin with https://"),
        ("http://abc123@example.org/7", "must begin with https://"),
        ("https://example.org/7", "is not a DSN"),
        ("https://abc123@example.org", "is not a DSN"),
        ("https://abc123@example.org/", "is not a DSN"),
        ("https://abc123@example.org/7/", "is not a DSN"),
        ("https://abc123@example.org/web", "is not a DSN"),
        ("https://abc:hush@example.org/7", "has a secret key"),
        ("https://abc123@example.org:port/7", "the port is not a number"),
        ("https://abc123@example.org/7?x=1", "has more after the number"),
    ],
)
def test_what_is_not_a_dsn_is_refused_without_a_quotation(dsn, words):
    with pytest.raises(Refused) as refused:
        read_dsn("failure_alerts_sentry.dsn", dsn)
    assert str(refused.value).startswith("failure_alerts_sentry.dsn")
    assert words in str(refused.value)
    assert "abc123" not in str(refused.value)
    assert "hush" not in str(refused.value)
