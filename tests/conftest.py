"""No test is timed. `SAME_EXAMPLES=1` draws the same examples again, so that a failure is the change's."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("aldis", deadline=None, derandomize=bool(os.environ.get("SAME_EXAMPLES")))
settings.load_profile("aldis")
