# SPDX-License-Identifier: GPL-2.0-or-later
"""One Processing algorithm a file."""

from .concept_raster import ConceptRaster

__all__ = ["ALGORITHMS"]

ALGORITHMS = (ConceptRaster,)
