"""Tables from and to files: every format both ways, detected columns, errors with their row, nothing half done."""

import gzip
import json
import sqlite3
import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import geoconcept_gis as gc
from geoconcept_gis.errors import CoordinateError, InputError
from geoconcept_gis.tables import check_suffix, read_places, read_provenance, write_places
from tests.strategies import frames, inner

FORMATS = [".parquet", ".geoparquet", ".gpkg", ".geojson", ".csv"]
RECORD = {"model": "geoclip", "concepts": "hot desert climate", "note": 'with "quotes", commas; and umlauts äöü\n'}


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def towns(**more):
    return gpd.GeoDataFrame(
        {"town": ["Cairo", "Windhoek", "Tōkyō"], "country": ["EG", "NA", "JP"], "n": [9, 1, 14], **more},
        geometry=gpd.points_from_xy([31.25, 17.1, 139.7], [30.05, -22.57, 35.7]),
        crs="EPSG:4326",
    )


@pytest.mark.parametrize("suffix", FORMATS)
def test_there_and_back(tmp_path, suffix):
    """Rows, columns, points, missing values and provenance survive every format."""
    frame = towns(score=np.array([0.1, np.nan, 0.3], dtype=np.float32))
    frame.attrs["geoconcept"] = RECORD
    path = tmp_path / f"towns{suffix}"
    assert write_places(frame, path) == path
    back = read_places(path)
    assert back.crs == "EPSG:4326"
    assert back["town"].tolist() == ["Cairo", "Windhoek", "Tōkyō"]
    assert back["country"].tolist() == ["EG", "NA", "JP"]
    assert back["n"].tolist() == [9, 1, 14]
    np.testing.assert_allclose(back["score"], frame["score"], rtol=1e-6)
    assert shapely.equals(back.geometry.array, frame.geometry.array).all()
    assert back.attrs["geoconcept"] == read_provenance(path) == gc.read_provenance(path) == RECORD
    names = {f"towns{suffix}"} | ({"towns.csv.json"} if suffix == ".csv" else set())
    assert {file.name for file in tmp_path.iterdir()} == names


@pytest.mark.parametrize("suffix", FORMATS)
def test_embedded_places_there_and_back(model, tmp_path, suffix):
    """What `embed` returns comes back with its values, its status and where it came from."""
    places = gpd.GeoDataFrame(
        geometry=[shapely.Point(31.2, 30), None, shapely.Point(0, 95), shapely.Point(179.9, 0)], crs="EPSG:4326"
    )
    out = gc.embed(places, "all", ["BWh", "ET"], model, "null")
    write_places(out, tmp_path / f"out{suffix}")
    back = read_places(tmp_path / f"out{suffix}")
    assert list(back["geoconcept_status"]) == ["ok", "missing", "out_of_range", "near_seam"]
    names = [name for name in out.columns if name.startswith(("concept_", "embedding_"))]
    assert len(names) == 514
    np.testing.assert_allclose(back[names].astype(float), out[names], rtol=1e-5, atol=1e-7)
    assert read_provenance(tmp_path / f"out{suffix}") == out.attrs["geoconcept"]
    again = gc.embed(back[["geometry"]], model=model, invalid="null")
    assert list(again["geoconcept_status"]) == list(back["geoconcept_status"])


@settings(suppress_health_check=list(HealthCheck), max_examples=40, deadline=None)
@given(frames(), st.sampled_from(FORMATS))
def test_any_frame_keeps_its_rows_and_shapes(tmp_path, frame, suffix):
    """Mixed shapes, any index, any name of the geometry, no rows: rows and places come back."""
    path = tmp_path / f"any{suffix}"
    write_places(frame, path)
    back = read_places(path)
    assert len(back) == len(frame)
    if len(frame) and suffix != ".geojson":
        assert back.crs == frame.crs
    before, after = frame.geometry.array, back.geometry.array
    np.testing.assert_allclose(shapely.bounds(after), shapely.bounds(before), atol=1e-9)
    if suffix.endswith("parquet"):
        assert back.index.equals(frame.index)
        assert back.index.names == frame.index.names
        assert back.geometry.name == frame.geometry.name
        assert shapely.to_wkb(after).tolist() == shapely.to_wkb(before).tolist()
    elif len(frame):
        assert back["label"].tolist() == frame["label"].tolist()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(inner, min_size=1, max_size=5))
