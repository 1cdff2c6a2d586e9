# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes the golden files anew."""

from __future__ import annotations

from tests.conftest import *  # noqa: F403
from tests.unit.core.golden import write

write()
