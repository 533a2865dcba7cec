# SPDX-License-Identifier: GPL-2.0-or-later
"""GeoConcept: concept maps and photo heatmaps as layers."""


def classFactory(iface):  # noqa: N802 - QGIS calls it by this name, with this
    """Return the plugin; called by QGIS, also without a desktop."""
    from .plugin import GeoConceptPlugin

    return GeoConceptPlugin()
