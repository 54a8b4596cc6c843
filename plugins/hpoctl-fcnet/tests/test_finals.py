"""The original's final values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hpoctl_fcnet import packed
from hpoctl_fcnet.grid import NUM_CONFIGS, NUM_SEEDS, SETS, config_at

PUBLISHED_OPTIMA = {
    "slice": 0.00019159916337230243,
    "protein": 0.221378855407238,
    "naval": 3.19113473778998e-05,
    "parkinsons": 0.0067059280117973685,
}


@pytest.mark.parametrize("name", SETS)
def test_the_published_optima_come_out_digit_for_digit(name):
    loss = packed.load_finals(name).loss
    assert float(loss.astype(np.float64).mean(axis=1).min()) == PUBLISHED_OPTIMA[name] == packed.PUBLISHED_OPTIMA[name]
    assert packed.optimum(loss) == PUBLISHED_OPTIMA[name]


@pytest.mark.parametrize("name", SETS)
def test_finals_cover_the_grid_with_positive_float32(name):
    finals = packed.load_finals(name)
    for values in (finals.loss, finals.runtime):
        assert values.shape == (NUM_CONFIGS, NUM_SEEDS)
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
        assert (values > 0).all()


def test_rows_of_the_source_are_where_they_belong():
    """Four seeds of one configuration on protein, as the source has them under its key 000000000."""
    config = {
        "hp_activation_fn_1": "relu",
        "hp_activation_fn_2": "relu",
        "hp_batch_size": 8,
        "hp_dropout_1": 0.0,
        "hp_dropout_2": 0.0,
        "hp_init_lr": 0.0005,
        "hp_lr_schedule": "cosine",
        "hp_n_units_1": 16,
        "hp_n_units_2": 16,
    }
    row = next(row for row in range(NUM_CONFIGS) if config_at(row) == config)
    finals = packed.load_finals("protein")
    assert finals.loss[row].tolist() == [
        0.341951459646225,
        0.34103745222091675,
        0.33918553590774536,
        0.33868858218193054,
    ]
    assert finals.runtime[row].tolist() == [485.5804443359375, 483.2498779296875, 477.0804138183594, 481.446044921875]


@given(arrays.arrays(np.float32, arrays.array_shapes(max_dims=3), elements=st.floats(width=32)))
def test_byte_planes_lose_nothing(values):
    restored = packed.from_planes(packed.to_planes(values), values.shape)
    assert restored.tobytes() == values.tobytes()


def test_the_hash_follows_the_packaged_bytes_and_the_format(monkeypatch):
    fresh = packed.table_hash.__wrapped__
    before = fresh("naval")
    assert before == packed.table_hash("naval") != packed.table_hash("slice")
    real = packed._read
    for changed in (packed.finals_file("naval"), packed.curves_file("naval")):
        with monkeypatch.context() as patch:
            patch.setattr(packed, "_read", lambda name, changed=changed: real(name) + b"!" * (name == changed))
            assert fresh("naval") != before
    with monkeypatch.context() as patch:
        patch.setattr(packed, "FORMAT", packed.FORMAT + 1)
        assert fresh("naval") != before
    assert fresh("naval") == before
