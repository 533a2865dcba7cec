# SPDX-License-Identifier: GPL-2.0-or-later
"""The desktop's part: a button, a menu, the dock, a page of options; `close` takes all away."""

from qgis.PyQt import QtGui, QtWidgets
from qgis.PyQt.QtCore import QObject, Qt
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QMenu

from . import catalogue
from .dock import Dock
from .jobs import stop_all
from .messages import Messages
from .settings import ICON, OptionsFactory

__all__ = ["Desktop"]

#: It has moved from Qt 5 to Qt 6.
QAction = getattr(QtGui, "QAction", None) or QtWidgets.QAction


class Desktop(QObject):
    """Everything of the plugin that is seen. Nothing is loaded before the dock is shown.

    Parameters
    ----------
    interface : QgisInterface
    """

    def __init__(self, interface):
        super().__init__()
        self.interface = interface
        self.messages = Messages(interface, self)
        self.dock = Dock(interface, self.messages, interface.mainWindow())
        interface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.dock)
        self.toggle = QAction(QIcon(ICON), "GeoConcept", interface.mainWindow())
        self.toggle.setObjectName("geoconceptToggle")
        self.toggle.setCheckable(True)
        self.toggle.setToolTip(self.tr("Show or hide the dock GeoConcept"))
        self.dock.setToggleVisibilityAction(self.toggle)
        self.ask = QAction(self.tr("Click a place"), interface.mainWindow())
        self.ask.setObjectName("geoconceptAsk")
        self.ask.setToolTip(self.tr("Click on the map to see the strongest concepts of a place"))
        self.ask.triggered.connect(self._ask)
        self.options = QAction(self.tr("Options\u2026"), interface.mainWindow())
        self.options.setObjectName("geoconceptOptions")
        self.options.triggered.connect(lambda: interface.showOptionsDialog(interface.mainWindow(), "GeoConcept"))
        interface.addRasterToolBarIcon(self.toggle)
        self._actions = (self.toggle, self.ask, self.options)
        for action in self._actions:
            interface.addPluginToRasterMenu("GeoConcept", action)
        self._factory = OptionsFactory(self.messages)
        interface.registerOptionsWidgetFactory(self._factory)

    def _ask(self):
        self.dock.setUserVisible(True)
        self.dock.tabs.setCurrentWidget(self.dock.place)
        self.dock.place.button.setChecked(True)

    def _leave_menu(self):
        """QGIS leaves an empty submenu behind; take it away, too."""
        for menu in self.interface.mainWindow().findChildren(QMenu):
            if menu.title().replace("&", "") == "GeoConcept" and menu.isEmpty():
                menu.deleteLater()

    def close(self):
        """Take everything away; what is running is cancelled."""
        self.dock.close_down()
        stop_all()
        catalogue.forget()
        self.interface.unregisterOptionsWidgetFactory(self._factory)
        for action in self._actions:
            self.interface.removePluginRasterMenu("GeoConcept", action)
        self.interface.removeRasterToolBarIcon(self.toggle)
        self.interface.removeDockWidget(self.dock)
        for thing in (*self._actions, self.dock):
            thing.setParent(None)
            thing.deleteLater()
        self._leave_menu()
        self._factory = self.dock = None
