# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the documents for users: README.md and the guides below docs/docsite/rst, with the examples in them."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
GUIDES = sorted((ROOT / "docs/docsite/rst").glob("*.rst"))
DOCUMENTS = (README, *GUIDES)


def blocks(language: str, text: str) -> list[str]:
    """Return the code blocks of a language, from Markdown or from reStructuredText."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    directive = rf"^( *)\.\. code-block:: {language}\n\n((?:\1    .*\n|\n(?=\n*\1    ))+)"
    return found + [textwrap.dedent(each) for _margin, each in re.findall(directive, text, re.MULTILINE)]


def examples(document: Path) -> list[Any]:
    """Return the YAML of a document as data: a list is a playbook, a dictionary with ``plugin`` is an inventory."""
    return [yaml.safe_load(each) for each in blocks("yaml", document.read_text())]


def plays(document: Path) -> list[dict[str, Any]]:
    return [play for each in examples(document) if isinstance(each, list) for play in each]


def inventories(document: Path) -> list[dict[str, Any]]:
    return [each for each in examples(document) if isinstance(each, dict) and "plugin" in each]


def plays_with(role: str, document: Path = README) -> list[dict[str, Any]]:
    """Return the plays of a document that use this role and no other."""
    wanted = [f"steadyops.ecs.{role}"]
    return [play for play in plays(document) if [each["role"] for each in play.get("roles", [])] == wanted]
