"""The world in cells: coarse before fine, the same numbers as the model's own, kept and read again."""

import numpy as np
import pytest

from geoconcept_gis.errors import CacheWarning, Cancelled, InputError
from geoconcept_gis.explore.world import COLUMNS, ROWS, SEA, UNKNOWN, World

DESERT = "hot desert climate"


def value_at(grid, lon, lat):
    return grid[int((90.0 - lat) * 2), int((lon + 180.0) * 2)]


def test_a_cell_holds_the_percentile_of_its_centre(explorer, model):
    """Cells that are embedded agree with `model.score`, to the rounding of float16 and of whole numbers."""
    grid = explorer.world.grid(model.bank[DESERT])
    some = explorer.world.lonlat[:500:25]
    scores = model.score(some, DESERT, kind="percentile")[:, 0]
    shown = np.array([value_at(grid, *pair) for pair in some], dtype=float)
    assert np.abs(shown - scores).max() <= 0.55


def test_coarse_cells_stand_in_for_fine_ones(explorer, model):
    """Before the fine cells are embedded every cell of land has the value of the coarse cell it lies in, or none."""
    grid = explorer.world.grid(model.bank[DESERT])
    assert grid.shape == (ROWS, COLUMNS)
    middle = grid[1::3, 1::3]
    known = middle <= 100
    blocks = grid.reshape(ROWS // 3, 3, COLUMNS // 3, 3).transpose(0, 2, 1, 3)[known].reshape(-1, 9)
    values = middle[known][:, None]
    assert ((blocks == values) | (blocks == SEA)).all()
    assert value_at(grid, 25.0, 24.0) > 90  # the Sahara
    assert value_at(grid, -30.0, 0.0) == SEA  # the Atlantic


def test_nothing_is_known_before_anything_is_embedded(model, tmp_path):
    """An empty world says that land is unknown; it does not make values up."""
    grid = World(model, tmp_path).grid(model.bank[DESERT])
    assert set(np.unique(grid)) == {UNKNOWN, SEA}


def test_a_full_world_is_kept_and_read_again(linear, tmp_path):
    """The second start embeds nothing but the one cell it measures the width with; a damaged file is made anew."""
    model, backend = linear
    world = World(model, tmp_path)
    world.fill()
    assert world.done == len(world)
    concept = model.bank["Antarctica"]
    grid, seen = world.grid(concept), backend.points
    again = World(model, tmp_path)
    assert again.done == len(again)
    again.fill()
    assert backend.points == seen + 1
    assert (again.grid(concept) == grid).all()
    [file] = tmp_path.glob("world-*.npy")
    file.write_bytes(file.read_bytes()[:1000])
    assert World(model, tmp_path).done == 0


def test_cancelling_keeps_what_is_done_and_writes_nothing(linear, tmp_path):
    """A stopped job leaves coarse cells usable, and goes on where it stopped."""
    model, _ = linear
    world = World(model, tmp_path)
    with pytest.raises(Cancelled):
        world.fill(lambda done, total: done > 1500)
    stopped = world.done
    assert 1500 < stopped < len(world)
    assert not list(tmp_path.iterdir())
    seen = []
    world.fill(lambda done, total: seen.append(done))
    assert min(seen) > stopped
    assert seen[-1] == len(world)


def test_a_cache_that_cannot_be_written_is_a_warning(linear, tmp_path):
    """The work is done all the same."""
    model, _ = linear
    folder = tmp_path / "file"
    folder.write_text("not a folder")
    world = World(model, folder)
    with pytest.warns(CacheWarning, match="GEOCONCEPT_CACHE"):
        world.fill()
    assert world.done == len(world)


def test_a_view_is_finer_and_agrees_with_the_model(explorer, model):
    """Cells of an eighth of a degree around Cairo hold the percentiles of their centres."""
    bounds, step = (30.0, 29.0, 32.0, 31.0), 0.125
    grid = explorer.world.view(model.bank[DESERT], bounds, step)
    assert grid.shape == (16, 16)
    row, column = 3, 5
    place = (30.0 + (column + 0.5) * step, 31.0 - (row + 0.5) * step)
    assert abs(grid[row, column] - model.score([place], DESERT, kind="percentile")[0, 0]) <= 0.55


def test_a_view_may_cross_the_antimeridian(explorer, model):
    """East of 180 goes on at -180: both halves are the land of Chukotka."""
    grid = explorer.world.view(model.bank["tundra climate"], (178.0, 66.0, 182.0, 68.0), 0.25)
    assert (grid[:, :8] <= 100).any()
    assert (grid[:, 8:] <= 100).any()


@pytest.mark.parametrize(
    ("bounds", "step", "said"),
    [
        ((0.0, 0.0, 10.0, 10.0), 0.3, "step must be one of"),
        ((0.0, 10.0, 10.0, 0.0), 0.25, "south of north"),
        ((0.0, 0.0, 10.0, 91.0), 0.25, "south of north"),
        ((0.1, 0.0, 10.0, 10.0), 0.25, "multiples of the step"),
        ((0.0, 0.0, 90.0, 90.0), 0.25, "at most 12,000 cells"),
    ],
)
def test_a_view_that_cannot_be_is_refused(explorer, model, bounds, step, said):
    """Bounds and steps are checked before anything is embedded."""
    with pytest.raises(InputError, match=said):
        explorer.world.view(model.bank[DESERT], bounds, step)


def test_the_table_has_the_values_of_the_grid(explorer, model):
    """What a static site answers clicks from is what its maps show."""
    concepts = [model.bank[DESERT], model.bank["tundra climate"]]
    cells, percentiles = explorer.world.table(concepts)
    row, column = np.divmod(cells, COLUMNS // 3)
    for k, concept in enumerate(concepts):
        assert (explorer.world.grid(concept)[row * 3 + 1, column * 3 + 1] == percentiles[:, k]).all()
