# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client's view of the sandbox."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.sandbox.client import Sandbox


def client(sandbox: Sandbox, service: str, key: str = "sandbox", token: str | None = None) -> Any:
    return boto3.client(
        service,
        region_name="eu-central-1",
        endpoint_url=sandbox.url,
        aws_access_key_id=key,
        aws_secret_access_key="sandbox",
        aws_session_token=token,
        config=Config(retries={"max_attempts": 0}),
    )


def until(true: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return value


def code(call: Callable[..., Any], **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])
