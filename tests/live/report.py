# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.live.report: write what was believed and what was seen, as Markdown to attach to an issue."""

from __future__ import annotations

import re
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.live.account import FOLDER, NAME, record_of
from tests.live.questions import NOT_ASKED, QUESTIONS

ROOT = Path(__file__).parents[2]
VERDICTS = {True: "as believed", False: "DIFFERS", None: "not observed"}
# Pattern of what could identify an account -> its replacement.
MASKS = (
    (r"\b\d{12}\b", "ACCOUNT"),
    (r"\b(subnet|sg|vpc|eni|i|igw|rtb|nat)-[0-9a-f]{8,17}\b", r"\1-ID"),
    (r"\b(?:[0-9a-f]{32}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\b", "ID"),
    (r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}\b", "KEY"),
    (r"\b\d{1,3}(?:\.\d{1,3}){3}\b", "ADDRESS"),
    (r"\b[\w.-]+\.elb\.[\w.-]*amazonaws\.com\b", "HOST"),
    (r"ecs-svc/\d+", "ecs-svc/ID"),
)


ARN = re.compile(r"arn:aws[\w-]*:([\w-]+):[^\s\"',;)\]]*")


def short(arn: re.Match[str]) -> str:
    """Return an ARN's last name that is ours or, if it has none, its service."""
    names = [each for each in re.split("[:/]", arn[0]) if each.startswith(NAME)]
    return f"ARN of {names[-1]}" if names else f"ARN of {arn[1]}"


def masked(text: str) -> str:
    """Return the text without account numbers, ids, keys and addresses."""
    text = ARN.sub(short, text)
    for pattern, words in MASKS:
        text = re.sub(pattern, words, text)
    return text


def cell(text: str) -> str:
    return masked(text).replace("|", "\\|").replace("\n", " ")


def report(record: dict[str, Any]) -> str:
    """Return the whole report. The same record gives the same text."""
    answers = [(each, each.answer(record)) for each in QUESTIONS]
    counts = Counter(VERDICTS[answer.agrees] for _question, answer in answers)
    run = record.get("run", {})
    lines = [
        "# steadyops.ecs on a live account",
        "",
        f"Region {run.get('region', 'unknown')}, {run.get('date', 'no date')}; " + ", ".join(run.get("versions", [])),
        "",
        "; ".join(f"{words}: {counts[words]}" for words in VERDICTS.values()),
        "",
    ]
    if "failed" in record:
        lines += [f"The run ended early. {masked(str(record['failed']['message']))}", ""]
    lines += ["| | question | believed | seen |", "|---|---|---|---|"]
    order = {False: 0, None: 1, True: 2}
    for each, answer in sorted(answers, key=lambda pair: order[pair[1].agrees]):
        where = f" ({each.where.replace(' ', ', ')})" if each.where and answer.agrees is False else ""
        asks = f"{each.asks} *{each.how}.*"
        cells = (VERDICTS[answer.agrees], asks, each.believed + where, answer.seen)
        lines.append("| " + " | ".join(map(cell, cells)) + " |")
    lines += ["", "This run does not answer:", ""]
    lines += [f"* {file}: {why}" for file, why in NOT_ASKED.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    record = record_of(FOLDER)
    ours = re.search(r"^version: (\S+)", (ROOT / "galaxy.yml").read_text(), re.MULTILINE)
    others = [f"{name} {version(name)}" for name in ("ansible-core", "boto3")]
    record.setdefault("run", {})["versions"] = [f"steadyops.ecs {ours[1] if ours else 'unknown'}", *others]
    path = FOLDER / "report.md"
    path.write_text(report(record))
    print(f"The report is {path}.")


if __name__ == "__main__":
    main()
