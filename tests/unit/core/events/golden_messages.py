# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The text that each ready-made message has for each event of the catalogue, one file for each message.

After a change that is meant, write them anew and read the difference:

    .venv/bin/python -m tests.unit.core.events.golden_messages
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    import tests.conftest  # noqa: F401 - the collection as it is now, as under pytest

from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.messages.templates import (
    TEMPLATES,
    Message,
    transformer,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.catalogue import CATALOGUE

from tests.sandbox.events.input_transformer import render

RULE = "arn:aws:events:eu-central-1:123456789012:rule/failures"
INGESTED = "2026-11-22T03:02:12Z"


def path_of(name: str) -> Path:
    return Path(__file__).parent / "golden" / f"{name}.json"


def message(name: str, **options: Any) -> Message:
    return Message(name, channel="C0123456789" if name == "slack" else None, **options)


def rendered(of: Message, event_kind: str, event: Any) -> str:
    """As EventBridge would send it."""
    paths, template = transformer(of, event_kind)
    target = {"Id": "a", "InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}
    return render(target, event, RULE, INGESTED)


def golden(name: str) -> str:
    """The file of a message: a line for each event, with a document as data and text as its lines."""
    lines = []
    for sample in CATALOGUE:
        text = rendered(message(name), sample.kind, sample.event)
        told = text if text.startswith("{") else json.dumps(text.split("\n"), ensure_ascii=False)
        lines.append(f"{json.dumps(sample.name)}: {told}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write() -> None:
    for name in TEMPLATES:
        path_of(name).write_text(golden(name))


if __name__ == "__main__":
    write()
