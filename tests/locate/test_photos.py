"""Photos from files: every kind of pixel, every way of being broken, and the position in their EXIF."""

import struct
import sys
import zlib

import numpy as np
import pytest

from geoconcept_gis.bank.sources import data_folder
from geoconcept_gis.errors import InputError, PhotoError
from geoconcept_gis.locate import photos
from geoconcept_gis.locate.photos import find_photos, read_photo, ten_crops

Image = pytest.importorskip("PIL.Image", reason="photos need pillow (extra images)")
features = pytest.importorskip("PIL.features")
Rational = pytest.importorskip("PIL.TiffImagePlugin").IFDRational

ORIENTATION, GPS = 0x0112, 0x8825


def picture(width=60, height=40, seed=0):
    """Noise, so that no turn or mirror leaves it as it is."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def png(width, height, depth, colour, rows=b""):
    """A PNG by hand, for what Pillow reads but does not write."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def pixels(photo):
    assert photo.image.mode == "RGB"
    return np.asarray(photo.image)


# ---------------------------------------------------------------- pixels


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp", "a.webp", "a.jp2"])
def test_lossless_photos_keep_every_bit(tmp_path, name):
    """What was saved is what is read, whatever the suffix says."""
    image = picture()
    image.save(tmp_path / name, lossless=True)
    np.testing.assert_array_equal(pixels(read_photo(tmp_path / name)), np.asarray(image))
    renamed = (tmp_path / name).rename(tmp_path / "wrong.gif")
    photo = read_photo(str(renamed))
    np.testing.assert_array_equal(pixels(photo), np.asarray(image))
    assert (photo.size, photo.notes, photo.name) == ((60, 40), (), str(renamed))


#: How EXIF's eight orientations store an upright array: which side is the first row, and which the first column.
STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a[:, ::-1].swapaxes(0, 1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: a[::-1].swapaxes(0, 1),
}


@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
@pytest.mark.parametrize("orientation", STORED)
def test_all_orientations_come_out_upright(tmp_path, orientation, suffix):
    """From a file, and from an image that somebody opened."""
    upright = np.asarray(picture())
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(np.ascontiguousarray(STORED[orientation](upright))).save(path, exif=exif, lossless=True)
    photo = read_photo(path)
    np.testing.assert_array_equal(pixels(photo), upright)
    assert photo.size == photo.image.size == (60, 40)
    with Image.open(path) as opened:
        np.testing.assert_array_equal(pixels(read_photo(opened)), upright)


