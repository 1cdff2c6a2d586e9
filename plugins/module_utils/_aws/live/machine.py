# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Bring a state machine into its wanted state: the calls in order, and the waits between them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Mapping
from typing import Any

from ..._core.arns import Arn, parse_arn
from ..._core.change import Change, tag_writes
from ..._core.errors import Refused
from ..._core.states.machine import WantedMachine
from ..._core.waiting import Patience
from ..calls import identity, stepfunctions
from .waits import GONE, Wait, Writes, settled, when_role_is_ready

TEN_SECONDS = (2.0,) * 5  # pauses between looks; a read may lag behind our write for this long
DELETED = Wait(
    settled={GONE},
    still="{arn} is still being deleted, because Step Functions waits for its executions to end,",
)


class LiveMachine:
    """The current state of one state machine, and the writes to it."""

    def __init__(self, client: Callable[[str], Any], wanted: WantedMachine, patience: Patience) -> None:
        self.states = client("stepfunctions")
        self.patience = patience
        known = wanted.known or parse_arn(identity.caller(client("sts"))) or _nobody()
        self.arn = wanted.arn(known, self.states.meta.region_name)
        found = stepfunctions.describe(self.states, self.arn)
        self.deleting = found is not None and found.state == "DELETING"
        self.machine: dict[str, Any] | None = None
        if found and not self.deleting:
            self.machine = {**found.machine, "tags": stepfunctions.tags(self.states, self.arn)}

    def check(self, change: Change) -> list[str]:
        """Let AWS validate a definition before it is written. Return the warnings; raise ``Refused`` for an error."""
        if change.after is None or not change.differs("definition"):
            return []
        errors, warnings = stepfunctions.validate(self.states, change.after["definition"], change.after["type"])
        if errors:
            raise Refused(f"AWS reports an error in the definition: {errors[0]}. Correct it")
        return [f"The definition, as AWS finds: {each}" for each in warnings]

    def write(self, change: Change) -> Writes:
        if change.after is None:
            stepfunctions.delete(self.states, self.arn)
            yield "began to delete the state machine"
            if self.patience.wait:
                yield from self._until_gone()
            return None
        machine = change.after
        if change.before is None:
            if self.deleting:
                yield from self._until_gone()
            yield from when_role_is_ready(lambda: stepfunctions.create(self.states, machine))
            yield "created the state machine"
        else:
            keys = [key for key in ("role_arn", "definition", "logging", "tracing") if change.differs(key)]
            if keys:
                yield from when_role_is_ready(lambda: stepfunctions.update(self.states, machine, keys))
                yield f"updated {', '.join(keys)}"
            to_set, to_remove = tag_writes(change.before["tags"], machine["tags"])
            if to_set:
                stepfunctions.tag(self.states, self.arn, to_set)
                yield "set tags"
            if to_remove:
                stepfunctions.untag(self.states, self.arn, to_remove)
                yield "removed tags"
        yield from self._until_shown(machine)
        return None

    def _until_shown(self, machine: Mapping[str, Any]) -> Generator[float, None, None]:
        """Wait until reads show the write. They lag behind, and a second run must find nothing to do."""
        for pause in TEN_SECONDS:
            found = stepfunctions.describe(self.states, self.arn)
            if found and all(machine[key] == value for key, value in found.machine.items()):
                return
            yield pause

    def _until_gone(self) -> Generator[float, None, object]:
        look = functools.partial(stepfunctions.describe, self.states, self.arn)
        return settled(look, DELETED, self.patience, arn=self.arn)


def _nobody() -> Arn:
    raise Refused("AWS does not return the account of these credentials. Give the ARN of the state machine as name")
