# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Read the wanted state machine, and plan the changes that lead to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..arns import Arn, parse_arn
from ..change import Change, wanted_tags
from ..errors import Refused
from ..json_text import read_json
from ..names import (
    LOG_GROUP,
    ROLE,
    STATE_MACHINE_NAME,
    UNQUALIFIED_STATE_MACHINE,
    read_arn,
    read_arn_text,
    read_name_or_arn,
)
from .definition import definition
from .job import read_job
from .lint import Findings, lint

LOGGING_OFF = {"level": "OFF", "include_execution_data": False, "log_group_arn": None}


@dataclass(frozen=True)
class WantedMachine:
    """What the user asked for. None keeps the current value; a new state machine gets the default, if there is one."""

    name: str
    present: bool = True
    known: Arn | None = None  # its own ARN or its role's, which gives the account
    type: str | None = None
    role_arn: str | None = None
    definition: Mapping[str, Any] | None = None
    logging: Mapping[str, Any] | None = None
    tracing: bool | None = None
    tags: Mapping[str, Any] | None = None
    purge_tags: bool = True
    warnings: tuple[str, ...] = field(default=())

    def arn(self, identity: Arn, region: str) -> str:
        """Return its ARN. ``identity`` is any ARN of its account. Raises ``Refused`` if that is in another region."""
        if identity.region not in {"", region}:
            raise Refused(f"name is an ARN of {identity.region}, but the module works in {region}. Set region to match")
        return str(Arn(identity.partition, "states", region, identity.account, f"stateMachine:{self.name}"))


def read_machine(params: Mapping[str, Any]) -> WantedMachine:
    """Read the options of the module. Raises ``Refused``."""
    name, known = read_name_or_arn("name", params["name"], STATE_MACHINE_NAME, UNQUALIFIED_STATE_MACHINE)
    if params["state"] == "absent":
        return WantedMachine(name, present=False, known=known)
    role_arn = read_arn_text("role_arn", params.get("role_arn"), ROLE)
    role = parse_arn(role_arn) if role_arn else None
    if role and known and known.account != role.account:
        raise Refused(
            f"role_arn is of account {role.account}, and the state machine of account {known.account}. "
            "Step Functions takes roles of its own account only: give one of those"
        )
    known = known or role
    definition = _definition(params, known.partition if known else "aws")
    findings = lint(definition, params.get("type") == "EXPRESS") if definition is not None else None
    if findings:
        _refuse_errors(findings)
    return WantedMachine(
        name,
        known=known,
        type=params.get("type"),
        role_arn=role_arn,
        definition=definition,
        logging=_logging(params.get("logging")),
        tracing=params.get("tracing"),
        tags=params.get("tags"),
        purge_tags=bool(params.get("purge_tags", True)),
        warnings=tuple(f"The definition: {each}" for each in findings.warnings) if findings else (),
    )


def plan_machine(wanted: WantedMachine, arn: str, current: Mapping[str, Any] | None) -> Change:
    """Return the current and the wanted state machine, both in the shape of the result. Raises ``Refused``."""
    if not wanted.present:
        return Change(current, None)
    if current is None:
        missing = [name for name in ("role_arn", "definition") if getattr(wanted, name) is None]
        if missing:
            give = "job or definition" if missing[0] == "definition" else missing[0]
            raise Refused(f"The state machine {wanted.name} does not exist. Set {give} to create it")
    elif wanted.type and wanted.type != current["type"]:
        raise Refused(
            f"State machine {wanted.name} is of type {current['type']}, which Step Functions cannot change to "
            f"{wanted.type}. Delete it first with state=absent, or choose another name"
        )
    before = current or {"type": "STANDARD", "logging": LOGGING_OFF, "tracing": False, "tags": {}}
    after: dict[str, Any] = {
        "name": wanted.name,
        "arn": arn,
        "type": wanted.type or before["type"],
        "role_arn": wanted.role_arn or before["role_arn"],
        "definition": wanted.definition if wanted.definition is not None else before["definition"],
        "logging": wanted.logging or before["logging"],
        "tracing": before["tracing"] if wanted.tracing is None else wanted.tracing,
        "tags": wanted_tags(before["tags"], wanted.tags, wanted.purge_tags),
    }
    change = Change(current, after)
    if after["type"] == "EXPRESS" and change.differs("definition"):
        _refuse_errors(lint(after["definition"], express=True))
    return change


def _refuse_errors(findings: Findings) -> None:
    if findings.errors:
        raise Refused(f"The definition cannot work: {findings.errors[0]}")


def _definition(params: Mapping[str, Any], partition: str) -> dict[str, Any] | None:
    job, text = params.get("job"), params.get("definition")
    if job is not None:
        if params.get("type") == "EXPRESS":
            raise Refused(
                "type EXPRESS cannot wait for the end of an ECS task, as a job does. Use type STANDARD, or your own"
                " definition"
            )
        return definition(read_job(job), partition)
    if text is None:
        return None
    written = read_json("definition", text)
    if not isinstance(written, dict):
        raise Refused("definition must be a JSON object with StartAt and States")
    return written


def _logging(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if given is None:
        return None
    if given["level"] == "OFF":
        return dict(LOGGING_OFF)
    arn = str(read_arn("logging.log_group_arn", given.get("log_group_arn") or "", LOG_GROUP))
    # Step Functions requires the form that stands for all streams of the group.
    return {
        "level": given["level"],
        "include_execution_data": bool(given.get("include_execution_data")),
        "log_group_arn": arn if arn.endswith(":*") else f"{arn}:*",
    }
