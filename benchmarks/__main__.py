"""`python -m benchmarks step` is `electra-edu bench step`."""

import sys

from electra_edu.cli import app

app(["bench", *sys.argv[1:]])
