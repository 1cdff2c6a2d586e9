# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Lists that AWS answers in pages, and lists that it takes in parts.

boto3's paginators are not used: one whose call fails is at its end, so a single page could not be retried.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..._amazon import aws_call

Ask = Callable[..., tuple[list[Any], Mapping[str, Any]]]


def pages(action: str, expected: str | None = None, key: str = "NextToken") -> Callable[[Ask], Callable[..., Any]]:
    """Decorate a function that asks AWS for one page, so that it returns the items of all pages.

    ``action`` and ``expected`` are those of ``aws_call``: each page is a call of its own, and the result is None
    when AWS answers one as ``expected``. The function takes the key to its page as a keyword argument, which the
    first call omits. It returns the items, and the answer that may hold the key to the next page.
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
    """The items in lists of at most a hundred, which is what most calls take."""
    every = list(items)
    for first in range(0, len(every), 100):
        yield every[first : first + 100]
