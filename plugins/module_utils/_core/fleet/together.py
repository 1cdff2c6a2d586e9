# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Combines reads for many services into few calls.

The engine announces what it is about to read and pauses for 0 seconds (``Self.meets``). When every service whose turn
it is has done so, the reads are made in as few calls as AWS allows, and each service gets its own answer or its own
error. So an answer is never older than the moment at which the service asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from ..errors import CallFailed, Refused
from ..recycle.model import Scaling, Service, Task
from ..recycle.world import World

W = TypeVar("W", bound=World)
W_contra = TypeVar("W_contra", bound=World, contravariant=True)
T = TypeVar("T")


class Bulk(Protocol[W_contra]):
    """Reads for several services at once. Each method returns, in order, what it found for each service, or the error
    for that service. It may raise ``CallFailed`` or ``Refused``, which then applies to all services."""

    def describe_services(self, worlds: Sequence[W_contra]) -> Sequence[Service | Exception | None]:
        """Like ``World.describe_service``."""

    def describe_tasks(self, asked: Sequence[tuple[W_contra, Sequence[str]]]) -> Sequence[list[Task] | Exception]:
        """Like ``World.describe_tasks``, with the ARNs for each service."""

    def protected_until(
        self, asked: Sequence[tuple[W_contra, Sequence[str]]]
    ) -> Sequence[Mapping[str, float] | Exception]:
        """Like ``World.protected_until``, with the ARNs for each service."""

    def scaling(self, worlds: Sequence[W_contra]) -> Sequence[Scaling | Exception | None]:
        """Like ``World.scaling``."""


class Member(Generic[W]):
    """A ``World`` that uses the answers to combined reads, and makes a call itself if there is no such answer."""

    def __init__(self, world: W) -> None:
        self.world = world
        self.asks: tuple[str, tuple[Any, ...]] | None = None
        self.answer: Any = None
        self.answered = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.world, name)

    def meets(self, operation: str, arguments: tuple[Any, ...]) -> bool:
        """Note that the engine is about to make this call. Return whether the engine must wait for the answer."""
        if operation not in TOGETHER:
            return False
        self.asks, self.answered = (operation, tuple(_listed(each) for each in arguments)), False
        return True

    def describe_service(self) -> Service | None:
        return self._take("describe_service", (), self.world.describe_service)

    def describe_tasks(self, arns: Iterable[str]) -> list[Task]:
        names = list(arns)
        return self._take("describe_tasks", (names,), lambda: self.world.describe_tasks(names))

    def protected_until(self, arns: Iterable[str]) -> Mapping[str, float]:
        names = list(arns)
        return self._take("protected_until", (names,), lambda: self.world.protected_until(names))

    def scaling(self) -> Scaling | None:
        return self._take("scaling", (), self.world.scaling)

    def _take(self, operation: str, arguments: tuple[Any, ...], ask: Callable[[], T]) -> T:
        asks, answer, answered = self.asks, self.answer, self.answered
        self.asks, self.answer, self.answered = None, None, False  # an answer is used only once
        if not answered or asks != (operation, arguments):
            return ask()
        if isinstance(answer, Exception):  # which several members may get
            raise answer.with_traceback(None)
        found: T = answer
        return found


def _listed(argument: Any) -> Any:
    return argument if isinstance(argument, str) else list(argument)


TOGETHER = ("describe_service", "describe_tasks", "protected_until", "scaling")


def ask_together(members: Iterable[Member[W]], bulk: Bulk[W]) -> None:
    """Make the reads that the members have announced."""
    asking: dict[str, list[Member[W]]] = {operation: [] for operation in TOGETHER}
    for member in members:
        if member.asks is not None and not member.answered:
            asking[member.asks[0]].append(member)
    _answer(asking["describe_service"], lambda some: bulk.describe_services([each.world for each in some]))
    _answer(asking["describe_tasks"], lambda some: bulk.describe_tasks([(each.world, _names(each)) for each in some]))
    _answer(asking["protected_until"], lambda some: bulk.protected_until([(e.world, _names(e)) for e in some]))
    _answer(asking["scaling"], lambda some: bulk.scaling([each.world for each in some]))


def _names(member: Member[W]) -> list[str]:
    _operation, arguments = member.asks or ("", ([],))
    names: list[str] = arguments[0]
    return names


def _answer(asking: Sequence[Member[W]], ask: Callable[[Sequence[Member[W]]], Sequence[Any]]) -> None:
    if not asking:
        return
    answers: Sequence[Any]
    try:
        answers = ask(asking)
    except (CallFailed, Refused) as error:
        answers = [error] * len(asking)
    for member, answer in zip(asking, answers, strict=True):
        member.answer, member.answered = answer, True
