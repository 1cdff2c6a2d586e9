# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Read and check the parameters with which a task of Amazon ECS is started."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import Refused
from ..limits import check_tags
from ..names import CLUSTER, ECS_NAME, ROLE, TASK_DEFINITION, TASK_DEFINITION_NAME, read_arn_text, read_name_or_arn

MOST_SUBNETS = 16
MOST_SECURITY_GROUPS = 5
MOST_PROVIDERS = 6

_SUBNET = re.compile(r"subnet-[A-Za-z0-9-]+")
_SECURITY_GROUP = re.compile(r"sg-[A-Za-z0-9-]+")


@dataclass(frozen=True)
class Provider:
    """One entry of a capacity provider strategy."""

    name: str
    weight: int = 0
    base: int = 0


@dataclass(frozen=True)
class Network:
    """The network of a task in network mode awsvpc. If ``public`` is None, ECS's default applies."""

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...] = ()
    public: bool | None = None


@dataclass(frozen=True)
class Container:
    """The overrides of one container. None or an empty value keeps what the task definition says."""

    name: str
    command: tuple[str, ...] | None = None
    environment: tuple[tuple[str, str], ...] = ()
    cpu: int | None = None  # CPU units
    memory: int | None = None  # MiB, the hard limit
    memory_reservation: int | None = None  # MiB


@dataclass(frozen=True)
class Launch:
    """The parameters of RunTask. None or an empty value means RunTask's default."""

    cluster: str
    task_definition: str
    launch_type: str | None = None
    strategy: tuple[Provider, ...] = ()
    platform_version: str | None = None
    network: Network | None = None
    containers: tuple[Container, ...] = ()
    cpu: str | None = None  # of the whole task, CPU units
    memory: str | None = None  # of the whole task, MiB
    task_role_arn: str | None = None
    execution_role_arn: str | None = None
    propagate_tags: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    group: str | None = None
    enable_execute_command: bool | None = None
    enable_ecs_managed_tags: bool | None = None


def read_launch(option: str, given: Mapping[str, Any]) -> Launch:
    """Read the option ``option``, a dictionary. Raises ``Refused``."""
    read_name_or_arn(f"{option}.cluster", given["cluster"], ECS_NAME, CLUSTER)
    read_name_or_arn(f"{option}.task_definition", given["task_definition"], TASK_DEFINITION_NAME, TASK_DEFINITION)
    strategy = read_strategy(f"{option}.capacity_provider_strategy", given.get("capacity_provider_strategy"))
    launch_type = given.get("launch_type")
    if strategy and launch_type:
        raise Refused(f"{option}: launch_type and capacity_provider_strategy are mutually exclusive. Omit one of them")
    network = _network(f"{option}.network_configuration", given.get("network_configuration"))
    if launch_type == "FARGATE" and network is None:
        raise Refused(
            f"{option}: network_configuration is required on FARGATE. Give at least network_configuration.subnets"
        )
    if given.get("platform_version") and launch_type in {"EC2", "EXTERNAL"}:
        raise Refused(f"{option}.platform_version is for Fargate only, but launch_type is {launch_type}. Omit it")
    overrides = given.get("overrides") or {}
    task_role, execution_role = (
        read_arn_text(f"{option}.overrides.{name}", overrides.get(name), ROLE)
        for name in ("task_role_arn", "execution_role_arn")
    )
    return Launch(
        cluster=given["cluster"],
        task_definition=given["task_definition"],
        launch_type=launch_type,
        strategy=strategy,
        platform_version=given.get("platform_version"),
        network=network,
        containers=_containers(f"{option}.overrides.containers", overrides.get("containers") or []),
        cpu=_number(f"{option}.overrides.cpu", overrides.get("cpu")),
        memory=_number(f"{option}.overrides.memory", overrides.get("memory")),
        task_role_arn=task_role,
        execution_role_arn=execution_role,
        propagate_tags=bool(given.get("propagate_tags")),
        tags=_tags(f"{option}.tags", given.get("tags") or {}),
        group=given.get("group"),
        enable_execute_command=given.get("enable_execute_command"),
        enable_ecs_managed_tags=given.get("enable_ecs_managed_tags"),
    )


