# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
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
      - The id of the access key to sign requests with.
      - Falls back to the environment variables E(AWS_ACCESS_KEY_ID) and E(AWS_ACCESS_KEY), in this order.
      - Not together with O(profile).
    type: str
    aliases: [aws_access_key_id, aws_access_key]
  secret_key:
    description:
      - The secret that belongs to O(access_key).
      - Falls back to the environment variables E(AWS_SECRET_ACCESS_KEY) and E(AWS_SECRET_KEY), in this order.
      - Not together with O(profile).
    type: str
    aliases: [aws_secret_access_key, aws_secret_key]
  session_token:
    description:
      - The token of temporary credentials, for instance the one that M(amazon.aws.sts_assume_role) returns.
      - Falls back to the environment variable E(AWS_SESSION_TOKEN).
      - Not together with O(profile).
    type: str
    aliases: [aws_session_token]
  profile:
    description:
      - The named profile of the AWS configuration files to take credentials from.
      - Falls back to the environment variables E(AWS_PROFILE) and E(AWS_DEFAULT_PROFILE), in this order.
      - Not together with O(access_key), O(secret_key) or O(session_token).
    type: str
    aliases: [aws_profile]
  region:
    description:
      - The region to work in, such as V(eu-central-1).
      - Falls back to the environment variables E(AWS_REGION) and E(AWS_DEFAULT_REGION), in this order, and to the
        region of the profile.
    type: str
    aliases: [aws_region]
  endpoint_url:
    description:
      - The address to send every request to, in place of AWS's own; of a VPC endpoint, or of a double of AWS in tests.
      - Falls back to the environment variable E(AWS_URL).
    type: str
    aliases: [aws_endpoint_url]
  aws_ca_bundle:
    description:
      - The file with the certificates of the authorities to trust.
      - Falls back to the environment variable E(AWS_CA_BUNDLE).
    type: path
  validate_certs:
    description:
      - Whether the certificate of the endpoint is checked. To trust an authority of your own, set O(aws_ca_bundle)
        rather than turning the check off.
    type: bool
    default: true
  aws_config:
    description:
      - Settings for the AWS SDK's client, by the names that C(botocore.config.Config) gives them, for instance
        C(connect_timeout) or C(proxies).
    type: dict
  debug_botocore_endpoint_logs:
    description:
      - Whether the result lists, under C(resource_actions), each API operation that was called; of use for writing the
        least IAM policy that will do.
      - Falls back to the environment variable E(ANSIBLE_DEBUG_BOTOCORE_LOGS).
    type: bool
    default: false
requirements:
  - python >= 3.10
  - boto3 >= 1.34.0
  - botocore >= 1.34.0
notes:
  - The module runs on the host that the task is for, commonly C(localhost). The environment variables, profiles and
    configuration files that count are those of that host, not those of the controller.
  - What is left unset here is looked up by the AWS SDK in its usual places, including the role of an instance or of a
    container.
"""

    # The same for plugins, which run in Ansible itself and read their environment variables themselves.
    PLUGINS = r"""
options:
  access_key:
    description:
      - The id of the access key to sign requests with.
      - Not together with O(profile).
    type: str
    aliases: [aws_access_key_id, aws_access_key]
    env:
      - name: AWS_ACCESS_KEY_ID
      - name: AWS_ACCESS_KEY
  secret_key:
    description:
      - The secret that belongs to O(access_key).
      - Not together with O(profile).
    type: str
    aliases: [aws_secret_access_key, aws_secret_key]
    env:
      - name: AWS_SECRET_ACCESS_KEY
      - name: AWS_SECRET_KEY
  session_token:
    description:
      - The token of temporary credentials.
      - Not together with O(profile).
    type: str
    aliases: [aws_session_token]
    env:
      - name: AWS_SESSION_TOKEN
  profile:
    description:
      - The named profile of the AWS configuration files to take credentials from.
      - Not together with O(access_key), O(secret_key) or O(session_token).
    type: str
    aliases: [aws_profile]
    env:
      - name: AWS_PROFILE
      - name: AWS_DEFAULT_PROFILE
  region:
    description:
      - The region to work in, such as V(eu-central-1); without it that of the profile.
    type: str
    aliases: [aws_region]
    env:
      - name: AWS_REGION
  endpoint_url:
    description:
      - The address to send every request to, in place of AWS's own; of a VPC endpoint, or of a double of AWS in tests.
    type: str
    aliases: [aws_endpoint_url]
    env:
      - name: AWS_URL
  assume_role_arn:
    description:
      - The ARN of an IAM role to assume first.
      - The other credentials have to allow for C(sts:AssumeRole) on it.
    type: str
    aliases: [iam_role_arn]
requirements:
  - python >= 3.10
  - boto3 >= 1.34.0
  - botocore >= 1.34.0
notes:
  - Environment variables, profiles and configuration files are those of the machine on which Ansible runs.
  - What is left unset here is looked up by the AWS SDK in its usual places, including the role of an instance or of a
    container.
"""
