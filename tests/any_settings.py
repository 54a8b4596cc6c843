"""Settings of all kinds, made from their definitions, so that one that is added is tested, too."""

import sys

from hypothesis import strategies as st

from hpoctl.core.settings import DEFINITIONS, Definition, Value


def values(setting: Definition) -> st.SearchStrategy[Value]:
    """Values that a setting may have."""
    if setting.is_flag:
        return st.booleans()
    about = setting.about
    if float in setting.types:
        least = about.least if about.above is None else about.above
        numbers: st.SearchStrategy[Value] = st.floats(
            least, sys.float_info.max, allow_infinity=False, exclude_min=about.above is not None
        )
    else:
        numbers = st.integers(None if about.least is None else int(about.least), 10**9)
    return numbers | st.sampled_from(setting.words) if setting.words else numbers


def said() -> st.SearchStrategy[dict[str, Value]]:
    """Some settings, as a person may say them."""
    return st.fixed_dictionaries({}, optional={name: values(setting) for name, setting in DEFINITIONS.items()})
