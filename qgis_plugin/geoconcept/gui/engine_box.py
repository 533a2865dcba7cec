# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether photos can be read: what is missing, and how to get it."""

from qgis.PyQt.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout

__all__ = ["EngineBox", "engine_state"]


def engine_state():
    return ""


class EngineBox(QFrame):
    def __init__(self, messages, jobs, parent=None):
        super().__init__(parent)

    def ensure(self):
        pass

    def close_down(self):
        pass
