# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The options that amazon.aws gives to every module.

Galaxy renders a module's documentation without the collections it depends on, and shows nothing at all
when a fragment is missing. So the options are described here once more; a test compares them with amazon.aws.
"""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  access_key:
    description:
      - ID of the access key that signs requests.
      - Falls back to the environment variables E(AWS_ACCESS_KEY_ID) and E(AWS_ACCESS_KEY), in this order.
      - Mutually exclusive with O(profile).
    type: str
    aliases: [aws_access_key_id, aws_access_key]
  secret_key:
    description:
      - Secret of the access key.
      - Falls back to the environment variables E(AWS_SECRET_ACCESS_KEY) and E(AWS_SECRET_KEY), in this order.
      - Mutually exclusive with O(profile).
    type: str
    aliases: [aws_secret_access_key, aws_secret_key]
  session_token:
    description:
      - Session token of temporary credentials, such as M(amazon.aws.sts_assume_role) returns.
      - Falls back to the environment variable E(AWS_SESSION_TOKEN).
      - Mutually exclusive with O(profile).
    type: str
    aliases: [aws_session_token]
  profile:
    description:
      - Named profile in the AWS configuration files that has the credentials.
      - Falls back to the environment variables E(AWS_PROFILE) and E(AWS_DEFAULT_PROFILE), in this order.
      - Mutually exclusive with O(access_key), O(secret_key) and O(session_token).
    type: str
    aliases: [aws_profile]
  region:
    description:
      - AWS region, such as V(eu-central-1).
      - Falls back to the environment variables E(AWS_REGION) and E(AWS_DEFAULT_REGION), in this order, and to the
        region of the profile.
    type: str
    aliases: [aws_region]
  endpoint_url:
    description:
      - URL for all requests instead of AWS's own, such as that of a VPC endpoint or of the sandbox.
      - Falls back to the environment variable E(AWS_URL).
    type: str
    aliases: [aws_endpoint_url]
  aws_ca_bundle:
    description:
      - Path of a file with the certificates of the certificate authorities to trust.
      - Falls back to the environment variable E(AWS_CA_BUNDLE).
    type: path
  validate_certs:
    description:
      - Whether to check the certificate of the endpoint. To trust your own certificate authority, set O(aws_ca_bundle)
        instead of turning this off.
    type: bool
    default: true
  aws_config:
    description:
      - Settings of the AWS SDK client, by their names in C(botocore.config.Config), such as C(connect_timeout) or
        C(proxies).
    type: dict
  debug_botocore_endpoint_logs:
    description:
      - Whether the result lists each API operation that was called, as C(resource_actions). Use it to write a minimal
        IAM policy.
      - Falls back to the environment variable E(ANSIBLE_DEBUG_BOTOCORE_LOGS).
    type: bool
    default: false
requirements:
  - python >= 3.10
  - boto3 >= 1.41.1
  - botocore >= 1.41.1
notes:
  - The module runs on the target host of the task, usually C(localhost), and uses the environment variables, profiles
    and configuration files of that host.
  - For credentials and settings that are not given, the AWS SDK searches its usual places, including the role of the
    instance or container.
"""

    # The same for plugins, which run in Ansible itself and read their environment variables themselves.
    PLUGINS = r"""
options:
  access_key:
    description:
      - ID of the access key that signs requests.
      - Mutually exclusive with O(profile).
    type: str
    aliases: [aws_access_key_id, aws_access_key]
    env:
      - name: AWS_ACCESS_KEY_ID
      - name: AWS_ACCESS_KEY
  secret_key:
    description:
      - Secret of the access key.
      - Mutually exclusive with O(profile).
    type: str
    aliases: [aws_secret_access_key, aws_secret_key]
    env:
      - name: AWS_SECRET_ACCESS_KEY
      - name: AWS_SECRET_KEY
  session_token:
    description:
      - Session token of temporary credentials.
      - Mutually exclusive with O(profile).
    type: str
    aliases: [aws_session_token]
    env:
      - name: AWS_SESSION_TOKEN
  profile:
    description:
      - Named profile in the AWS configuration files that has the credentials.
      - Mutually exclusive with O(access_key), O(secret_key) and O(session_token).
    type: str
    aliases: [aws_profile]
    env:
      - name: AWS_PROFILE
      - name: AWS_DEFAULT_PROFILE
  region:
    description:
      - AWS region, such as V(eu-central-1). If omitted, the region of the profile is used.
    type: str
    aliases: [aws_region]
    env:
      - name: AWS_REGION
  endpoint_url:
    description:
      - URL for all requests instead of AWS's own, such as that of a VPC endpoint or of the sandbox.
    type: str
    aliases: [aws_endpoint_url]
    env:
      - name: AWS_URL
  assume_role_arn:
    description:
      - ARN of an IAM role to assume first.
      - The other credentials must allow C(sts:AssumeRole) on it.
    type: str
    aliases: [iam_role_arn]
requirements:
  - python >= 3.10
  - boto3 >= 1.41.1
  - botocore >= 1.41.1
notes:
  - The plugin uses the environment variables, profiles and configuration files of the controller.
  - For credentials and settings that are not given, the AWS SDK searches its usual places, including the role of the
    instance or container.
"""
