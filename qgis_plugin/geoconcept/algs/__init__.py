# SPDX-License-Identifier: GPL-2.0-or-later
"""One Processing algorithm a file."""

from .concept_columns import ConceptColumns
from .concept_grid import ConceptGrid
from .concept_raster import ConceptRaster

__all__ = ["ALGORITHMS"]

ALGORITHMS = (ConceptRaster, ConceptColumns, ConceptGrid)
