# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jinja test for events of Amazon EventBridge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..module_utils._core.errors import Refused
from ..module_utils._core.events.pattern.lint import lint
from ..module_utils._core.events.pattern.match import matches
from ..module_utils._core.events.pattern.parse import parse_event, parse_pattern
from ..plugin_utils._filters import checked


def matches_event_pattern(event: Mapping[str, Any] | str, pattern: Mapping[str, Any] | str) -> bool:
    """Return whether a rule with this pattern would match the event."""
    wanted = parse_pattern("the pattern", pattern)
    refused = [str(finding) for finding in lint(wanted, repeats_are_meant=True) if finding.is_error]
    if refused:
        raise Refused(f"the pattern: {'; '.join(refused)}")
    return matches(wanted, parse_event(event))


class TestModule:
    """The class that Ansible loads from this file."""

    def tests(self) -> dict[str, Callable[..., bool]]:
        return checked("an event and a pattern of EventBridge", matches_event_pattern)
