"""Pictures of concept maps."""

import builtins
import sys

import numpy as np
import pytest

import geoconcept_gis as gc
from geoconcept_gis.concepts import KINDS
from geoconcept_gis.errors import InputError, MissingDependencyError
from geoconcept_gis.maps import concept_map
from geoconcept_gis.style import LOOKS

pytest.importorskip("matplotlib")

from geoconcept_gis.plot import plot_concept_map, save_concept_map

EGYPT = (25.0, 22.0, 35.0, 31.0)


@pytest.fixture(scope="module")
def model():
    return gc.load_model(backend="numpy")


@pytest.fixture(scope="module")
def egypt(model):
    return concept_map(["hot desert climate", "tundra climate"], EGYPT, resolution=1, model=model)


@pytest.fixture(scope="module")
def fiji(model):
    return concept_map("Af", (178, -19, -179, -16), resolution=0.25, model=model)


@pytest.fixture(scope="module")
def europe(model):
    return concept_map("Cfb", (2.5e6, 1.5e6, 5.5e6, 4.5e6), shape=(12, 12), crs=3035, model=model)


def pixels(path):
    """Colours in a picture, as a set of (r, g, b) in 0..255."""
    from matplotlib.image import imread

    rgb = np.rint(imread(path)[..., :3] * 255).astype(int)
    return {tuple(row) for row in rgb.reshape(-1, 3).tolist()}


def rgb(colour):
    return tuple(int(colour[k : k + 2], 16) for k in (1, 3, 5))


def labels(axis):
    axis.axes.figure.canvas.draw()
    low, high = axis.get_view_interval()
    return [tick.label1.get_text() for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]


def test_picture_shows_the_scores(egypt, tmp_path):
    """Cells have the ramp's colours for their scores; sea and shores their own."""
    path = save_concept_map(egypt, tmp_path / "egypt.png", dpi=80)
    colours = pixels(path)
    ramp = plot_concept_map(egypt).images[0].cmap
    scores = egypt["hot_desert_climate"].values
    for score in (np.nanmin(scores), np.nanmax(scores)):
        drawn = tuple(round(255 * part) for part in ramp(float(score))[:3])
        assert any(max(abs(a - b) for a, b in zip(drawn, seen, strict=True)) <= 1 for seen in colours)
    assert rgb("#eceff1") in colours
    assert [file.name for file in tmp_path.iterdir()] == ["egypt.png"]


def test_ramp_is_viridis():
    """The colours stored in the package are matplotlib's own, within what the eye can tell."""
    from matplotlib import colormaps

    own = np.array([rgb(colour) for colour in LOOKS["calibrated"].colours])
    viridis = colormaps["viridis"](np.linspace(0, 1, len(own)))[:, :3] * 255
    assert np.abs(own - viridis).max() <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_range_is_fixed(model, kind):
    """Colours span the kind's whole range, whatever the values; the colour bar says what they mean."""
    dataset = concept_map("BWh", EGYPT, resolution=3, kind=kind, model=model)
    ax = plot_concept_map(dataset)
    image = ax.images[0]
    assert (image.norm.vmin, image.norm.vmax) == (LOOKS[kind].low, LOOKS[kind].high)
    bar = image.colorbar.ax
    assert bar.get_title(loc="left").lower() == LOOKS[kind].label.lower()


def test_note_says_what_a_reader_must_know(egypt, model):
    """Model, hash, reference, scale, the caveat and the held-out validity stand under the map."""
    note = plot_concept_map(egypt).images[0].colorbar.ax.texts[-1].get_text()
    assert model.sha256[:8] in note
    assert "reference: uniform land" in note
    assert "associated with, not observed" in note
    assert "5\N{EN DASH}10 km" in note
    assert "held-out AUROC 0.9" in note
    assert "antimeridian" not in note


def test_note_warns_of_the_seam(fiji):
    """Where the encoder jumps, the note says how many cells that concerns."""
    note = plot_concept_map(fiji).images[0].colorbar.ax.texts[-1].get_text()
    assert "antimeridian" in note


def test_note_says_nothing_of_a_seam_that_the_model_has_not(fiji):
    """A map of an encoder without a seam says so in its attributes; one that says nothing is of GeoCLIP's."""
    assert fiji.attrs["geoconcept_jumps"] == "antimeridian, poles"

    def note(dataset):
        return plot_concept_map(dataset).images[0].colorbar.ax.texts[-1].get_text()

    assert "antimeridian" not in note(fiji.assign_attrs(geoconcept_jumps="none"))
    older = fiji.copy()
    del older.attrs["geoconcept_jumps"]
    assert "antimeridian" in note(older)


def test_cells_are_where_they_belong(egypt):
    """The picture's extent is the map's, north up, and rows are not mixed up when given south up."""
    image = plot_concept_map(egypt).images[0]
    assert image.get_extent() == [25, 35, 22, 31]
    assert image.origin == "upper"
    turned = plot_concept_map(egypt.isel(lat=slice(None, None, -1))).images[0]
    np.testing.assert_array_equal(turned.get_array(), image.get_array())


