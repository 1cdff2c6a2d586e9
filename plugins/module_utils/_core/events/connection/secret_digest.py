# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""A digest that shows whether secrets are the same as last time, for secrets that AWS never returns.

The digest is stored in a description, which many people may read, so it must withstand guessing. It uses scrypt, which
makes each guess slow and large, with a new salt each time, and includes the resource's name. Two digests reveal
nothing, not even that the secrets are the same.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from ...errors import Refused

SALT_BYTES = 16
_DIGEST_BYTES = 32


@dataclass(frozen=True)
class Cost:
    """The parameters of scrypt: one digest takes 128 * n * r bytes, and time in proportion to n * r * p."""

    n: int
    r: int
    p: int


# Version 1 of the mark: 32 MiB and about 0.3 s. OWASP lists these parameters for storing passwords.
COST = Cost(2**15, 8, 3)

_MARK = re.compile(r"(?:^| )\[steadyops:1:(?P<salt>[A-Za-z0-9_-]{22}):(?P<digest>[A-Za-z0-9_-]{43})\]\Z")
MARK_LENGTH = len(" [steadyops:1::]") + 22 + 43  # characters that a mark takes in a description, including its space


@dataclass(frozen=True)
class Mark:
    """A digest and its salt, both as URL-safe base64 without padding."""

    salt: str
    digest: str


def split_description(description: str) -> tuple[str, Mark | None]:
    """Return the user's words, and the mark behind them if there is one."""
    match = _MARK.search(description)
    if not match:
        return description, None
    return description[: match.start()], Mark(match["salt"], match["digest"])


def join_description(words: str, mark: Mark | None) -> str:
    """Return the description that AWS stores. ``split_description`` undoes it, unless the words end in a mark."""
    if mark is None:
        return words
    text = f"[steadyops:1:{mark.salt}:{mark.digest}]"
    return f"{words} {text}" if words else text


def make_mark(name: str, values: Iterable[tuple[str, str]], salt: bytes, cost: Cost = COST) -> Mark:
    """Return the mark for the secret values of the resource called ``name``.

    ``values`` are pairs of place and value, in any order; ``salt`` is random and used once. Raises ``Refused`` if
    Python has no scrypt.
    """
    return Mark(_text(salt), _text(_digest(name, values, salt, cost)))


def verify_mark(mark: Mark, name: str, values: Iterable[tuple[str, str]], cost: Cost = COST) -> bool:
    """Return whether the mark was made for these values and this name. Raises ``Refused`` if Python has no scrypt."""
    digest = _digest(name, values, _bytes(mark.salt), cost)
    return hmac.compare_digest(_text(digest), mark.digest)


def _digest(name: str, values: Iterable[tuple[str, str]], salt: bytes, cost: Cost) -> bytes:
    # JSON shows without ambiguity where one value ends and the next begins.
    canonical = json.dumps([name, sorted(values)]).encode()
    room = 128 * cost.r * (cost.n + cost.p) + 2**20
    try:
        return hashlib.scrypt(canonical, salt=salt, n=cost.n, r=cost.r, p=cost.p, maxmem=room, dklen=_DIGEST_BYTES)
    except (AttributeError, ValueError):  # missing from Python, or forbidden by OpenSSL's settings (FIPS)
        raise Refused(
            "The Python that runs the module has no scrypt, which is needed to detect changes of secret values. Set"
            " update_secret to always or never, or run the module with another Python"
        ) from None


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
