"""Without the libraries of the buses there is one clear error that says what to install."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import importlib, sys
sys.modules["zenoh"] = sys.modules["cyclonedds"] = None
from aldis.kernel.errors import Unavailable
for name in ("links.zenoh", "links.dds", "gateways.umaa", "gateways.zenoh"):
    try:
        importlib.import_module(f"aldis.apps.experiments.{name}")
        print(f"{name} is there")
    except Unavailable as error:
        print(error)
"""
RUN = "is not installed. Run: pip install 'aldis[experiments]'"


def test_the_error_names_the_library_and_what_to_run() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == [
        f"the library eclipse-zenoh {RUN}",
        f"the library cyclonedds {RUN}",
        f"the library cyclonedds {RUN}",
        "gateways.zenoh is there",  # JSON needs none
    ]
