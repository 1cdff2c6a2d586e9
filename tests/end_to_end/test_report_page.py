# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page about recycles in a real browser: users can read it, on a desktop and on a phone, and filter it."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest
from ansible_collections.steadyops.ecs.plugins.filter.recycle_page import recycle_page, recycle_row

from tests.browser import Browser, roles_and_names
from tests.end_to_end.conftest import LATENCIES, SPEED
from tests.end_to_end.programs import QUICK, RECYCLE, Module, arguments, until

ROOT = Path(__file__).parents[2]
EVIL = "</title><script>document.title='owned'</script>\"><img src=x onerror=\"document.title='owned'\">&amp;"
TABLE = ["table", "rowheader", "rowheader", "rowheader"]
# The lowest contrast between any visible text and what is behind it, as WCAG computes it.
CONTRAST = """
(() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = color => {
    const [r, g, b] = rgb(color).map(each => each / 255).map(
      each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = node => {
    for (; node; node = node.parentElement) {
      const color = getComputedStyle(node).backgroundColor;
      if (rgb(color)[3] !== 0) return color;
    }
  };
  let least = 21;
  for (const node of document.querySelectorAll('body *')) {
    const own = [...node.childNodes].some(each => each.nodeType === 3 && each.data.trim());
    if (!own || node.tagName === 'title') continue;
    const style = getComputedStyle(node);
    const ink = node.tagName === 'text' ? style.fill : style.color;
    const [a, b] = [light(ink), light(behind(node))].sort((x, y) => y - x);
    least = Math.min(least, (a + 0.05) / (b + 0.05));
  }
  return least;
})()
"""


def pictures(named):
    return [name for role, name in named if role in ("image", "img")]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture(scope="module")
def page(running, tmp_path_factory):
    """A page about two recycles, one of which failed, and a service with an invalid name that was not recycled."""
    # AWS's clock has whole seconds: a task that starts in less would have a bar without length.
    running.reset(speed=SPEED, latencies={**LATENCIES, "launch": 1.2 * SPEED})
    running.service("web", tasks=3, health_check=True)
    running.service("api", tasks=2, health_check=True)
    running.fault("launch_fails", service="api", reason=EVIL)
    folder = tmp_path_factory.mktemp("page")
    rows = {}
    for name, tasks in (("web", 3), ("api", 2)):
        options = {**QUICK, "service": name, "max_task_age": "1h"}
        result = Module(RECYCLE, arguments(running, **options), folder / name).result()
        first = result["recycle"]["timeline"]["counts"][0]
        assert first == {"at": 0.0, "healthy": tasks, "desired": tasks}, "the course begins with what there was"
        rows[f"{name}.prod"] = recycle_row(result, f"{name}.prod", timeline=True)
    path = folder / "report.html"
    path.write_text(recycle_page({**rows, EVIL: None}, "2026-11-22 03:00 UTC"))
    return path


def test_the_page(browser, page):
    browser.size(1200)
    browser.open(page)
    assert browser.requests() == [page.resolve().as_uri()], "it loads nothing"
    assert browser.complaints() == [], "not even what its own policy would stop"
    assert browser.ask("document.title") == "Recycle of 3 services"
    words = (
        "What went wrong",
        "eu-central-1, account 123456789012",
        "max_task_age: 1h",
        "web.prod",
        "never fewer than 3 healthy",
        "not started",
        " ".join(EVIL.split()),
    )
    # Parts that are not rendered until they are in view have no text before the first frame.
    until(lambda: all(said in browser.ask("document.body.innerText") for said in words), "the words of the page")
    assert browser.ask("[...document.querySelectorAll('tbody tr')].map(row => row.cells[1].innerText)") == [
        "recycled", "failed", "not started",
    ]  # fmt: skip

    # Each task has a bar, and each bar is visible and lies inside its drawing.
    counts = "[...document.querySelectorAll('.course')].map(each => each.querySelectorAll('svg g').length)"
    web, api = browser.ask(counts)
    assert web == 6
    assert api >= 3, "two old ones, and at least one that failed"
    assert browser.ask("""
        [...document.querySelectorAll('.course rect')].filter(bar => {
          const [own, whole] = [bar, bar.closest('svg')].map(each => each.getBoundingClientRect());
          return own.height < 5 || own.left < whole.left || own.right > whole.right + 1 || own.bottom > whole.bottom;
        }).length""") == 0  # fmt: skip
    assert browser.ask("document.querySelectorAll('.course .healthy').length") == 2
    assert browser.ask("getComputedStyle(document.querySelector('.course .starting')).fill").startswith(
        'url("#hatched")'
    )

    # For a screen reader, the drawings are pictures with names, and the table is a table.
    named = roles_and_names(browser.accessible(lambda named: len(pictures(named)) == 2))
    assert [name.split(":")[0] for name in pictures(named)] == ["web.prod", "api.prod"]
    assert ("table", "Services") in named
    assert [name.split(" eu-")[0] for role, name in named if role == "rowheader"] == [
        "web.prod", "api.prod", " ".join(EVIL.split()),
    ]  # fmt: skip


