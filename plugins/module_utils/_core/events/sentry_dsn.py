# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Read a Sentry DSN and derive what an API destination needs from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..errors import Refused

_FORM = "https://PUBLICKEY@HOST/PROJECT, where HOST may have a port and a path"
_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class SentryDsn:
    """The parts of a DSN. ``base`` is the URL of Sentry with its port and path, without a slash at the end."""

    public_key: str
    base: str
    project: str

    @property
    def store(self) -> str:
        """The URL for an event as one JSON document.

        Sentry has deprecated it in favour of envelopes (getsentry/sentry-python#1957). An envelope consists of several
        JSON documents, one per line. EventBridge sends one JSON document to an API destination, so only the function
        with Sentry's SDK can send envelopes.
        """
        return f"{self.base}/api/{self.project}/store/"

    @property
    def envelope(self) -> str:
        """The URL for envelopes."""
        return f"{self.base}/api/{self.project}/envelope/"

    @property
    def auth(self) -> str:
        """The value of the header ``X-Sentry-Auth``."""
        return f"Sentry sentry_version=7, sentry_client=steadyops.ecs/1.0, sentry_key={self.public_key}"


def read_dsn(option: str, text: str) -> SentryDsn:
    """Return the parts of a DSN. Raise ``Refused`` if it is invalid, without quoting it."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise Refused(f"{option}: the port is not a number from 1 to 65535. A DSN has the form {_FORM}") from None
    path, _slash, project = parts.path.rpartition("/")
    if parts.scheme != "https":
        raise Refused(f"{option} must begin with https://, because EventBridge calls no other addresses")
    if parts.password is not None:
        raise Refused(f"{option} has a secret key, which Sentry no longer uses. Remove the colon and what follows it")
    if not _KEY.fullmatch(parts.username or "") or not parts.hostname or not re.fullmatch("[0-9]+", project):
        raise Refused(f"{option} is not a DSN of Sentry. It has the form {_FORM}")
    if parts.query or parts.fragment:
        raise Refused(f"{option} has more after the number of the project. A DSN has the form {_FORM}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return SentryDsn(parts.username or "", f"https://{host}{f':{port}' if port else ''}{path}", project)
