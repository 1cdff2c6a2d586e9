# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Lambda function that reports EventBridge events to Sentry.

It returns if Sentry has accepted the event, and raises an exception if not. Lambda then retries. An event that Sentry
never accepts goes to the function's dead-letter queue or destination.

Environment variables, of which one of the first three is required:

``SENTRY_DSN``            the DSN itself
``SENTRY_DSN_SECRET``     name or ARN of a secret in AWS Secrets Manager: the DSN, or JSON with a key ``dsn``
``SENTRY_DSN_PARAMETER``  name of a parameter of AWS Systems Manager with the same content
``SENTRY_ENVIRONMENT``    shown by Sentry, ``production`` by default
``SENTRY_FLUSH_TIMEOUT``  how many seconds Sentry may take to answer, 10 by default
``LOG_GROUP``             log group that the tasks' containers write to, needed for links to the log stream
``LOG_STREAM_PREFIX``     ``awslogs-stream-prefix`` of their log driver, needed for these links, too
"""

from __future__ import annotations

import json
import os
from typing import Any

from sentry_event import sentry_event  # beside this file, in the package
from sentry_sdk import Client
from sentry_sdk.transport import HttpTransport

RESERVE = 1.0  # seconds before Lambda's own timeout that are left for it to notice a failure
_clients: list[Client] = []  # at most one, kept for later events


class NotDelivered(Exception):
    """Sentry has not accepted the event."""


class ReportingTransport(HttpTransport):
    """A transport that records why an event was not delivered. The SDK does not expose this."""

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self.reasons: list[str] = []

    def on_dropped_event(self, reason: str) -> None:
        self.reasons.append(reason)


def handler(event: Any, context: Any) -> dict[str, str]:
    """Lambda's entry point. ``event`` is the complete EventBridge event."""
    report = sentry_event(event, os.environ.get("LOG_GROUP", ""), os.environ.get("LOG_STREAM_PREFIX", ""))
    client = _clients[0] if _clients else _new_client()
    _clients[:] = []  # kept only on success: after a failure, the DSN is read and the connection made again
    if client.capture_event(report) is None:
        raise NotDelivered("the SDK dropped the event")
    reasons = client.transport.reasons
    client.flush(timeout=_patience(context))
    # flush does not say whether it finished in time. A second flush calls back if anything is still pending.
    client.flush(timeout=0.2, callback=lambda _pending, _timeout: reasons.append("no answer in time"))
    if reasons:
        client.close(timeout=0)
        raise NotDelivered(f"Sentry did not accept event {report['event_id']}: {', '.join(reasons)}")
    _clients.append(client)
    return {"event_id": report["event_id"]}


def _new_client() -> Client:
    dsn = _dsn()
    try:
        return Client(
            dsn=dsn,
            transport=ReportingTransport,
            environment=os.environ.get("SENTRY_ENVIRONMENT") or "production",
            server_name=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "lambda"),
            default_integrations=False,
            auto_enabling_integrations=False,
            send_client_reports=False,
            send_default_pii=False,
            max_breadcrumbs=0,
        )
    except ValueError:  # its message contains parts of the DSN
        raise ValueError("the DSN is not valid: give one such as https://<key>@<host>/<project>") from None


def _dsn() -> str:
    if dsn := os.environ.get("SENTRY_DSN"):
        return dsn
    if secret := os.environ.get("SENTRY_DSN_SECRET"):
        return _of_json(_aws("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])
    if parameter := os.environ.get("SENTRY_DSN_PARAMETER"):
        return _of_json(_aws("ssm").get_parameter(Name=parameter, WithDecryption=True)["Parameter"]["Value"])
    raise ValueError("no DSN is set: set SENTRY_DSN, SENTRY_DSN_SECRET or SENTRY_DSN_PARAMETER")


def _of_json(text: str) -> str:
    return json.loads(text)["dsn"] if text.lstrip().startswith("{") else text.strip()


def _aws(service: str) -> Any:
    import boto3  # noqa: PLC0415 - of Lambda's runtime, and slow to import where it is not needed

    return boto3.client(service)


def _patience(context: Any) -> float:
    """Return the seconds to wait: the requested time, or less if Lambda would end the function before."""
    wanted = float(os.environ.get("SENTRY_FLUSH_TIMEOUT") or 10)
    left = context.get_remaining_time_in_millis() / 1000 - RESERVE
    return max(0.1, min(wanted, left))
