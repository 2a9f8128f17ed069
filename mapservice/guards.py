"""Requests that are refused before any view sees them."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, request

from mapservice.errors import N_, ParameterError

if TYPE_CHECKING:
    from mapservice.config import Settings

RECEIVED_HOST = "mapservice.received_host"
"""Key in the WSGI environment: the Host header as it came, before the public address replaced it."""


def init_app(app: Flask, settings: Settings) -> None:
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
