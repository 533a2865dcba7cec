"""Which of the bank's concepts a scene stands for: names of Places365 to names of concepts."""

from __future__ import annotations

from functools import cache

from ..errors import InputError

__all__ = ["HERITAGE_SCENES", "SCENES", "concepts_of_scene"]

#: Scenes that belong to a landscape, a way of building or a way of using land; names as a reader would say them.
SCENES: dict[str, tuple[str, ...]] = {
    "beach scene": ("beach", "beach_house", "coast", "wave"),
    "rocky coast scene": ("coast", "cliff", "islet", "rock_arch"),
    "harbour scene": ("harbor", "boat_deck", "pier", "boathouse", "lighthouse"),
    "boardwalk scene": ("boardwalk", "promenade"),
    "open sea scene": ("ocean", "underwater/ocean_deep", "wave"),
    "lagoon scene": ("lagoon", "islet"),
    "lake scene": ("lake/natural", "pond", "raft"),
    "marsh scene": ("marsh", "swamp", "watering_hole"),
    "waterfall scene": ("waterfall", "creek", "river", "swimming_hole", "grotto"),
    "canal scene": ("canal/urban", "canal/natural", "lock_chamber"),
    "bridge scene": ("bridge", "viaduct", "aqueduct"),
    "hot spring scene": ("hot_spring",),
    "snowy mountain scene": ("mountain_snowy", "crevasse", "glacier"),
    "mountain scene": ("mountain", "mountain_path", "valley", "mountain_snowy"),
    "ski scene": ("ski_slope", "ski_resort", "chalet"),
    "glacier scene": ("glacier", "crevasse", "iceberg", "ice_floe", "ice_shelf"),
    "tundra scene": ("tundra",),
    "snowfield scene": ("snowfield", "igloo", "ice_skating_rink/outdoor"),
    "canyon scene": ("canyon", "butte", "badlands", "rock_arch"),
    "sand desert scene": ("desert/sand",),
    "desert scene": ("desert/sand", "desert/vegetation", "desert_road"),
    "volcano scene": ("volcano",),
    "rainforest scene": ("rainforest", "tree_house", "rope_bridge"),
    "bamboo forest scene": ("bamboo_forest",),
    "broadleaf forest scene": ("forest/broadleaf", "forest_path", "forest_road"),
    "wild field scene": ("field/wild", "pasture", "field_road"),
    "farm field scene": ("field/cultivated", "wheat_field", "corn_field", "hayfield", "farm"),
    "orchard scene": ("orchard", "tree_farm"),
    "vineyard": ("vineyard",),
    "rice paddy": ("rice_paddy",),
    "wind farm scene": ("wind_farm", "windmill"),
    "oil rig scene": ("oilrig",),
    "village scene": ("village", "cottage", "barn"),
    "skyscraper scene": ("skyscraper", "downtown", "office_building"),
    "city street scene": ("street", "crosswalk", "plaza", "downtown"),
    "alley scene": ("alley", "courtyard", "doorway/outdoor"),
    "highway scene": ("highway", "desert_road"),
    "railway scene": ("railroad_track", "train_station/platform"),
    "residential scene": ("residential_neighborhood", "driveway", "house", "porch", "yard"),
    "medina": ("medina", "kasbah", "bazaar/outdoor"),
    "street market scene": ("market/outdoor", "bazaar/outdoor"),
    "pagoda": ("pagoda",),
    "Japanese garden": ("japanese_garden", "zen_garden"),
    "synagogue": ("synagogue/outdoor",),
    "lighthouse": ("lighthouse",),
    "ruins scene": ("ruin", "archaelogical_excavation", "burial_chamber", "mausoleum"),
    "amphitheatre": ("amphitheater",),
    "bullring": ("bullring",),
    "baseball scene": ("stadium/baseball", "baseball_field"),
    "American football scene": ("football_field", "stadium/football"),
    "rodeo": ("arena/rodeo",),
    "golf course scene": ("golf_course",),
    "beer garden": ("beer_garden",),
    "fish pond scene": ("fishpond",),
    "cemetery": ("cemetery",),
    "runway": ("runway", "airfield"),
    "botanical garden": ("botanical_garden",),
}
#: Scenes that show a concept of the family culture, beside the World Heritage sites that name it.
HERITAGE_SCENES: dict[str, tuple[str, ...]] = {
    "cathedral": ("church/outdoor",),
    "mosque": ("mosque/outdoor",),
    "castle": ("castle",),
    "palace": ("palace",),
    "temple": ("temple/asia", "pagoda"),
}


def concepts_of_scene(scene: str) -> tuple[str, ...]:
    """Return the concepts that a photo shows in which a classifier sees a scene.

    Parameters
    ----------
    scene : str
        As Places365 names it: ``"desert/sand"``, or ``"/d/desert/sand"`` with its first letter.

    Returns
    -------
    tuple of str
        Names of the bundled bank; empty for scenes that say little of a place, such as ``"kitchen"``.

    Raises
    ------
    InputError
        It is no text.

    Examples
    --------
    >>> concepts_of_scene("desert/sand"), concepts_of_scene("kitchen")
    (('sand desert scene', 'desert scene'), ())
    """
    if not isinstance(scene, str):
        raise InputError(f"a scene is a text, for example 'desert/sand'; got {scene!r}")
    return _by_scene().get(scene.removeprefix(f"/{scene[1:2]}/"), ())


@cache
def _by_scene() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for concept, scenes in (SCENES | HERITAGE_SCENES).items():
        for scene in scenes:
            found[scene] = (*found.get(scene, ()), concept)
    return found
