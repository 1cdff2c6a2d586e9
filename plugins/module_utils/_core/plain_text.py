# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Texts from other sources, in a form that a terminal or a page can show."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return the text without characters that a terminal would take for a command. Line breaks are kept."""
    return "".join(each for each in text if each.isprintable() or each == "\n")


def one_line(value: object) -> str:
    """Return the value as printable text on one line; empty for ``None`` and other empty values."""
    return printable(" ".join(str(value or "").split()))
