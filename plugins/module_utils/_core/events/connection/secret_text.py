# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Keep secrets out of texts from elsewhere: in some errors, AWS quotes what was sent to it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import quote, quote_plus

from ...errors import CallFailed, Failed, Refused

MASK = "********"


def scrub(text: str, secrets: Iterable[str]) -> str:
    """Return the text with every secret masked, even if it is quoted as JSON, in a URL, in base64 or by Python."""
    forms = {form for secret in secrets if secret for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):  # one may contain another
        text = text.replace(form, MASK)
    return text


@contextmanager
def scrubbed(secrets: Iterable[str]) -> Iterator[None]:
    """Scrub the texts of the domain's errors that are raised inside."""
    try:
        yield
    except (CallFailed, Failed, Refused) as error:
        known = list(secrets)
        error.args = tuple(scrub(each, known) if isinstance(each, str) else each for each in error.args)
        raise


def _forms(secret: str) -> set[str]:
    plain = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    return plain | {quote(secret, safe=""), quote_plus(secret), base64.b64encode(secret.encode()).decode()}
