# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record on the service, what is given back according to it, and the tokens that a service remembers."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import replace

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.model import (
    SCALING_FLAGS,
    Deployment,
    Scaling,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.record import (
    CLAIMED,
    RECORD_TAG,
    SURGED,
    TOKENS_TAG,
    NotOurs,
    Record,
    believe,
    give_back,
    holds,
    read_record,
    remember_token,
    token_cutoff,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.selector import SELECTORS
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.core.recycle.samples import NOW, OTHER, OWN, instants, law, service, tasks

# What ECS accepts in a tag.
LONGEST_KEY, LONGEST_VALUE = 128, 256
ALLOWED = re.compile(r"[\w\s_.:/=+\-@]*", re.ASCII)

LONGEST_OWNER = "0123abcd.4194304.1234567890123456789.".ljust(60, "h")
BIGGEST = Record(
    original=2**31 - 1,
    surge=2**31 - 1,
    begun=99_999_999_999.999,
    selector=max(SELECTORS, key=len),
    cutoff=99_999_999_999.999,
    suspended=SCALING_FLAGS,
    phase=max(CLAIMED, SURGED, key=len),
    owner=LONGEST_OWNER,
    lease_until=99_999_999_999.0,
    protected_until=(99_999_999_960.0,) * 3,
)
PLAIN = Record(10, 2, NOW, "all_tasks", NOW, ("dynamic_in",), SURGED, "0123abcd.17.4711.host", NOW + 600)

counts = st.integers(0, 2**31 - 1)
originals = st.integers(1, 2**31 - 1)
choices = st.tuples(st.just("tasks"), st.none()) | st.tuples(
    st.sampled_from(sorted(set(SELECTORS) - {"tasks"})), instants
)
records = st.builds(
    lambda choice, **more: Record(selector=choice[0], cutoff=choice[1], **more),
    choices,
    original=originals,
    surge=counts,
    begun=instants,
    suspended=st.integers(0, 7).map(
        lambda bits: tuple(flag for place, flag in enumerate(SCALING_FLAGS) if bits >> place & 1)
    ),
    phase=st.sampled_from([CLAIMED, SURGED]),
    owner=st.text("0aZ._-", min_size=1, max_size=60),
    lease_until=instants,
)


def fits(value: str) -> bool:
    return len(value) <= LONGEST_VALUE and ALLOWED.fullmatch(value) is not None


@given(records)
@example(BIGGEST)
@example(PLAIN)
@law
def test_a_record_is_read_back_as_it_was_written(record):
    read = read_record({"team": "shop", RECORD_TAG: record.text})
    # A lease lasts minutes, so it is written in whole seconds.
    assert replace(read, lease_until=0) == replace(record, lease_until=0)
    assert abs(read.lease_until - record.lease_until) <= 0.5
    assert read_record({RECORD_TAG: read.text}) == read


PLAIN_TEXT = (
    "v=1 o=10 s=2 b=1795316400.000 k=all_tasks c=1795316400.000"
    " q=dynamic_in ph=surged w=0123abcd.17.4711.host x=1795317000"
)
EMPTY = Record(3, 0, NOW + 0.25, "tasks", None, (), CLAIMED, "me", NOW)


@pytest.mark.parametrize(
    ("record", "text"),
    [
        pytest.param(PLAIN, PLAIN_TEXT, id="with everything"),
        pytest.param(
            EMPTY,
            "v=1 o=3 s=0 b=1795316400.250 k=tasks c=- q=- ph=claimed w=me x=1795316400",
            id="without cutoff and switches",
        ),
        pytest.param(
            replace(PLAIN, suspended=SCALING_FLAGS),
            PLAIN_TEXT.replace("q=dynamic_in", "q=dynamic_in+dynamic_out+scheduled"),
            id="with all switches",
        ),
    ],
)
def test_the_words_of_a_record_are_those_that_other_versions_read(record, text):
    assert record.text == text
    assert read_record({RECORD_TAG: text}) == record


@given(records)
@example(BIGGEST)
@law
def test_a_record_fits_into_a_tag(record):
    assert fits(record.text)


def test_the_biggest_record_still_leaves_room():
    assert len(LONGEST_OWNER) == 60
    assert len(BIGGEST.text) <= LONGEST_VALUE


@pytest.mark.parametrize("key", [RECORD_TAG, TOKENS_TAG])
def test_the_keys_of_the_tags_are_keys_that_ecs_allows(key):
    assert len(key) <= LONGEST_KEY
    assert ALLOWED.fullmatch(key)
    assert not key.startswith("aws:")


@pytest.mark.parametrize("tags", [{}, {"team": "shop"}, {TOKENS_TAG: "abc=1"}])
def test_a_service_without_the_tag_has_no_record(tags):
    assert read_record(tags) is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("by hand", id="words without a sign"),
        pytest.param('{"original": 3}', id="another format"),
        pytest.param("v=1", id="a beginning"),
        pytest.param(PLAIN.text.replace("v=1", "v=2"), id="another version"),
        pytest.param(PLAIN.text.replace("o=10", "o=ten"), id="a desired count in words"),
        pytest.param(PLAIN.text.replace("o=10", "o=10.5"), id="a desired count of half a task"),
        pytest.param(PLAIN.text.replace("s=2", "s="), id="a surge of nothing"),
        pytest.param(PLAIN.text.replace("b=1795316400.000", "b=-"), id="no beginning"),
        pytest.param(PLAIN.text.replace("c=1795316400.000", "c=2026-11-22"), id="a date as cutoff"),
        pytest.param(PLAIN.text.replace("x=1795317000", "x=soon"), id="a lease in words"),
        pytest.param(PLAIN.text + " more", id="a word without a sign behind it"),
    ],
)
def test_a_record_that_cannot_be_understood_is_refused(text):
    assert text != PLAIN.text
    with pytest.raises(Refused) as refused:
        read_record({RECORD_TAG: text})
    said = str(refused.value)
    assert RECORD_TAG in said
    assert repr(text) in said
    assert "then run with state: restored, which removes the tag and changes nothing else" in said


