# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identify who makes a call: the owner of an access key, or an AWS service that uses a role of the account."""

from __future__ import annotations

import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from ..wire import Call

if TYPE_CHECKING:
    from ..account import Account

PARTITION = "aws"
SESSION = boto3.session.Session()  # shared, so each service model is read once; MAKING: clients are created one by one
MAKING = threading.Lock()


def identity(account: Account, call: Call) -> dict[str, Any]:
    """Return the userIdentity that CloudTrail records for a call."""
    role = sts_backends[account.number][PARTITION].get_assumed_role_from_access_key(call.access_key)
    if role is None:
        user = iam_backends[account.number][PARTITION].get_user_from_access_key_id(call.access_key)
        name = user.name if user else "sandbox"
        return {
            "type": "IAMUser",
            "principalId": user.id if user else "AIDASANDBOXSANDBOX000",
            "arn": f"arn:aws:iam::{account.number}:user/{name}",
            "accountId": account.number,
            "accessKeyId": call.access_key,
            "userName": name,
        }
    principal = role.user_id
    since = datetime.fromtimestamp(account.now(), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = {
        "type": "AssumedRole",
        "principalId": principal,
        "arn": role.arn,
        "accountId": account.number,
        "accessKeyId": call.access_key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": principal.split(":")[0],
                "arn": role.role_arn,
                "accountId": account.number,
                "userName": role.role_arn.rsplit("/", 1)[-1],
            },
            "attributes": {"creationDate": since, "mfaAuthenticated": "false"},
        },
    }
    service = account.service_sessions.get(call.access_key)
    return {**found, "invokedBy": service} if service else found


def session(account: Account, role_arn: str, name: str, service: str | None = None) -> dict[str, str]:
    """Return a role's credentials for boto3. ``service``: the AWS service that uses them (states.amazonaws.com)."""
    with account.lock:
        key = (role_arn, name, service or "")
        if key not in account.sessions:
            backend = sts_backends[account.number][PARTITION]
            made = backend.assume_role(account.region, name, role_arn, "", 3600, "")
            account.sessions[key] = {
                "aws_access_key_id": made.access_key_id,
                "aws_secret_access_key": made.secret_access_key,
                "aws_session_token": made.session_token,
            }
            if service:
                account.service_sessions[made.access_key_id] = service
        return account.sessions[key]


def client(account: Account, aws: str, region: str, role_arn: str, name: str, service: str) -> Any:
    """Return a boto3 client with which one AWS service calls another, over the sandbox's own HTTP endpoint.

    Do not use it while you hold the lock: the thread that answers the call needs the lock.
    """
    key = (aws, region, role_arn, name)
    if key not in account.clients:
        settings = Config(retries={"total_max_attempts": 1}, proxies={}, user_agent=service, read_timeout=120)
        credentials = session(account, role_arn, name, service)
        with MAKING:
            account.clients[key] = SESSION.client(
                aws, region_name=region, endpoint_url=account.url, config=settings, **credentials
            )
    return account.clients[key]
