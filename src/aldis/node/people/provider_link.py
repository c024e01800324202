"""Requests to an OpenID provider: over https with a checked certificate, without redirects, proxies or cookies."""

from __future__ import annotations

import ssl
import time
from typing import Self
from urllib.parse import quote_plus

import httpx2

from aldis.kernel.errors import InvalidInput, NotAuthentic, Unavailable
from aldis.node.people.oidc import Ask
from aldis.node.provider import Provider, sound_url

__all__ = ["LARGEST", "ProviderLink"]

LARGEST = 256 * 1024
_FIX = "See that this machine reaches the provider, and try again"


class ProviderLink:
    """Carries out what `OpenId` asks for; `timeout_s` bounds each request as a whole."""

    def __init__(self, provider: Provider, timeout_s: float = 10.0) -> None:
        """Trusts the system's certificates, or those in the file that the settings name.

        Raises:
            InvalidInput: that file cannot be read.
        """
        self._timeout_s = timeout_s
        try:
            context = ssl.create_default_context(cafile=provider.ca or None)
        except (OSError, ssl.SSLError) as error:
            raise InvalidInput(f"{provider.ca} holds no certificates (PEM)", fix="Mend `oidc.ca`") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._transport = httpx2.HTTPTransport(verify=context, trust_env=False)

    def __enter__(self) -> Self:
        """The link itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._transport.close()

    def __call__(self, ask: Ask) -> bytes:
        """The body of the answer.

        Raises:
            Unavailable: no answer, none in time, one that is too large, or one that says the provider cannot.
            NotAuthentic: the provider refuses, or is at no address that may be asked.
        """
        if not sound_url(ask.url):
            raise NotAuthentic("the provider is at an address that is not https", fix="Mend `oidc.issuer`")
        request = httpx2.Request(
            "GET" if ask.form is None else "POST",
            ask.url,
            data=dict(ask.form) if ask.form is not None else None,
            headers={"accept": "application/json", "accept-encoding": "identity"},
            extensions={"timeout": httpx2.Timeout(self._timeout_s).as_dict()},
        )
        if ask.user is not None:  # RFC 6749 section 2.3.1: each is form-encoded first
            auth = httpx2.BasicAuth(*(quote_plus(part) for part in ask.user))
            request = next(auth.auth_flow(request))
        where, until = request.url.host, time.monotonic() + self._timeout_s
        try:
            response = self._transport.handle_request(request)
            body = bytearray()
            try:
                for piece in response.iter_raw():
                    body += piece
                    if len(body) > LARGEST or time.monotonic() > until:
                        raise Unavailable(f"{where} sent too much, or too slowly", fix=_FIX)
            finally:
                response.close()
        except (httpx2.HTTPError, OSError) as error:
            raise Unavailable(f"{where} did not answer: {str(error) or type(error).__name__}", fix=_FIX) from error
        if response.status_code >= 500:
            raise Unavailable(f"{where} answered with {response.status_code}", fix=_FIX)
        if response.status_code != 200:
            raise NotAuthentic(f"{where} refused with {response.status_code}", fix="Begin to sign in again")
        return bytes(body)