def test_the_size_is_that_of_the_whole_upright_photo(tmp_path):
    """JPEG may be unpacked at a fraction of its size, never below the shorter side asked for."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    picture(1201, 901).save(tmp_path / "a.jpg", exif=exif)
    photo = read_photo(tmp_path / "a.jpg", shortest=200)
    assert photo.size == (901, 1201)
    assert 200 <= min(photo.image.size) < 400
    assert photo.image.height > photo.image.width
    assert read_photo(tmp_path / "a.jpg", shortest=2000).image.size == (901, 1201)


def test_16_bits_become_8(tmp_path):
    """Greys are scaled from black to white; colours keep their upper 8 bits."""
    ramp = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    for name in ("grey.png", "grey.tif"):
        Image.fromarray(ramp).save(tmp_path / name)
        photo = read_photo(tmp_path / name)
        np.testing.assert_array_equal(pixels(photo)[..., 1], np.rint(ramp / 257))
        assert photo.notes == ("16-bit greys scaled to 8 bits",)
    rows = b"".join(b"\0" + np.stack([row, row // 2, row * 0], axis=1).astype(">u2").tobytes() for row in ramp)
    (tmp_path / "rgb.png").write_bytes(png(64, 64, 16, 2, rows))
    np.testing.assert_allclose(pixels(read_photo(tmp_path / "rgb.png")), np.stack([ramp, ramp // 2, ramp * 0], -1) >> 8)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_numbers_of_unknown_scale_are_refused(tmp_path, mode):
    """Nobody knows what white is in 32 bits."""
    Image.new(mode, (50, 50), 1000).save(tmp_path / "a.tif")
    with pytest.raises(PhotoError, match=rf"a\.tif: mode {mode} holds numbers of unknown scale"):
        read_photo(tmp_path / "a.tif")


def test_transparent_parts_become_white(tmp_path):
    """Colours with alpha, greys with alpha, and a palette with a transparent entry."""
    rgba = picture().convert("RGBA")
    rgba.paste((200, 0, 0, 0), (0, 0, 30, 40))
    wanted = np.asarray(picture()).copy()
    wanted[:, :30] = 255
    rgba.save(tmp_path / "rgba.png")
    photo = read_photo(tmp_path / "rgba.png")
    np.testing.assert_array_equal(pixels(photo), wanted)
    assert photo.notes == ("transparent parts made white",)
    Image.new("LA", (50, 50), (0, 127)).save(tmp_path / "la.png")
    np.testing.assert_allclose(pixels(read_photo(tmp_path / "la.png")), 128, atol=1)
    palette = Image.new("P", (50, 50), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    palette.paste(0, (0, 0, 50, 25))
    palette.save(tmp_path / "p.gif", transparency=0)
    read = pixels(read_photo(tmp_path / "p.gif"))
    assert (read[0, 0].tolist(), read[49, 0].tolist()) == ([255, 255, 255], [10, 20, 30])


def test_an_alpha_that_hides_nothing_changes_nothing():
    """Opaque pictures stay as they are, without a note."""
    photo = read_photo(picture().convert("RGBA"))
    np.testing.assert_array_equal(pixels(photo), np.asarray(picture()))
    assert photo.notes == ()


def test_cmyk_and_ycck(tmp_path):
    """Colours of print: no cyan is red; the same file marked as YCCK is read as that."""
    path = tmp_path / "cmyk.jpg"
    Image.new("CMYK", (64, 64), (0, 255, 255, 0)).save(path, quality=95)
    photo = read_photo(path)
    np.testing.assert_allclose(pixels(photo), np.broadcast_to([255, 0, 0], (64, 64, 3)), atol=4)
    assert photo.notes == ("CMYK colours, approximately",)
    # Y = 55, no colour, no black, as stored: inverted, the way Adobe does.
    Image.new("CMYK", (64, 64), (55, 127, 127, 0)).save(path, quality=95)
    content = path.read_bytes()
    flag = content.index(b"Adobe") + 11
    path.write_bytes(content[:flag] + b"\x02" + content[flag + 1 :])
    grey = pixels(read_photo(path))
    assert np.ptp(grey.astype(int)) <= 4
    assert not np.allclose(grey, pixels(photo), atol=50)


@pytest.mark.parametrize("suffix", ["gif", "png", "webp", "tif"])
def test_of_several_frames_the_first_is_read(tmp_path, suffix):
    """An animation is no photo, but its first picture is; the note says so."""
    frames = [Image.new("RGB", (50, 40), colour) for colour in ("#ff0000", "#00ff00", "#0000ff")]
    path = tmp_path / f"a.{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:], lossless=True)
    photo = read_photo(path)
    np.testing.assert_allclose(pixels(photo), np.broadcast_to([255, 0, 0], (40, 50, 3)), atol=2)
    assert photo.notes == ("of several frames or pages only the first is read",)


def test_a_tiny_photo_is_read_with_a_note(tmp_path):
    """One pixel is enough to be read, and too little to see anything."""
    Image.new("RGB", (1, 1), "#010203").save(tmp_path / "a.png")
    photo = read_photo(tmp_path / "a.png")
    assert pixels(photo).tolist() == [[[1, 2, 3]]]
    assert photo.notes == ("only 1 x 1 pixels: there is little to see",)


def test_heic_and_avif(tmp_path, monkeypatch):
    """Read where a decoder is; otherwise the error says what to install."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    with pytest.raises(PhotoError, match=r"a\.heic: HEIC is read by the package pillow-heif: pip install pillow-heif"):
        read_photo(tmp_path / "a.heic")
    if features.check("avif"):
        picture(64, 64).save(tmp_path / "a.avif", quality=100)
        assert read_photo(tmp_path / "a.avif").size == (64, 64)
    Image.init()
    monkeypatch.delitem(Image.OPEN, "AVIF", raising=False)
    (tmp_path / "b.avif").write_bytes(b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + bytes(100))
    with pytest.raises(PhotoError, match=r"b\.avif: AVIF is read by Pillow 11\.3 or newer"):
        read_photo(tmp_path / "b.avif")


