"""Pieces of GeoParquet: boxes that cover, points as bytes, streams of row groups."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geoconcept_gis.errors import InputError
from geoconcept_gis.geoparquet import ParquetStream, bbox_array, frame_to_table, point_wkb, read_frame, with_metadata
from tests.strategies import frames

finite = st.floats(-1e7, 1e7)


@given(st.lists(st.tuples(finite, finite, finite, finite), max_size=6))
def test_boxes_cover(rows):
    """Boxes in float32 hold the float64 bounds they stand for, and hardly more."""
    bounds = np.array(rows, dtype=np.float64).reshape(-1, 4)
    bounds = np.concatenate([np.sort(bounds[:, ::2], axis=1), np.sort(bounds[:, 1::2], axis=1)], axis=1)[
        :, [0, 2, 1, 3]
    ]
    boxes = bbox_array(bounds).to_pylist()
    for box, (west, south, east, north) in zip(boxes, bounds, strict=True):
        assert box["xmin"] <= west <= east <= box["xmax"]
        assert box["ymin"] <= south <= north <= box["ymax"]
        np.testing.assert_allclose(list(box.values()), [west, south, east, north], rtol=1e-6, atol=1e-37)


def test_no_geometry_has_no_box():
    """Rows without geometry get null, beside rows with one."""
    boxes = bbox_array(np.array([[np.nan] * 4, [0.0, 0.0, 1.0, 1.0]]))
    assert boxes.null_count == 1
    assert boxes[1].as_py()["xmax"] == 1.0


@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=6))
def test_points_as_bytes(rows):
    """Our bytes are those that shapely writes, NaN and infinity included."""
    xy = np.array(rows, dtype=np.float64).reshape(-1, 2)
    expected = [shapely.to_wkb(shapely.Point(*pair), byte_order=1) for pair in xy]
    assert point_wkb(xy).to_pylist() == expected


@given(frames())
def test_tables_hold_every_row(frame):
    """Turning a frame into a table keeps rows and leaves the frame as it was."""
    before = frame.copy()
    table = frame_to_table(frame)
    assert table.num_rows == len(frame)
    assert table.column(frame.geometry.name).to_pylist() == shapely.to_wkb(before.geometry.array, flavor="iso").tolist()
    assert frame.equals(before)


def test_a_stream_is_one_file_of_row_groups(tmp_path):
    """Each table becomes a row group; metadata comes with the first."""
    with ParquetStream(tmp_path / "a.parquet") as stream:
        for start in (0, 10):
            stream.write(with_metadata(pa.table({"a": range(start, start + 10)}), None, {"model": "m"}))
    file = pq.ParquetFile(tmp_path / "a.parquet")
    assert file.num_row_groups == 2
    assert file.read().column("a").to_pylist() == list(range(20))
    assert file.schema_arrow.metadata == {b"geoconcept": b'{"model": "m"}'}


def test_a_file_cut_short_is_refused(tmp_path):
    """A Parquet file without its end is no Parquet file."""
    whole = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": [1]}), whole)
    whole.write_bytes(whole.read_bytes()[:-4])
    with pytest.raises(InputError, match=r"a\.parquet is not a readable Parquet file"):
        read_frame(whole)
