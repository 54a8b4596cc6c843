"""A study as a table of plain values, as it stands in `study.toml` and in a tag's plans.

Keys are the fields of `Study`, with the settings of its experiments by name; `fixed`, `launcher_options` and `panels`
are tables. What has its default is left out.
"""

from collections.abc import Mapping
from typing import Any

from hpoctl.core.records import to_plain
from hpoctl.core.study import Study
from hpoctl.core.toml_files import Document


def study_table(study: Study) -> dict[str, Any]:
    """The study as plain values, in the order of its fields."""
    return to_plain(study, defaults=False)


def study_from_table(table: Mapping[str, Any] | Document, *, where: str, name: str = "study") -> Study:
    """The study that a table describes.

    Args:
        table: The table.
        where: What the table is, for messages, such as `study.toml`.
        name: The study's name if the table has none.

    Raises:
        UsageError: A key is unknown, a value has the wrong type or is out of range, or something is missing.
    """
    document = table if isinstance(table, Document) else Document(table, where)
    return document.with_default("summary", "").with_default("name", name).read(Study)