def test_heic_is_read_upright_with_its_position(tmp_path):
    """With pillow-heif installed."""
    heif = pytest.importorskip("pillow_heif", reason="reading HEIC needs pillow-heif")
    exif = gps_exif((51, 30, 0), "N", (0, 7, 12), "W")
    exif[ORIENTATION] = 6
    upright = Image.new("RGB", (64, 96), "#c04020")
    heif.from_pillow(upright.transpose(Image.Transpose.ROTATE_90)).save(tmp_path / "a.heic", exif=exif.tobytes())
    photo = read_photo(tmp_path / "a.heic")
    assert photo.size == photo.image.size == (64, 96)
    assert photo.exif_lonlat == pytest.approx((-0.12, 51.5))


# ---------------------------------------------------------------- what is refused


def test_unreadable_files_are_named(tmp_path):
    """Missing, empty, a folder, text, other files: one error class, with the name and what to do."""
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("no photo\n")
    (tmp_path / "archive.jpg").write_bytes(b"PK\x03\x04" + bytes(range(32)))
    (tmp_path / "drawing.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    for name, message in {
        "gone.jpg": "there is no such file",
        ".": "this is a folder: name the photos in it",
        "empty.jpg": "the file is empty",
        "text.jpg": "no photo: JPEG.* are read, and the content is text",
        "archive.jpg": "no photo: JPEG.* and the content is none of these",
        "drawing.eps": "no photo",  # Pillow would start Ghostscript
    }.items():
        with pytest.raises(PhotoError, match=message) as caught:
            read_photo(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)
        assert isinstance(caught.value, InputError)


def test_devices_are_not_read():
    """They never end."""
    if sys.platform == "win32":
        pytest.skip("no device files here")
    with pytest.raises(PhotoError, match="no regular file"):
        read_photo("/dev/zero")


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "gif", "bmp", "jp2"])
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_files_that_were_cut_off_are_refused(tmp_path, suffix, share):
    """Half a photo would be grey below."""
    path = tmp_path / f"a.{suffix}"
    picture(200, 160).save(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(PhotoError, match=rf"a\.{suffix}: .*(cut off or corrupt|no photo)"):
        read_photo(path)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "gif", "jp2"])
def test_damaged_bytes_never_raise_anything_else(tmp_path, suffix):
    """Whatever is overwritten, the file is read or refused by our own error."""
    path = tmp_path / f"a.{suffix}"
    picture(64, 48).save(path, exif=gps_exif((1, 2, 3), "N", (4, 5, 6), "E"))
    whole = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(60):
        damaged = whole.copy()
        # Mostly at the start, where formats keep their structure.
        where = (rng.random(8) ** 3 * len(damaged)).astype(int)
        damaged[where] = rng.integers(0, 256, 8)
        path.write_bytes(damaged.tobytes())
        try:
            assert read_photo(path).image.mode == "RGB"
        except PhotoError:
            refused += 1
    assert refused > 0