def test_csv_keeps_coordinates_to_the_last_digit(tmp_path, lonlat):
    """Points written to CSV are read back bit for bit."""
    path = tmp_path / "points.csv"
    x, y = zip(*lonlat, strict=True)
    frame = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs="EPSG:4326")
    write_places(frame, path)
    assert path.read_text().splitlines()[0] == "lon,lat"
    assert shapely.get_coordinates(read_places(path).geometry.array).tolist() == [list(pair) for pair in lonlat]


def test_geoparquet_is_what_the_standard_asks(tmp_path):
    """Version 1.1.0, zstd, a covering column in float32 that covers, our record beside `geo`."""
    frame = pd.concat([towns(), towns().head(1)], ignore_index=True)
    frame.loc[3, "geometry"] = None
    frame.attrs["geoconcept"] = RECORD
    frame["second"] = gpd.GeoSeries([shapely.LineString([(0, 0, 1), (1, 1, 1)])] * 4, crs="EPSG:3857")
    path = write_places(frame, tmp_path / "towns.parquet")
    file = pq.ParquetFile(path)
    geo = json.loads(file.schema_arrow.metadata[b"geo"])
    assert (geo["version"], geo["primary_column"], set(geo["columns"])) == ("1.1.0", "geometry", {"geometry", "second"})
    first, second = geo["columns"]["geometry"], geo["columns"]["second"]
    assert (first["encoding"], first["geometry_types"], first["crs"]["id"]["code"]) == ("WKB", ["Point"], 4326)
    assert (second["geometry_types"], second["crs"]["id"]["code"]) == (["LineString Z"], 3857)
    assert first["covering"]["bbox"]["ymax"] == ["bbox", "ymax"]
    assert json.loads(file.schema_arrow.metadata[b"geoconcept"]) == RECORD
    columns = [file.metadata.row_group(0).column(k) for k in range(file.metadata.num_columns)]
    assert {column.compression for column in columns} == {"ZSTD"}
    boxes = file.read(["bbox"]).column("bbox").to_pylist()
    assert boxes[3] is None
    assert boxes[0]["xmin"] <= 31.25 <= boxes[0]["xmax"]
    back = gpd.read_parquet(path)
    assert "bbox" not in back
    assert back["second"].crs == "EPSG:3857"
    assert len(gpd.read_parquet(path, bbox=(30, 29, 32, 31))) == 1


def test_geopackage_layer_and_metadata(tmp_path):
    """One layer named after the file, with our record in the GeoPackage's own metadata table."""
    frame = towns()
    frame.attrs["geoconcept"] = RECORD
    path = write_places(frame.to_crs("EPSG:3857"), tmp_path / "my towns.gpkg")
    assert [name for name, _ in pyogrio.list_layers(path)] == ["my towns"]
    with sqlite3.connect(path) as database:
        stored = database.execute("SELECT metadata FROM gpkg_metadata").fetchall()
    database.close()
    assert any("hot desert climate" in text for (text,) in stored)
    assert read_places(path).crs == "EPSG:3857"


def test_geojson_and_csv_are_in_degrees(tmp_path):
    """Frames in another CRS are written in longitude and latitude where the format holds nothing else."""
    for suffix in (".geojson", ".csv"):
        path = write_places(towns().to_crs("EPSG:3857"), tmp_path / f"towns{suffix}")
        back = read_places(path)
        assert back.crs == "EPSG:4326"
        np.testing.assert_allclose(shapely.get_coordinates(back.geometry.array)[0], [31.25, 30.05], atol=1e-9)


