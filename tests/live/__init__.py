# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The smoke test for a live account: see "What was never tried on a live account" in docs/docsite/rst.

smoke.yml, cleanup.yml   the playbooks, and make.yml, what they create
__main__.py              runs them, and removes everything when it is interrupted
check.py                 looks at the account before anything is written
observe.py               breaks things on purpose and records what AWS does
questions.py             what each question believes, and how the record answers it
report.py                writes the answers as Markdown, without a name or number of the account
sweep.py                 finds everything by name and tag, and removes it
"""
