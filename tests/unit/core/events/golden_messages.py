# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documents that each ready-made message produces for some events of the catalogue: one file for each message.

The events cover each kind and each set of missing fields once. Properties in ``test_messages`` cover the others.
After an intended change, write the files again and read the difference:

    .venv/bin/python -m tests.unit.core.events.golden_messages
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    importlib.import_module("tests.conftest")  # builds the current collection, as under pytest

from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.messages.templates import (
    TEMPLATES,
    Message,
    transformer,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.catalogue import CATALOGUE

from tests.sandbox.events.input_transformer import render

EVENTS = (
    "exit_1",
    "sidecar_start",  # no exit code, and nobody who started it
    "stop_code_none",
    "group_free_text",  # quotes and line breaks
    "running",
    "service_image_pull",
    "service_exit_1",
    "placement",
    "configuration",  # no reason
    "deployment_failed",
    "hook_waiting",
    "daemon_not_running",
    "daemon_rollback",  # no reason and no task
    "instance_gpu",
    "retirement_services",
    "launch_denied",  # no request at all
    "launch_invalid",
    "launch_capacity",
    "execution_failed",
    "execution_aborted",  # no error
)
# The other templates are slack's without a channel, opsgenie's for another address, and the user's own.
GOLDEN = [name for name in TEMPLATES if name not in {"slack_webhook", "jira", "custom"}]
OWN = '{"text": "<headline>", "why": <reason>, "key": "<key>", "link": <link>, "codes": <exit_codes>, "to": <severity>}'
RULE = "arn:aws:events:eu-central-1:123456789012:rule/failures"
INGESTED = "2026-11-22T03:02:12Z"


def path_of(name: str) -> Path:
    return Path(__file__).parent / "golden" / f"{name}.json"


def message(name: str, **options: Any) -> Message:
    given = {"channel": "C0123456789" if name == "slack" else None, "template": OWN if name == "custom" else None}
    return Message(name, **{**given, **options})


def rendered(of: Message, event_kind: str, event: Any) -> str:
    """Return a message as EventBridge would send it."""
    paths, template = transformer(of, event_kind)
    target = {"Id": "a", "InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}
    return render(target, event, RULE, INGESTED)


def golden(name: str) -> str:
    """Return the file of a message: what the receiver gets for each event, with text as a list of lines."""
    samples = {sample.name: sample for sample in CATALOGUE}
    found = {}
    for event in EVENTS:
        text = rendered(message(name), samples[event].kind, samples[event].event)
        found[event] = json.loads(text) if text.startswith("{") else text.split("\n")
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def write() -> None:
    for name in GOLDEN:
        path_of(name).write_text(golden(name))


if __name__ == "__main__":
    write()
