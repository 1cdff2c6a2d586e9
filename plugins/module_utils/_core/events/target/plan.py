# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Plan the changes of a target and of the resource policies that it needs, or refuse them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...arns import Arn, parse_arn
from ...change import Change
from ...errors import Refused
from ...limits import DELIVERY_DEFAULTS
from ..rule import Rule
from .kinds import SERVICES_WITH_POLICIES, is_fifo
from .messages.fields import event_kind_of
from .messages.subject import subject_of
from .options import WantedTarget
from .policy_document import find_statement, read_policy_document
from .statements import same_statement, sid_of, statement_for

MOST_TARGETS = 5
# A queue's policy has room for twenty statements, so all targets of a rule share one statement in the policy of their
# dead-letter queue. No target can have this id, because it contains a space.
DEAD_LETTERS = "dead letters"


@dataclass(frozen=True)
class Place:
    """A topic, queue, function or log group that a target reaches, or reached, as AWS returns it.

    ``policy_document`` is JSON, or None if there is no policy. ``revision`` is the version of the policy, for services
    that ask for it. ``key`` is the KMS key that encrypts the resource. ``deduplicates``: whether a FIFO queue has
    content-based deduplication.
    """

    arn: Arn
    exists: bool = True
    policy_document: str | None = None
    revision: str | None = None
    key: str | None = None
    deduplicates: bool = False


@dataclass(frozen=True)
class Found:
    """What was found. ``target`` has the shape of ``WantedTarget.facts``; None if the rule has no target of that id.
    ``others``: how many other targets; ``dead_letters``: their dead-letter queues; ``rule``: None if not looked up."""

    target: Mapping[str, Any] | None = None
    others: int = 0
    dead_letters: frozenset[str] = frozenset()
    rule: Rule | None = None
    rule_exists: bool = True
    places: Mapping[str, Place] = field(default_factory=dict)


def needs_rule(wanted: WantedTarget, target: Mapping[str, Any] | None) -> bool:
    """Return whether the plan depends on more than the existence of the rule: for a target that is new or moves,
    whether the rule can reach it at all; for a message, which events it will be about. Otherwise one call is saved."""
    if not wanted.present:
        return False
    moves = target is None or target["arn"] != str(wanted.arn)
    return moves or (wanted.message is not None and wanted.event_kind is None)


def check_rule(wanted: WantedTarget, found: Found, region: str) -> None:
    """Raise ``Refused`` if the rule cannot have the target."""
    if not wanted.present or wanted.arn is None:
        return
    if wanted.arn.region != region and not (wanted.kind and wanted.kind.name == "event_bus"):
        raise Refused(
            f"arn: {wanted.arn} is in {wanted.arn.region}, and the rule is in {region}. EventBridge reaches other "
            "regions only through an event bus there. Send to one, or run the task in the region of the target"
        )
    dead_letter = wanted.dead_letter_arn
    if dead_letter is not None and dead_letter.region != region:
        raise Refused(
            f"dead_letter_arn: {dead_letter} is in {dead_letter.region}, and the rule is in {region}. Give a queue in "
            "the region of the rule"
        )
    if found.target is None and found.others >= MOST_TARGETS:
        raise Refused(
            f"The {wanted.rule} has {found.others} targets already, and EventBridge takes {MOST_TARGETS}. Remove one, "
            "or send to a topic that passes the events on"
        )
    if found.rule is not None:
        _check_facts(wanted, found.rule)


def _check_facts(wanted: WantedTarget, rule: Rule) -> None:
    if rule.managed_by:
        raise Refused(
            f"The {wanted.rule} is managed by {rule.managed_by}, which alone may give it targets. "
            "Make a rule of your own"
        )
    ours = parse_arn(rule.arn)
    if ours is None or wanted.arn is None:
        return
    if wanted.role is not None and wanted.role.account != ours.account:
        raise Refused(
            f"role_arn: {wanted.role} is of account {wanted.role.account}, and the rule is of account {ours.account}. "
            "EventBridge takes only roles of the rule's account: give one"
        )
    if wanted.arn.account != ours.account:
        if wanted.role is None:
            raise Refused(
                f"arn: {wanted.arn} is of account {wanted.arn.account}, and the rule is of account {ours.account}. "
                "EventBridge reaches other accounts only by a role: give role_arn, and let that role in over there"
            )
        _check_bus_of_another_account(wanted)


def _check_bus_of_another_account(wanted: WantedTarget) -> None:
    facts = wanted.facts or {}
    given = [option for option in ("input", "input_path", "input_transformer") if facts.get(option)]
    if wanted.kind and wanted.kind.name == "event_bus" and given:
        raise Refused(f"{given[0]}: an event bus of another account receives events unchanged. Omit {given[0]}")


def rule_arn(wanted: WantedTarget, region: str, target: Mapping[str, Any] | None = None) -> str | None:
    """Return the ARN of the rule, for the statements. The rule need not be looked up, because a resource that allows
    the rule by its policy is in the same account, and so is a role."""
    of_target = parse_arn(str(target["arn"])) if target else None
    of_role = parse_arn(str(target["role_arn"])) if target and target["role_arn"] else None
    for arn in (wanted.role, of_role, wanted.arn, of_target, wanted.dead_letter_arn):
        if arn is not None:
            return wanted.rule.arn(arn.partition, region, arn.account)
    return None


@dataclass(frozen=True)
class Entry:
    """The statement that the policy of ``place`` must have under our ``sid``; None if it must have none."""

    place: str
    sid: str
    statement: Mapping[str, Any] | None = None


