# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.permissions: update the policies in the guide."""

from __future__ import annotations

from tests.permissions.guide import GUIDE, written_anew

GUIDE.write_text(written_anew(GUIDE.read_text()))