@pytest.mark.parametrize("word", ["v", "o", "s", "b", "k", "c", "q", "ph", "w", "x"])
def test_a_record_that_lacks_a_word_is_refused(word):
    words = PLAIN.text.split()
    fewer = [each for each in words if not each.startswith(f"{word}=")]
    assert len(fewer) == len(words) - 1
    with pytest.raises(Refused):
        read_record({RECORD_TAG: " ".join(fewer)})


@pytest.mark.parametrize(
    ("desired", "original", "surge", "left"),
    [
        pytest.param(12, 10, 2, 10, id="what was added is taken away"),
        pytest.param(15, 10, 2, 13, id="what others added stays"),
        pytest.param(11, 10, 2, 10, id="what others took is not taken again"),
        pytest.param(10, 10, 2, 10, id="all of it was taken by others"),
        pytest.param(7, 10, 2, 7, id="what others lowered stays low"),
        pytest.param(0, 10, 2, 0, id="a service that was scaled to nothing stays so"),
        pytest.param(12, 10, 0, 12, id="nothing is to be given back"),
    ],
)
def test_giving_back(desired, original, surge, left):
    assert give_back(desired, original, surge) == left


@given(desired=counts, original=counts, surge=counts)
@law
def test_giving_back_never_adds_and_never_goes_below_what_was_found(desired, original, surge):
    left = give_back(desired, original, surge)
    assert min(desired, original) <= left <= desired


@given(original=counts, surge=counts, others=counts)
@law
def test_giving_back_leaves_what_others_added(original, surge, others):
    assert give_back(original + surge + others, original, surge) == original + others


@given(desired=counts, original=counts, surge=counts)
@law
def test_giving_back_leaves_a_count_alone_that_holds_nothing_of_ours(desired, original, surge):
    assert give_back(min(desired, original), original, surge) == min(desired, original)


