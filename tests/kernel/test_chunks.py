"""A chunk is what MessagePack makes of it, as short as it can be, whatever its size."""

from __future__ import annotations

import msgspec
import pytest

from aldis.kernel.attachments import chunk_head, is_chunk, open_chunk, write_chunk

DIGEST = bytes(range(32))


@pytest.mark.parametrize("size", [0, 1, 255, 256, 65_535, 65_536, 1_000_000])
@pytest.mark.parametrize("offset", [0, 127, 128, 2**16, 2**30])
def test_a_head_and_its_data_are_the_shortest_array_of_four(size: int, offset: int) -> None:
    data = bytes(size)
    written = write_chunk(DIGEST, offset, data)
    assert written == msgspec.msgpack.encode(("aldis-content/1", DIGEST, offset, data))
    assert written == chunk_head(DIGEST, offset, size) + data
    for body in (written, bytearray(written)):
        assert is_chunk(body)
        opened = open_chunk(body)
        assert (opened.digest, opened.offset, bytes(opened.data)) == (DIGEST, offset, data)
