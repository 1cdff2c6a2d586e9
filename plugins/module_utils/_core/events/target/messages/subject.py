# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The short names of what a rule is about, read from its pattern.

An input transformer cannot cut the name out of an ARN. But a rule for one family, service or cluster names it, so its
messages can contain the name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NAME = r"([A-Za-z0-9_-]+)"


@dataclass(frozen=True)
class Subject:
    """``name`` of a family, service or state machine, and ``cluster``; each is empty if the rule is about several."""

    name: str = ""
    cluster: str = ""


NO_SUBJECT = Subject()


def subject_of(pattern: str | None) -> Subject:
    """Return the subject of a rule with this JSON pattern."""
    try:
        read = json.loads(pattern or "{}")
    except ValueError:
        read = {}
    read = read if isinstance(read, dict) else {}
    detail = read["detail"] if isinstance(read.get("detail"), dict) else {}
    arns = {"resources": read.get("resources"), **detail}
    name = (
        _only(detail, "group", f"service:{_NAME}")
        or _only(arns, "serviceArn", rf".*/{_NAME}")
        or _only(arns, "resources", rf"(?:.*:service/(?:.+/)?|/){_NAME}")
        or _only(detail, "taskDefinitionArn", rf".*:task-definition/{_NAME}:\*?")
        or _only(detail, "stateMachineArn", rf".*:stateMachine:{_NAME}")
    )
    cluster = _only(detail, "clusterArn", rf".*:cluster/{_NAME}") or _only(
        arns, "resources", rf".*:service/{_NAME}/(?:\*|{_NAME})?"
    )
    return Subject(name, cluster)


def _only(conditions: Mapping[str, Any], field: str, form: str) -> str:
    """Return the name in the only entry of a field's list; empty for several entries or another form."""
    entries = conditions.get(field)
    if not isinstance(entries, list) or len(entries) != 1:
        return ""
    (entry,) = entries
    if isinstance(entry, dict) and len(entry) == 1 and entry.keys() <= {"suffix", "prefix", "wildcard"}:
        entry = next(iter(entry.values()))
    found = re.fullmatch(form, entry) if isinstance(entry, str) else None
    return found[1] if found else ""