# Finds flaws that a person would see: text that is too small, or overlaps other text of the same drawing; a part that
# extends beyond the window, or that can be scrolled sideways; a status that is out of sight.
SEEN_WRONG = """
(() => {
  const wrong = [], width = document.documentElement.clientWidth, box = each => each.getBoundingClientRect();
  for (const node of document.querySelectorAll('body *')) {
    const own = [...node.childNodes].some(each => each.nodeType === 3 && each.data.trim());
    if (!node.getClientRects().length || node.tagName === 'title') continue;
    if (node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).overflowX !== 'visible')
      wrong.push(`scrolls: ${node.outerHTML.slice(0, 80)}`);
    if (box(node).left < 0 || box(node).right > width) wrong.push(`outside: ${node.outerHTML.slice(0, 80)}`);
    const scale = node.tagName === 'text' ? node.getScreenCTM().a : 1;
    const size = parseFloat(getComputedStyle(node).fontSize) * scale;
    if (own && size < 11) wrong.push(`${size} px: ${node.outerHTML.slice(0, 80)}`);
  }
  for (const drawing of document.querySelectorAll('.course > svg')) {
    const words = [...drawing.querySelectorAll('text')].filter(each => each.getClientRects().length);
    for (const [number, one] of words.entries()) for (const other of words.slice(number + 1)) {
      const [a, b] = [box(one), box(other)];
      if (Math.min(a.right, b.right) > Math.max(a.left, b.left) + 1
        && Math.min(a.bottom, b.bottom) > Math.max(a.top, b.top) + 3)
        wrong.push(`${one.textContent} lies on ${other.textContent}`);
    }
  }
  const badges = [...document.querySelectorAll('.badge')].map(box);
  if (!badges.length || badges.some(each => each.width < 30 || each.left < 0 || each.right > width))
    wrong.push('a status is out of sight');
  return wrong;
})()
"""
WIDTHS = pytest.mark.parametrize("width", [1280, 390], ids=["on a desk", "on a phone"])


@pytest.mark.parametrize("dark", [False, True], ids=["by day", "by night"])
@WIDTHS
def test_it_can_be_read(browser, page, width, dark):
    browser.size(width, dark=dark)
    browser.open(page)
    assert browser.ask("document.documentElement.scrollWidth") <= width, "nobody has to scroll sideways"
    assert browser.ask(SEEN_WRONG) == []
    assert browser.ask(CONTRAST) >= 4.5
    ground = browser.ask("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") is not dark
    # It is a table for screen readers, whatever its layout.
    browser.accessible(lambda named: [role for role, _name in named if role in ("table", "rowheader")] == TABLE)


def test_it_can_be_read_in_windows_of_many_widths(browser, page):
    browser.open(page)
    for width in (320, 640, 641, 896, 897, 1000):
        browser.size(width)
        assert (width, browser.ask(SEEN_WRONG)) == (width, [])


