# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""A resource before and after a change. ``changed``, the diff, check mode and the result all come from this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Change(NamedTuple):
    """Both sides, in the shape in which the module returns the resource; None if it does not exist.

    Neither side may contain a secret, because both are shown.
    """

    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def changed(self) -> bool:
        return self.before != self.after

    def differs(self, *keys: str) -> bool:
        """Return whether one of these keys changes. If the resource is created or deleted, all of them change."""
        if self.before is None or self.after is None:
            return self.changed
        return any(self.before.get(key) != self.after.get(key) for key in keys)


def wanted_tags(current: Mapping[str, str], wanted: Mapping[str, Any] | None, purge: bool) -> dict[str, str]:
    """Return the tags after the change: ``wanted`` is added, others are removed if ``purge``; None keeps all tags."""
    if wanted is None:
        return dict(current)
    kept = {} if purge else dict(current)
    return {**kept, **{key: str(value) for key, value in wanted.items()}}


def tag_writes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the tags to set and the keys to remove."""
    to_set = {key: value for key, value in after.items() if before.get(key) != value}
    return to_set, sorted(before.keys() - after.keys())
