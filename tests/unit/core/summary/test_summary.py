# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Summaries of recycles: rows, the table, the page, and messages."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.summary.chart import (
    Bar,
    bar_words,
    clock,
    draw,
    read_bars,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.summary.notice import make_notice
from ansible_collections.steadyops.ecs.plugins.module_utils._core.summary.page import make_page
from ansible_collections.steadyops.ecs.plugins.module_utils._core.summary.rows import (
    make_row,
    read_rows,
    totals_dict,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.summary.table import table_lines
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.core.recycle.samples import law, task_id

ARN = "arn:aws:ecs:eu-west-1:111122223333"
TIMELINE = {
    "started": "2026-11-22T03:00:00Z",
    "seconds": 100.0,
    "counts": [{"at": 1.0, "healthy": 2, "desired": 3}, {"at": 40.0, "healthy": 3, "desired": 3}],
    "tasks": [
        {"task": task_id(1), "new": False, "from": 0.0, "good": 0.0, "to": 41.0},
        {"task": task_id(2), "new": False, "from": 0.0, "good": 0.0, "to": None},
        {"task": task_id(3), "new": True, "from": 5.0, "good": 40.0, "to": None},
        {"task": task_id(4), "new": True, "from": 45.0, "good": None, "to": 60.0},
    ],
}


def result(status="recycled", **changes):
    """Return the part of the module's result that summaries use."""
    recycle = {
        "status": status,
        "service": f"{ARN}:service/prod/web",
        "selector": {"max_task_age": "7d"},
        "plan": {"tasks": ["a", "b"], "steps": 2, "surge": 1, "minimum_healthy": 2},
        "replaced": [{"task": f"{ARN}:task/prod/old", "new_tasks": [f"{ARN}:task/prod/new"], "seconds": 12.5}],
        "skipped": [{"task": f"{ARN}:task/prod/busy", "reason": "protected"}],
        "failures": [],
        "remaining": [],
        "minimum_healthy": 2,
        "capacity": {"before": 2, "peak": 3, "after": 2},
        "seconds": 28.4,
        "timeline": TIMELINE,
        **changes,
    }
    return {"changed": True, "recycle": recycle}


FAILURE = {
    **result(
        "failed", replaced=[], failures=[{"task": f"{ARN}:task/prod/sick", "reason": "no image"}], remaining=["a"]
    ),
    "failed": True,
    "msg": "service web in cluster prod: no image. Fix the cause, then run again",
}
UNCHANGED = {"changed": False, "recycle": {"status": "unchanged", "plan": None, "seconds": 0.4}}


def rows(**hosts):
    return read_rows(hosts)


# ---- rows


def test_a_row_does_not_grow_with_the_service():
    large = result(replaced=[{"task": "a"}] * 1000, timeline={**TIMELINE, "tasks": TIMELINE["tasks"] * 500})
    row = make_row(large, "web")
    assert (row["replaced"], row["timeline"]) == (1000, {})
    assert len(repr(row)) < 400
    assert make_row(large, "web", timeline=True)["timeline"] is large["recycle"]["timeline"]


@pytest.mark.parametrize(
    ("given_result", "message", "status", "said"),
    [
        (result(), "", "recycled", ""),
        (UNCHANGED, "", "unchanged", ""),
        (FAILURE, "", "failed", FAILURE["msg"]),
        ({}, "", "failed", ""),
        ({}, "the role\ncannot  be assumed", "failed", "the role cannot be assumed"),
        ({"failed": True, "msg": "missing required arguments"}, "", "failed", "missing required arguments"),
        (result(), "something afterwards", "failed", "something afterwards"),
        ({"skipped": True, "msg": "not run"}, "", "failed", ""),
    ],
)
def test_what_a_row_says(given_result, message, status, said):
    row = make_row(given_result, "web", message)
    assert (row["status"], row["message"]) == (status, said)
    assert rows(web=row)[0].status == status


@pytest.mark.parametrize("kept", [{"name": "web"}, {"name": "web", "status": "gone"}, {"status": "failed"}, "text"])
def test_what_is_no_row_is_refused(kept):
    with pytest.raises(Refused, match="the input for web is not a row"):
        rows(web=kept)


def test_totals():
    told = totals_dict(rows(a=make_row(result(), "a"), b=make_row(FAILURE, "b"), c=None))
    assert told == {
        "services": 3,
        "statuses": {"recycled": 1, "failed": 1, "not started": 1},
        "replaced": 1,
        "skipped": 2,
        "failures": 1,
        "remaining": 1,
        "seconds": 28.4,
        "failed": {"b": FAILURE["msg"]},
        "not_started": ["c"],
    }
    assert totals_dict([])["services"] == 0


# ---- the table


def test_the_table():
    kept = {
        "a": make_row(result(), "web.prod", untold=("no mail",)),
        "b": make_row(FAILURE, "api.prod"),
        "c": None,
        "d": make_row(UNCHANGED, "cron.prod"),
    }
    *table, failure, waiting, untold = table_lines(read_rows(kept))
    cells = [[cell for cell in line.split("  ") if cell] for line in table]
    cells = [[cell.strip() for cell in row] for row in cells]
    rule = cells.pop(1)
    assert cells.pop(-2) == rule == ["-" * len(cell) for cell in rule]
    assert cells == [
        ["service", "status", "replaced", "skipped", "failed", "left", "least healthy", "seconds"],
        ["web.prod", "recycled", "1", "1", "0", "0", "2 of 2", "28.4"],
        ["api.prod", "failed", "0", "1", "1", "1", "2 of 2", "28.4"],
        ["c", "not started", "0", "0", "0", "0", "-", "-"],
        ["cron.prod", "unchanged", "0", "0", "0", "0", "-", "0.4"],
        ["4 services", "1 recycled, 1 unchanged, 1 failed, 1 not started", "1", "2", "1", "1", "28.4"],
    ]
    assert len({len(line) for line in table}) == 1, "the last column ends where the rule ends"
    assert failure == f"api.prod: {FAILURE['msg']}"
    assert waiting == "1 not started: too many services had failed before"
    assert untold == "web.prod: no mail"


def test_why_services_were_not_started():
    """``ecs_fleet_recycle`` gives the reason in the row."""
    waiting = {"status": "not started", "message": "SIGTERM was received"}
    read = read_rows({"a": {"name": "a", **waiting}, "b": {"name": "b", **waiting}, "c": None})
    assert table_lines(read)[-2:] == [
        "2 not started: SIGTERM was received",
        "1 not started: too many services had failed before",
    ]


def test_the_table_of_one_service_has_no_totals():
    lines = table_lines(rows(localhost=make_row(result(remaining=["a"]), "prod/web", check=True)))
    assert [line.split()[0] for line in lines] == ["service", "--------", "prod/web", "check"]


def test_a_terminal_is_not_commanded():
    row = make_row({"failed": True, "msg": "\x1b[2J\x07gone\r\n\u202e"}, "\x1b]0;evil\x07web")
    (line,) = [line for line in table_lines(rows(web=row)) if "gone" in line]
    assert line == "]0;evilweb: [2Jgone"


# ---- the page


class Reader(HTMLParser):
    """Tags and attributes of a page, and the text between them."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.words = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *each) for each in attrs]

    def handle_data(self, data):
        self.words.append(data)


PAGE = make_page(
    rows(
        a=make_row(result(), "web.prod", timeline=True), b=make_row(FAILURE, "api.prod", timeline=True), c=None,
        d=make_row(UNCHANGED, "cron.prod", untold=("no mail about it",)),
    ),
    "2026-11-22 03:00 UTC",
)  # fmt: skip


def test_the_page_needs_nothing_else():
    page = Reader(PAGE)
    assert {"link", "img", "iframe", "object", "embed", "base", "form"} & set(page.tags) == set()
    assert [each for each in page.attributes if each[1] in ("src", "srcset", "style") or each[1].startswith("on")] == []
    assert {value[:1] for _tag, name, value in page.attributes if name in ("href", "xlink:href")} == {"#"}
    assert "url(" not in PAGE.replace("url(#", "")
    assert "@import" not in PAGE


def digests(text, tag):
    found = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
    return [base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in found]


def test_the_policy_allows_one_style_and_one_script_and_nothing_else():
    (style,), (script,) = digests(PAGE, "style"), digests(PAGE, "script")
    policy = (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; base-uri 'none';"
        " form-action 'none'"
    )
    assert ("meta", "content", policy) in Reader(PAGE).attributes


def test_one_service_has_nothing_to_filter():
    page = Reader(make_page(rows(a=make_row(result(), "web.prod", timeline=True)), ""))
    assert {"script", "input", "select"} & set(page.tags) == set()


def test_where_it_was_and_which_tasks():
    """The page shows the place once for all services, and with each of them."""
    text = " ".join(Reader(PAGE).words)
    assert "Where  eu-west-1, account 111122223333 " in text
    assert "Tasks to replace  max_task_age: 7d " in text
    assert text.count("eu-west-1, account 111122223333") == 1 + 2 * 2
    elsewhere = {
        **result(),
        "recycle": {**result()["recycle"], "service": ARN.replace("west", "north") + ":service/prod/x"},
    }
    page = make_page(rows(a=make_row(result(), "a"), b=make_row(elsewhere, "b"), c=None), "")
    assert "eu-north-1, account 111122223333; eu-west-1, account 111122223333" in page


@pytest.mark.parametrize(
    ("given_result", "called", "service", "place"),
    [
        ({"failed": True, "msg": "AccessDenied"}, f"{ARN}:service/prod/x", f"{ARN}:service/prod/x", "eu-west-1"),
        ({}, f"{ARN}:service/prod/x", f"{ARN}:service/prod/x", "eu-west-1"),
        ({}, "web", "", None),
        ({}, "", "", None),
        ({**result(), "recycle": {**result()["recycle"], "service": f"{ARN}:service/prod/y"}}, f"{ARN}:service/prod/x",
         f"{ARN}:service/prod/y", "eu-west-1"),
    ],
)  # fmt: skip
def test_where_a_service_is_that_was_never_seen(given_result, called, service, place):
    """Its ARN may be known from the inventory, or from the user."""
    row = make_row(given_result, "a", service=called)
    assert row["service"] == service
    page = make_page(rows(a=row), "")
    assert (f"{place}, account 111122223333" in page) is (place is not None)


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        (None, ""),
        ({"max_task_age": "7d"}, "max_task_age: 7d"),
        ({"all_tasks": True}, "all_tasks"),
        ({"tasks": ["a", "b"]}, "tasks: 2"),
        ({"token": "release\n1"}, "token: release 1"),
    ],
)
def test_a_selector_in_words(selector, words):
    assert make_row(result(selector=selector), "web")["selector"] == words


def test_the_page_can_be_found_ones_way_in():
    page = Reader(PAGE)
    assert ("html", "lang", "en") in page.attributes
    assert page.tags.count("h1") == page.tags.count("main") == page.tags.count("caption") == 1
    ids = [value for _tag, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    named = {value for _tag, name, value in page.attributes if name == "aria-labelledby"}
    assert named <= set(ids)
    linked = {value[1:] for tag, name, value in page.attributes if (tag, name) == ("a", "href")}
    assert linked == {"s1", "s2"} <= set(ids)
    scopes = [value for tag, name, value in page.attributes if (tag, name) == ("th", "scope")]
    assert (scopes.count("col"), scopes.count("row")) == (8, 4)
    words = " ".join(page.words)
    for said in ("2026-11-22 03:00 UTC", FAILURE["msg"], "no mail about it", "1 not started: too many", "28.4 s"):
        assert said in words


def texts():
    """Draw texts of an attacker, and any other texts."""
    evil = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'onload='x", "</style><b>", "&amp;", "]]>"]
    return st.one_of(st.sampled_from(evil), st.text(max_size=60)).filter(lambda text: text.strip())


@law
@given(name=texts(), message=texts(), untold=texts(), task=texts(), when=texts(), token=texts())
def test_whatever_comes_from_outside_is_only_text(name, message, untold, task, when, token):
    def page(**words):
        timeline = {**TIMELINE, "tasks": [{**TIMELINE["tasks"][0], "task": words["task"]}]}
        row = make_row(
            {
                "recycle": {**FAILURE["recycle"], "timeline": timeline, "selector": {"token": words["token"]}},
                "failed": True,
                "msg": words["message"],
            },
            words["name"], untold=(words["untold"],), timeline=True,
        )  # fmt: skip
        return Reader(make_page(rows(a=row, b=row), words["when"]))

    plain = page(name="a", message="b", untold="c", task="d", when="e", token="f")
    told = page(name=name, message=message, untold=untold, task=task, when=when, token=token)
    assert told.tags == plain.tags
    assert [each[:2] for each in told.attributes] == [each[:2] for each in plain.attributes]


# ---- the drawing


def rectangles(timeline, floor=2):
    bars = read_bars(timeline)
    drawing = ET.fromstring(draw(timeline, bars, floor, "so it went", "s1"))

    def percent(rectangle, name):
        return float(rectangle.get(name).removesuffix("%"))

    return drawing, [
        (each.get("class"), percent(each, "x"), percent(each, "x") + percent(each, "width"), float(each.get("y")))
        for each in drawing.iter("rect")
    ]


def text_of(drawing, kind):
    return [each.text for each in drawing.iter("text") if each.get("class").startswith(kind)]


def test_a_bar_for_each_task():
    drawing, found = rectangles(TIMELINE)
    assert [kind for kind, *_place in found] == ["old", "old", "starting", "new", "bad"]
    places = [place for _kind, *place in found]
    (begin, gone, _y), (_begin, end, _y), (came, good, y), (good_too, lives, y_too), (bad, over, _y) = places
    assert (good, y) == (good_too, y_too)
    assert begin < came < good < gone < bad < over < lives == end
    assert drawing.get("role") == "img"
    assert drawing.find("title").text == "so it went"
    height = float(drawing.get("height"))
    assert all(0 <= begin <= end <= 100.01 and 0 <= y <= height for _kind, begin, end, y in found)


def test_lines_for_healthy_desired_and_floor():
    drawing, _found = rectangles(TIMELINE)
    assert [each.get("class") for each in drawing.iter("path")] == ["desired", "floor", "healthy"], "the thinnest last"
    assert all(each.get("d").startswith("M0 ") for each in drawing.iter("path")), "from the beginning"
    assert [each.get("class") for each in rectangles(TIMELINE, floor=None)[0].iter("path")] == ["desired", "healthy"]


@pytest.mark.parametrize(
    ("floor", "healthy", "desired", "numbers"),
    [
        (2, 2, 3, ["3", "0", "2"]),
        (3, 3, 3, ["3", "0"]),
        (19, 19, 20, ["20", "16", "19"]),
        (99, 100, 100, ["100", "96", "99"]),
        (19, 5, 20, ["20", "0"]),
    ],
)
def test_numbers_beside_the_lines_do_not_overlap(floor, healthy, desired, numbers):
    timeline = {**TIMELINE, "counts": [{"at": 0.0, "healthy": healthy, "desired": desired}]}
    drawing, _found = rectangles(timeline, floor)
    assert text_of(drawing, "number") == numbers
    places = sorted(float(each.get("y")) for each in drawing.iter("text") if each.get("class") == "number")
    assert all(lower - upper >= 14 for upper, lower in itertools.pairwise(places))


@pytest.mark.parametrize("many", [60, 61, 2000])
def test_however_many_tasks_there_are(many):
    timeline = {**TIMELINE, "tasks": [{**TIMELINE["tasks"][0], "task": task_id(number)} for number in range(many)]}
    drawing, found = rectangles(timeline)
    assert len(found) == many
    assert len({y for *_place, y in found}) == many
    assert len(text_of(drawing, "name")) == (many if many <= 60 else 0)
    assert float(drawing.get("height")) < 10_000


@law
@given(
    seconds=st.floats(0, 1e7),
    counts=st.lists(st.tuples(st.floats(0, 1e7), st.integers(0, 5000), st.integers(0, 5000)), max_size=5),
    tasks=st.lists(
        st.tuples(st.booleans(), st.floats(0, 1e7), st.none() | st.floats(0, 1e7), st.none() | st.floats(0, 1e7)),
        max_size=5,
    ),
    floor=st.none() | st.integers(0, 5000),
)
def test_every_drawing_is_within_its_frame(seconds, counts, tasks, floor):
    timeline = {
        "seconds": seconds,
        "counts": [dict(zip(("at", "healthy", "desired"), each, strict=True)) for each in counts],
        "tasks": [
            {"task": task_id(number), **dict(zip(("new", "from", "good", "to"), each, strict=True))}
            for number, each in enumerate(tasks)
        ],
    }
    drawing, found = rectangles(timeline, floor)
    assert all(0 <= begin <= end <= 100.01 for _kind, begin, end, _y in found)
    assert len(text_of(drawing, "tick")) <= 8
    assert len(text_of(drawing, "number")) <= 3
    for path in drawing.iter("path"):
        assert "nan" not in path.get("d")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (2.54, "2.5 s"), (59.94, "59.9 s"), (60, "1:00"), (213.1, "3:33"), (3723, "1:02:03")],
)
def test_durations(seconds, words):
    assert clock(seconds) == words


@pytest.mark.parametrize(
    ("drawn", "words"),
    [
        (Bar("a", False, 0, 0, 41), "a: old, until 41 s"),
        (Bar("a", False, 0, 0, None), "a: old, still there at the end"),
        (Bar("a", True, 5, 40, None), "a: new, from 5 s, good at 40 s"),
        (Bar("a", True, 5, None, 60), "a: new, from 5 s, never good, until 1:00"),
    ],
)
def test_bars_in_words(drawn, words):
    assert bar_words(drawn) == words


# ---- messages


@pytest.mark.parametrize(
    ("given_result", "more", "event", "subject"),
    [
        (result(), {}, "recycled", "recycled: web in prod, 1 task replaced"),
        (result(), {"prefix": "[ECS]"}, "recycled", "[ECS] recycled: web in prod, 1 task replaced"),
        (result(), {"started": True}, "started", "started: web in prod, 2 tasks to be replaced"),
        (UNCHANGED, {}, "unchanged", "unchanged: web in prod, nothing to replace"),
        (result("restored"), {}, "restored", "restored: web in prod, given back"),
        (FAILURE, {}, "failed", "failed: web in prod, 0 tasks replaced, 1 left"),
        (FAILURE, {"started": True}, "failed", "failed: web in prod, 0 tasks replaced, 1 left"),
        ({}, {"message": "AccessDenied"}, "failed", "failed: web in prod, nothing was done"),
    ],
)
def test_what_a_message_is_about(given_result, more, event, subject):
    told = make_notice(given_result, "prod", "web", **more)
    assert (told["event"], told["subject"]) == (event, subject)
    assert told["body"].startswith("Service  web\nCluster  prod\n\n")


def test_what_a_message_says():
    assert make_notice(result(), f"{ARN}:cluster/prod", f"{ARN}:service/prod/web")["body"].splitlines()[3:] == [
        "1 task replaced in 28 s.",
        "",
        "Desired count  2 before, 3 at most, 2 now",
        "Least healthy  2",
        "",
        "Replaced:",
        "  old by new, 12.5 s",
        "",
        "Skipped:",
        "  busy: protected",
    ]
    failed = make_notice(FAILURE, "prod", "web")["body"]
    assert FAILURE["msg"] in failed
    assert "  sick: as above" in failed
    assert failed.count("no image") == 1
    assert failed.endswith("Run the same job again to continue. It replaces only tasks that are still stale.")
    assert "AccessDenied" in make_notice({}, "prod", "web", message="AccessDenied")["body"]
    started = make_notice(result(), "prod", "web", started=True)["body"]
    assert "2 tasks will be replaced, with 1 added first and in 2 steps.\nAt least 2 stay healthy." in started


def test_a_message_names_so_many_tasks():
    many = [{"task": f"{ARN}:task/prod/{number}", "new_tasks": [], "seconds": 1.0} for number in range(1000)]
    body = make_notice(result(replaced=many), "prod", "web")["body"]
    assert body.count(" by none") == 20
    assert "  and 980 more" in body


@law
@given(service=st.text(min_size=1, max_size=300), prefix=st.text(max_size=100))
def test_a_subject_is_one_that_sns_takes(service, prefix):
    subject = make_notice(result(), "prod", service, prefix=prefix)["subject"]
    assert len(subject) < 100
    assert subject.isascii()
    assert subject.isprintable()
