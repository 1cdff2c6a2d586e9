# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Many services at once: which of them are meant, what they are called, and how fast AWS may be asked about them."""
