"""Words become a map: "olive groves by the sea", offline, with an honest grade.

    python examples/map_of_words.py [FOLDER]

A text has no ground truth, so its map shows percentiles, and its grade says how far it agrees with tested concepts.
"""

from __future__ import annotations

import sys
from pathlib import Path

import geoconcept_gis as gc

WORDS = "olive groves by the sea"


def main() -> None:
    """Read the words, map them, say what they are worth."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    folder.mkdir(parents=True, exist_ok=True)

    concept = gc.concept_from_text(WORDS, tower="bundled")
    print(f"{concept.name}: grade {concept.grade}, nearest: {concept.provenance['nearest']}")
    print(gc.search_concepts(WORDS, top=5).to_string())

    world = gc.concept_map(concept, (-180, -60, 180, 84), resolution=1.5)
    print(gc.save_concept_map(world, folder / "map_of_words.png", title=f'"{WORDS}" (grade {concept.grade})'))


if __name__ == "__main__":
    main()
