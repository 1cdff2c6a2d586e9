# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which versions of boto3 and botocore are refused."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.sdk_versions import LOWEST, refusal_of_sdk


@pytest.mark.parametrize(
    ("boto3", "botocore", "is_refused"),
    [
        (LOWEST, LOWEST, False),
        ("1.43.2", "1.43.2", False),
        ("1.100.0", "1.100.0", False),
        ("2.0.0", "2.0.0rc1", False),
        ("1.41.0", "1.41.0", True),
        ("1.41.1", "1.41.0", True),
        ("1.4.200", "1.41.1", True),
    ],
)
def test_versions_that_are_refused(boto3, botocore, is_refused):
    refusal = refusal_of_sdk({"boto3": boto3, "botocore": botocore}, "/usr/bin/python3")
    assert (refusal is not None) == is_refused


def test_the_refusal_names_what_is_there_and_what_to_run():
    assert refusal_of_sdk({"boto3": "1.34.0", "botocore": "1.34.1"}, "/usr/bin/python3") == (
        "/usr/bin/python3 has boto3 1.34.0 and botocore 1.34.1, but 1.41.1 or newer is required: older versions drop "
        "fields of blue/green deployments without an error. Run: /usr/bin/python3 -m pip install --upgrade boto3"
    )
