# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.https_url import (
    check_https_url,
    out_of_reach,
    secret_in_url,
    shown_url,
)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "HTTPS://example.com/",
        "https://example.com:8443/a/*/b?c=d&e=%20",
        "https://slack.com/api/chat.postMessage",
        "https://192.0.2.1/",
    ],
)
def test_addresses_that_eventbridge_takes(url):
    assert check_https_url("url", url).hostname


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "only https URLs"),
        ("http://example.com", "only https URLs"),
        ("ftp://example.com", "only https URLs"),
        ("https://", "does not allow in a URL|the host after https:// is not valid"),
        ("https://example.com/ ", "does not allow"),
        ("https://example.com/\n", "does not allow"),
        ("https://example.com/#top", "does not allow"),
        ("https://example.com/%zz", "does not allow"),
        ("https://exämple.com/", "does not allow"),
        ("https://a:b@example.com/", "user name or password"),
        ("https://example.com:0/", "port"),
        ("https://example.com:x/", "port"),
        ("https://.example.com/", "the host after https:// is not valid"),
        ("https://*/", "the host after https:// is not valid"),
        ("https://example.com/" + "a" * 2029, "(got 2049)"),
    ],
)
def test_addresses_that_it_does_not_take(url, words):
    with pytest.raises(Refused, match=words) as refused:
        check_https_url("url", url)
    assert str(refused.value).lstrip("`").startswith("url")
    assert not url[8:] or url[8:] not in str(refused.value), "there may be a secret in it"


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("https://hooks.slack.com/services/T0/B0/xyz", "Slack"),
        ("https://hooks.slack-gov.com/services/T0/B0/xyz", "Slack"),
        ("https://x.logic.azure.com/workflows/1?api-version=2016&sp=%2F&sv=1.0&sig=abc", "'sig'"),
        ("https://chat.example.com/?key=1", "'key'"),
        ("https://chat.example.com/?access_token=1", "'access_token'"),
        ("https://slack.com/api/chat.postMessage", None),
        ("https://example.com/?monkey=1&design=2", None),
        ("https://example.com/sig=1", None),
    ],
)
def test_secret_in_url(url, word):
    found = secret_in_url(check_https_url("url", url))
    assert (found is not None) == (word is not None)
    assert word is None or word in found
    assert not found or "abc" not in found


def test_an_address_is_shown_without_what_follows_the_host():
    one, other = (shown_url(f"https://me:mine@hooks.slack.com:443/services/T0/B0/{each}") for each in ("abc", "abd"))
    assert one != other
    assert one.startswith("https://hooks.slack.com:443 (SHA-256 ")
    assert not [part for part in ("services", "T0", "/abc", "mine") if part in one]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("10.0.0.1", True),
        ("127.0.0.1", True),
        ("169.254.169.254", True),
        ("localhost", True),
        ("db.internal", True),
        ("8.8.8.8", False),
        ("example.com", False),
        ("internal.example.com", False),
    ],
)
def test_out_of_reach(host, expected):
    assert out_of_reach(check_https_url("url", f"https://{host}/")) is expected
