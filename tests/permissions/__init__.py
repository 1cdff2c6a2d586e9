# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""IAM policies of the guide "Permissions": made from the calls in the code, and from one table of resources.

``python -m tests.permissions`` writes them into the guide again.
"""