def test_csv_puts_coordinates_first(tmp_path):
    """Points become lon and lat in front; the frame's own coordinate columns serve if they say the same."""
    header = write_places(towns(), tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == "lon,lat,town,country,n"
    same = towns(Longitude=[31.25, 17.1, 139.7], Latitude=[30.05, -22.57, 35.7])
    header = write_places(same, tmp_path / "b.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == "Longitude,Latitude,town,country,n"
    other = towns(lon=[1.0, 2.0, 3.0], lat=[1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="'lon' is not what the geometry says"):
        write_places(other, tmp_path / "c.csv")
    assert not (tmp_path / "c.csv").exists()


def test_csv_of_shapes_is_wkt(tmp_path):
    """Other shapes than points are written, and read back, as WKT."""
    frame = gpd.GeoDataFrame({"a": [1, 2]}, geometry=[shapely.box(0, 0, 1 / 3, 1), None], crs="EPSG:4326")
    back = read_places(write_places(frame, tmp_path / "a.csv"))
    assert shapely.to_wkb(back.geometry.array).tolist() == shapely.to_wkb(frame.geometry.array).tolist()
    write(tmp_path / "bad.csv", "wkt,a\nPOINT (1 2),1\nPOINT (1,2\n")
    with pytest.raises(CoordinateError, match=r"no WKT: row 1: 'POINT \(1'"):
        read_places(tmp_path / "bad.csv")


def test_a_stale_sidecar_goes_away(tmp_path):
    """A CSV without provenance does not inherit that of an older file of its name."""
    frame = towns()
    frame.attrs["geoconcept"] = RECORD
    path = write_places(frame, tmp_path / "a.csv")
    write_places(towns(), path)
    assert read_provenance(path) == {}
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]
    (tmp_path / "a.csv.json").write_text('{"theirs": 1}')
    write_places(towns(), path)
    assert read_provenance(path) == {}
    assert (tmp_path / "a.csv.json").read_text() == '{"theirs": 1}'


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".csv"])
def test_an_index_that_says_something_becomes_columns(cheap_model, tmp_path, suffix):
    """H3 cells, the index of `embed_h3`, are not lost."""
    cells = gc.h3_grid((0, 40, 1, 41), 5)
    frame = gc.embed_h3(cells, concepts="BWh", model=cheap_model, geometry="center")
    back = read_places(write_places(frame, tmp_path / f"cells{suffix}"))
    np.testing.assert_array_equal(back["h3"].to_numpy(dtype=np.uint64), cells)


def test_tables_without_geometry(cheap_model, tmp_path):
    """Plain tables go to Parquet and CSV, index included; other formats refuse them."""
    cells = gc.h3_grid((0, 40, 1, 41), 5)
    table = gc.embed_h3(cells, concepts="BWh", model=cheap_model)
    path = write_places(table, tmp_path / "cells.parquet")
    back = pd.read_parquet(path)
    assert back.index.name == "h3"
    np.testing.assert_array_equal(back.index, cells)
    assert read_provenance(path) == table.attrs["geoconcept"]
    assert pd.read_csv(write_places(table, tmp_path / "cells.csv"))["h3"].tolist() == cells.tolist()
    for suffix in (".gpkg", ".geojson"):
        with pytest.raises(InputError, match="needs a GeoDataFrame"):
            write_places(table, tmp_path / f"cells{suffix}")