@given(desired=counts, original=counts, surge=counts)
@law
def test_what_was_given_back_is_not_given_back_again(desired, original, surge):
    once = give_back(desired, original, surge)
    assert give_back(once, original, 0) == once


@given(desired=counts, original=counts, first=counts, second=counts)
@law
def test_giving_back_in_two_parts_is_the_same_as_at_once(desired, original, first, second):
    assert give_back(give_back(desired, original, first), original, second) == give_back(
        desired, original, first + second
    )


tokens = st.integers(0, 11).map("build {}".format) | st.text(min_size=1, max_size=40)


def remember(*pairs: tuple[str, float]) -> dict[str, str]:
    """Return the tags of a service after runs with these tokens, one after another."""
    tags = {"team": "shop"}
    for token, cutoff in pairs:
        tags[TOKENS_TAG] = remember_token(tags, token, cutoff)
    return tags


@given(st.lists(st.tuples(tokens, instants), min_size=1, max_size=20))
@law
def test_the_last_eight_tokens_are_remembered_and_always_fit_into_a_tag(pairs):
    tags = remember(*pairs)
    assert fits(tags[TOKENS_TAG])
    cutoffs = dict(pairs)
    last_uses = list(dict.fromkeys(token for token, _cutoff in reversed(pairs)))
    known = {token: token_cutoff(tags, token) for token in last_uses}
    assert known == {token: cutoffs[token] if token in last_uses[:8] else None for token in last_uses}


EIGHT = [(f"build {number}", NOW + number) for number in range(8)]


@pytest.mark.parametrize(
    ("tags", "token", "cutoff"),
    [
        pytest.param({}, "build 0", None, id="no tag"),
        pytest.param(remember(*EIGHT), "build 8", None, id="an unknown token"),
        pytest.param(remember(*EIGHT), "build 0", NOW, id="the oldest of eight"),
        pytest.param(remember(*EIGHT), "build 7", NOW + 7, id="the youngest of eight"),
        pytest.param(remember(*EIGHT, ("build 8", NOW + 8)), "build 0", None, id="the oldest of nine is forgotten"),
        pytest.param(remember(*EIGHT, ("build 8", NOW + 8)), "build 1", NOW + 1, id="the second of nine is not"),
        pytest.param(
            remember(*EIGHT, EIGHT[0]), "build 1", NOW + 1, id="one that comes again costs no other its place"
        ),
        pytest.param(
            remember(*EIGHT, EIGHT[0], ("build 8", NOW + 8)), "build 0", NOW, id="one that came again is young again"
        ),
        pytest.param(remember(("a", NOW), ("a", NOW + 0.75)), "a", NOW + 0.75, id="the last word counts"),
        pytest.param(remember(("Ä ; {", NOW)), "Ä ; {", NOW, id="tokens may have characters that tags may not"),
        pytest.param({TOKENS_TAG: "by hand = = x=y"}, "x", None, id="what others wrote is passed over"),
    ],
)
def test_what_is_known_of_a_token(tags, token, cutoff):
    assert token_cutoff(tags, token) == cutoff


def test_the_words_for_a_token_are_those_that_other_versions_read():
    digest = hashlib.sha256(b"build 17").hexdigest()[:12]
    written = remember_token({TOKENS_TAG: "0123456789ab=1.000"}, "build 17", NOW)
    assert written == f"0123456789ab=1.000 {digest}=1795316400.000"


def test_a_cutoff_that_is_no_number_is_none():
    digest = remember_token({}, "a", 1.0).partition("=")[0]
    assert token_cutoff({TOKENS_TAG: f"{digest}=soon"}, "a") is None


def test_older_versions_read_a_record_with_protections():
    """They know every word except ``p``, which they do not look for."""
    plain = PLAIN.text
    assert replace(PLAIN, protected_until=(NOW - NOW % 60,)).text == f"{plain} p={NOW // 60:.0f}"


