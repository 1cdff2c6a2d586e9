# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Lists that AWS returns in pages, and lists that must be sent in parts.

boto3's paginators are not used: a paginator ends when a call fails, so a single page could not be retried.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..._amazon import aws_call

Ask = Callable[..., tuple[list[Any], Mapping[str, Any]]]


def pages(action: str, expected: str | None = None, key: str = "NextToken") -> Callable[[Ask], Callable[..., Any]]:
    """Decorate a function that asks AWS for one page, so that it returns the items of all pages.

    ``action`` and ``expected`` are those of ``aws_call``. Each page is a separate call, and the result is None if any
    of them ends with an ``expected`` error. The function takes the key of its page as a keyword argument, which the
    first call omits. It returns the items, and the response that may hold the key of the next page.
    """

    def decorate(ask: Ask) -> Callable[..., Any]:
        ask_page = aws_call(action, expected)(ask)

        @functools.wraps(ask)
        def ask_all(*args: Any) -> list[Any] | None:
            items: list[Any] = []
            page: dict[str, Any] = {}
            while found := ask_page(*args, **page):
                items += found[0]
                if not found[1].get(key):
                    return items
                page = {key: found[1][key]}
            return None

        return ask_all

    return decorate


def hundreds(items: Iterable[Any]) -> Iterator[list[Any]]:
    """Split the items into lists of at most a hundred, the limit of most calls."""
    every = list(items)
    for first in range(0, len(every), 100):
        yield every[first : first + 100]
