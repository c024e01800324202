"""Windows: the overlapping stretches of a long text that are each looked for by themselves."""

from __future__ import annotations

__all__ = ["WINDOWS", "windows"]

WINDOWS = 1024
"""The most windows of one portion; about 400,000 characters."""
_SIZE = 480  # characters: at most as many tokens, which is within what the usual models read at once
_OVERLAP = 80


def windows(text: str) -> list[str]:
    """The windows of a text, at most `WINDOWS`: each of up to 480 characters, cut between words where there are any."""
    text = " ".join(text.split())
    found: list[str] = []
    start = 0
    while start < len(text) and len(found) < WINDOWS:
        end = start + _SIZE
        if end < len(text):
            space = text.rfind(" ", start + _SIZE // 2, end)
            end = space if space > 0 else end
        found.append(text[start:end])
        if end >= len(text):
            break
        space = text.find(" ", end - _OVERLAP, end)
        start = space + 1 if space > 0 else end - _OVERLAP
    return found
