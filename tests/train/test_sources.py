"""Photos with places from folders, tables, EXIF and .tar files; Parquet; and what a source gives out."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("PIL", reason="photos need pillow (extra images)")

from geoconcept_gis.bank.sources import data_folder
from geoconcept_gis.errors import Cancelled, CoordinateError, InputError, PhotoError
from geoconcept_gis.train import sources
from geoconcept_gis.train.augment import random_view, view_rng
from geoconcept_gis.train.photos import open_photos
from geoconcept_gis.train.sampler import Prefetcher
from geoconcept_gis.train.shards import FeatureShards, write_features
from geoconcept_gis.train.sources import ParquetFeatures, PhotoFeatures, open_source
from tests.train.photo_makers import StandInTower, photo_folder, picture, png_bytes, write_tar

PLACE = {"lat": 30.0, "lon": 31.2}


@pytest.fixture
def folder(tmp_path):
    return photo_folder(tmp_path / "photos", 6)


def reasons(photos):
    return {one["path"]: one["reason"] for one in photos.left_out}


# ---------------------------------------------------------------- folders


def test_a_folder_with_its_own_table(folder):
    """Names inside the folder, (lon, lat) from LON and LAT, groups from AUTHOR; one shard."""
    photos = open_photos(folder)
    assert photos.names == [f"{k:03d}.png" for k in range(6)]
    assert photos.lonlat.tolist() == [[k, k] for k in range(6)]
    assert photos.group.tolist() == [f"person{k % 3}" for k in range(6)]
    assert set(photos.shard) == {0}
    assert photos.left_out == ()
    assert "grouped by the column 'AUTHOR'" in photos.notes[0]
    assert photos.read(2).image.tobytes() == picture(2).tobytes()


@pytest.mark.parametrize("form", ["deep/b.png", "b.png", "b", "/elsewhere/photos/b.png", r"C:\photos\b.png"])
def test_a_table_may_name_photos_in_several_ways(tmp_path, form):
    (tmp_path / "photos" / "deep").mkdir(parents=True)
    picture(1).save(tmp_path / "photos" / "deep" / "b.png")
    table = tmp_path / "places.csv"
    table.write_text(f"path;longitude;latitude\n{form};31.2;30.0\n")
    photos = open_photos(tmp_path / "photos", coordinates=table)
    assert photos.names == ["deep/b.png"]
    assert photos.lonlat.tolist() == [[31.2, 30.0]]
    assert photos.group is None


def test_photos_without_a_place_are_listed(folder):
    """No row, no coordinates, out of range: each with its reason; rows without a photo are counted."""
    table = folder / "photos.csv"
    table.write_text(
        "name,lat,lon,taken_by\n000.png,1,2,7\n001.png,,3,8\n002.png,95,3,8\n003.png,5,-190,8\ngone.png,5,6,9\n"
    )
    photos = open_photos(folder, group="taken_by")
    assert photos.names == ["000.png", "003.png"]
    assert photos.lonlat.tolist() == [[2, 1], [170, 5]]
    assert photos.group.tolist() == [7, 8]
    assert reasons(photos) == {
        "001.png": "no coordinates in photos.csv",
        "002.png": "its coordinates are out of range: 3, 95",
        "004.png": "no row in photos.csv",
        "005.png": "no row in photos.csv",
    }
    assert photos.notes[1] == "1 rows of photos.csv have no photo: gone.png"


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("lat,lon\n1,2\n", {}, "no column that names the photos"),
        ("name,lat,lon\nx.png,1,2\n", {}, "no photo is named in photos.csv.*'x.png'.*'000.png'"),
        ("name,lat,lon\n000.png,1,2\n000.png,1,2\n", {}, "several rows for '000.png'"),
        ("name,lat,lon\n000.png,1,2\n", {"group": "who"}, "no column 'who'"),
        ("name,lat,lon\n000.png,,\n", {}, "none of 6 photos has a place"),
        ("name\n000.png\n", {}, "coordinates=FILE.*exif=True"),
        ("name,lat,lon\n000.png,1,2\n", {"exif": True, "group": "who"}, "leave coordinates and group out"),
    ],
)
def test_tables_that_do_not_fit(folder, text, arguments, message):
    (folder / "photos.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        open_photos(folder, **arguments)


def test_one_row_for_two_photos_is_refused(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        picture(1).save(tmp_path / name / "x.png")
    (tmp_path / "t.csv").write_text("name,lat,lon\nx.png,1,2\n")
    with pytest.raises(InputError, match=r"a/x.png and b/x.png both fit the row 'x.png'"):
        open_photos(tmp_path)


def test_positions_of_exif_only_when_asked(tmp_path):
    """Without a table and without exif=True there are none; with it, those of real photos."""
    try:
        real = data_folder() / "photos" / "free_exif"
    except InputError as error:
        pytest.skip(str(error))
    if not real.is_dir():
        pytest.skip(f"no {real}")
    with pytest.raises(InputError, match="exif=True"):
        open_photos(real)
    photos = open_photos(real, exif=True)
    assert len(photos) == 9
    assert photos.lonlat[photos.names.index("DSCN0010.jpg")] == pytest.approx([11.885, 43.467], abs=0.01)
    with pytest.raises(Cancelled):
        open_photos(real, exif=True, progress=lambda done, total: done == 3)
    picture(0).save(tmp_path / "none.png")
    with pytest.raises(InputError, match="no position in its EXIF"):
        open_photos(tmp_path, exif=True)


# ---------------------------------------------------------------- .tar files


@pytest.fixture
def tars(tmp_path):
    """Two archives; the second has a photo without a place and one whose .json is broken."""
    write_tar(
        tmp_path / "t-000.tar",
        [
            ("a.png", png_bytes(0)),
            ("a.json", {"latitude": 1.0, "longitude": 2.0, "author": "ann", "title": "x"}),
            ("deep/b.json", {"LAT": 3, "LON": 4, "author": "bob"}),
            ("deep/b.png", png_bytes(1)),
            ("deep/b.txt", b"a fjord"),
        ],
    )
    write_tar(
        tmp_path / "t-001.tar",
        [
            ("c.png", png_bytes(2)),
            ("c.json", {"lat": 5.5, "lng": -6.5}),
            ("d.png", png_bytes(3)),
            ("e.png", png_bytes(4)),
            ("e.json", b"{"),
            ("f.png", png_bytes(5)),
            ("f.json", {"title": "no place"}),
        ],
    )
    return tmp_path


@pytest.mark.parametrize("form", ["t-{000..001}.tar", "t-*.tar", ".", ("t-000.tar", "t-001.tar")])
def test_archives_by_pattern_folder_and_list(tars, form):
    """Each photo with the place in its .json, under common names; each archive is a shard."""
    what = str(tars / form) if isinstance(form, str) else [tars / one for one in form]
    photos = open_photos(what)
    assert photos.names == ["t-000.tar/a.png", "t-000.tar/deep/b.png", "t-001.tar/c.png"]
    assert photos.lonlat.tolist() == [[2, 1], [4, 3], [-6.5, 5.5]]
    assert photos.shard.tolist() == [0, 0, 1]
    assert photos.group.tolist() == ["ann", "bob", ""]
    assert photos.read(1).image.tobytes() == picture(1).tobytes()
    assert set(reasons(photos)) == {f"t-001.tar/{key}.png" for key in "def"}
    assert reasons(photos)["t-001.tar/d.png"] == "no .json beside it"
    assert "cannot be read as coordinates" in reasons(photos)["t-001.tar/e.png"]
    assert "no columns for longitude" in reasons(photos)["t-001.tar/f.png"]


def test_a_table_beside_archives(tars):
    (tars / "places.csv").write_text("name,lat,lon\na,10,20\ndeep/b.png,11,21\nd.png,12,22\n")
    photos = open_photos(tars / "t-000.tar", coordinates=tars / "places.csv")
    assert photos.lonlat.tolist() == [[20, 10], [21, 11]]
    assert "1 rows of places.csv have no photo: d.png" in photos.notes


def test_damaged_archives_give_what_they_hold(tars):
    """Cut off inside a photo, or damaged after one: what comes before is there, the rest is named."""
    whole = (tars / "t-000.tar").read_bytes()
    cut = tars / "t-002.tar"
    at = whole.index(png_bytes(1))
    cut.write_bytes(whole[: at + 100])
    photos = open_photos(cut)
    assert photos.names == ["t-002.tar/a.png"]
    assert reasons(photos)["t-002.tar/deep/b.png"] == "the archive is cut off inside it"
    header = whole.index(b"deep/b.png")
    cut.write_bytes(whole[:header] + b"\xff" * 512 + whole[header + 512 :])
    photos = open_photos(cut)
    assert photos.names == ["t-002.tar/a.png"]
    assert "members after that are not read" in reasons(photos)["t-002.tar"]


def test_an_unreadable_photo_in_an_archive_is_named(tars):
    write_tar(tars / "bad.tar", [("x.jpg", b"no photo"), ("x.json", PLACE)])
    with pytest.raises(PhotoError, match=r"^bad.tar/x.jpg: no photo"):
        open_photos(tars / "bad.tar").read(0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.tar", "there is no file"),
        ("t-{000..005}.tar", "there is no file .*t-002.tar"),
        ("x-*.tar", "no file fits"),
        ("text.tar", "no photos in text.tar.*no plain .tar"),
        ("empty.tar", "no photos in empty.tar"),
        ("gone", "no folder of photos"),
    ],
)
def test_archives_that_are_none(tars, name, message):
    (tars / "text.tar").write_text("text " * 500)
    write_tar(tars / "empty.tar", [("a.txt", b"a")])
    with pytest.raises(InputError, match=message):
        open_photos(tars / name)


def test_compressed_archives_are_refused_with_advice(tars):
    import gzip

    (tars / "z.tar.gz").write_bytes(gzip.compress((tars / "t-000.tar").read_bytes()))
    with pytest.raises(InputError, match="unpack them"):
        open_photos(tars / "z.tar.gz")


def test_the_fingerprint_is_of_names_places_and_groups(folder):
    first = open_photos(folder).sha256
    assert open_photos(folder).sha256 == first
    table = folder / "photos.csv"
    for old, new in (("person0", "person9"), ("000.png,person0,0,0", "000.png,person0,0,1")):
        text = table.read_text()
        table.write_text(text.replace(old, new))
        assert open_photos(folder).sha256 != first
        table.write_text(text)


# ---------------------------------------------------------------- photos as a source


def test_photos_through_a_tower(folder):
    """Views by chance, the same for the same seed, in the order asked; plain ones as the tower alone reads them."""
    tower = StandInTower()
    source = open_source(folder, tower=tower)
    assert isinstance(source, PhotoFeatures)
    assert (len(source), source.dim, source.tower["name"]) == (6, 12, "quarters")
    assert source.group.tolist() == [0, 1, 2, 0, 1, 2]
    assert list(source.names) == source.photos.names
    one = source.take([4, 0, 4], np.random.default_rng(1))
    assert one.dtype == np.float32
    np.testing.assert_array_equal(one, source.take([4, 0, 4], np.random.default_rng(1)))
    assert not np.array_equal(one[0], one[2])
    np.testing.assert_array_equal(source.plain([3]), tower.features([tower.view(picture(3))]))
    assert source.plain().shape == (6, 12)


def test_an_unreadable_photo_stops_training_by_name(tmp_path):
    source = open_source(photo_folder(tmp_path / "p", 3, broken=[1]), tower=StandInTower())
    with pytest.raises(PhotoError, match=r"001.png"):
        source.take([0, 1], np.random.default_rng(0))


def test_sources_that_cannot_be(folder, tmp_path):
    shards = write_features(tmp_path / "s", np.eye(2), [[1, 2]] * 2, tower={"name": "a", "sha256": "b"})
    assert isinstance(open_source(shards.folder), FeatureShards)
    with pytest.raises(InputError, match="leave tower out"):
        open_source(shards.folder, tower=StandInTower())
    with pytest.raises(InputError, match="leave coordinates, exif and group out"):
        open_source(shards.folder, exif=True)
    with pytest.raises(InputError, match="need a tower"):
        open_source(folder)


# ---------------------------------------------------------------- Parquet

FEATURES = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)


def parquet(path, kind="list", metadata=None, **columns):
    flat = pa.array(FEATURES.ravel())
    lists = {
        "list": lambda: pa.ListArray.from_arrays(np.arange(0, 301, 6, dtype=np.int32), flat),
        "large": lambda: pa.LargeListArray.from_arrays(np.arange(0, 301, 6), flat),
        "fixed": lambda: pa.FixedSizeListArray.from_arrays(flat, 6),
        "half": lambda: pa.FixedSizeListArray.from_arrays(pa.array(FEATURES.astype(np.float16).ravel()), 6),
    }[kind]()
    table = pa.table({"lon": np.arange(50.0), "lat": np.arange(50.0), "features": lists, **columns})
    pq.write_table(table.replace_schema_metadata(metadata), path, row_group_size=8)
    return path


@pytest.mark.parametrize("kind", ["list", "large", "fixed", "half"])
def test_parquet_by_row_groups(tmp_path, kind):
    """Lists of any sort; rows in the order asked; a row group is a shard."""
    source = open_source(parquet(tmp_path / "f.parquet", kind, group=[f"p{k % 4}" for k in range(50)]))
    assert isinstance(source, ParquetFeatures)
    rows = np.random.default_rng(1).permutation(50)
    want = FEATURES.astype(np.float16 if kind == "half" else np.float32)[rows].astype(np.float32)
    taken = source.take(rows, np.random.default_rng(0))
    assert taken.dtype == np.float32
    np.testing.assert_array_equal(taken, want)
    assert np.bincount(source.shard).tolist() == [8] * 6 + [2]
    assert source.group[:5].tolist() == [0, 1, 2, 3, 0]
    assert source.lonlat[7].tolist() == [7, 7]
    assert source.tower == {"name": "unknown", "sha256": "", "dim": 6}


def test_parquet_keeps_few_row_groups_in_memory(tmp_path):
    """Reading all of it again and again holds no more than the sampler needs; a row group in use is not read twice."""
    source = ParquetFeatures(parquet(tmp_path / "f.parquet"))
    info = source._group_of_rows.cache_info
    for _ in range(3):
        source.plain(range(8))
    assert (info().misses, info().hits) == (1, 2)
    assert info().maxsize == 12


def test_parquet_in_several_threads(tmp_path, monkeypatch):
    """Validation may read while the next batch is made."""
    monkeypatch.setattr(sources, "_GROUPS_KEPT", 1)
    source = ParquetFeatures(parquet(tmp_path / "f.parquet"))
    rows = [np.random.default_rng(k).permutation(50) for k in range(40)]
    with Prefetcher(source.plain, rows, workers=4) as read:
        for want, found in zip(rows, read, strict=True):
            np.testing.assert_array_equal(found, FEATURES[want])


def test_parquet_says_which_tower(tmp_path):
    """In its metadata, or by argument."""
    said = {"geoconcept_tower": json.dumps({"name": "a", "sha256": "b"})}
    assert open_source(parquet(tmp_path / "f.parquet", metadata=said)).tower == {"name": "a", "sha256": "b", "dim": 6}
    assert open_source(tmp_path / "f.parquet", tower={"name": "c", "sha256": "d"}).tower["name"] == "c"
    with pytest.raises(InputError, match="features of 6 numbers; the tower gives 768"):
        open_source(tmp_path / "f.parquet", tower={"name": "c", "sha256": "d", "dim": 768})
    with pytest.raises(InputError, match="must be a record"):
        open_source(tmp_path / "f.parquet", tower=StandInTower())


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        ({"features": [[1.0, 2.0]] * 9 + [[1.0]] * 41}, InputError, "rows 8 to 15: features must all have 2 numbers"),
        ({"features": [[1.0]] * 9 + [None] * 41}, InputError, "rows 8 to 15: each row"),
        ({"features": [[1.0]] * 9 + [[float("nan")]] * 41}, InputError, "rows 8 to 15: features must be finite"),
        ({"features": ["a"] * 50}, InputError, "each row of 'features' must be a list of numbers; type string"),
        ({"lat": [95.0] * 50}, CoordinateError, "f.parquet"),
    ],
)
def test_bad_parquet_is_named(tmp_path, columns, error, message):
    parquet(tmp_path / "f.parquet", **columns)
    with pytest.raises(error, match=message):
        open_source(tmp_path / "f.parquet").plain()


def test_parquet_that_is_none(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        open_source(tmp_path / "gone.parquet")
    (tmp_path / "x.parquet").write_text("text")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        open_source(tmp_path / "x.parquet")
    pq.write_table(pa.table({"lon": [1.0]}), tmp_path / "y.parquet")
    with pytest.raises(InputError, match="no 'features' and no 'lat' among 'lon'"):
        open_source(tmp_path / "y.parquet")


# ---------------------------------------------------------------- augmentation


def test_views_are_square_and_seeded():
    image = picture(0, (80, 60))
    one, same, other = (random_view(image, 24, view_rng(0, 5, view)) for view in (1, 1, 2))
    assert one.size == (24, 24)
    assert one.mode == "RGB"
    assert one.tobytes() == same.tobytes() != other.tobytes()


def test_views_are_drawn_as_described():
    """Of 2,000: grey in a fifth, colours as they are in 0.2 of the others, parts of 8 to 100 % of the area."""
    image = picture(1, (90, 90))
    grey = shade = 0
    red = picture(0).resize((32, 32))
    red.paste((200, 60, 60), (0, 0, 32, 32))
    for k in range(2000):
        pixels = np.asarray(random_view(red, 8, view_rng(1, k, 1)))[0, 0].astype(int)
        grey += len(set(pixels)) == 1
        shade += pixels.tolist() == [200, 60, 60]
    assert 0.17 < grey / 2000 < 0.23
    # Neither jittered (0.2) nor grey (0.8).
    assert 0.13 < shade / 2000 < 0.19
    from geoconcept_gis.train.augment import _box

    boxes = np.array([_box(*image.size, view_rng(2, k, 0)) for k in range(2000)])
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    assert boxes.min() >= 0
    assert boxes.max() == 90
    share = width * height / 90**2
    assert 0.07 < share.min() < 0.1
    assert share.max() > 0.95
    assert np.median(width / height) == pytest.approx(1.0, abs=0.05)


def test_a_strip_gives_its_middle():
    """No part of the usual shape fits a very long photo."""
    from geoconcept_gis.train.augment import _box

    assert _box(400, 4, view_rng(0, 0, 0)) == (197, 0, 202, 4)


def test_half_of_the_views_are_mirrored():
    """Left is dark and right is light, in about half of the views the other way round."""
    image = picture(0).resize((64, 64))
    image.paste((0, 0, 0), (0, 0, 32, 64))
    image.paste((255, 255, 255), (32, 0, 64, 64))
    sides = []
    for k in range(400):
        pixels = np.asarray(random_view(image, 8, view_rng(3, k, 1)).convert("L")).astype(int)
        sides.append(np.sign(pixels[:, 0].mean() - pixels[:, -1].mean()))
    assert 0.4 < np.mean(np.array([one for one in sides if one]) > 0) < 0.6