def read_strategy(option: str, given: Sequence[Mapping[str, Any]] | None) -> tuple[Provider, ...]:
    """Return a capacity provider strategy; empty if there is none. Raises ``Refused``."""
    strategy = tuple(
        Provider(each["capacity_provider"], each.get("weight") or 0, each.get("base") or 0) for each in given or []
    )
    names = [each.name for each in strategy]
    if len(strategy) > MOST_PROVIDERS:
        raise Refused(f"{option} has {len(strategy)} capacity providers, but ECS allows {MOST_PROVIDERS}. Give fewer")
    if len(set(names)) < len(names):
        raise Refused(f"{option} names a capacity provider twice. Name each once")
    if len({name in {"FARGATE", "FARGATE_SPOT"} for name in names}) > 1:
        raise Refused(f"{option} mixes Fargate with other capacity providers, which ECS refuses. Choose one kind")
    if any(each.weight < 0 or each.base < 0 for each in strategy):
        raise Refused(f"{option}: weight and base must be 0 or more")
    if len(strategy) > 1 and not any(each.weight for each in strategy):
        raise Refused(f"{option}: at least one weight must be above 0. With all weights 0, no task can be placed")
    if sum(each.base > 0 for each in strategy) > 1:
        raise Refused(f"{option}: only one capacity provider may have a base. Remove it from the others")
    return strategy


def _network(option: str, given: Mapping[str, Any] | None) -> Network | None:
    if given is None:
        return None
    subnets, groups = tuple(given.get("subnets") or ()), tuple(given.get("security_groups") or ())
    for name, values, form, most in (
        ("subnets", subnets, _SUBNET, MOST_SUBNETS),
        ("security_groups", groups, _SECURITY_GROUP, MOST_SECURITY_GROUPS),
    ):
        wrong = [each for each in values if not form.fullmatch(each)]
        if wrong:
            example = "subnet-0a1b2c3d" if name == "subnets" else "sg-0a1b2c3d"
            raise Refused(f"{option}.{name} must be IDs such as {example} (got '{wrong[0]}')")
        if len(values) > most:
            raise Refused(f"{option}.{name} has {len(values)} entries, but ECS allows {most}. Give fewer")
        if len(set(values)) < len(values):
            raise Refused(f"{option}.{name} has an entry twice. Give each once")
    if not subnets:
        raise Refused(f"{option}.subnets is empty. Give at least one subnet")
    return Network(subnets, groups, given.get("assign_public_ip"))


def _containers(option: str, given: Sequence[Mapping[str, Any]]) -> tuple[Container, ...]:
    names = [each["name"] for each in given]
    if len(set(names)) < len(names):
        raise Refused(f"{option} has a container twice. Put all its overrides into one entry")
    return tuple(
        Container(
            name=each["name"],
            command=None if each.get("command") is None else tuple(each["command"]),
            environment=tuple((name, _text(value)) for name, value in sorted((each.get("environment") or {}).items())),
            cpu=each.get("cpu"),
            memory=each.get("memory"),
            memory_reservation=each.get("memory_reservation"),
        )
        for each in given
    )


def _text(value: Any) -> str:
    """Return the value as a shell would write it: YAML's true is ``true``, not Python's ``True``."""
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _number(option: str, text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"[1-9][0-9]*", str(text)):
        raise Refused(f"{option} must be a number of CPU units or MiB, such as 1024 (got '{text}')")
    return None if text is None else str(text)


def _tags(option: str, given: Mapping[str, Any]) -> dict[str, str]:
    check_tags(option, given)
    return {str(key): _text(value) for key, value in given.items()}