@pytest.mark.parametrize(
    ("lon", "lat"),
    [
        ("lon", "lat"),
        ("LON", "Lat"),
        ("lng", "lat"),
        ("long", "lat"),
        ("Longitude", "Latitude"),
        ("decimalLongitude", "decimalLatitude"),
        ("lon_dd", "lat_dd"),
        ("Longitude (deg)", "Latitude (deg)"),
        ("x", "y"),
        ("X_COORD", "Y_COORD"),
        ("POINT_X", "POINT_Y"),
        ("Easting", "Northing"),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_coordinate_columns_are_detected(tmp_path, lon, lat, order):
    """Usual names are found in any case, wherever they stand, and never swapped."""
    names, values = ["id", lon, lat][::order], ["7", "31.2", "30.0"][::order]
    path = write(tmp_path / "a.csv", f"{','.join(names)}\n{','.join(values)}\n")
    frame = read_places(path)
    assert shapely.get_coordinates(frame.geometry.array).tolist() == [[31.2, 30.0]]
    assert list(frame.columns) == [*names, "geometry"]


def test_degrees_come_before_x_and_y(tmp_path):
    """With both pairs in a table lon and lat win in degrees, x and y in a projected CRS."""
    path = write(tmp_path / "a.csv", "x,y,lon,lat\n652000,6862000,2.35,48.85\n")
    assert read_places(path).geometry.x[0] == 2.35
    projected = read_places(path, crs="EPSG:2154")
    assert (projected.geometry.x[0], projected.crs.to_epsg()) == (652000, 2154)


def test_columns_may_be_named(tmp_path):
    """lon and lat choose columns, whatever they are called."""
    path = write(tmp_path / "a.csv", "lon,lat,lon2,lat2,b,l\n1,2,3,4,5,6\n")
    assert read_places(path, lon="lon2", lat="lat2").geometry[0].coords[0] == (3, 4)
    assert read_places(path, lon="l", lat="b").geometry[0].coords[0] == (6, 5)
    assert read_places(path, lon="lon2").geometry[0].coords[0] == (3, 2)


@pytest.mark.parametrize(
    ("header", "options", "message"),
    [
        ("a,b,c", {}, "no columns look like .* lon= and lat=.*'a', 'b', 'c'"),
        ("lon,b,c", {}, "no columns look like"),
        ("lon,longitude,lat", {}, "'lon', 'longitude' could all be the lon column; choose one with lon="),
        ("lon,lat,latitude", {}, "'lat', 'latitude' could all be the lat column; choose one with lat="),
        ("lon,lat,c", {"lon": "Lon"}, r"no column 'Lon' \(lon\).*'lon', 'lat', 'c'"),
        ("lon,lat,c", {"lon": "c", "lat": "c"}, "same column 'c'"),
        ("lon,lat,c", {"crs": "EPSG:2154"}, "no columns look like"),
        ("lon,lat,c", {"crs": "EPSG:0"}, "'EPSG:0' is no CRS"),
        ("lon,lat,c", {"layer": "a"}, "has no layers"),
        ("lon,lat,c", {"invalid": "drop"}, "invalid must be one of"),
    ],
)
def test_doubt_is_an_error(tmp_path, header, options, message):
    """Absent or ambiguous columns list what there is and which option decides."""
    path = write(tmp_path / "a.csv", f"{header}\n1,2,3\n")
    with pytest.raises(InputError, match=message):
        read_places(path, **options)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "town,lon,lat\nCairo,31.2,30.0\n"),
        ("a.csv", "town;lon;lat\r\nCairo;31.2;30.0\r\n"),
        ("a.csv", "town|lon|lat\nCairo|31.2|30.0\n"),
        ("a.csv", "town\tlon\tlat\nCairo\t31.2\t30.0\n"),
        ("a.tsv", "town\tlon\tlat\nCairo\t31.2\t30.0\n"),
        ("A.CSV", "\ufefftown,lon,lat\nCairo,31.2,30.0\n"),
        ("a.csv", '"town","lon","lat"\n"Cairo"," 31.2 ","30.0"\n'),
        ("a.b.csv", "town,lon,lat\nCairo,31.2,30.0"),
    ],
)
def test_flavours_of_csv(tmp_path, name, text):
    """Separators, line ends, a byte order mark and quotes are all read."""
    frame = read_places(write(tmp_path / name, text))
    assert frame["town"].tolist() == ["Cairo"]
    assert frame.geometry[0].coords[0] == (31.2, 30.0)


def test_gzipped_csv(tmp_path):
    """.csv.gz and .tsv.gz are read; a cut one is an error."""
    packed = gzip.compress(b"lon,lat\n1,2\n" * 1000)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"lon,lat\n1,2\n"))
    (tmp_path / "cut.csv.gz").write_bytes(packed[:-20])
    assert read_places(tmp_path / "a.csv.gz").geometry[0].coords[0] == (1, 2)
    with pytest.raises(InputError, match=r"cut\.csv\.gz cannot be read"):
        read_places(tmp_path / "cut.csv.gz")


def test_rows_are_never_dropped(tmp_path):
    """Empty cells give None; wild numbers stay points for `embed` to report; NA is a country, not a gap."""
    text = "country,lon,lat\nNA,17.1,-22.6\nEG,,30\nFR,NA,\nXX,10,95\nYY,500,0\nZZ,inf,0\n"
    frame = read_places(write(tmp_path / "a.csv", text))
    assert frame["country"].tolist() == ["NA", "EG", "FR", "XX", "YY", "ZZ"]
    assert frame.geometry.isna().tolist() == [False, True, True, False, False, False]
    out = gc.embed(frame, concepts="BWh", invalid="null")
    expected = ["ok", "missing", "missing", "out_of_range", "out_of_range", "infinite"]
    assert out["geoconcept_status"].tolist() == expected


