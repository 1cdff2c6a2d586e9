# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Meanings of AWS's error codes: whether to retry, and what a user can do.

The codes are those of AWS's responses, or the names of botocore's exceptions if there was no response.
"""

from __future__ import annotations

import re
from http import HTTPStatus

THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)

# Includes codes for a concurrent change of the same resource: a retry a moment later succeeds.
PASSING = frozenset(
    {
        "ConcurrentModificationException",
        "ConcurrentUpdateException",
        "HealthUnavailable",
        "InternalError",
        "InternalException",
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "InternalServiceError",
        "InternalServiceException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServerException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "TransactionInProgressException",
        "Unavailable",
        "UpdateInProgressException",
    }
)

_DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "NotAuthorized", "UnauthorizedOperation"}
_ADVICE: tuple[tuple[set[str], str], ...] = (
    (
        {
            "ExpiredToken",
            "ExpiredTokenException",
            "SSOTokenLoadError",
            "TokenRetrievalError",
            "UnauthorizedSSOTokenError",
        },
        "The credentials have expired. Get new ones and run the task again",
    ),
    (
        {"RequestExpired", "RequestTimeTooSkewed"},
        "Set the clock of the machine that runs the module and run the task again",
    ),
    (
        {"CredentialRetrievalError", "NoAuthTokenError", "NoCredentialsError", "PartialCredentialsError"},
        "Give a profile, or access_key and secret_key, or run where a role provides credentials",
    ),
    (
        {
            "AuthFailure",
            "IncompleteSignature",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "MissingAuthenticationToken",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        },
        "Check profile or access_key, secret_key and session_token, and the clock of the machine that runs the module",
    ),
    (
        {"ClusterNotFoundException", "ServiceNotActiveException", "ServiceNotFoundException"},
        "Check cluster, service, region and the account that the credentials belong to",
    ),
    (
        {
            "ConnectTimeoutError",
            "ConnectionClosedError",
            "EndpointConnectionError",
            "HTTPClientError",
            "ProxyConnectionError",
            "ReadTimeoutError",
            "ResponseParserError",
            "UnexpectedAnswer",
        },
        "Check the network, region and endpoint_url and run the task again",
    ),
    ({"SSLError"}, "Check aws_ca_bundle, validate_certs and endpoint_url"),
)

# Source: IAM User Guide, "Troubleshoot access denied error messages"; the kind of policy is not always named.
_EXPLICIT_DENY = re.compile(r"explicit deny(?: in (an? [a-z -]+ policy|a permissions boundary))?", re.IGNORECASE)
# Source: AWS Organizations User Guide, "Tag policies": "The tag policy does not allow the specified value".
_TAG_POLICY = re.compile(r"\btag policy\b", re.IGNORECASE)


def kind_of(code: str, message: str = "", status: int = 0) -> str:
    """Return ``throttled``, ``passing`` or ``final``, as in ``CallFailed``. ``status`` is HTTP's, 0 if unknown."""
    if code in THROTTLED or status == HTTPStatus.TOO_MANY_REQUESTS or "rate exceeded" in message.lower():
        return "throttled"
    if status == HTTPStatus.NOT_IMPLEMENTED:  # this endpoint does not support the call and never will
        return "final"
    if code in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "passing"
    return "final"


def is_denied(code: str) -> bool:
    """Return whether the code says that the credentials lack a permission."""
    return code in _DENIED


def advice(action: str, code: str, message: str, kind: str) -> str:
    """Return what the user can do, without a full stop; empty if AWS's own message must suffice.

    ``action`` is the call as IAM names it, such as ``ecs:StopTask``.
    """
    if code in _DENIED:
        # Prefer the permission that AWS names: some calls need the permission for another call.
        named = re.search(r"perform:? ([a-z0-9-]+:[A-Za-z0-9]+)", message)
        missing = named[1] if named else action
        denied = _EXPLICIT_DENY.search(message)
        if denied:
            where = denied[1] or "a policy"
            return f"An explicit deny in {where} forbids {missing}, and overrides every Allow. Change that policy"
        return f"Allow {missing} to these credentials and run the task again"
    if _TAG_POLICY.search(message):
        return "A tag policy of the organization refuses this tag. Allow it in that policy"
    if code.isdecimal():  # the HTTP status, because there is no code
        return "This does not seem to come from AWS. Check the network, region and endpoint_url"
    for codes, words in _ADVICE:
        if code in codes:
            return words
    if kind == "throttled":
        return "AWS throttles the calls. Run the task again a little later"
    if kind == "passing":
        return "This is transient. Run the task again"
    return ""
