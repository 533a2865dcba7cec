"""`embed` on dask-geopandas frames: the same numbers, planned without computing."""

import dask_geopandas
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import geoconcept_gis as gc
from geoconcept_gis.encoder import LocationEncoder
from geoconcept_gis.errors import ConceptError, CoordinateError, InputError, ModelFileError
from geoconcept_gis.h3cells import cells_of
from geoconcept_gis.scale import inputs
from geoconcept_gis.scale.reference import ModelReference, portable_concepts


@pytest.fixture
def lazy(places):
    return dask_geopandas.from_geopandas(places, npartitions=3)


@pytest.mark.parametrize(
    "options",
    [{"concepts": ["BWh", "lowland"]}, {"features": "all", "concepts": "BWh", "invalid": "null"}, {"within": "mean"}],
)
def test_partitions_give_what_one_call_gives(places, lazy, options):
    """Every partition goes through `embed`; rows, index, columns, types and CRS are those of one call."""
    options = {"concepts": ["ET"], **options}
    plan = gc.embed(lazy, **options)
    one = gc.embed(places, **options)
    assert isinstance(plan, dask_geopandas.GeoDataFrame)
    assert plan.columns.tolist() == one.columns.tolist()
    assert plan.crs == places.crs
    there = plan.compute()
    new = [name for name in one if name not in places]
    assert plan.dtypes[new].tolist() == there.dtypes[new].tolist()
    assert there.index.equals(one.index)
    assert there.geometry.geom_equals(one.geometry).all()
    numbers = [name for name in new if name != "geoconcept_status"]
    np.testing.assert_allclose(there[numbers], one[numbers], rtol=2e-5, atol=2e-5)


def test_planning_computes_nothing(lazy, monkeypatch):
    """Not one point is encoded before the result is asked for."""

    def refuse(*_, **__):
        raise AssertionError("a point was encoded")

    monkeypatch.setattr(LocationEncoder, "encode_chunk", refuse)
    plan = gc.embed(lazy, concepts="BWh")
    with pytest.raises(AssertionError, match="a point was encoded"):
        plan.compute()


def test_wrong_arguments_show_at_once(places, lazy):
    """What `embed` refuses is refused while planning, by the same words."""
    with pytest.raises(ConceptError, match="did you mean"):
        gc.embed(lazy, concepts="hot dessert")
    with pytest.raises(InputError, match="no CRS"):
        gc.embed(dask_geopandas.from_geopandas(places.set_crs(None, allow_override=True), npartitions=1))
    with pytest.raises(InputError, match="columns already"):
        gc.embed(gc.embed(lazy, concepts="BWh"), concepts="BWh")
    with pytest.raises(InputError, match="progress to write_partitions"):
        gc.embed(lazy, concepts="BWh", progress=lambda *_: None)


def test_bad_rows_are_named(places):
    """A row that is no place on Earth stops the work when its partition is computed."""
    bad = places.copy()
    bad.loc[120, "geometry"] = shapely.Point(10, 95)
    plan = gc.embed(dask_geopandas.from_geopandas(bad, npartitions=3), concepts="BWh")
    with pytest.raises(CoordinateError, match=r"index 120\): \(10, 95\) out_of_range"):
        plan.compute()


def test_concepts_of_ones_own_travel(places, lazy):
    """A concept that no bank holds goes along with the plan, and a bank of one's own too."""
    model = gc.load_model(backend="numpy")
    own = gc.Concept("mine", model.bank["BWh"].vector, space=model.space, reference="uniform_land")
    assert portable_concepts([own, model.bank["lowland"]], model) == [own, "lowland"]
    there = gc.embed(lazy, concepts=[own], kind="cosine", model=model).compute()
    one = gc.embed(places, concepts=[own], kind="cosine")
    np.testing.assert_allclose(there["concept_mine"], one["concept_mine"], atol=2e-5)
    small = model.with_bank(model.bank.subset(["BWh", "lowland"]))
    there = gc.embed(lazy, model=small).compute()
    assert [name for name in there if name.startswith("concept_")] == ["concept_hot_desert_climate", "concept_lowland"]
    np.testing.assert_allclose(
        there["concept_lowland"], gc.embed(places, concepts="lowland")["concept_lowland"], atol=2e-5
    )


