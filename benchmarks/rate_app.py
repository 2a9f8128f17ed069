"""The service with one empty view beside it: the most that this server and framework can answer."""

from __future__ import annotations

from flask import Flask, Response

from mapservice import server


def application() -> Flask:
    app = server.application()
    app.add_url_rule("/empty", view_func=lambda: Response(b"", mimetype="text/plain"))
    return app
