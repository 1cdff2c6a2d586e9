# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Everything that inventories use from amazon.aws, and related parts of Ansible.

This is the counterpart of module_utils/_amazon.py for code that runs in Ansible itself, and the only such file.
"""

from __future__ import annotations

import sys
from typing import Any

from ansible.errors import AnsibleError, AnsibleParserError
from ansible_collections.amazon.aws.plugins.module_utils import botocore as amazon
from ansible_collections.amazon.aws.plugins.plugin_utils.inventory import AWSInventoryBase

from ..module_utils._amazon import CONNECTION, refused_sdk, translate

try:
    from ansible.utils.unsafe_proxy import wrap_var
except ImportError:  # will be removed in ansible-core 2.23; since 2.19 only values marked as templates are templates
    wrap_var = None


def untrusted(value: Any) -> Any:
    """Return the value, marked so that none of its text is ever evaluated as a template.

    A user who may tag a service must not be able to run Jinja2 on the controller.
    """
    return wrap_var(value) if wrap_var else value


class AwsInventory(AWSInventoryBase):
    """amazon.aws's inventory with our connection and our errors."""

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Read the options, and assume the role if one is given."""
        if not amazon.HAS_BOTO3:
            self.refuse(
                f"boto3 and botocore are required, but {sys.executable} does not have them. Install them for"
                " that Python"
            )
        refusal = refused_sdk()
        if refusal:
            self.refuse(refusal)
        of_boto3 = (amazon.botocore.exceptions.ClientError, amazon.botocore.exceptions.BotoCoreError)
        try:
            super().parse(inventory, loader, path, cache=cache)
        except (*of_boto3, AnsibleError) as error:
            # amazon.aws 10 passes boto3's error on; 11 wraps it in one of Ansible's.
            reason = error if isinstance(error, of_boto3) else error.__context__
            if not isinstance(reason, of_boto3):
                raise
            role = self.get_option("assume_role_arn")
            self.refuse(f"The role {role} cannot be assumed: {translate(reason, 'sts:AssumeRole')}")

    def connect(self, service: str, region: str, connections: int) -> Any:
        """Return a boto3 client that this many threads may use at once."""
        config = amazon.botocore.config.Config(**CONNECTION, max_pool_connections=connections)
        return self.client(service, region=region, aws_config=config)

    def refuse(self, words: str) -> Any:
        raise AnsibleParserError(f"{self.NAME}: {words}")