def test_concept_can_be_chosen(egypt):
    """The first concept is the default; others by name or variable."""
    assert plot_concept_map(egypt).get_title(loc="left") == "Hot desert climate"
    assert plot_concept_map(egypt, "tundra climate").get_title(loc="left") == "Tundra climate"
    assert plot_concept_map(egypt, "tundra_climate", title="Mine").get_title(loc="left") == "Mine"
    with pytest.raises(InputError, match="'tundra climate'"):
        plot_concept_map(egypt, "rainforest")


def test_degrees_are_drawn_as_such(model, egypt, fiji):
    """Ticks read as degrees with a letter; past 180 they are western; the antimeridian has none."""
    assert "30°E" in labels(plot_concept_map(egypt).xaxis)
    assert {"179°E", "180°"} <= set(labels(plot_concept_map(fiji).xaxis))
    assert any(label.endswith("W") for label in labels(plot_concept_map(fiji).xaxis))
    assert any(label.endswith("S") for label in labels(plot_concept_map(fiji).yaxis))
    world = plot_concept_map(concept_map("BWh", resolution=30, model=model))
    assert labels(world.xaxis) == ["180°", "120°W", "60°W", "0°", "60°E", "120°E", "180°"]
    assert world.get_aspect() == 1


def test_regional_maps_keep_their_shape(egypt):
    """Away from the equator a degree of longitude is drawn narrower than one of latitude."""
    ax = plot_concept_map(egypt)
    assert ax.get_aspect() == pytest.approx(1 / np.cos(np.radians(26.5)))


def test_projected_maps_are_drawn_in_km(europe):
    """Projected maps have equal axes in km, named after the CRS, and shores that fit them."""
    ax = plot_concept_map(europe)
    assert ax.get_aspect() == 1
    assert "LAEA Europe, km" in ax.get_xlabel()
    assert "4,000" in labels(ax.xaxis)
    assert len(ax.lines) == 1


def test_shores_do_not_leap(model):
    """In a projection cut elsewhere than at 180, no shore crosses the whole map."""
    crs = "+proj=eqearth +lon_0=150 +datum=WGS84"
    bounds = (-17_300_000, -8_400_000, 17_300_000, 8_400_000)
    ax = plot_concept_map(concept_map("BWh", bounds, shape=(8, 16), crs=crs, model=model))
    steps = np.abs(np.diff(ax.lines[0].get_xdata()))
    assert np.nanmax(steps) < 2_000_000
    assert ax.get_xlabel() == "projected, km"


def test_shores_continue_past_180(fiji):
    """Islands on both sides of the antimeridian have their shores."""
    ax = plot_concept_map(fiji)
    drawn = np.concatenate([line.get_xydata() for line in ax.lines])
    inside = drawn[(drawn[:, 1] > -19) & (drawn[:, 1] < -16)]
    assert ((inside[:, 0] > 178) & (inside[:, 0] < 180)).any()
    assert ((inside[:, 0] > 180) & (inside[:, 0] < 181)).any()


def test_own_axes(egypt):
    """A map drawn into given axes stays there, colour bar included."""
    from matplotlib.figure import Figure

    figure = Figure(layout="constrained")
    first, second = figure.subplots(1, 2)
    assert plot_concept_map(egypt, ax=first) is first
    plot_concept_map(egypt, "tundra climate", ax=second)
    figure.canvas.draw()
    assert len(figure.axes) == 4


def test_pyplot_is_left_alone(egypt, tmp_path):
    """Drawing opens no figure that pyplot knows of and imports no pyplot."""
    before = "matplotlib.pyplot" in sys.modules
    save_concept_map(egypt, tmp_path / "egypt.png", dpi=40)
    assert ("matplotlib.pyplot" in sys.modules) == before


def test_map_with_more_cells_than_pixels(egypt, tmp_path):
    """Very fine maps are smoothed, not sampled; nodata stays the colour of the sea."""
    fine = egypt[["hot_desert_climate"]].isel(lat=slice(0, 2))
    fine = fine.interp(lon=np.linspace(25, 35, 2500), method="nearest", kwargs={"fill_value": None})
    fine["hot_desert_climate"].attrs = egypt["hot_desert_climate"].attrs
    assert plot_concept_map(fine).images[0].get_interpolation() == "antialiased"
    assert save_concept_map(fine, tmp_path / "fine.png", dpi=40).is_file()


@pytest.mark.parametrize("name", ["map.svg", "map.pdf", "map.jpg"])
def test_other_formats(egypt, tmp_path, name):
    """Vector and photo formats work too."""
    assert save_concept_map(egypt, tmp_path / name, dpi=40).stat().st_size > 1000


@pytest.mark.parametrize("name", ["map.txt", "map", "nowhere/map.png"])
def test_bad_names_are_refused(egypt, tmp_path, name):
    """Another ending or a folder that is not there is refused; nothing is left."""
    with pytest.raises(InputError):
        save_concept_map(egypt, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_failure_leaves_nothing(egypt, tmp_path, monkeypatch):
    """A failure while the file is written leaves no file."""

    def fail(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr("matplotlib.backends.backend_agg.FigureCanvasAgg.print_figure", fail)
    with pytest.raises(OSError, match="disk full"):
        save_concept_map(egypt, tmp_path / "egypt.png")
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib(egypt, monkeypatch):
    """Without matplotlib the error names the extra to install."""
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependencyError, match=r"geoconcept-gis\[plot\]"):
        plot_concept_map(egypt)
