# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Texts from elsewhere, as a terminal or a page can show them."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text without anything that a terminal would take for a command. It keeps its lines."""
    return "".join(each for each in text if each.isprintable() or each == "\n")


def one_line(value: object) -> str:
    """The same as one line; empty for ``None``."""
    return printable(" ".join(str(value or "").split()))