def test_enormous_photos_are_refused_before_they_are_unpacked(tmp_path, monkeypatch):
    """A few bytes may claim any size: Pillow's limit holds, twice of it is its own error, and ours can be lowered."""
    (tmp_path / "bomb.png").write_bytes(png(50_000, 50_000, 8, 2))
    with pytest.raises(PhotoError, match=r"bomb\.png: too large to unpack safely.*raise max_pixels"):
        read_photo(tmp_path / "bomb.png")
    (tmp_path / "large.png").write_bytes(png(10_000, 9_000, 8, 2))
    with pytest.raises(PhotoError, match=r"10,000 x 9,000 pixels are more than the limit of 89,478,485"):
        read_photo(tmp_path / "large.png")
    picture().save(tmp_path / "small.png")
    with pytest.raises(PhotoError, match="60 x 40 pixels are more than the limit of 2,000"):
        read_photo(tmp_path / "small.png", max_pixels=2000)
    with pytest.raises(PhotoError, match="60 x 40 pixels are more than the limit of 2,000"):
        read_photo(picture(), max_pixels=2000)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)  # Pillow would warn
    assert read_photo(tmp_path / "small.png", max_pixels=2400).size == (60, 40)


def test_strips_are_refused():
    """Scaled by its shorter side to 224 pixels, this one would have 450 million."""
    with pytest.raises(PhotoError, match=r"1 x 9,000 pixels are a strip"):
        read_photo(Image.new("RGB", (1, 9000)))


def test_hostile_names_cannot_steer_a_terminal(tmp_path):
    """Control characters are escaped, other alphabets stay."""
    name = "фьорд \x1b[2J\n\u202egnp.jpg"
    with pytest.raises(PhotoError) as caught:
        read_photo(tmp_path / name)
    assert r"фьорд \x1b[2J\n\u202egnp.jpg: there is no such file" in str(caught.value)
    assert str(caught.value).isprintable()
    path = tmp_path / "日本 é.png"
    picture().save(path)
    assert read_photo(path).name.endswith("日本 é.png")


# ---------------------------------------------------------------- EXIF position


def gps_exif(lat, lat_ref, lon, lon_ref):
    exif, loaded = Image.Exif(), Image.Exif()
    exif[GPS] = {1: lat_ref, 2: lat, 3: lon_ref, 4: lon}
    loaded.load(exif.tobytes())  # as from a file, which is what TIFF can write
    return loaded


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize(("lat_ref", "lon_ref", "signs"), [("N", "E", (1, 1)), ("S", "W", (-1, -1))])
def test_the_position_is_reported_as_lon_lat(tmp_path, lat_ref, lon_ref, signs, suffix):
    """Degrees, minutes, seconds with their hemispheres; nothing of it stays in the image."""
    exif = gps_exif((33, 51, 21.6), lat_ref, (151, 12, 36.0), lon_ref)
    picture().save(tmp_path / f"a.{suffix}", exif=exif)
    photo = read_photo(tmp_path / f"a.{suffix}")
    assert photo.exif_lonlat == pytest.approx((signs[0] * 151.21, signs[1] * 33.856))
    assert photo.notes == ()
    assert not photo.image.info
    photo.image.save(tmp_path / f"b.{suffix}")
    assert read_photo(tmp_path / f"b.{suffix}").exif_lonlat is None
    with Image.open(tmp_path / f"a.{suffix}") as opened:
        assert read_photo(opened).exif_lonlat == photo.exif_lonlat


def test_a_photo_without_position_says_nothing(tmp_path):
    """Neither a position nor a note, with EXIF or without."""
    exif = Image.Exif()
    exif[GPS] = {0: b"\x02\x02\x00\x00", 6: 120.0}  # version and altitude alone
    for options in ({}, {"exif": exif}):
        picture().save(tmp_path / "a.jpg", **options)
        assert (read_photo(tmp_path / "a.jpg").exif_lonlat, read_photo(tmp_path / "a.jpg").notes) == (None, ())


