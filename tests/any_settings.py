"""Settings of all kinds, made from their definitions, so that one that is added is tested, too."""

import sys
from typing import Any

from hypothesis import strategies as st

from hpoctl.core.setting_definition import Definition, Value
from hpoctl.core.settings import DEFINITIONS


def values(setting: Definition) -> st.SearchStrategy[Value]:
    """Values that a setting may have."""
    if setting.is_flag:
        return st.booleans()
    if setting.is_text:
        return st.text("0123456789,abc", min_size=1)
    about = setting.about
    if float in setting.types:
        least = about.least if about.above is None else about.above
        numbers: st.SearchStrategy[Value] = st.floats(
            least, sys.float_info.max, allow_infinity=False, exclude_min=about.above is not None
        )
    else:
        numbers = st.integers(None if about.least is None else int(about.least), int(about.most or 10**9))
    return numbers | st.sampled_from(setting.words) if setting.words else numbers


def some_settings() -> st.SearchStrategy[dict[str, Any]]:
    """Some settings, as a person may say them."""
    return st.fixed_dictionaries({}, optional={name: values(setting) for name, setting in DEFINITIONS.items()})


def unusual() -> dict[str, Any]:
    """Every setting with a value that is not its default."""
    return {
        name: not setting.default
        if setting.is_flag
        else "7"
        if setting.is_text
        else 7.0
        if float in setting.types
        else 7
        for name, setting in DEFINITIONS.items()
    }
