"""Opening the link that an address names."""

from __future__ import annotations

from aldis.apps.experiments.links.address import Address
from aldis.apps.experiments.links.file import open_file
from aldis.apps.experiments.links.link import Link
from aldis.apps.experiments.links.tcp import open_tcp
from aldis.apps.experiments.links.udp import open_udp

__all__ = ["open_link"]


async def open_link(address: Address) -> Link:
    """The link; whoever opens it closes it.

    Raises:
        InvalidInput, TooLarge: what the address names cannot be used.
        Unavailable: it cannot be listened at, or a library that it needs is not installed.
    """
    if address.scheme.startswith("zenoh"):
        from aldis.apps.experiments.links.zenoh import ZenohLink  # noqa: PLC0415 - needs its library

        return await ZenohLink.open(address.url)
    if address.scheme == "dds":
        from aldis.apps.experiments.gateways.umaa import topics  # noqa: PLC0415 - needs its library
        from aldis.apps.experiments.links.dds import DdsLink  # noqa: PLC0415 - needs its library

        return await DdsLink.open(address.url, topics())
    if address.path is not None:
        return open_file(address.path)
    if address.scheme == "udp":
        return await open_udp(address)
    return await open_tcp(address)
