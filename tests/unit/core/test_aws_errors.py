# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The advice to users about an error of AWS. Tests in unit/aws cover the kinds, with errors of boto3."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.aws_errors import advice


@pytest.mark.parametrize(
    ("code", "message", "kind", "words"),
    [
        ("AccessDeniedException", "No.", "final", "Allow ecs:StopTask to these credentials"),
        # AWS knows better which permission is missing: some calls need one with another name.
        (
            "AccessDeniedException",
            "User: x is not authorized to perform: ecs:TagResource on resource: y with an explicit deny",
            "final",
            "An explicit deny in a policy forbids ecs:TagResource, and overrides every Allow",
        ),
        (
            "AccessDeniedException",
            "User: x is not authorized to perform: ecs:TagResource on resource: y with an explicit deny in a service"
            " control policy: arn:aws:organizations::111122223333:policy/o-1/service_control_policy/p-1",
            "final",
            "An explicit deny in a service control policy forbids ecs:TagResource",
        ),
        (
            "AccessDeniedException",
            "User: x is not authorized to perform: ecs:TagResource with an explicit deny in a permissions boundary",
            "final",
            "An explicit deny in a permissions boundary forbids ecs:TagResource",
        ),
        (
            "TagPolicyException",
            "The tag policy does not allow the specified value for the following tag key: 'steadyops.ecs/recycle'.",
            "final",
            "A tag policy of the organization refuses this tag. Allow it in that policy",
        ),
        ("AccessDenied", "You may not perform: iam:PassRole on x", "final", "Allow iam:PassRole to these credentials"),
        ("ExpiredTokenException", "", "final", "The credentials have expired"),
        ("TokenRetrievalError", "", "final", "The credentials have expired"),
        ("RequestExpired", "", "final", "Set the clock"),
        ("NoCredentialsError", "", "final", "Give a profile"),
        ("UnrecognizedClientException", "", "final", "Check profile or access_key"),
        ("ClusterNotFoundException", "", "final", "Check cluster"),
        ("ReadTimeoutError", "", "passing", "Check the network"),
        ("SSLError", "", "final", "Check aws_ca_bundle"),
        ("404", "", "final", "This does not seem to come from AWS"),
        ("503", "", "passing", "This does not seem to come from AWS"),
        ("ThrottlingException", "", "throttled", "AWS throttles the calls"),
        ("ServerException", "", "passing", "This is transient"),
        ("ValidationException", "", "final", ""),
    ],
)
def test_advice(code, message, kind, words):
    said = advice("ecs:StopTask", code, message, kind)
    assert said.startswith(words)
    assert bool(said) == bool(words)
    assert not said.endswith(".")
