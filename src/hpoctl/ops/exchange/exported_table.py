"""One table of all rows of all experiments, as CSV or Parquet, written one experiment after the other."""

import re
from collections.abc import Iterable, Mapping
from typing import IO, TYPE_CHECKING, Any, Literal

from hpoctl.core.columns import IDENTITY
from hpoctl.ops.exchange.syne_tune_rows import without_dictionaries

if TYPE_CHECKING:
    import pyarrow as pa

TableFormat = Literal["csv", "parquet"]
Formulas = Literal["quote", "keep"]
"""What becomes of CSV texts that a spreadsheet would run as formulas: an apostrophe before them, or nothing."""

EXACT = 2**53
"""Up to here each whole number is a float."""

WIDE = b"wide"
FORMULA = "^[=+\\-@\t\r]"


def schema_of(rows: "pa.Table") -> "pa.Schema":
    """The columns of some rows; those with whole numbers that no float holds are marked."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    fields = []
    for field in rows.schema:
        ends = pc.min_max(rows.column(field.name)).as_py() if field.type == pa.int64() and rows.num_rows else {}
        wide = any(value is not None and abs(value) > EXACT for value in ends.values())
        fields.append(field.with_metadata({WIDE: b""}) if wide else field)
    return pa.schema(fields)


def common_schema(schemas: Iterable["pa.Schema"]) -> "pa.Schema":
    """The columns of a table that holds rows of all of these, in the order in which they come.

    Whole numbers and numbers are numbers together unless that would change one; what is of different kinds otherwise
    becomes words.

    Args:
        schemas: The columns of each table, see `schema_of`.
    """
    import pyarrow as pa  # noqa: PLC0415

    kinds: dict[str, pa.DataType] = {}
    wide: set[str] = set()
    for schema in schemas:
        for field in schema:
            kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
            kinds[field.name] = _common(kinds.get(field.name, kind), kind)
            wide |= {field.name} if WIDE in (field.metadata or {}) else set()
    kinds = {name: pa.string() if name in wide and kind == pa.float64() else kind for name, kind in kinds.items()}
    own = {name: pa.int64() if name == "seed" else pa.string() for name in IDENTITY}
    return pa.schema({**own, **kinds})


def _common(one: "pa.DataType", other: "pa.DataType") -> "pa.DataType":
    import pyarrow as pa  # noqa: PLC0415

    if one == other:
        return one
    return pa.float64() if {one, other} == {pa.int64(), pa.float64()} else pa.string()


def identified(rows: "pa.Table", identity: Mapping[str, Any], schema: "pa.Schema") -> "pa.Table":
    """The rows of an experiment with all columns of a schema; those that it does not have are missing."""
    import pyarrow as pa  # noqa: PLC0415

    rows = without_dictionaries(rows)
    columns = []
    for field in schema:
        if field.name in identity:
            columns.append(pa.array([identity[field.name]] * rows.num_rows, field.type))
        elif field.name in rows.column_names:
            columns.append(rows.column(field.name).cast(field.type))
        else:
            columns.append(pa.nulls(rows.num_rows, field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def write_tables(
    file: IO[bytes],
    form: TableFormat,
    schema: "pa.Schema",
    tables: Iterable["pa.Table"],
    *,
    formulas: Formulas = "quote",
) -> int:
    """Write tables of one schema as one; returns how many rows there are."""
    import pyarrow.csv as pa_csv  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    rows = 0
    writer = pa_csv.CSVWriter if form == "csv" else pq.ParquetWriter
    options: dict[str, Any] = {} if form == "csv" else {"compression": "zstd"}
    quoted = form == "csv" and formulas == "quote"
    with writer(file, _quoted_names(schema) if quoted else schema, **options) as sink:
        for table in tables:
            sink.write_table(_quoted(table) if quoted else table)
            rows += table.num_rows
    return rows


def _quoted_names(schema: "pa.Schema") -> "pa.Schema":
    import pyarrow as pa  # noqa: PLC0415

    return pa.schema([field.with_name(re.sub(f"({FORMULA})", r"'\1", field.name)) for field in schema])


def _quoted(table: "pa.Table") -> "pa.Table":
    """The table with an apostrophe before each text, and each name of a column, that begins like a formula."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    columns = [
        pc.replace_substring_regex(column, f"({FORMULA})", r"'\1") if column.type == pa.string() else column
        for column in table.columns
    ]
    return pa.Table.from_arrays(columns, schema=_quoted_names(table.schema))
