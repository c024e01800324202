"""No test is timed. `SAME_EXAMPLES=1` draws the same examples again, so that a failure is the change's."""

from __future__ import annotations

import os
import sys

from hypothesis import settings

settings.register_profile("aldis", deadline=None, derandomize=bool(os.environ.get("SAME_EXAMPLES")))
settings.load_profile("aldis")

# Hundreds of tests start a process of their own: compiling the sources anew in each would take longer than the tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
