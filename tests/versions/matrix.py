# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environments that the roles run in: ansible-core, Python, boto3 and collections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NEWEST_SDK = ("boto3", "botocore")


@dataclass(frozen=True)
class Environment:
    """``requirements`` are Python packages. ``others`` are Pythons for ``--check`` if ``python`` is not installed.

    ``collections`` are in the package ``bundle`` on PyPI. Without a bundle, those of the development environment are
    used.
    """

    python: str
    requirements: tuple[str, ...]
    others: tuple[str, ...] = ()
    bundle: str = ""
    collections: Mapping[str, str] = field(default_factory=dict)


ENVIRONMENTS = {
    "2.17": Environment("3.10", ("ansible-core==2.17.*", *NEWEST_SDK), others=("3.11", "3.12")),
    "2.18": Environment("3.11", ("ansible-core==2.18.*", *NEWEST_SDK), others=("3.12", "3.13")),
    "2.19": Environment("3.11", ("ansible-core==2.19.*", *NEWEST_SDK), others=("3.12", "3.13")),
    "newest-3.12": Environment("3.12", ("ansible-core", *NEWEST_SDK)),
    "newest-3.13": Environment("3.13", ("ansible-core", *NEWEST_SDK)),
    # The versions that galaxy.yml, meta/runtime.yml and requirements.txt name. On PyPI, only a pre-release of the
    # package ansible has these collections.
    "lowest": Environment(
        "3.10",
        ("ansible-core==2.17.*", "boto3==1.41.1", "botocore==1.41.1"),
        others=("3.11", "3.12"),
        bundle="ansible==12.0.0a7",
        collections={"amazon.aws": "10.1.0", "community.aws": "10.0.0", "community.general": "11.0.0"},
    ),
}
