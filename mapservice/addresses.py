"""Addresses behind a proxy: trusted forwarding headers, and the public address with its path prefix."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from werkzeug.middleware.proxy_fix import ProxyFix

from mapservice.guards import RECEIVED_HOST

if TYPE_CHECKING:
    from flask import Flask

    from mapservice.config import Settings

Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Any], Iterable[bytes]]


class PublicUrl:
    """Middleware that makes every absolute link start with the configured public address.

    The proxy may strip the path prefix or pass it on; both reach the same view.
    """

    def __init__(self, app: WsgiApp, public_url: str) -> None:
        self.app = app
        parts = urlsplit(public_url)
        self.scheme = parts.scheme
        self.host = parts.netloc
        self.prefix = parts.path.rstrip("/")

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        environ["wsgi.url_scheme"] = self.scheme
        environ[RECEIVED_HOST] = environ.get("HTTP_HOST", "")
        environ["HTTP_HOST"] = self.host
        environ["SCRIPT_NAME"] = self.prefix
        path = environ.get("PATH_INFO", "")
        if self.prefix and (path == self.prefix or path.startswith(self.prefix + "/")):
            environ["PATH_INFO"] = path[len(self.prefix) :] or "/"
        return self.app(environ, start_response)


def init_app(app: Flask, settings: Settings) -> None:
    wsgi_app: Any = app.wsgi_app
    if settings.public_url:
        wsgi_app = PublicUrl(wsgi_app, settings.public_url)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        # Host and prefix come from MAPSERVICE_PUBLIC_URL alone: many proxies pass on what a client claims.
        wsgi_app = ProxyFix(wsgi_app, x_for=hops, x_proto=hops, x_host=0, x_prefix=0)
    app.wsgi_app = wsgi_app  # type: ignore[method-assign]
