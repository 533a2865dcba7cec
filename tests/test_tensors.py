"""Safetensors files on numpy alone: the library reads ours, we read the library's, and damage is told."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load, save

from geoconcept_gis.errors import ModelFileError
from geoconcept_gis.tensors import PLANES, is_there, join_planes, read_tensors, split_planes, tensors_bytes

KINDS = ["bool", "u1", "i1", "<i2", "<u2", "<f2", "<i4", "<u4", "<f4", "<f8", "<i8", "<u8"]
ARRAYS = st.dictionaries(
    st.text(min_size=1, max_size=6).filter(lambda name: name != "__metadata__"),
    st.sampled_from(KINDS).flatmap(lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=0, min_side=0, max_side=4))),
    max_size=5,
)


@given(ARRAYS, st.one_of(st.none(), st.dictionaries(st.just("about"), st.text(), min_size=1)))
def test_bytes_are_the_librarys(arrays, metadata):
    """What we write is, byte for byte, what the library writes; and it reads it."""
    content = tensors_bytes(arrays, metadata)
    assert content == save(arrays, metadata=metadata)
    for name, array in load(content).items():
        np.testing.assert_array_equal(array, arrays[name])


@given(ARRAYS)
def test_what_was_written_is_read(tmp_path_factory, arrays):
    """Shape, type and every bit; and the arrays can be written to."""
    path = tmp_path_factory.mktemp("tensors") / "a.safetensors"
    path.write_bytes(save(arrays, metadata={"about": "x"}))
    found, metadata = read_tensors(path)
    assert metadata == {"about": "x"}
    assert found.keys() == arrays.keys()
    for name, array in found.items():
        assert (array.shape, array.dtype) == (arrays[name].shape, arrays[name].dtype)
        assert array.tobytes() == arrays[name].tobytes()
        assert array.flags.writeable


@given(st.binary())
def test_planes_come_together_again(content):
    """Even and odd lengths."""
    assert join_planes(split_planes(content)) == content


def test_a_file_in_planes_is_the_same_file(tmp_path):
    """The hash is that of the whole file, wherever it lies."""
    import hashlib

    content = tensors_bytes({"x": np.arange(7, dtype=np.float16)})
    path = tmp_path / "x.safetensors"
    assert not is_there(path)
    (tmp_path / f"x.safetensors{PLANES}").write_bytes(split_planes(content))
    assert is_there(path)
    arrays, _ = read_tensors(path, hashlib.sha256(content).hexdigest())
    assert arrays["x"].tolist() == list(range(7))


def _entry(first, last, dtype="F32", shape=(1,)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [first, last]}


def _file(header, body=bytes(8)):
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"short",
        (1 << 60).to_bytes(8, "little") + b"{}",
        _file({"x": _entry(0, 4)})[:-6],
        _file({"x": _entry(0, 4)}),
        _file({"x": _entry(0, 400)}),
        _file({"x": _entry(4, 8)}),
        _file({"x": _entry(0, 4), "y": _entry(2, 8)}),
        _file({"x": _entry(8, 4)}),
        _file({"x": _entry(0, 8, shape=(3,))}),
        _file({"x": _entry(0, 8, dtype="F128")}),
        _file({"x": None}),
        _file([1, 2]),
        b"\x08\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff{}{}",
    ],
    ids=lambda content: f"{len(content)} bytes",
)
def test_damage_is_told_with_the_file(tmp_path, content):
    """Cut, overlapping, out of bounds, foreign: one error that names the file."""
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"bad\.safetensors is not a readable safetensors file"):
        read_tensors(path)


def test_other_bytes_than_promised_are_refused(tmp_path):
    """Both hashes are shown, and what to do."""
    path = tmp_path / "x.safetensors"
    path.write_bytes(tensors_bytes({"x": np.zeros(3)}))
    with pytest.raises(ModelFileError, match=r"expected 000000000000.*install or copy the model again"):
        read_tensors(path, "0" * 64)


def test_a_folder_or_nothing_is_told(tmp_path):
    """Neither is a file."""
    with pytest.raises(ModelFileError, match="is missing"):
        read_tensors(tmp_path / "none.safetensors")
    with pytest.raises(ModelFileError, match="cannot be read"):
        read_tensors(tmp_path)


def test_types_that_safetensors_lacks_are_refused():
    """Complex numbers and text have no name in the format."""
    with pytest.raises(ModelFileError, match="'x' is of type complex128"):
        tensors_bytes({"x": np.zeros(2, complex)})
