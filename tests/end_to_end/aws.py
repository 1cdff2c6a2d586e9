# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of boto3 with which a test looks at the sandbox and does what others do to the account."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3

from tests.sandbox.client import Sandbox

REGION = "eu-central-1"


def aws_client(sandbox: Sandbox, service: str) -> Any:
    """Return a client of one AWS service. It is cached, because creating one takes longer than most tests."""
    return _client(sandbox.url, service)


@cache
def _client(url: str, service: str) -> Any:
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
