# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the module of the same name, and print the progress lines that it sends."""

from __future__ import annotations

from .ecs_service_recycle import ActionModule

__all__ = ["ActionModule"]
