"""/koordination: what coordinators find here."""

from __future__ import annotations

from flask import Blueprint, render_template

blueprint = Blueprint("home", __name__)


@blueprint.get("/koordination")
def page() -> str:
    """The way to every page for coordinators."""
    return render_template("coordination/home.html")
