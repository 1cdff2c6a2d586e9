# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read from requirements and wheels, and what is refused."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.functions.archive import archive
from ansible_collections.steadyops.ecs.plugins.module_utils._core.functions.wheels import (
    Requirement,
    merged,
    read_requirements,
    wheel_files,
)
from hypothesis import given
from hypothesis import strategies as st

FILES = st.dictionaries(
    st.from_regex(r"[a-z]{1,5}(/[a-z]{1,5}){0,2}\.py", fullmatch=True), st.binary(max_size=50), max_size=5
)
DIGEST = "ab" * 32


@given(files=FILES)
def test_what_is_packed_comes_out_again(files):
    assert wheel_files(archive(files)) == files


@pytest.mark.parametrize("path", ["fast.so", "fast.pyd", "a-1.0.data/scripts/a", "/etc/passwd", "a/../../b.py"])
def test_a_wheel_that_is_not_of_pure_python(path):
    with pytest.raises(Refused, match="not pure Python"):
        wheel_files(archive({"a.py": b"", path: b""}))


def test_merged():
    assert merged([{"a": b"1"}, {"b": b"2"}, {"a": b"1"}]) == {"a": b"1", "b": b"2"}
    with pytest.raises(Refused, match="a file a, and the two differ"):
        merged([{"a": b"1"}, {"a": b"2"}])


def test_read_requirements():
    text = f"""# Why

urllib3==2.8.0 \\
    --hash=sha256:{DIGEST} \\
    --hash=sha256:{"cd" * 32}
certifi==1  --hash=sha256:{DIGEST}  # so
"""
    assert read_requirements(text) == [
        Requirement("urllib3", "2.8.0", (DIGEST, "cd" * 32)),
        Requirement("certifi", "1", (DIGEST,)),
    ]


@pytest.mark.parametrize(
    "line", ["urllib3", "urllib3>=2 --hash=sha256:" + DIGEST, "urllib3==2.8.0", "-r other.txt", "a==1 --hash=md5:ab"]
)
def test_requirements_that_are_not_pinned(line):
    with pytest.raises(Refused, match="is not pinned to one version and its digests"):
        read_requirements(line)
