"""Settings of all tests: how long an example takes is not what is tested."""

from hypothesis import settings

settings.register_profile("hpoctl", deadline=None)
settings.load_profile("hpoctl")
