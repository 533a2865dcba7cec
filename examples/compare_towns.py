"""What tells two places apart? Lhasa and Cusco, both above 3,000 m, as bars.

    python examples/compare_towns.py [FOLDER]

Bars to the right: higher in Lhasa. Bars to the left: higher in Cusco. What the two share is not shown.
"""

from __future__ import annotations

import sys
from pathlib import Path

import geoconcept_gis as gc

LHASA, CUSCO = (91.13, 29.65), (-71.98, -13.52)


def main() -> None:
    """Compare, leaving out the names of countries and regions, which are different anywhere."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)

    table = gc.load_model().concepts
    concepts = table[(table["family"] != "place") & (table["grade"] != "D")]["name"].tolist()
    difference = gc.compare(LHASA, CUSCO, concepts=concepts, top=12)
    print(difference)
    print(difference.save(folder / "compare_towns.png", title="Lhasa (A) and Cusco (B)"))


if __name__ == "__main__":
    main()
