# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS's wire formats: parse requests, and write answers and errors."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from .model.state import SandboxError

READS = (
    "Describe",
    "List",
    "Get",
    "Lookup",
    "Head",
    "Search",
    "Batch",
    "Test",
    "Filter",
    "Validate",
    "Simulate",
    "Assume",
    "Receive",
    "Check",
)


@dataclass
class Call:
    """One request. ``protocol``: json (awsJson1.1), query, ec2, xml (S3) or rest (JSON bodies and paths)."""

    service: str  # as in an IAM action: ecs, application-autoscaling, elasticloadbalancing
    operation: str
    region: str
    protocol: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    body: bytes = b""
    agent: str = ""
    access_key: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)  # of the request, names in lower case
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def write(self) -> bool:
        if self.protocol in ("rest", "xml"):
            # VPC Lattice's ListTargets is a POST, because it takes a list of targets.
            return not self.operation.startswith(("GET ", "HEAD ")) and not self.operation.endswith("/listtargets")
        return not self.operation.startswith(READS)


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: list[bytes]
    outcome: str = "ok"  # for the journal


def read(environ: dict[str, Any], default_region: str) -> Call:
    """Parse a signed request into a Call. The body stays in ``environ`` for moto."""
    length = environ.get("CONTENT_LENGTH") or 0
    chunked = environ.get("wsgi.input_terminated")
    body = environ["wsgi.input"].read() if chunked else environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = io.BytesIO(body)
    service, region, key = scope(environ.get("HTTP_AUTHORIZATION", ""))
    region, agent = region or default_region, environ.get("HTTP_USER_AGENT", "")
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        parameters = json.loads(body or b"{}") if body[:1] in (b"{", b"") else {}
        return Call(service, target.rsplit(".", 1)[-1], region, "json", parameters, body, agent, key)
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        if "Action" in form:
            kind = "ec2" if service == "ec2" else "query"
            return Call(service, form.pop("Action"), region, kind, form, body, agent, key)
    operation = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
    if service == "s3":
        return Call(service, operation, region, "xml", {}, body, agent, key)
    headers = {name[5:].replace("_", "-").lower(): each for name, each in environ.items() if name.startswith("HTTP_")}
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    return Call(service, operation, region, "rest", rest_parameters(body), body, agent, key, headers, query)


def rest_parameters(body: bytes) -> dict[str, Any]:
    """Return the parameters in the body."""
    try:
        value = json.loads(body) if body[:1] == b"{" else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def scope(authorization: str) -> tuple[str, str, str]:
    """Return service, region, access key of a signature: Credential=<key>/<day>/<region>/<service>/aws4_request."""
    parts = authorization.partition("Credential=")[2].partition(",")[0].split("/")
    return (parts[3], parts[2], parts[0]) if len(parts) >= 5 else ("", "", "")


def answer(call: Call, value: Any) -> Answer:
    """Return a dictionary as JSON, or wrap the XML that a query operation has already written."""
    if call.protocol == "json":
        return Answer(200, [("Content-Type", "application/x-amz-json-1.1")], [json.dumps(value).encode()])
    text = (
        f'<{call.operation}Response xmlns="http://{call.service}.amazonaws.com/doc/">'
        f"<{call.operation}Result>{value}</{call.operation}Result>"
        f"<ResponseMetadata><RequestId>sandbox</RequestId></ResponseMetadata></{call.operation}Response>"
    )
    return Answer(200, [("Content-Type", "text/xml")], [text.encode()])


def error(call: Call, problem: SandboxError) -> Answer:
    code, message = problem.code, problem.message
    kind = "application/x-amz-json-1.1"
    if call.protocol in ("json", "rest"):
        text = json.dumps({"__type": code, "message": message, "Message": message})
    elif call.protocol == "xml":
        kind, text = "application/xml", f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    else:
        inner = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        kind = "text/xml"
        text = f"<ErrorResponse>{inner}<RequestId>sandbox</RequestId></ErrorResponse>"
        if call.protocol == "ec2":
            text = f"<Response><Errors>{inner}</Errors><RequestID>sandbox</RequestID></Response>"
    headers = [("Content-Type", kind), ("x-amzn-ErrorType", code)]
    return Answer(problem.status, headers, [text.encode()], outcome=code)


def http_date(instant: float) -> str:
    return formatdate(instant, usegmt=True)
