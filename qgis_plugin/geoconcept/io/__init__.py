# SPDX-License-Identifier: GPL-2.0-or-later
"""Between QGIS's layers and arrays of (lon, lat) and scores."""
