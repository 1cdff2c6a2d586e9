# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account of a run, and the folder in which the run keeps what it has seen."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3

NAME = "steadyops-live"  # every name begins with it
TAG = "steadyops.ecs/live-test"
WEB, OTHER = f"{NAME}-web", f"{NAME}-other"  # services: behind a load balancer, and for deployments that fail
FOLDER = Path(os.environ.get("LIVE_FOLDER") or Path(__file__).parents[2] / "build/live")
MARKER = "begun"  # a file in FOLDER that exists from before the first write until nothing is left


class Account:
    """``speed`` is that of the sandbox, or 1 on AWS. All durations here are seconds as they pass on AWS."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        settings = folder / "settings.json"
        self.settings: dict[str, Any] = json.loads(settings.read_text()) if settings.exists() else {}
        self.speed = float(self.settings.get("speed", 1))
        self.region = self.settings.get("region") or os.environ.get("AWS_REGION")  # boto3 does not read AWS_REGION
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self.new_client(service)
        return self._clients[service]

    def new_client(self, service: str, **credentials: str) -> Any:
        return boto3.client(service, region_name=self.region, **credentials)

    @cached_property
    def number(self) -> str:
        return str(self.client("sts").get_caller_identity()["Account"])

    def arn(self, service: str, resource: str) -> str:
        ecs = self.client("ecs").meta
        return f"arn:{ecs.partition}:{service}:{ecs.region_name}:{self.number}:{resource}"

    @property
    def network(self) -> dict[str, Any]:
        """The network configuration of tasks."""
        given = self.settings
        public = "ENABLED" if given["public_ip"] else "DISABLED"
        place = {"subnets": given["subnets"], "securityGroups": [given["security_group"]], "assignPublicIp": public}
        return {"awsvpcConfiguration": place}

    def clock(self) -> float:
        return time.monotonic() * self.speed

    def pause(self, seconds: float) -> None:
        time.sleep(seconds / self.speed)

    def watch(
        self, seconds: float, look: Callable[[], dict[str, Any]], until: Callable[[dict[str, Any]], Any]
    ) -> list[dict[str, Any]]:
        """Look repeatedly until ``until`` is true or ``seconds`` are over.

        Return the first look, each that changed, and the last. ``at``: seconds since the first.
        """
        began, looks, seen = self.clock(), [], None
        while True:
            before, seen, at = seen, look(), round(self.clock() - began, 1)
            over = until(seen) or at > seconds
            if seen != before or over:
                looks.append({"at": at, **seen})
            if over:
                return looks
            self.pause(1)

    def keep(self, name: str, seen: Any) -> None:
        (self.folder / f"{name}.json").write_text(json.dumps(seen, indent=1))


def record_of(folder: Path) -> dict[str, Any]:
    """Return everything that a run has kept, by name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