def test_our_protections_are_known_by_their_ends():
    end = NOW - NOW % 60 + 3600
    record = replace(PLAIN, protected_until=(end, end + 1800))
    assert read_record({RECORD_TAG: record.text}) == record
    assert [record.shields(each) for each in (end - 120, end + 120, end + 1800)] == [True] * 3
    assert [record.shields(each) for each in (end - 121, end + 121, end + 3600, math.inf)] == [False] * 4
    assert not PLAIN.shields(NOW)


# ---- what a record says is input


hostile = st.text(max_size=256) | st.tuples(
    records.map(lambda record: record.text), st.integers(0, 10), st.text("0123456789.-+einf= x", max_size=20)
).map(
    lambda drawn: " ".join(
        f"{word.partition('=')[0]}={drawn[2]}" if place == drawn[1] else word
        for place, word in enumerate(drawn[0].split())
    )
)


@given(text=hostile)
@example("v=1 o=1 s=1 b=inf k=all_tasks c=nan q=- ph=surged w=me x=inf")
@law
def test_whatever_the_tag_says_a_record_is_plausible_or_refused(text):
    try:
        record = read_record({RECORD_TAG: text}, NOW)
    except NotOurs:
        return
    assert 1 <= record.original < 2**31
    assert 0 <= record.surge < 2**31
    assert 1_400_000_000 <= record.begun <= NOW + 60
    assert record.selector in SELECTORS
    assert (record.cutoff is None) is (record.selector == "tasks")
    assert record.cutoff is None or record.cutoff <= NOW + 60
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,60}", record.owner)
    assert math.isfinite(record.lease_until)
    assert max(record.protected_until, default=0) <= NOW + 60 + 2880 * 60
    assert holds(record, NOW) is (NOW < record.lease_until <= NOW + 86400 + 60)
    assert replace(read_record({RECORD_TAG: record.text}, NOW), lease_until=0) == replace(record, lease_until=0)


FAR = "253402300799.000"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("o", PLAIN_TEXT.replace("o=10", "o=0")),
        ("o", PLAIN_TEXT.replace("o=10", "o=-4")),
        ("o", PLAIN_TEXT.replace("o=10", "o=99999999999")),
        ("s", PLAIN_TEXT.replace("s=2", "s=-2")),
        ("s", PLAIN_TEXT.replace("s=2", "s=\u0662")),
        ("b", PLAIN_TEXT.replace("b=1795316400.000", "b=inf")),
        ("b", PLAIN_TEXT.replace("b=1795316400.000", "b=1e9")),
        ("b", PLAIN_TEXT.replace("b=1795316400.000", "b=1399999999.999")),
        ("b", PLAIN_TEXT.replace("b=1795316400.000", f"b={FAR}")),
        ("b", PLAIN_TEXT.replace("b=1795316400.000", f"b={NOW + 60.001:.3f}")),
        ("c", PLAIN_TEXT.replace("c=1795316400.000", "c=nan")),
        ("c", PLAIN_TEXT.replace("c=1795316400.000", "c=-")),
        ("c", PLAIN_TEXT.replace("k=all_tasks", "k=tasks")),
        ("k", PLAIN_TEXT.replace("k=all_tasks", "k=some_tasks")),
        ("q", PLAIN_TEXT.replace("q=dynamic_in", "q=dynamic_in+dynamic_in")),
        ("q", PLAIN_TEXT.replace("q=dynamic_in", "q=all")),
        ("ph", PLAIN_TEXT.replace("ph=surged", "ph=done")),
        ("w", PLAIN_TEXT.replace("w=0123abcd", "w=../0123abcd")),
        ("w", PLAIN_TEXT.replace("w=0123abcd", f"w={'h' * 60}")),
        ("x", PLAIN_TEXT.replace("x=1795317000", "x=inf")),
        ("x", PLAIN_TEXT.replace("x=1795317000", "x=0")),
        ("p", PLAIN_TEXT + " p=1+2+3+4"),
        ("p", PLAIN_TEXT + " p=9999999999"),
        ("o", PLAIN_TEXT + " o=1"),
        ("more", PLAIN_TEXT + " more"),
    ],
)
def test_the_message_names_the_field_that_is_wrong(field, text):
    assert text != PLAIN_TEXT
    with pytest.raises(NotOurs, match=f"understand: '{field}' "):
        read_record({RECORD_TAG: text}, NOW)


