"""Requests that are refused before any view sees them."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, request

from mapservice.errors import N_, ParameterError, TooLargeError, TooLongError

if TYPE_CHECKING:
    from mapservice.config import Settings

MOST_ADDRESS = 2**17
"""Characters of path and query: the longest filter, every character of it percent-encoded."""
MOST_CONTENT = 2**16
"""Bytes."""
RECEIVED_HOST = "mapservice.received_host"
"""Key in the WSGI environment: the Host header as it came, before the public address replaced it."""


def init_app(app: Flask, settings: Settings) -> None:
    app.before_request(refuse_large)
    app.before_request(refuse_nul)
    if settings.view == "internal":
        public_host = urlsplit(settings.public_url).hostname if settings.public_url else None
        names = {name for name in ("localhost", settings.host, public_host) if name}

        def refuse_other_hosts() -> None:
            # A page elsewhere may let its own name point to this machine (DNS rebinding) and would then
            # read the internal view as its own origin. It cannot do so under a number or under our names.
            received = request.environ.get(RECEIVED_HOST) or request.environ.get("HTTP_HOST") or ""
            if not is_known_host(received, names):
                raise ParameterError(
                    N_(
                        "Die interne Ansicht antwortet nur unter ihrer eigenen Adresse "
                        "(MAPSERVICE_PUBLIC_URL)."
                    ),
                    parameter="Host",
                )

        app.before_request(refuse_other_hosts)


def refuse_large() -> None:
    """Nothing here takes content, and no filter needs a longer address."""
    parts = (request.environ.get("PATH_INFO", ""), request.environ.get("QUERY_STRING", ""))
    if sum(map(len, parts)) > MOST_ADDRESS:
        raise TooLongError(
            N_("Die Adresse ist länger als %(most)s Zeichen. Vereinfachen Sie den Filter."),
            words={"most": MOST_ADDRESS},
            allowed=[str(MOST_ADDRESS)],
        )
    if (request.content_length or 0) > MOST_CONTENT:
        raise TooLargeError(N_("Diese Adresse wird nur gelesen; sie nimmt keinen Inhalt an."))


def refuse_nul() -> None:
    """PostgreSQL knows no NUL in text, and no key, name or parameter of ours has one."""
    if "\0" in request.environ.get("PATH_INFO", ""):
        raise ParameterError(N_("Die Adresse enthält ein Nullzeichen."))
    # Looked for as it is sent, so that a request that is answered from memory need not be parsed.
    if "%00" in request.environ.get("QUERY_STRING", ""):
        for name, value in request.args.items(multi=True):
            if "\0" in name or "\0" in value:
                raise ParameterError(
                    N_("Ein Parameter enthält ein Nullzeichen."), parameter=name.replace("\0", "")
                )


def is_known_host(header: str, names: set[str]) -> bool:
    """Whether a Host header is a number (IPv4, IPv6) or one of the names; an empty one comes by socket."""
    if not header:
        return True
    host = urlsplit(f"//{header}").hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host in names
    return True
