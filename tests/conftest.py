"""For all tests: properties are checked on the same examples everywhere, and a slow computer is no fault."""

from hypothesis import settings

settings.register_profile("course", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("course")
