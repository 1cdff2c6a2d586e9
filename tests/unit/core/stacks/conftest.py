# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans are made by the hundred, mostly with the same secrets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache

import pytest


@pytest.fixture(autouse=True, scope="package")
def digest_once() -> Iterator[None]:
    """Let each digest of secrets be computed once: it is meant to take 0.3 s."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashlib, "scrypt", cache(hashlib.scrypt))
        yield
