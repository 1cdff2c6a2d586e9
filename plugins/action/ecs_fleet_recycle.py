# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module of the same name, and prints the lines that it tells while it works."""

from __future__ import annotations

from .ecs_service_recycle import ActionModule

__all__ = ["ActionModule"]
