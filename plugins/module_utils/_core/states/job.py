# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The task that a state machine runs: how it is launched, how long it may take, and what happens after a failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..amounts import parse_age
from ..ecs.launch import Launch, Provider, read_launch, read_strategy
from ..errors import Refused
from ..names import STANDARD_TOPIC, read_arn_text
from .backoff import Backoff, read_backoff

LONGEST = 99999999  # seconds, for TimeoutSeconds in the States Language
MOST_JUDGED = 50  # attempts; the definition contains the table of their waits
HIGHEST_EXIT_CODE = 255


@dataclass(frozen=True)
class FailureRule:
    """Which failures of the task itself are retried: all of them, if neither exit codes nor stop codes are given."""

    backoff: Backoff
    exit_codes: tuple[int, ...] = ()
    stop_codes: tuple[str, ...] = ()
    container: str | None = None  # the one whose exit code counts; None: any of them

    @property
    def judged(self) -> bool:
        """Whether the retry depends on how the task ended."""
        return bool(self.exit_codes or self.stop_codes)


@dataclass(frozen=True)
class Job:
    """Everything that the definition of a state machine is made from. Durations are in seconds."""

    launch: Launch
    timeout: int  # of each attempt
    execution_timeout: int | None = None  # of everything together
    comment: str | None = None
    refused: Backoff | None = None  # for launches that ECS throttles, or refuses for lack of capacity
    failed: FailureRule | None = None
    anything: Backoff | None = None  # instead of both: for every error
    rotate_subnets: bool = False
    fallback: tuple[Provider, ...] = ()  # the capacity provider strategy of launches after a refused one
    notify: str | None = None  # ARN of an SNS topic
    concurrency: str = "allow"
    starting_deadline: int | None = None  # from the time of the schedule to the launch
    skipped_topic: str | None = None  # ARN of an SNS topic

    @property
    def exclusive(self) -> bool:
        """Whether at most one execution may run the job at a time."""
        return self.concurrency != "allow"

    @property
    def gated(self) -> bool:
        """Whether anything can keep an execution from starting its job."""
        return self.exclusive or self.starting_deadline is not None


def read_job(given: Mapping[str, Any]) -> Job:
    """Read the option ``job``, a dictionary. Raises ``Refused``."""
    launch = read_launch("job", given)
    timeout = _seconds("job.timeout", given["timeout"])
    whole = None if given.get("execution_timeout") is None else given["execution_timeout"]
    execution_timeout = None if whole is None else _seconds("job.execution_timeout", whole)
    if execution_timeout is not None and execution_timeout <= timeout:
        raise Refused(
            f"job.execution_timeout ({execution_timeout} s) must be above job.timeout ({timeout} s), which applies to"
            " each attempt. Otherwise the execution ends before it can notify anyone. Raise it or omit it"
        )
    anything = None if given.get("retry_any") is None else read_backoff("job.retry_any", given["retry_any"])
    failed = None if given.get("retry_failures") is None else _failure_rule(given["retry_failures"])
    if anything and failed:
        raise Refused("job.retry_any retries every error, so job.retry_failures would have no effect. Omit one of them")
    refused = None if anything else read_backoff("job.retry_launch", given["retry_launch"])
    deadline = given.get("starting_deadline")
    rotate = bool(given.get("rotate_subnets"))
    fallback = read_strategy(
        "job.fallback_capacity_provider_strategy", given.get("fallback_capacity_provider_strategy")
    )
    _check_places(launch, refused, rotate, fallback)
    job = Job(
        launch=launch,
        timeout=timeout,
        execution_timeout=execution_timeout,
        comment=given.get("comment"),
        refused=refused,
        failed=failed,
        anything=anything,
        rotate_subnets=rotate,
        fallback=fallback,
        notify=read_arn_text("job.notify_topic_arn", given.get("notify_topic_arn"), STANDARD_TOPIC),
        concurrency=given.get("concurrency") or "allow",
        starting_deadline=None if deadline is None else _seconds("job.starting_deadline", deadline),
        skipped_topic=read_arn_text("job.skipped_topic_arn", given.get("skipped_topic_arn"), STANDARD_TOPIC),
    )
    if job.skipped_topic and not job.gated:
        raise Refused(
            "`job.skipped_topic_arn` would have no effect, because no start is ever skipped. Set `job.concurrency` to"
            " forbid or "
            "replace, or `job.starting_deadline`, or omit it"
        )
    return job


def _check_places(launch: Launch, refused: Backoff | None, rotate: bool, fallback: tuple[Provider, ...]) -> None:
    """Raise ``Refused`` if options that move later launches to another place would have no effect."""
    moves = [
        option
        for option, given in (("rotate_subnets", rotate), ("fallback_capacity_provider_strategy", fallback))
        if given
    ]
    if not moves:
        return
    if refused is None or not refused.max_attempts:
        why = "job.retry_any tries the same again" if refused is None else "job.retry_launch.max_attempts is 0"
        raise Refused(f"job.{moves[0]} needs a second attempt at launching, and {why}. Give job.retry_launch")
    if refused.max_attempts > MOST_JUDGED:
        raise Refused(f"job.retry_launch.max_attempts: with job.{moves[0]}, {MOST_JUDGED} is the most")
    if rotate and (launch.network is None or len(launch.network.subnets) < 2):
        raise Refused("job.rotate_subnets requires two subnets or more in job.network_configuration")
    if fallback and not launch.strategy:
        raise Refused(
            "job.fallback_capacity_provider_strategy replaces job.capacity_provider_strategy after a refused launch."
            " Set that one as well"
        )
    if fallback == launch.strategy and fallback:
        raise Refused("job.fallback_capacity_provider_strategy must differ from job.capacity_provider_strategy")


def _failure_rule(given: Mapping[str, Any]) -> FailureRule:
    option = "job.retry_failures"
    rule = FailureRule(
        backoff=read_backoff(option, given),
        exit_codes=tuple(dict.fromkeys(given.get("exit_codes") or ())),
        stop_codes=tuple(dict.fromkeys(given.get("stop_codes") or ())),
        container=given.get("container"),
    )
    wrong = [code for code in rule.exit_codes if not 1 <= code <= HIGHEST_EXIT_CODE]
    if wrong:
        raise Refused(
            f"{option}.exit_codes must be exit codes of failures, from 1 to {HIGHEST_EXIT_CODE} (got {wrong[0]})"
        )
    if rule.container and not rule.exit_codes:
        raise Refused(f"{option}.container requires {option}.exit_codes")
    if rule.judged and rule.backoff.max_attempts > MOST_JUDGED:
        raise Refused(f"{option}.max_attempts: with exit_codes or stop_codes, {MOST_JUDGED} is the most")
    if rule.container and "'" in rule.container:
        raise Refused(f"{option}.container: '{rule.container}' is not the name of a container. Remove the apostrophe")
    return rule


def _seconds(option: str, text: object) -> int:
    seconds = parse_age(option, text)
    if seconds < 1 or not float(seconds).is_integer() or seconds > LONGEST:
        raise Refused(
            f"{option} must be whole seconds from 1 to {LONGEST}, or a duration such as 30m or 2h (got {text!r})"
        )
    return int(seconds)
