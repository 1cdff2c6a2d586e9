# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every recorded or documented service event means what its row says."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle import service_events

# meaning, message, when it was seen, source; an escape such as \u2019 stands for a character that is not ASCII
with Path(__file__).with_name("service_events.tsv").open(newline="", encoding="raw_unicode_escape") as rows:
    EVENTS = list(csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.mark.parametrize("event", EVENTS, ids=[event["message"][:60] for event in EVENTS])
def test_a_service_event_means_what_its_row_says(event):
    assert service_events.meaning_of(event["message"]) == event["meaning"]


def test_a_text_that_no_rule_knows_is_unknown():
    assert service_events.meaning_of("(service api) does something new.") == service_events.UNKNOWN


def test_every_meaning_has_a_row():
    meanings = {value for name, value in vars(service_events).items() if name.isupper() and not name.startswith("_")}
    assert meanings - {service_events.UNKNOWN} == {event["meaning"] for event in EVENTS}
