# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client with which tests and demonstrations start and control a sandbox. Standard library only."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

ROOT = Path(__file__).resolve().parents[2]
open_url = build_opener(ProxyHandler({})).open  # no proxy for loopback


class Sandbox:
    """A running sandbox. ``stop`` ends its process only if ``start`` started it."""

    def __init__(self, url: str, process: subprocess.Popen[str] | None = None) -> None:
        self.url = url
        self.process = process

    @classmethod
    def start(cls, speed: float = 1.0, region: str = "eu-central-1", port: int = 0) -> Sandbox:
        """Start a sandbox in a separate process, which ends with this process at the latest."""
        command = [sys.executable, "-m", "tests.sandbox", "--until-eof", "--port", str(port)]
        command += ["--speed", str(speed), "--region", region]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the sandbox did not start; it ended with {process.wait()}")
        process.stdout.readline()
        return cls(line.split()[0], process)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait()
            for stream in (self.process.stdin, self.process.stdout):
                if stream:
                    stream.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}/_sandbox/{path}", data, {"Content-Type": "application/json"}, method=method)
        try:
            with open_url(request, timeout=60) as answer:
                return json.load(answer)
        except HTTPError as problem:
            raise ValueError(problem.read().decode()) from None

    def service(self, name: str, **details: Any) -> dict[str, Any]:
        """Create a service whose tasks already run. See staging.py for the details it takes."""
        return self.ask("POST", "services", {"name": name, **details})  # type: ignore[no-any-return]

    def fault(self, kind: str, **details: Any) -> None:
        self.ask("POST", "faults", {"kind": kind, **details})

    def program(self, family: str, *programs: dict[str, Any], **program: Any) -> None:
        """Set what a family's tasks do: one program, or several that launches take in turn. See programs.py."""
        self.ask("POST", "programs", {"family": family, "programs": [*programs, *([program] if program else [])]})

    def clear_faults(self, kind: str | None = None) -> None:
        self.ask("DELETE", "faults", {"kind": kind} if kind else {})

    def act(self, act: str, service: str | None = None, **details: Any) -> dict[str, Any]:
        """Perform an act on a service, or on the named task. See acts.py."""
        whose = {"service": service} if service else {}
        return self.ask("POST", "act", {"act": act, **whose, **details})  # type: ignore[no-any-return]

    def endpoint(self, answers: str = "silent") -> str:
        """Return the URL of an endpoint that accepts connections but never answers, or ("refused") accepts none."""
        return str(self.act("endpoint", answers=answers)["url"])

    def release(self) -> None:
        """Release all held answers."""
        self.ask("POST", "act", {"act": "release"})

    def settings(self, **changes: Any) -> dict[str, Any]:
        return self.ask("POST", "settings", changes)  # type: ignore[no-any-return]

    def reset(self, **changes: Any) -> None:
        self.ask("POST", "reset", changes)

    def journal(self, service: str | None = None, since: int = 0) -> dict[str, list[dict[str, Any]]]:
        """Return {"calls": [...], "changes": [...]}, oldest first. ``service`` limits the changes to one service."""
        query = f"?since={since}" + (f"&service={service}" if service else "")
        return self.ask("GET", f"journal{query}")  # type: ignore[no-any-return]

    def events(self, since: int = 0) -> list[dict[str, Any]]:
        """Return the events that reached the event buses: {"time", "region", "bus", "event"}, oldest first."""
        return self.ask("GET", f"events?since={since}")  # type: ignore[no-any-return]

    def publish(self, event: dict[str, Any]) -> dict[str, Any]:
        """Publish an event as if AWS had emitted it. Missing envelope fields are filled in. Return the event."""
        return self.ask("POST", "publish", event)  # type: ignore[no-any-return]

    def deliveries(self, rule: str | None = None, event: str | None = None, since: int = 0) -> list[dict[str, Any]]:
        """Return the journal of deliveries, oldest first. See delivery/attempts.py for its lines."""
        query = "".join(f"&{name}={value}" for name, value in (("rule", rule), ("event", event)) if value)
        return self.ask("GET", f"deliveries?since={since}{query}")  # type: ignore[no-any-return]

    def settle(self, timeout: float = 30, retries: bool = True) -> bool:
        """Wait until no delivery is under way. Return False if some still are after ``timeout``."""
        return bool(self.ask("POST", "settle", {"timeout": timeout, "retries": retries})["idle"])

    def confirm_subscription(self, endpoint: str, topic: str | None = None) -> list[str]:
        """Confirm subscriptions, as if somebody clicked on the link in the mail. Return their ARNs."""
        asked = {"act": "confirm_subscription", "endpoint": endpoint, "topic": topic}
        return self.ask("POST", "act", asked)["confirmed"]  # type: ignore[no-any-return]

    def state(self) -> dict[str, Any]:
        return self.ask("GET", "state")  # type: ignore[no-any-return]

    def find(self, name: str) -> dict[str, Any]:
        """Return the current state of a service, by name or ARN."""
        return next(each for each in self.state()["services"] if name in (each["name"], each["arn"]))

    def healthy(self, name: str) -> int:
        return int(self.find(name)["healthy"])
