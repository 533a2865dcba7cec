# SPDX-License-Identifier: GPL-2.0-or-later
"""What QGIS loads. Loading registers names and buttons; everything else waits until it is used."""

from qgis.core import QgsApplication

from .provider import GeoConceptProvider

__all__ = ["GeoConceptPlugin"]


class GeoConceptPlugin:
    """The plugin.

    Parameters
    ----------
    iface : QgisInterface or None
        None in ``qgis_process``, where there is no desktop.
    """

    def __init__(self, iface):
        self.iface = iface
        self.provider = None
        self.desktop = None

    def initProcessing(self):  # noqa: N802
        """Register the algorithms; ``qgis_process`` calls only this."""
        self.provider = GeoConceptProvider()
        QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self):  # noqa: N802
        """Register the algorithms and build the desktop's part."""
        from .gui.desktop import Desktop

        self.initProcessing()
        self.desktop = Desktop(self.iface)

    def unload(self):
        """Take everything away again: dock, buttons, algorithms, engine, model."""
        from . import service

        if self.desktop is not None:
            self.desktop.close()
            self.desktop = None
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
        service.forget()

    @property
    def dock(self):
        """The dock, or None without a desktop."""
        return None if self.desktop is None else self.desktop.dock