@pytest.mark.parametrize("dark", [False, True], ids=["by day", "by night"])
@WIDTHS
def test_no_line_hides_another(browser, page, width, dark):
    """This holds for both drawings from the beginning, also for the failed service, where all three lines overlap."""
    browser.size(width, dark=dark)
    browser.open(page)
    for number in range(2):
        told = browser.ask(f"""(async () => {{
            const drawing = document.querySelectorAll('.course > svg')[{number}];
            const find = each => drawing.querySelector(each);
            drawing.scrollIntoView({{block: 'center'}});
            await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
            const ends = each => (box => [box.left, box.right])(find(each).getBoundingClientRect());
            const [first] = find('.healthy').getAttribute('d').match(/(?<=^M0 )[0-9.]+/);
            return {{
              healthy: ends('.healthy'), axis: ends('.axis'),
              middle: find('.lines').getBoundingClientRect().top + Number(first),
              colors: ['.healthy', '.floor', '.desired'].map(each => getComputedStyle(find(each)).stroke),
            }};
          }})()""")
        assert told["healthy"] == pytest.approx(told["axis"], abs=1.5), "as long as the run"
        assert set(told["colors"]) <= browser.colors(told["axis"][0] + 1, told["middle"] - 7, 14, 14)


def fleet(count):
    """A page of a fleet: of every ten services, six are recycled, one failed, two are unchanged, one was not run."""
    rows = {}
    for number in range(count):
        name = f"{('shop', 'search', 'cart', 'pay', 'login', 'mail')[number % 6]}-{number:03}.prod"
        result = result_of(number, name)
        rows[name] = result and recycle_row(result, name, timeline=True)
    return recycle_page(rows, "2026-11-22 03:00 UTC")


def result_of(number, name):
    """Return the module's result for a service, or None if the module did not run. A step takes 70 s."""
    tasks, kind = 3 + number % 4, number % 10
    ids = [sha256(f"{number} {task}".encode()).hexdigest()[:32] for task in range(2 * tasks)]
    old, new = ids[:tasks], ids[tasks:]
    recycle = {
        "status": "unchanged",
        "service": f"arn:aws:ecs:{'eu-west-1' if number % 3 == 2 else 'eu-central-1'}:123456789012:service/prod/{name}",
        "selector": {"max_task_age": "7d"},
        "seconds": 0.8,
    }
    if kind > 6:
        return None if kind == 9 else {"recycle": recycle}
    failed = kind == 6
    steps, seconds = range(1, 1 if failed else tasks + 1), 54.0 if failed else 70.0 * tasks
    counts = [(0.0, tasks, tasks), (1.4, tasks, tasks + 1)]
    counts += [(70.0 * step, healthy, tasks + 1) for step in steps for healthy in (tasks + 1, tasks)]
    bars = [(task, False, 0.0, 0.0, None if failed else 70.0 * step) for step, task in enumerate(old, 1)]
    bars += [(task, True, 70.0 * step - 67, 70.0 * step, None) for step, task in zip(steps, new, strict=False)]
    bars += [(new[0], True, 3.0, None, 48.7)] if failed else []
    recycle |= {
        "status": "failed" if failed else "recycled",
        "plan": {"minimum_healthy": tasks},
        "minimum_healthy": tasks,
        "replaced": [] if failed else old,
        "remaining": old if failed else [],
        "failures": new[:1] if failed else [],
        "seconds": seconds,
        "timeline": {
            "seconds": seconds,
            "counts": [dict(zip(("at", "healthy", "desired"), each, strict=True)) for each in counts],
            "tasks": [dict(zip(("task", "new", "from", "good", "to"), each, strict=True)) for each in bars],
        },
    }
    why = (
        f"service {name} in cluster prod: the new task {new[0]} ended by itself (TaskFailedToStart):"
        " CannotPullContainerError: image not found. Fix the cause, then run again. No old task was stopped;"
        f" {tasks} of {tasks} tasks are healthy; the desired count is {tasks} again."
    )
    return {"recycle": recycle, **({"failed": True, "msg": why} if failed else {})}


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    path = tmp_path_factory.mktemp("fleet") / "report.html"
    path.write_text(fleet(500))
    return path


