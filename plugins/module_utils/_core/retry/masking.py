# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Mask the values of overrides, commands and tags in logs and reports, however AWS quotes them."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from .overrides import is_mark, oddity

STARS = "***"
SHORTEST = 4  # characters of a value that is masked: masking shorter ones would leave no readable sentence
SHORTEST_PART = 12  # characters of a value's beginning that is masked, since AWS may cut values off
MOST_VALUES = 500  # of one request; RunTask takes 8 KiB of overrides
LONGEST_NAME = 256  # characters of a text that are shown

WITHHELD = "AWS's words are withheld: they may repeat what the record hides"

# Messages of RunTask that contain no values except names of resources. Sources: run_task_answers.tsv among the tests.
_ARN = r"[\w:/.*@=,+-]{1,300}"
_KNOWN = re.compile(
    r"(?:\w+: )?(?:[A-Z]{2,30}(?::[A-Z0-9_]{1,40})?|Rate exceeded|Cluster not found\.|TaskDefinition not found\."
    r"|TaskDefinition is inactive|Service Unavailable(?:\. Please try again later\.)?"
    r"|Capacity is unavailable at this time\. Please try again later or in a different availability zone\.?"
    r"|No Container Instances were found in your (?:cluster|capacity provider)\."
    r"|Tasks provisioning capacity limit exceeded\.?|MemberOf placement constraint unsatisfied\."
    r"|You've reached the limit on the number of (?:tasks|vCPUs) you can run concurrently"
    r"|Error retrieving (?:subnet|security group) information for \[[\w, -]{1,400}\]: "
    r"(?:Request limit exceeded\.|Rate exceeded|The (?:subnet ID|security group) '[\w-]{1,40}' does not exist)"
    r" \(ErrorCode: [\w.]{1,60}\)"
    rf"|User: {_ARN} is not authorized to perform: [\w:-]{{1,80}} on resource: {_ARN}"
    r"(?: because no [a-z-]+ policy allows the [\w:-]{1,80} action| with an explicit deny in [a-z -]{1,80})?\.?)"
)

# Parameters that contain secret values, and the fields inside them that are not secret.
SECRET = frozenset({"overrides", "tags", "volumeConfigurations"})
_NAMES = frozenset({"name", "key", "type"})

# Parameters of RunTask and fields of a task's event that are shown unmasked.
_SHOWN = frozenset(
    {
        "capacityProviderName", "capacityProviderStrategy", "cluster", "clusterArn", "containerInstanceArn", "count",
        "cpu", "enableECSManagedTags", "enableExecuteCommand", "group", "lastStatus", "launchType", "memory",
        "networkConfiguration", "placementConstraints", "placementStrategy", "platformVersion", "propagateTags",
        "startedBy", "stopCode", "taskArn", "taskDefinition", "taskDefinitionArn",
    }
)  # fmt: skip


def name_of(value: object) -> str:
    """Return a name or an ARN as it is shown; empty for anything that is not a text."""
    return value[:LONGEST_NAME] if isinstance(value, str) else ""


def without_values(request: object) -> Any:
    """Return RunTask's parameters or the event of a task with stars for every secret value; names are kept."""
    if not isinstance(request, Mapping):
        return None if request is None else STARS
    shown = {key: _short(value) for key, value in request.items() if key in _SHOWN}
    return shown | {key: _starred(request[key], key) for key in SECRET if key in request}


def masked(words: str, request: object) -> str:
    """Return AWS's words with stars for the values of ``request`` that they repeat.

    If the request hides values, the words may repeat values that are unknown here. Then only known words are returned.
    """
    if not isinstance(request, Mapping) or _lacks_values(request):
        return words if _KNOWN.fullmatch(words) else WITHHELD
    for form in sorted(_forms(request), key=len, reverse=True):
        words = words.replace(form, STARS)
        if len(form) > SHORTEST_PART:
            words = _without_beginning(words, form)
    return words


def _lacks_values(request: Mapping[str, Any]) -> bool:
    """Return whether the record shows that values are hidden, null or missing."""
    if "omitted" in request or ("overrides" in request and oddity(request["overrides"])):
        return True
    if any(not isinstance(request[key], (Mapping, list)) for key in SECRET if key in request):
        return True
    left: list[tuple[object, bool]] = [(item, name in SECRET) for name, item in request.items()]
    while left:
        value, secret = left.pop()
        if isinstance(value, Mapping):
            left.extend((item, secret) for item in value.values())
        elif isinstance(value, list):
            left.extend((item, secret) for item in value)
        elif (value is None and secret) or (isinstance(value, str) and is_mark(value)):
            return True
    return False


def _without_beginning(words: str, form: str) -> str:
    """Replace the longest beginning of ``form`` with stars, wherever it occurs in ``words``."""
    while form[:SHORTEST_PART] in words:
        known, wrong = SHORTEST_PART, len(form)
        while wrong - known > 1:
            middle = (known + wrong) // 2
            known, wrong = (middle, wrong) if form[:middle] in words else (known, middle)
        words = words.replace(form[:known], STARS)
    return words


def _forms(request: Mapping[str, Any]) -> set[str]:
    """Return the values of a request as JSON, Python, HTML, URLs and base64 would write them."""
    forms: set[str] = set()
    for number, value in enumerate(_values([request.get(key) for key in SECRET])):
        if number >= MOST_VALUES:
            break
        once, plain = json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]
        raw = value.encode("utf-8", "surrogatepass")
        forms |= {once, plain, json.dumps(once)[1:-1], repr(value)[1:-1], html.escape(value)}
        forms |= {value.replace("'", "\\'"), quote(raw), quote(raw, safe=""), quote_plus(raw)}
        forms |= {base64.b64encode(raw).decode().rstrip("="), value.strip()}
    return {form for form in forms if len(form) >= SHORTEST}


def _values(value: object) -> Iterator[str]:
    """Yield all values inside, as texts. Names of containers, variables and tags are not values."""
    left: list[tuple[object, str]] = [(value, "")]
    while left:
        value, key = left.pop()
        if isinstance(value, Mapping):
            left.extend((item, str(name)) for name, item in value.items())
        elif isinstance(value, list):
            left.extend((item, key) for item in value)
        elif value is not None and not isinstance(value, bool) and key not in _NAMES:
            yield str(value)


def _starred(value: object, key: str = "", depth: int = 0) -> Any:
    if isinstance(value, Mapping) and depth < 8:
        return {name_of(name): _starred(item, str(name), depth + 1) for name, item in value.items()}
    if isinstance(value, list) and depth < 8:
        return [_starred(item, key, depth + 1) for item in value]
    return name_of(value) if key in _NAMES and isinstance(value, str) else STARS


def _short(value: object, depth: int = 0) -> Any:
    """Return a value to be shown, with its texts, its size and its depth limited."""
    if isinstance(value, Mapping) and depth < 4:
        return {name_of(name): _short(item, depth + 1) for name, item in list(value.items())[:20]}
    if isinstance(value, list) and depth < 4:
        return [_short(item, depth + 1) for item in value[:20]]
    if isinstance(value, str):
        return name_of(value)
    return value if isinstance(value, (int, float, bool)) or value is None else STARS
