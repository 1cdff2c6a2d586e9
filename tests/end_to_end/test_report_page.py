# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The page about recycles in a real browser: it can be read, by day and by night, and does nothing but be read."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.filter.recycle_summary import recycle_page, recycle_row

from tests.browser import Browser
from tests.end_to_end.conftest import LATENCIES, SPEED
from tests.end_to_end.programs import QUICK, RECYCLE, Module, arguments

EVIL = "</title><script>document.title='owned'</script>\"><img src=x onerror=\"document.title='owned'\">&amp;"
# The least contrast between any text that is seen and what is behind it, as WCAG reckons it.
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


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture(scope="module")
def page(running, tmp_path_factory):
    """Of two recycles that took place, one of which failed; the service that never came has a name that is no name."""
    # AWS's clock is known in whole seconds: what starts in less has no length.
    running.reset(speed=SPEED, latencies={**LATENCIES, "launch": 1.2 * SPEED})
    running.service("web", tasks=3, health_check=True)
    running.service("api", tasks=2, health_check=True)
    running.fault("launch_fails", service="api", reason=EVIL)
    folder = tmp_path_factory.mktemp("page")
    rows = {}
    for name in ("web", "api"):
        options = {**QUICK, "service": name, "max_task_age": "1h"}
        result = Module(RECYCLE, arguments(running, **options), folder / name).result()
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
    words = browser.ask("document.body.innerText")
    for said in ("What went wrong", "web.prod", "never fewer than 3 healthy", "not started", " ".join(EVIL.split())):
        assert said in words
    assert browser.ask("[...document.querySelectorAll('tbody tr')].map(row => row.cells[1].innerText)") == [
        "recycled", "failed", "not started",
    ]  # fmt: skip

    # Each task has its bar, each bar can be seen, and lies in its drawing.
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

    # To a screen reader the drawings are pictures with a name, and the table is one.
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    named = [(each["role"]["value"], each.get("name", {}).get("value", "")) for each in nodes if not each["ignored"]]
    pictures = [name for role, name in named if role in ("image", "img")]
    assert [name.split(":")[0] for name in pictures] == ["web.prod", "api.prod"]
    assert ("table", "Services") in named
    assert [name for role, name in named if role == "rowheader"] == ["web.prod", "api.prod", " ".join(EVIL.split())]


@pytest.mark.parametrize("dark", [False, True], ids=["by day", "by night"])
@pytest.mark.parametrize("width", [1200, 360], ids=["on a desk", "on a telephone"])
def test_it_can_be_read(browser, page, width, dark):
    browser.size(width, dark=dark)
    browser.open(page)
    assert browser.ask("document.documentElement.scrollWidth") <= width, "nobody has to scroll sideways"
    assert browser.ask(CONTRAST) >= 4.5
    ground = browser.ask("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") is not dark


def test_it_can_be_read_where_scripts_are_forbidden(browser, page):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(page)
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert any(each.get("name", {}).get("value") == "Recycle of 3 services" for each in nodes)
    assert sum(each["role"]["value"] in ("image", "img") for each in nodes if not each["ignored"]) == 2
