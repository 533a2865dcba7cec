# SPDX-License-Identifier: GPL-2.0-or-later
"""What QGIS loads. Loading registers names and buttons; everything else waits until it is used."""

from pathlib import Path

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QTranslator

from . import engine, expressions, service
from .provider import GeoConceptProvider

__all__ = ["GeoConceptPlugin"]


class GeoConceptPlugin:
    """The plugin; `desktop` stays None in ``qgis_process``."""

    def __init__(self):
        self.translator = _translator()
        self.provider = None
        self.desktop = None

    def initProcessing(self):  # noqa: N802
        """Register the algorithms; ``qgis_process`` calls only this."""
        self.provider = GeoConceptProvider()
        QgsApplication.processingRegistry().addProvider(self.provider)
        expressions.register()

    def initGui(self):  # noqa: N802
        """Register the algorithms and build the desktop's part."""
        from qgis.utils import iface

        from .gui.desktop import Desktop

        self.initProcessing()
        self.desktop = Desktop(iface)

    def unload(self):
        """Take everything away again: dock, buttons, algorithms, engine, model."""
        if self.desktop is not None:
            self.desktop.close()
            self.desktop = None
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
        if self.translator is not None:
            QCoreApplication.removeTranslator(self.translator)
            self.translator = None
        expressions.unregister()
        engine.stop()
        service.forget()

    @property
    def dock(self):
        """The dock, or None without a desktop."""
        return None if self.desktop is None else self.desktop.dock


def _translator():
    """Install the translation into QGIS's language; None where there is none."""
    path = Path(__file__).with_name("i18n") / f"geoconcept_{QgsApplication.locale()[:2]}.qm"
    translator = QTranslator()
    if not (path.is_file() and translator.load(str(path))):
        return None
    QCoreApplication.installTranslator(translator)
    return translator
