# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control headless Chromium through its debugging pipe, with the standard library only.

    with Browser(folder) as browser:
        browser.open(path)
        browser.ask("document.title")

If there is no browser, tests that need one are skipped and say so; in CI (BROWSER_REQUIRED) they fail instead.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# No part of the browser may make connections: by default, it would look up hosts of its vendor.
FLAGS = (
    "--headless",
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
# The browser reads descriptor 3 and writes descriptor 4, whatever numbers ours have.
START = "import os, sys; i, o, *c = sys.argv[1:]; os.dup2(int(i), 3); os.dup2(int(o), 4); os.execv(c[0], c)"

# Returns the colors of a PNG in base64. It reads a blob, because the policy of a page may forbid images.
_COLORS = """async (data, ...part) => {
  const image = await createImageBitmap(new Blob([Uint8Array.from(atob(data), each => each.charCodeAt())]));
  const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  const {data: bytes} = canvas.getImageData(...part), found = new Set();
  for (let at = 0; at < bytes.length; at += 4) found.add(`rgb(${bytes.slice(at, at + 3).join(", ")})`);
  return [...found];
}"""


def find_browser() -> str:
    """Return the path of Chromium or Chrome. If there is none, skip the test, or fail it if BROWSER_REQUIRED is set."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    words = f"no browser was found ({', '.join(NAMES)}): apt-get install chromium"
    if os.environ.get("BROWSER_REQUIRED"):
        pytest.fail(words)
    pytest.skip(words)


def roles_and_names(nodes: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the roles and names of the nodes that :meth:`Browser.accessible` returns."""
    return [(each["role"]["value"], each.get("name", {}).get("value", "")) for each in nodes]


class Browser:
    """One page of one browser."""

    def __init__(self, folder: Path) -> None:
        to_browser, self._to = os.pipe()
        self._from, from_browser = os.pipe()
        command = [find_browser(), *FLAGS, f"--user-data-dir={folder}", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", START, str(to_browser), str(from_browser), *command],
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._number, self._rest = 0, b""
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log", "DOM", "Accessibility"):
            self.call(f"{domain}.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)

    _session: str | None = None

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command of the DevTools protocol, and return its result."""
        self._number += 1
        session = {"sessionId": self._session} if self._session else {}
        os.write(
            self._to, json.dumps({"id": self._number, "method": method, "params": params, **session}).encode() + b"\0"
        )
        while True:
            told = self._read()
            if told.get("id") == self._number:
                assert "error" not in told, told
                return told["result"]  # type: ignore[no-any-return]
            self.events.append(told)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            piece = os.read(self._from, 1 << 20)
            assert piece, "the browser has ended"
            self._rest += piece
        message, _null, self._rest = self._rest.partition(b"\0")
        return json.loads(message)  # type: ignore[no-any-return]

    def size(self, width: int, height: int = 900, dark: bool = False) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, path: Path) -> None:
        self.events.clear()
        loader = self.call("Page.navigate", url=path.resolve().as_uri())["loaderId"]
        # The load event of an earlier page may arrive late.
        while not any(
            event.get("method") == "Page.lifecycleEvent"
            and (event["params"]["loaderId"], event["params"]["name"]) == (loader, "load")
            for event in self.events
        ):
            self.events.append(self._read())

    def accessible(self, expected: Callable[[list[tuple[str, str]]], object]) -> list[dict[str, Any]]:
        """Return what a screen reader gets, once roles and names are as expected: the tree lags behind the page."""
        end = time.monotonic() + 60
        while True:
            tree = self.call("Accessibility.getFullAXTree")["nodes"]
            nodes = [each for each in tree if not each["ignored"]]
            named = roles_and_names(nodes)
            if expected(named):
                return nodes
            assert time.monotonic() < end, named
            time.sleep(0.05)

    def ask(self, expression: str) -> Any:
        """Return the value of a JavaScript expression. This works even if the page itself may not run scripts."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key, such as ``Tab`` or ``f``."""
        code = {"Tab": 9}.get(key, ord(key[0].upper()))
        text = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def requests(self) -> list[str]:
        """Return the URLs that were requested since the page was opened."""
        told = [event["params"] for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        return [each["request"]["url"] for each in told]

    def complaints(self) -> list[str]:
        """Return the browser's log entries and exceptions, as JSON."""
        return [
            json.dumps(e["params"])
            for e in self.events
            if e.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown")
        ]

    def picture(self) -> bytes:
        """Return a screenshot of the visible part of the page, as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def colors(self, x: float, y: float, width: int, height: int) -> set[str]:
        """Return the colors of the pixels in a rectangle of the visible part of the page."""
        picture = json.dumps(base64.b64encode(self.picture()).decode())
        return set(self.ask(f"({_COLORS})({picture}, {x}, {y}, {width}, {height})"))
