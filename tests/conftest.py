"""For all tests: properties are checked on the same examples everywhere, and a slow computer is no fault.

What the tests answer and solve is no learner's progress: it goes to a temporary folder, which the kernels and servers
that they start inherit.
"""

import os
import tempfile

from hypothesis import settings

settings.register_profile("course", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("course")

os.environ["ELECTRA_EDU_PROGRESS"] = tempfile.mkdtemp(prefix="electra-edu-progress-")
