"""Trusted Data Format containers in one strict profile: AES-256-GCM segments under an HS256 root, XOR key shares.

Source: OpenTDF specification 4.3.0, as its SDKs write it (opentdf/platform `sdk/tdf.go`, `sdk/assertion.go`).
"""

from __future__ import annotations

from aldis.kernel.tdf.assertions import Statement
from aldis.kernel.tdf.manifest import KeyAccess, Manifest, Segment
from aldis.kernel.tdf.opening import Opened, open_tdf
from aldis.kernel.tdf.policy import TdfPolicy
from aldis.kernel.tdf.sealing import SEGMENT, Wrapped, Wrapper, seal_tdf

__all__ = [
    "SEGMENT",
    "KeyAccess",
    "Manifest",
    "Opened",
    "Segment",
    "Statement",
    "TdfPolicy",
    "Wrapped",
    "Wrapper",
    "open_tdf",
    "seal_tdf",
]
