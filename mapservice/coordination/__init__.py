"""Pages for coordinators: who around has a service, what is missing at home, how all of it progresses."""

from __future__ import annotations

from flask import Blueprint, Flask

from mapservice.coordination import (
    coverage,
    gaps,
    home,
    matrix,
    navigation,
    neighbours,
    newest,
    progress,
    register,
    services,
)


def init_app(app: Flask) -> None:
    """Register the pages below one blueprint, so that their endpoints start with `coordination.`."""
    blueprint = Blueprint("coordination", __name__)
    for page in (home, neighbours, gaps, matrix, register, services, progress, coverage, newest):
        blueprint.register_blueprint(page.blueprint)
    app.register_blueprint(blueprint)
    app.context_processor(
        lambda: {"coordination_pages": navigation.pages, "coordination_texts": navigation.script_texts}
    )