def entries(wanted: WantedTarget, found: Found, rule: str | None) -> list[Entry]:
    """Return our entries in the policies of all places that the target reaches or reached.

    Places in other accounts or regions are omitted. Another account lets roles in, and nobody can change its policies
    from here. A dead-letter queue that this target no longer uses is omitted while another target of the rule has it.
    """
    ours = parse_arn(rule) if rule else None
    if ours is None or rule is None:
        return []
    keeps = wanted.present and wanted.resource_policy
    kept: dict[tuple[str, str], Entry] = {}
    for key, whose in (("arn", wanted.id), ("dead_letter_arn", DEAD_LETTERS)):
        wants = keeps and (key != "arn" or not wanted.role)
        for arn in (str(found.target[key]) if found.target and found.target[key] else None, getattr(wanted, key)):
            place = parse_arn(str(arn)) if arn else None
            if place is None or place.service not in SERVICES_WITH_POLICIES:
                continue
            if (place.account, place.region) != (ours.account, ours.region):
                continue
            stays = wants and place == getattr(wanted, key)
            if whose == DEAD_LETTERS and not stays and str(place) in found.dead_letters:
                continue
            statement = statement_for(place, rule, whose) if stays else None
            kept[str(place), whose] = Entry(str(place), sid_of(rule, whose), statement)
    return list(kept.values())


def plan_target(wanted: WantedTarget, found: Found, rule: str | None) -> Change:
    """Return both sides: the target with its own statements. Raises ``Refused``."""
    standing: list[dict[str, Any]] = []
    coming: list[dict[str, Any]] = []
    for entry in entries(wanted, found, rule):
        arn, statement = entry.place, entry.statement
        place = found.places.get(arn)
        if place is None:
            continue
        stands = find_statement(read_policy_document(arn, place.policy_document), entry.sid) if place.exists else None
        if stands is not None:
            same = statement is not None and same_statement(stands, statement)
            standing.append({"resource": arn, "statement": statement if same else stands})
        if statement is not None:
            coming.append({"resource": arn, "statement": statement})
    if not wanted.present:
        nothing = found.target is None and not standing
        return Change(None if nothing else {**(found.target or {"id": wanted.id}), "permissions": standing}, None)
    _check_places(wanted, found.places)
    pattern = found.rule.pattern_text if found.rule else None
    # With message_for, the rule is not always looked up, and the message must not depend on whether it was.
    of_rule = subject_of(pattern) if wanted.event_kind is None else None
    facts = wanted.facts_for(wanted.event_kind or event_kind_of(pattern), of_rule)
    before = None
    if found.target is not None or standing:
        before = {**_alike(found.target, facts), "permissions": standing}
    return Change(before, {**facts, "permissions": coming})


def _alike(found: Mapping[str, Any] | None, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was found, in the user's words where both mean the same."""
    if found is None:
        return {"id": facts["id"]}
    alike = dict(found)
    for key, default in DELIVERY_DEFAULTS.items():
        if {alike[key], facts[key]} == {None, default}:
            alike[key] = facts[key]
    if _same_json(alike["input"], facts["input"]):
        alike["input"] = facts["input"]
    return alike


def _same_json(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return one is other
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return one == other


def _check_places(wanted: WantedTarget, places: Mapping[str, Place]) -> None:
    target = places.get(str(wanted.arn))
    if target is not None:
        _check_place("arn", target, by_policy=wanted.role is None)
        if is_fifo(target.arn) and target.exists and not target.deduplicates:
            raise Refused(
                f"arn: the FIFO queue {target.arn} has no content-based deduplication, and EventBridge sends no "
                "deduplication ids. Switch content_based_deduplication on for the queue"
            )
    dead_letter = places.get(str(wanted.dead_letter_arn))
    if dead_letter is not None:
        _check_place("dead_letter_arn", dead_letter, by_policy=True)


def missing(wanted: WantedTarget, found: Found, region: str) -> list[str]:
    """Return what must be created first. In check mode, other tasks of the play may be about to create it."""
    if not wanted.present:
        return []
    words = []
    if not found.rule_exists:
        words.append(f"There is no {wanted.rule} in {region}. Create it first, or check rule and event_bus_name")
    for option in ("arn", "dead_letter_arn"):
        place = found.places.get(str(getattr(wanted, option)))
        if place is not None and not place.exists:
            words.append(f"{option}: there is no {place.arn}. Create it first, or check the ARN and the credentials")
    return words


def _check_place(option: str, place: Place, by_policy: bool) -> None:
    if by_policy and _managed_by_aws(place.key):
        raise Refused(
            f"{option}: {place.arn} is encrypted with {place.key}, a key that AWS manages and that EventBridge may not "
            "use: nothing would arrive. Encrypt it with a key of your own whose policy allows events.amazonaws.com "
            "kms:Decrypt and kms:GenerateDataKey, or (a queue) with SSE-SQS"
        )


def _managed_by_aws(key: str | None) -> bool:
    return key is not None and key.rpartition("alias/")[2] in {"aws/sns", "aws/sqs"}


def warnings_of(wanted: WantedTarget, found: Found, change: Change) -> Sequence[str]:
    """Return warnings, for targets that are new or move, about what cannot be checked and may block delivery."""
    if change.after is None:
        return ()
    warnings = []
    for key in ("arn", "dead_letter_arn"):
        place = found.places.get(str(change.after[key]))
        by_policy = key == "dead_letter_arn" or wanted.role is None
        if place is not None and place.key and by_policy and (found.target is None or change.differs(key)):
            warnings.append(
                f"{place.arn} is encrypted with the key {place.key}. Events arrive only when the policy of that key "
                "allows events.amazonaws.com kms:Decrypt and kms:GenerateDataKey, without conditions on aws:SourceArn "
                "and aws:SourceAccount for a topic"
            )
    return warnings
