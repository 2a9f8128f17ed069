"""Security headers of every answer, and the nonce of the page's one inline script."""

from __future__ import annotations

import secrets

from flask import Flask, Response, g, request

_PERMISSIONS = "camera=(), geolocation=(self), microphone=(), payment=(), usb=(), browsing-topics=()"

NOBODY = "'none'"


def nonce() -> str:
    """The nonce of this request, new for each."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def let_be_framed_by(sources: tuple[str, ...]) -> None:
    """Let these sources put the answer to this request into a frame; no other page may be framed."""
    g.frame_ancestors = " ".join(sources) or NOBODY


def let_show_frames() -> None:
    """Let the answer to this request show our own pages in frames."""
    g.frame_sources = "frame-src 'self'; "


def content_security_policy(images: str = "") -> str:
    """images: a further origin that images may come from, with a space before it."""
    # KERN draws its icons as data: images in masks; nothing else needs more than our own origin.
    script = f"'self' 'nonce-{g.csp_nonce}'" if "csp_nonce" in g else "'self'"
    return (
        f"default-src 'none'; script-src {script}; style-src 'self'; img-src 'self' data:{images}; "
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
        f"{g.get('frame_sources', '')}frame-ancestors {g.get('frame_ancestors', NOBODY)}; object-src 'none'"
    )


def init_app(app: Flask, *, internal: bool, tiles: str | None = None) -> None:
    """internal: the internal view, of which no cache on the way may keep anything.

    tiles: the origin of the operator's base map.
    """
    images = f" {tiles}" if tiles else ""

    usual = {
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "X-Content-Type-Options": "nosniff",
        "Permissions-Policy": _PERMISSIONS,
        "Cross-Origin-Opener-Policy": "same-origin",
    }

    def add_headers(response: Response) -> Response:
        headers = response.headers
        # Looked through once: by name each would be looked for among all others.
        present = {name.lower() for name, _value in headers}
        if "content-security-policy" not in present:
            headers.add("Content-Security-Policy", content_security_policy(images))
        for name, value in usual.items():
            if name.lower() not in present:
                headers.add(name, value)
        if internal:
            headers["Cache-Control"] = "private, no-store"
            headers["X-Robots-Tag"] = "noindex, nofollow"
        elif response.status_code >= 400:
            headers["Cache-Control"] = "no-store"
        elif "cache-control" not in present and not request.path.startswith("/api"):
            # Pages carry a nonce, so a stored copy must not be served again unasked.
            headers["Cache-Control"] = "no-cache"
        return response

    app.after_request(add_headers)
