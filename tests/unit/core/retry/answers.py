# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded and documented answers of RunTask, and what they mean."""

from __future__ import annotations

import csv
from pathlib import Path

# text, code of the answer ("failures", "stopped task"), verdict, source
with Path(__file__).with_name("run_task_answers.tsv").open(newline="") as rows:
    ANSWERS = list(csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE))
