# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives that are the same from run to run."""

from __future__ import annotations

import io
import threading
import zipfile

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.functions.archive import (
    archive,
    code_sha256,
    keep,
)

FILES = {"handler.py": b"def handler(): ...\n", "_core/__init__.py": b""}


def test_the_bytes_are_known():
    """They are pinned, because they must not differ between two runs or between two machines."""
    assert code_sha256(archive(FILES)) == "UXX5Pmb8gWcKqfHJITnlXh7C9tMzcm7HzsUnppWlbEM="


def test_the_order_of_the_files_is_no_difference():
    assert archive(FILES) == archive(dict(reversed(FILES.items())))


def test_it_is_a_zip_of_the_files():
    with zipfile.ZipFile(io.BytesIO(archive(FILES))) as made:
        assert {name: made.read(name) for name in made.namelist()} == FILES
        assert {entry.external_attr >> 16 & 0o777 for entry in made.infolist()} == {0o644}


def test_what_lambda_does_not_take_is_refused():
    with pytest.raises(Refused, match="Remove files"):
        archive(FILES, largest=10)


def test_a_kept_archive_is_written_once_for_its_owner_alone(tmp_path):
    path = tmp_path / "cache/function.zip"
    assert keep(path, b"one")
    assert not keep(path, b"one")
    path.chmod(0o644)
    assert keep(path, b"two")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"two", 0o600)
    assert list(path.parent.iterdir()) == [path]


def test_whoever_reads_a_kept_archive_meanwhile_gets_a_whole_one(tmp_path):
    path, contents = tmp_path / "function.zip", (b"1" * 1_000_000, b"2" * 1_000_000)
    keep(path, contents[0])
    writer = threading.Thread(target=lambda: [keep(path, contents[number % 2]) for number in range(200)])
    writer.start()
    while writer.is_alive():
        assert path.read_bytes() in contents
    writer.join()
