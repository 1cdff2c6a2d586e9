# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check whether a policy document allows an action of an AWS service. Nothing outside the document counts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

Context = Mapping[str, str]  # the condition keys that the calling service sends, in lower case


def why_not(policy: Any, principal: str | None, action: str, resource: str | None, context: Context) -> str | None:
    """Return None if the policy allows the action, else the reason why it does not.

    ``principal`` is None for an identity's policy, ``resource`` for a trust policy.
    """
    document = json.loads(policy) if isinstance(policy, str) else policy
    statements = as_list((document or {}).get("Statement"))
    near: list[str] = []
    allowed = False
    for statement in statements:
        name = statement.get("Sid") or "without a Sid"
        if principal is not None and not names(statement, principal):
            continue
        if not applies(statement, "Action", action, ignore_case=True):
            continue
        if resource is not None and not applies(statement, "Resource", resource):
            continue
        failed = unmet(statement.get("Condition") or {}, context)
        if failed:
            near.append(f"statement {name} has the condition {failed}")
        elif statement.get("Effect") == "Deny":
            return f"statement {name} denies {action}"
        else:
            allowed = True
    if allowed:
        return None
    who = f" for {principal}" if principal else ""
    where = f" on {resource}" if resource else ""
    return "; ".join(near) or f"no statement{who} allows {action}{where}"


def names(statement: dict[str, Any], principal: str) -> bool:
    """Return whether a statement names a principal. ``*`` and ``{"AWS": "*"}`` include AWS services."""
    given = statement.get("Principal")
    if given == "*":
        return True
    given = given if isinstance(given, dict) else {}
    return principal in as_list(given.get("Service")) or "*" in as_list(given.get("AWS"))


def applies(statement: dict[str, Any], element: str, value: str, ignore_case: bool = False) -> bool:
    if f"Not{element}" in statement:
        return not any(like(each, value, ignore_case) for each in as_list(statement[f"Not{element}"]))
    return any(like(each, value, ignore_case) for each in as_list(statement.get(element)))


def like(pattern: str, value: str, ignore_case: bool = False) -> bool:
    text = "".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in re.split(r"([*?])", str(pattern)))
    return re.fullmatch(text, value, re.IGNORECASE | re.DOTALL if ignore_case else re.DOTALL) is not None


def arn_like(pattern: str, value: str) -> bool:
    """Match the six parts of an ARN one by one, so that a star does not match across a colon."""
    wanted, given = str(pattern).split(":", 5), value.split(":", 5)
    return len(wanted) == len(given) and all(map(like, wanted, given))


COMPARISONS = {
    "StringEquals": lambda wanted, given: wanted == given,
    "StringEqualsIgnoreCase": lambda wanted, given: wanted.lower() == given.lower(),
    "StringLike": like,
    "ArnEquals": arn_like,
    "ArnLike": arn_like,
    "Bool": lambda wanted, given: str(wanted).lower() == given.lower(),
}


def unmet(condition: dict[str, Any], context: Context) -> str | None:
    """Return the first part of a Condition that does not hold, in words, or None."""
    for operator, wanted in condition.items():
        for key, values in wanted.items():
            if not holds(operator, as_list(values), context.get(key.lower())):
                given = context.get(key.lower())
                told = f"is {given}" if given is not None else "is not sent"
                return f"{operator} {key} {json.dumps(values)}, and {key} {told}"
    return None


def holds(operator: str, wanted: list[Any], given: str | None) -> bool:
    if operator == "Null":
        return (given is None) == (str(wanted[0]).lower() == "true")
    optional = operator.endswith("IfExists")
    operator = operator.removesuffix("IfExists")
    negated = "Not" in operator
    compare = COMPARISONS.get(operator.replace("Not", ""))
    if compare is None:
        return False  # an operator that the sandbox does not know allows nothing
    if given is None:
        return optional or negated
    return any(compare(each, given) for each in wanted) != negated


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