def test_text_in_a_coordinate_column(tmp_path):
    """Text where a number belongs names rows and column, or leaves the geometry out when asked."""
    path = write(tmp_path / "a.csv", "lon;lat\n31,2;30\n1;2\nabc;3\n")
    with pytest.raises(CoordinateError, match=r"'lon' .*row 0: '31,2', row 2: 'abc'\. Write decimals with a point"):
        read_places(path)
    frame = read_places(path, invalid="null")
    assert frame.geometry.isna().tolist() == [True, False, True]
    assert frame["lon"].tolist() == ["31,2", "1", "abc"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"lon,lat\n1,2,3\n", "cannot be read as a table"),
        (b"lon,lat\n1,2\n1,2,3\n", "cannot be read as a table"),
        (b"town,lon,lat\nM\xfcnchen,11.6,48.1\n", "not UTF-8"),
        (b'lon,lat\n"1,2\n', "cannot be read as a table|no number|text where"),
    ],
)
def test_broken_csv(tmp_path, content, message):
    """Broken files say what is wrong; no column is shifted and none cut off."""
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_places(path)


def test_header_alone_is_an_empty_table(tmp_path):
    """A CSV without rows gives no rows, with its columns."""
    frame = read_places(write(tmp_path / "a.csv", "town,lon,lat\n"))
    assert (len(frame), list(frame.columns)) == (0, ["town", "lon", "lat", "geometry"])


def test_layers_of_a_geopackage(tmp_path):
    """Several layers need a choice; one spatial layer among tables does not."""
    path = tmp_path / "a.gpkg"
    pyogrio.write_dataframe(towns(), path, layer="towns")
    pyogrio.write_dataframe(pd.DataFrame({"lon": [1.0], "lat": [2.0]}), path, layer="table", append=True)
    assert len(read_places(path)) == 3
    assert read_places(path, layer="table").geometry[0].coords[0] == (1, 2)
    pyogrio.write_dataframe(towns().head(1), path, layer="more", append=True)
    with pytest.raises(InputError, match="2 layers; choose one with layer=: 'towns', 'more'"):
        read_places(path)
    assert len(read_places(path, layer="more")) == 1
    with pytest.raises(InputError, match="no layer 'other'; it has 'towns', 'more', 'table'"):
        read_places(path, layer="other")


def test_shapefiles_and_foreign_geojson(tmp_path):
    """Shapefiles are read with their CRS; GeoJSON from elsewhere is in degrees and carries no record."""
    towns().to_crs("EPSG:3857").to_file(tmp_path / "a.shp")
    assert read_places(tmp_path / "a.shp").crs == "EPSG:3857"
    feature = {"type": "Feature", "properties": {"a": 1}, "geometry": {"type": "Point", "coordinates": [1, 2]}}
    collection = {"type": "FeatureCollection", "description": "towns", "features": [feature]}
    for name in ("a.geojson", "a.json"):
        (tmp_path / name).write_text(json.dumps(collection))
        frame = read_places(tmp_path / name)
        assert (frame.crs, frame.geometry[0].coords[0]) == ("EPSG:4326", (1, 2))
        assert read_provenance(tmp_path / name) == {}


def test_plain_parquet_with_columns(tmp_path):
    """Parquet without geometry is read by its coordinate columns; geopandas' own GeoParquet as it is."""
    pd.DataFrame({"id": [1, 2], "Lat": [2.0, None], "Lng": [1.0, 3.0]}).to_parquet(tmp_path / "a.parquet")
    frame = read_places(tmp_path / "a.parquet")
    assert frame.geometry[0].coords[0] == (1, 2)
    assert frame.geometry[1] is None
    towns().to_crs("EPSG:3857").to_parquet(tmp_path / "b.parquet")
    assert read_places(tmp_path / "b.parquet").crs == "EPSG:3857"


def test_crs_of_files(tmp_path):
    """crs fills a gap, repeats what the file says, or is refused."""
    bare = towns().set_crs(None, allow_override=True)
    bare.to_parquet(tmp_path / "bare.parquet")
    assert read_places(tmp_path / "bare.parquet").crs is None
    assert read_places(tmp_path / "bare.parquet", crs=4326).crs == "EPSG:4326"
    towns().to_file(tmp_path / "a.gpkg")
    assert read_places(tmp_path / "a.gpkg", crs="EPSG:4326").crs == "EPSG:4326"
    with pytest.raises(InputError, match="says its CRS is 'WGS 84', not 'WGS 84 / Pseudo-Mercator'"):
        read_places(tmp_path / "a.gpkg", crs=3857)
    with pytest.raises(InputError, match="leave lon and lat out"):
        read_places(tmp_path / "a.gpkg", lon="a")


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".parquet", ".shp", ".csv.gz"])
def test_foreign_bytes(tmp_path, suffix):
    """Files that are not what their name says are refused by name."""
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"\x89PNG not what you think\x00\xff" * 10)
    with pytest.raises(InputError, match=r"a\."):
        read_places(path)


