"""What is registered: hpoctl's own entries and those of installed plugins."""

from hpoctl import builtins
from hpoctl.plugins import Registry, load_registry


def open_registry() -> Registry:
    """Load the built-ins and all installed plugins; a broken plugin is reported, not raised."""
    return load_registry([builtins])
