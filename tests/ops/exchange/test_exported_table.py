"""CSV files that a spreadsheet opens: texts that begin like a formula are no formulas."""

import io

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from hpoctl.ops.exchange.exported_table import Formulas, TableFormat, write_tables

TEXTS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "plain", "a=b", "", "'=1"]
TABLE = pa.table({"config_act": pa.array(TEXTS), "=HYPERLINK(1)": pa.array(range(-4, 5)), "loss": pa.array([-1.5] * 9)})


def _written(form: TableFormat, formulas: Formulas) -> bytes:
    sink = io.BytesIO()
    assert write_tables(sink, form, TABLE.schema, [TABLE], formulas=formulas) == len(TEXTS)
    return sink.getvalue()


def test_an_apostrophe_stands_before_formulas_of_texts_and_headers_only() -> None:
    read = pa_csv.read_csv(io.BytesIO(_written("csv", "quote")))
    assert read.column_names == ["config_act", "'=HYPERLINK(1)", "loss"]
    assert read.column("config_act").to_pylist()[:5] == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\tx"]
    assert read.column("config_act").to_pylist()[5:] == TEXTS[5:]
    assert read.column("'=HYPERLINK(1)").to_pylist() == list(range(-4, 5))
    assert read.column("loss").to_pylist() == [-1.5] * 9


@pytest.mark.parametrize(("form", "formulas"), [("csv", "keep"), ("parquet", "quote")])
def test_texts_are_as_they_were_where_that_is_asked_for_or_safe(form: TableFormat, formulas: Formulas) -> None:
    data = io.BytesIO(_written(form, formulas))
    read = pa_csv.read_csv(data) if form == "csv" else pq.read_table(data)
    assert read.column_names == TABLE.column_names
    assert read.column("config_act").to_pylist() == TEXTS
