# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""CloudWatch Logs filter patterns that select refused launches from CloudTrail's records."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ..errors import Refused
from ..limits import check_length

LONGEST = 1024  # characters
MOST_REGEXES = 2  # in one pattern
MOST_REGEXES_OF_GROUP = 5

_REGEX = re.compile(r"%[^%]+%")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')

_CALL = '($.eventSource = "ecs.amazonaws.com") && ($.eventName = "RunTask")'
# CloudWatch Logs has no EXISTS, so this matches any text.
_REFUSED = '($.responseElements.failures[0].reason = "*")'
# The last two can wrap errors of Amazon EC2 and others, so the function reads their messages.
_TRANSIENT = " || ".join(
    f'($.errorCode = "{code}")'
    for code in ("Throttling*", "ServerException", "ClientException", "InvalidParameterException")
)
_DENIED = '($.errorCode = "AccessDenied*")'
_CLUSTER, _FAMILY = "$.requestParameters.cluster", "$.requestParameters.taskDefinition"
_REGION = "$.awsRegion"
_ROLE = "$.userIdentity.sessionContext.sessionIssuer.arn"


def refused_launches(
    clusters: Sequence[str] = (),
    families: Sequence[str] = (),
    transient_errors_only: bool = True,
    exclude_role_arns: Sequence[str] = (),
    regions: Sequence[str] = (),
) -> str:
    """Return the pattern for RunTask calls that were refused completely or in part.

    ``clusters`` are names. With ``transient_errors_only``, calls that returned an error match only if the error may be
    transient. Without it, a denied call matches for every cluster, since its record has no request parameters. Raises
    ``Refused`` if the pattern is too long.
    """
    failed = f"{_REFUSED} || {_TRANSIENT}" if transient_errors_only else f'{_REFUSED} || ($.errorCode = "*")'
    scope = [*_one_of(_CLUSTER, clusters, _cluster_forms), *_one_of(_FAMILY, families, _family_forms)]
    if scope and not transient_errors_only:
        scope = [f"({_DENIED} || ({' && '.join(scope)}))"]
    where = _one_of(_REGION, regions, lambda name: [f'= "{name}"'])
    # AWS does not document how != treats a missing field.
    others = [f'(({_ROLE} NOT EXISTS) || ({_ROLE} != "{arn}"))' for arn in exclude_role_arns]
    pattern = f"{{ {' && '.join([_CALL, *where, f'({failed})', *scope, *others])} }}"
    if len(pattern) > LONGEST:
        raise Refused(
            f"The filter pattern would have {len(pattern)} characters, but CloudWatch Logs allows {LONGEST}. Give"
            " fewer "
            "clusters, task_families or exclude_role_arns, or write filter_pattern yourself, with wildcards"
        )
    return pattern


def _one_of(field: str, names: Sequence[str], forms: Callable[[str], list[str]]) -> list[str]:
    if not names:
        return []
    return [f"({' || '.join(f'({field} {form})' for name in names for form in forms(name))})"]


def _cluster_forms(name: str) -> list[str]:
    return [f'= "{name}"', f'= "*:cluster/{name}"', *(["NOT EXISTS"] if name == "default" else [])]


def _family_forms(name: str) -> list[str]:
    return [f'= "{name}"', f'= "{name}:*"', f'= "*/{name}"', f'= "*/{name}:*"']


def regexes_in(pattern: str) -> int:
    """Return the number of regular expressions in a pattern. Quoted text does not count."""
    return len(_REGEX.findall(_QUOTED.sub("", pattern)))


def check_pattern(pattern: str) -> str:
    """Check and return a user's pattern. Raises ``Refused`` for known reasons why CloudWatch Logs would refuse it."""
    text = pattern.strip()
    check_length("filter_pattern", text, LONGEST)
    count = regexes_in(text)
    if count > MOST_REGEXES:
        raise Refused(
            f"filter_pattern has {count} regular expressions, but CloudWatch Logs allows {MOST_REGEXES} in one"
            " pattern. "
            'Use wildcards, as in = "prod-*", for the others'
        )
    if text.startswith("{") != text.endswith("}"):
        raise Refused("filter_pattern is a JSON pattern with an unmatched brace. Write it as { ($.eventName = ...) }")
    bare = _QUOTED.sub("", text)
    if '"' in bare:
        raise Refused("filter_pattern has an unmatched quotation mark")
    if text.startswith("{") and bare.count("(") != bare.count(")"):
        raise Refused("filter_pattern has an unmatched parenthesis")
    if re.search(r"(?<!NOT )\bEXISTS\b", bare):
        raise Refused(
            'filter_pattern: EXISTS is not supported, only NOT EXISTS. To require a field, write $.field = "*"'
        )
    return pattern


def check_regexes_of_group(pattern: str, others: Sequence[str]) -> None:
    """Raise ``Refused`` if the known patterns of a log group would have more regular expressions than allowed."""
    count = regexes_in(pattern) + sum(map(regexes_in, others))
    if regexes_in(pattern) and count > MOST_REGEXES_OF_GROUP:
        raise Refused(
            f"The filters of the log group would have {count} regular expressions, but CloudWatch Logs allows"
            f" {MOST_REGEXES_OF_GROUP}. Use wildcards in filter_pattern"
        )