@pytest.mark.parametrize(
    ("text", "another"), [("v=2 o=1", True), ("o=1", False), ("", False), (PLAIN_TEXT + " o=1", False)]
)
def test_only_another_version_may_have_written_it_on_purpose(text, another):
    with pytest.raises(NotOurs) as refused:
        read_record({RECORD_TAG: text}, NOW)
    assert refused.value.another_version is another


@pytest.mark.parametrize(
    ("lease", "held"),
    [(-1, False), (0, False), (1, True), (86400, True), (86460, True), (86461, False), (7_000_000_000, False)],
)
def test_a_lease_lasts_a_day_at_most(lease, held):
    assert holds(replace(PLAIN, lease_until=NOW + lease), NOW) is held


def test_a_cutoff_before_ecs_is_written_as_one_that_is_read():
    record = replace(PLAIN, selector="max_task_age", cutoff=-5.0)
    assert read_record({RECORD_TAG: record.text}, NOW).cutoff == 1_400_000_000


YOUNG = {"created_at": NOW + 5}
TAKEN_IN = {"created_at": NOW - 800}  # started by ECS in addition to the count, shortly before the run raised it
LEFT = replace(PLAIN, original=10, surge=2)


@pytest.mark.parametrize(
    ("left", "desired", "there", "scaling", "believed"),
    [
        pytest.param(LEFT, 12, tasks(10) + tasks(2, **YOUNG), None, (10, 2), id="all of it is seen"),
        pytest.param(LEFT, 12, tasks(10), None, (10, 2), id="ECS has yet to start them"),
        pytest.param(LEFT, 12, tasks(10) + tasks(2, **TAKEN_IN), None, (10, 2), id="the raised count took them in"),
        pytest.param(LEFT, 12, tasks(12), None, (12, 2), id="no task is young: the count is somebody's wish"),
        pytest.param(LEFT, 12, tasks(11) + tasks(1, **YOUNG), None, (11, 1), id="one task is young"),
        pytest.param(LEFT, 11, tasks(9) + tasks(3, **YOUNG), None, (10, 1), id="the count shows one"),
        pytest.param(LEFT, 10, tasks(2) + tasks(8, **YOUNG), None, (10, 2), id="the count shows none"),
        pytest.param(LEFT, 7, tasks(7), None, (7, 2), id="somebody lowered it"),
        pytest.param(LEFT, 15, tasks(10) + tasks(5, **YOUNG), None, (13, 2), id="somebody raised it as well"),
        pytest.param(LEFT, 12, tasks(12) + tasks(2, started_by=OTHER, **YOUNG), None, (12, 2), id="others' tasks"),
        pytest.param(LEFT, 12, tasks(10) + tasks(12, started_by=OTHER, **YOUNG), None, (10, 2), id="yet to be started"),
        pytest.param(LEFT, 12, tasks(10) + tasks(2, **YOUNG), Scaling(minimum=11), (11, 1), id="the minimum is kept"),
        pytest.param(replace(LEFT, original=1, surge=9), 10, tasks(10), None, (10, 9), id="from 10 to 1"),
        pytest.param(replace(LEFT, original=1004), 10, tasks(10), None, (10, 2), id="from 10 to 1,004"),
        pytest.param(LEFT, 0, (), None, (1, 2), id="somebody scaled it to nothing"),
    ],
)
def test_a_record_is_believed_as_far_as_the_service_bears_it_out(left, desired, there, scaling, believed):
    found = believe(left, service(desired=desired), there, NOW + 60, scaling, 1)
    assert (found.original, found.surge) == believed