@pytest.mark.parametrize("function", [read_places, read_provenance])
def test_missing_files(tmp_path, function):
    """A file that is not there is named."""
    with pytest.raises(InputError, match=r"there is no file .*gone\.csv"):
        function(tmp_path / "gone.csv")


def test_unknown_formats_list_the_known():
    """Other endings list what can be read and written."""
    with pytest.raises(InputError, match=r"\.csv, \.csv\.gz, .*\.shp"):
        read_places("a.xlsx")
    for name in ("a.xlsx", "a", "a.csv.gz"):
        with pytest.raises(InputError, match=r"must end in one of \.parquet, .*\.csv"):
            check_suffix(name)
    with pytest.raises(InputError, match="10 letters"):
        check_suffix("a.shp")
    assert check_suffix("dir.x/A.GeoJSON") == ".geojson"


@pytest.mark.parametrize("suffix", FORMATS)
def test_nothing_is_left_on_failure(tmp_path, suffix, monkeypatch):
    """Whatever fails on the way, Ctrl-C included, an older file stays and no other is there."""
    path = tmp_path / f"a{suffix}"
    path.write_text("older")

    def interrupt(*args, **options):
        raise KeyboardInterrupt

    for module, name in ((pq.ParquetWriter, "write_table"), (pyogrio, "write_dataframe"), (pd.DataFrame, "to_csv")):
        monkeypatch.setattr(module, name, interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_places(towns(), path)
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (towns().rename(columns={"town": 5}), "5 is int"),
        (pd.concat([towns(), towns()[["town"]]], axis=1), "two columns are called 'town'"),
        ([1, 2], "needs a GeoDataFrame; got list"),
    ],
)
def test_frames_no_file_can_hold(tmp_path, suffix, frame, message):
    """Column names that are no strings, or there twice, are refused before anything is written."""
    with pytest.raises(InputError, match=message):
        write_places(frame, tmp_path / f"a{suffix}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("suffix", "column", "message"),
    [
        (".parquet", {"odd": [object(), object(), object()]}, "cannot be stored in Parquet"),
        (".parquet", {"bbox": [1, 2, 3]}, "'bbox', the name of GeoParquet's boxes"),
        (".gpkg", {"TOWN": [1, 2, 3]}, r"cannot write .*a\.gpkg"),
    ],
)
def test_columns_a_format_cannot_hold(tmp_path, suffix, column, message):
    """Columns that a format has no place for are refused as an input error; nothing is left."""
    with pytest.raises(InputError, match=message):
        write_places(towns(**column), tmp_path / f"a{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_formats_with_one_geometry_refuse_two(tmp_path):
    """A second geometry column is not dropped in silence."""
    frame = towns()
    frame["second"] = frame.geometry
    for suffix in (".gpkg", ".geojson", ".csv"):
        with pytest.raises(InputError, match="holds one geometry, the frame has geometry, second"):
            write_places(frame, tmp_path / f"a{suffix}")


def test_frames_without_crs(tmp_path):
    """Formats in degrees refuse a frame without CRS; the others keep it without one."""
    bare = towns().set_crs(None, allow_override=True)
    for suffix in (".csv", ".geojson"):
        with pytest.raises(InputError, match="no CRS"):
            write_places(bare, tmp_path / f"a{suffix}")
    assert read_places(write_places(bare, tmp_path / "a.parquet")).crs is None


def test_no_warnings_on_the_way(tmp_path):
    """Ordinary work prints no warnings of the libraries below, mixed shapes and empty tables included."""
    mixed = gpd.GeoDataFrame(
        {"when": pd.to_datetime(["2020-01-01", None]), "yes": [True, False]},
        geometry=[shapely.Point(0, 0), shapely.box(0, 0, 1, 1)],
        crs="EPSG:4326",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for suffix in FORMATS:
            for frame in (mixed, mixed.head(0), mixed.iloc[:1]):
                assert len(read_places(write_places(frame, tmp_path / f"a{suffix}"))) == len(frame)
