"""Trusted Data Format containers in one strict profile: AES-256-GCM segments under an HS256 root, XOR key shares.

Source: OpenTDF specification 4.3.0, as its SDKs write it (opentdf/platform `sdk/tdf.go`, `sdk/assertion.go`).
"""

from __future__ import annotations

from aldis.kernel.tdf.assertions import Statement
from aldis.kernel.tdf.manifest import FORMS, Form, KeyAccess, Manifest, Segment
from aldis.kernel.tdf.opening import Opened, check_binding, open_tdf
from aldis.kernel.tdf.policy import TdfPolicy
from aldis.kernel.tdf.sealing import SEGMENT, Wrapped, Wrapper, seal_tdf

__all__ = [
    "FORMS",
    "SEGMENT",
    "Form",
    "KeyAccess",
    "Manifest",
    "Opened",
    "Segment",
    "Statement",
    "TdfPolicy",
    "Wrapped",
    "Wrapper",
    "check_binding",
    "open_tdf",
    "seal_tdf",
]