def test_another_model_on_a_worker_is_refused():
    """A worker whose installed model differs from the plan's says so."""
    reference = ModelReference.of(gc.load_model())
    other = ModelReference(reference.place, reference.backend, "0" * 64, reference.bank_sha256)
    with pytest.raises(ModelFileError, match="install the same version"):
        other.open()


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857"])
def test_rows_come_together_by_cell(places, crs):
    """No row is lost, each bears the cell it lies in, and no cell is in two partitions."""
    moved = places.to_crs(crs)
    moved.loc[3, "geometry"] = None
    together = gc.partition_by_h3(dask_geopandas.from_geopandas(moved, npartitions=4), 0, npartitions=3)
    parts = [part.compute() for part in together.to_delayed()]
    assert len(parts) == 3
    assert all(isinstance(part, gpd.GeoDataFrame) and part.crs == moved.crs for part in parts)
    whole = pd.concat(parts).sort_index()
    assert whole.index.equals(moved.index)
    lonlat = shapely.get_coordinates(np.asarray(places.geometry.array))
    expected = cells_of(lonlat, 0).copy()
    expected[3] = 0
    np.testing.assert_array_equal(whole["h3_parent"], expected)
    cells = [set(part["h3_parent"]) for part in parts]
    assert sum(map(len, cells)) == len(set.union(*cells))


def test_only_lazy_frames_are_moved(places):
    """A frame in memory is refused, with what to do."""
    with pytest.raises(InputError, match=r"dask_geopandas\.from_geopandas"):
        gc.partition_by_h3(places)


def test_scanned_files_are_what_reading_gives(places, places_file, monkeypatch):
    """Row groups become partitions; rows, labels and columns are those of `read_places`."""
    monkeypatch.setattr(inputs, "ROWS_IN_PARTITION", 100)
    scanned = gc.scan_places(places_file)
    assert scanned.npartitions == 2
    there = scanned.compute()
    assert there.index.tolist() == places.index.tolist()
    assert there.columns.tolist() == gc.read_places(places_file).columns.tolist()
    assert there.geometry.geom_equals(places.geometry).all()
    assert there["name"].tolist() == places["name"].tolist()


def test_scanned_csvs_share_their_columns(tmp_path):
    """Types follow the first file; other columns, kinds and missing files are named."""
    first, second, third = (tmp_path / f"{name}.csv" for name in "abc")
    first.write_text("lon,lat,n\n1,2,0.5\n")
    second.write_text("lon,lat,n\n3,4,7\n")
    third.write_text("lon,lat,m\n3,4,7\n")
    assert gc.scan_places([first, second]).compute()["n"].tolist() == [0.5, 7.0]
    with pytest.raises(InputError, match=r"c\.csv has other columns"):
        gc.scan_places([first, third]).compute()
    second.write_text("lon,lat,n\n3,4,many\n")
    with pytest.raises(InputError, match="column 'n'"):
        gc.scan_places([first, second]).compute()
    with pytest.raises(InputError, match="one format"):
        gc.scan_places([first, tmp_path / "d.parquet"])
    with pytest.raises(InputError, match="there is no file"):
        gc.scan_places(tmp_path / "d.parquet")
    with pytest.raises(InputError, match="no file to read"):
        gc.scan_places([])


@pytest.mark.parametrize("area", [(5, 45, 11, 48), (177, -19, -178, -16), None])
def test_cells_of_all_partitions_are_the_grid(area):
    """Partitions of parents hold every cell of `h3_grid` once, across the antimeridian too."""
    resolution = 2 if area is None else 4
    cells = gc.h3_partitions(area, resolution, parent_resolution=1)
    there = cells.compute()
    assert sorted(there.index) == gc.h3_grid(area, resolution).tolist()
    assert there.crs == cells.crs == "EPSG:4326"
    assert there.dtypes.tolist() == cells.dtypes.tolist()


def test_land_cells_are_those_on_land():
    """The mask keeps every cell with its centre on land, and only those."""
    from geoconcept_gis.h3cells import centers_of
    from geoconcept_gis.land import on_land

    cells = gc.h3_grid(None, 2)
    there = gc.h3_partitions(None, 2, parent_resolution=1, mask="land").compute()
    assert sorted(there.index) == cells[on_land(centers_of(cells))].tolist()


def test_too_many_partitions_and_none_are_refused():
    """A plan that would take longer than the work is refused with what to do, one without cells too."""
    with pytest.raises(InputError, match="on land in this area"):
        gc.h3_partitions((-30, -5, -29, -4), 5, parent_resolution=3, mask="land")
    with pytest.raises(InputError, match="coarser parent_resolution"):
        gc.h3_partitions(None, 9, parent_resolution=5)
    with pytest.raises(InputError, match="finer than"):
        gc.h3_partitions(None, 2, parent_resolution=3)