@pytest.mark.parametrize(
    ("gps", "reason"),
    [
        ({2: (1, 2, 3), 4: (4, 5, 6)}, "the hemisphere is '', not one of EW"),
        ({1: "N", 2: (1, 2, 3), 3: "X", 4: (4, 5, 6)}, "the hemisphere is 'X'"),
        ({1: "N", 2: (1, 2, 3), 3: "", 4: (4, 5, 6)}, "the hemisphere is ''"),
        ({1: "N", 2: (1, 2, 3), 3: "E"}, "float"),
        ({1: "N", 2: (1, Rational(2, 0), 3), 3: "E", 4: (4, 5, 6)}, "divides by zero"),
        ({1: "N", 2: (Rational(0, 0),) * 3, 3: "E", 4: (4, 5, 6)}, "divides by zero"),
        ({1: "N", 2: (91, 0, 0), 3: "E", 4: (4, 5, 6)}, "out of range"),
        ({1: "N", 2: (90, 0, 1), 3: "E", 4: (4, 5, 6)}, "out of range"),
        ({1: "N", 2: (1, 0, 0), 3: "E", 4: (181, 0, 0)}, "out of range"),
        ({1: "N", 2: (1, 61, 0), 3: "E", 4: (4, 5, 6)}, "out of range"),
        ({1: "N", 2: (-1, 0, 0), 3: "E", 4: (4, 5, 6)}, "out of range"),
        ({1: "N", 2: (0, 0, 0), 3: "E", 4: (0, 0, 0)}, "before they know where they are"),
        ({1: "N", 2: ("x",), 3: "E", 4: (4, 5, 6)}, "could not convert"),
    ],
)
def test_unusable_positions_become_a_note(monkeypatch, gps, reason):
    """The photo is read, without a position, and the note says why."""
    image = picture()
    exif = Image.Exif()
    exif._ifds[GPS] = gps
    monkeypatch.setattr(image, "getexif", lambda: exif)
    photo = read_photo(image)
    assert photo.exif_lonlat is None
    [note] = photo.notes
    assert note.startswith("its EXIF position is unusable: ")
    assert reason in note


@pytest.mark.parametrize(
    "gps",
    [
        {1: "N", 2: (10, 30), 3: "W", 4: (20, 15)},
        {1: "N", 2: 10.5, 3: "W", 4: 20.25},
        {1: b"N\0", 2: (10, 30, 0), 3: "w ", 4: (20, Rational(15, 1), 0)},
        {1: "N", 2: (Rational(21, 2), 0, 0), 3: "W", 4: (20, 15, 0), 5: b"\1", 6: Rational(1, 0)},
    ],
)
def test_positions_are_read_as_cameras_write_them(gps):
    """One, two or three numbers; references as text or bytes; a broken altitude does not matter."""
    assert photos._lonlat(gps) == pytest.approx((-20.25, 10.5))


def test_damaged_exif_does_not_stop_the_pixels(tmp_path):
    """A denominator of zero and a cut directory, in files."""
    picture().save(tmp_path / "a.jpg", exif=gps_exif((41, 2, 3), "N", (4, 5, 6), "E"))
    content = (tmp_path / "a.jpg").read_bytes()
    found = [struct.pack(order + "II", 41, 1) for order in "<>" if struct.pack(order + "II", 41, 1) in content]
    (tmp_path / "b.jpg").write_bytes(content.replace(found[0], found[0].replace(b"\1", b"\0")))
    photo = read_photo(tmp_path / "b.jpg")
    assert photo.exif_lonlat is None
    assert "divides by zero" in photo.notes[0]
    start = content.index(b"Exif\0\0")
    (tmp_path / "c.jpg").write_bytes(content[: start + 10] + b"\xff" * 12 + content[start + 22 :])
    assert read_photo(tmp_path / "c.jpg").exif_lonlat is None