SEEN_ROWS = "[...document.querySelectorAll('tbody tr')].filter(row => row.getClientRects().length)"
SEEN_COURSES = "[...document.querySelectorAll('.course')].filter(each => each.getClientRects().length).length"


def test_a_fleet_of_500_opens_at_once(browser, large):
    """The test prints how long it takes. The limit is generous, because the machine may be busy."""
    browser.size(390)
    browser.open(large)
    assert browser.complaints() == []
    took = browser.ask("performance.getEntriesByType('navigation')[0].loadEventEnd")
    print(f"500 services, {large.stat().st_size / 1e6:.1f} MB: {took:.0f} ms from navigation to load")
    assert took < 10_000
    assert browser.ask(SEEN_ROWS + ".length") == 500
    assert browser.ask("document.documentElement.scrollWidth") <= 390
    browser.ask("document.querySelector('tbody tr:nth-child(491) a').click()")
    browser.ask("new Promise(done => setTimeout(done, 300))")
    assert 0 <= browser.ask("document.querySelector('#s491 h3').getBoundingClientRect().top") < 100, (
        "a link leads to its drawing, however much lies between them"
    )


@WIDTHS
@pytest.mark.sampled(2)
def test_a_fleet_is_filtered_with_the_keyboard(browser, large, width):
    browser.size(width)
    browser.open(large)
    browser.press("Tab")
    browser.call("Input.insertText", text="PAY- eu-west")
    names = browser.ask(f"{SEEN_ROWS}.map(row => row.cells[0].innerText)")
    assert names == [], "no such service is in that region"
    browser.press("Tab")
    browser.press("f")
    assert browser.ask("document.activeElement.value") == "failed"
    browser.ask("document.getElementById('text').select()")
    browser.call("Input.insertText", text="cannotpull SHOP")
    rows = browser.ask(f"{SEEN_ROWS}.map(row => [row.cells[0].innerText.split('\\n')[0], row.cells[1].innerText])")
    assert rows == [[f"shop-{number:03}.prod", "failed"] for number in range(6, 500, 30)], "by the reason, too"
    assert browser.ask(SEEN_COURSES) == len(rows)
    assert browser.ask("[...document.querySelectorAll('li[data-of]')].filter(each => !each.hidden).length") == len(rows)

    controls = {("search", "Filter services"), ("searchbox", "Filter by text"), ("combobox", "Status")}
    nodes = browser.accessible(controls.issubset)
    (told,) = [each for each in nodes if each["role"]["value"] == "status"]
    assert {"name": "live", "value": {"type": "token", "value": "polite"}} in told["properties"]
    assert browser.ask("document.querySelector('output').innerText") == f"{len(rows)} of 500 services"


@pytest.mark.parametrize("width", [1280, 390], ids=["desk", "phone"])
def test_the_pictures_of_the_readme(browser, tmp_path, width, request):
    """``PICTURES=docs/pictures`` writes them again."""
    name = f"recycle-page-{request.node.callspec.id}.png"
    page = tmp_path / "report.html"
    page.write_text(fleet(12))
    browser.size(width, 720 if width > 400 else 844)
    browser.open(page)
    folder = Path(os.environ.get("PICTURES", tmp_path))
    if width < 400:
        browser.ask("scrollTo(0, document.querySelector('#courses').getBoundingClientRect().top)")
    (folder / name).write_bytes(browser.picture())
    kept = ROOT / "docs/pictures" / name
    assert kept.read_bytes()[16:24] == (folder / name).read_bytes()[16:24], "width and height"
    assert kept.stat().st_size < 120_000


def test_it_can_be_read_where_scripts_are_forbidden(browser, page):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(page)
    named = roles_and_names(browser.accessible(lambda named: len(pictures(named)) == 2))
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert "Recycle of 3 services" in [name for _role, name in named]
