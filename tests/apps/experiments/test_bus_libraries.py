"""Without the libraries of the buses there is one clear error that says what to install."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITHOUT = """
import sys
sys.modules["{library}"] = None
from aldis.kernel.errors import Unavailable
try:
    import {module}
except Unavailable as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("library", "package", "module"),
    [
        ("zenoh", "eclipse-zenoh", "aldis.apps.experiments.links.zenoh"),
        ("cyclonedds", "cyclonedds", "aldis.apps.experiments.links.dds"),
        ("cyclonedds", "cyclonedds", "aldis.apps.experiments.gateways.umaa"),
    ],
)
def test_the_error_names_the_library_and_what_to_run(library: str, package: str, module: str) -> None:
    code = WITHOUT.format(library=library, module=module)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == (f"the library {package} is not installed. Run: pip install 'aldis[experiments]'")


def test_the_layout_of_zenoh_needs_no_library() -> None:
    code = WITHOUT.format(library="zenoh", module="aldis.apps.experiments.gateways.zenoh")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == ""