#: What the cameras wrote, read off the files with other software's rules: degrees and minutes by hand.
REAL = {
    "Apple_iPhone_4.jpg": (12 + 29.33 / 60, 41 + 51.18 / 60),
    "DSCN0010.jpg": (11 + 53 / 60 + 6.456 / 3600, 43 + 28 / 60 + 2.814 / 3600),
    "DSCN0042.jpg": (11 + 52 / 60 + 53.322 / 3600, 43 + 27 / 60 + 52.038 / 3600),
    "FujiFilm_FinePixS1Pro__1_.jpg": (-(1 + 54.85 / 60), 54 + 59.38 / 60),
    "FujiFilm_FinePixS1Pro__5_.jpg": (-(1 + 57.77 / 60), 50 + 43.39 / 60),
    "FujiFilm_FinePixS2Pro.jpg": (2 + 17.82 / 60, 48 + 51.47 / 60),
    "HTC_Desire.jpg": (9 + 6.62 / 60, 45 + 30.04 / 60),
    "Issue_173__dotnet_.jpg": (-(85 + 29 / 60 + 0.67 / 3600), 43 + 41 / 60 + 14.62 / 3600),
    "Sony_DSC-HX5V__2_.jpg": (8 + 21 / 60 + 56.297 / 3600, 51 + 46 / 60 + 43.014 / 3600),
}


def test_real_photos():
    """Nine photos of seven cameras: all positions, no notes."""
    try:
        folder = data_folder() / "photos" / "free_exif"
    except InputError as error:
        pytest.skip(f"the nine photos with EXIF positions are not here: {error}")
    found = find_photos(folder)
    assert [path.name for path in found] == sorted(REAL)
    for path in found:
        photo = read_photo(path)
        assert photo.exif_lonlat == pytest.approx(REAL[path.name], abs=1e-9)
        assert photo.notes == ()


# ---------------------------------------------------------------- folders


def test_photos_are_found_in_folders(tmp_path):
    """Sorted, each once, without hidden ones; files that are named are taken whatever their suffix."""
    (tmp_path / "sub" / ".thumbs").mkdir(parents=True)
    for name in ("b.JPEG", "a.heic", "notes.txt", ".c.jpg", "sub/d.webp", "sub/.thumbs/e.jpg"):
        (tmp_path / name).touch()

    def names(*args, **options):
        return [path.relative_to(tmp_path).as_posix() for path in find_photos(*args, **options)]

    assert names(tmp_path) == ["a.heic", "b.JPEG", "sub/d.webp"]
    assert names(str(tmp_path), recursive=False) == ["a.heic", "b.JPEG"]
    assert names([tmp_path / "notes.txt", tmp_path / "b.JPEG", tmp_path]) == [
        "a.heic",
        "b.JPEG",
        "notes.txt",
        "sub/d.webp",
    ]


def test_folders_without_photos_are_named(tmp_path):
    """The error lists what would have been read."""
    (tmp_path / "notes.txt").touch()
    with pytest.raises(PhotoError, match=r"no photos in this folder; read are \.jpg.*\.heic"):
        find_photos(tmp_path)
    with pytest.raises(PhotoError, match=r"gone: there is no such file or folder"):
        find_photos([tmp_path / "gone"])


def test_ten_crops_are_corners_and_middle_and_their_mirrors():
    """Each corner of the photo is the corner of a crop; the other five are mirrored."""
    pixels = np.zeros((300, 500, 3), dtype=np.uint8)
    pixels[:150, :250] = (255, 0, 0)
    pixels[:150, 250:] = (0, 255, 0)
    pixels[150:, :250] = (0, 0, 255)
    crops = [np.asarray(crop) for crop in ten_crops(Image.fromarray(pixels))]
    assert {crop.shape for crop in crops} == {(224, 224, 3)} and len(crops) == 10
    assert crops[0][0, 0].argmax() == 0 and crops[1][0, -1].argmax() == 1 and crops[2][-1, 0].argmax() == 2
    assert not crops[3][-1, -1].any()
    for plain, mirrored in zip(crops[:5], crops[5:], strict=True):
        np.testing.assert_array_equal(plain[:, ::-1], mirrored)
