"""What the scale tests share: small real tables, and dask or a message."""

import pytest

import geoconcept_gis as gc

pytest.importorskip("dask_geopandas", reason="needs the extra dask")


@pytest.fixture(scope="session")
def places():
    """Two hundred towns, far apart."""
    return gc.world_places().iloc[::18].reset_index(drop=True)


@pytest.fixture(scope="session")
def places_file(places, tmp_path_factory):
    """The towns as a GeoParquet file of four row groups."""
    import pyarrow.parquet as pq

    path = gc.write_places(places, tmp_path_factory.mktemp("places") / "whole.parquet")
    cut = path.with_name("places.parquet")
    pq.write_table(pq.read_table(path), cut, row_group_size=50)
    return cut