@pytest.mark.parametrize(("most", "surge"), [(1, 1), (2, 2), (9, 2)])
def test_a_count_that_may_be_read_too_early_hides_no_more_than_this_run_would_add(most, surge):
    found = believe(LEFT, service(desired=11), tasks(9) + tasks(3, **YOUNG), NOW + 60, None, most)
    assert (found.original, found.surge) == (10, surge)


def test_nothing_is_added_to_a_daemon_service():
    found = believe(LEFT, service(desired=12, daemon=True), tasks(10) + tasks(2, **YOUNG), NOW + 60, None, 1)
    assert (found.original, found.surge) == (12, 0)


def test_during_a_rolling_deployment_both_deployments_have_created_them():
    both = service(desired=12, deployments=(Deployment(OTHER, "PRIMARY", "IN_PROGRESS"), Deployment(OWN, "ACTIVE")))
    found = believe(LEFT, both, tasks(10) + tasks(2, **YOUNG), NOW + 60, None, 1)
    assert (found.original, found.surge) == (10, 2)


@pytest.mark.parametrize(
    ("left", "most", "there", "believed"),
    [
        pytest.param(LEFT, 2, tasks(12, **YOUNG), (10, 2), id="as many as a run adds"),
        pytest.param(LEFT, 1, tasks(12, **YOUNG), (11, 1), id="more than this run would add"),
        pytest.param(replace(LEFT, original=1, surge=11), 1, tasks(12, **YOUNG), (11, 1), id="from 12 to 1"),
        pytest.param(replace(LEFT, original=1, surge=11), 1, tasks(9, **YOUNG), (8, 4), id="and three are lacking"),
    ],
)
def test_tasks_of_a_deployment_that_is_younger_than_the_record_prove_nothing(left, most, there, believed):
    of = service(desired=12, deployments=(Deployment(OWN, "PRIMARY", "COMPLETED", NOW + 3),))
    found = believe(left, of, there, NOW + 60, None, most)
    assert (found.original, found.surge) == believed


@pytest.mark.parametrize(("most", "young", "believed"), [(1, 0, (11, 1)), (2, 0, (10, 2)), (1, 2, (10, 2))])
def test_nor_do_those_of_one_that_has_begun_shortly_before_it(most, young, believed):
    """Tasks that are younger than the record count as usual."""
    of = service(desired=12, deployments=(Deployment(OWN, "PRIMARY", "COMPLETED", NOW - 850),))
    there = tasks(12 - young, **TAKEN_IN) + tasks(young, **YOUNG)
    found = believe(LEFT, of, there, NOW + 60, None, most)
    assert (found.original, found.surge) == believed


def test_instants_of_a_record_are_not_ahead_of_the_clock():
    found = believe(replace(PLAIN, begun=NOW + 50, cutoff=NOW + 50), service(), tasks(10), NOW, None, 1)
    assert (found.begun, found.cutoff) == (NOW + 2, NOW + 2)


@given(record=records, desired=st.integers(1, 40), most=st.integers(1, 5))
@law
def test_after_a_deployment_no_more_is_given_back_than_a_run_adds(record, desired, most):
    of = service(desired=desired, deployments=(Deployment(OWN, "PRIMARY", "COMPLETED", record.begun),))
    found = believe(record, of, tasks(desired, created_at=record.begun), NOW, None, most)
    assert 0 <= desired - give_back(desired, found.original, found.surge) <= min(most, record.surge)


@given(record=records, desired=st.integers(0, 40), old=st.integers(0, 40), young=st.integers(0, 40))
@law
def test_no_more_is_given_back_than_there_are_young_and_missing_tasks(record, desired, old, young):
    there = tasks(old, created_at=record.begun - 901) + tasks(young, created_at=record.begun - 899)
    found = believe(record, service(desired=desired), there, NOW, None, 1)
    left = give_back(desired, found.original, found.surge)
    assert 0 <= desired - left <= young + max(0, desired - old - young)
    assert left >= min(desired, record.original)
    assert desired - left <= record.surge
