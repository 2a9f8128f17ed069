"""The comparison as a paper for mayors' conferences: /vergleich.pdf, A3 across, tagged as PDF/UA-1."""

from __future__ import annotations

from collections.abc import Sequence

from flask import render_template
from flask_babel import gettext as _
from sqlalchemy import Connection

from mapservice import about, i18n, pictures, sheets
from mapservice.coordination import compared, matrix_cells
from mapservice.coordination import matrix_request as asking
from mapservice.database import Version
from mapservice.drawing.picture import OWN_FILES, Job, plain
from mapservice.responses import Payload
from mapservice.service import service

PDF = "application/pdf"


def paper(
    connection: Connection,
    version: Version,
    shown: asking.Shown,
    notes: Sequence[tuple[str, str]],
    address: str,
) -> Payload:
    """All services of the table by all authorities, heads and sums on each page. notes: name and text."""
    assert shown.table is not None
    members = shown.compared.members
    release = about.current_release(connection)
    warnings = []
    if version.demonstration:
        warnings.append(_("Demonstrationsdaten, frei erfunden"))
    if service().internal:
        warnings.append(_("Interne Ansicht, nicht veröffentlicht"))
    source = " · ".join(filter(None, (release.attribution, release.attribution_url)))
    running = [
        _("OZG-Landkarte"),
        *warnings,
        _("Datenstand %(date)s", date=i18n.date(version.changed_at)),
        source,
    ]
    html = render_template(
        "coordination/matrix_paper.html",
        shown=shown,
        title=plain(asking.title(shown)),
        result=plain(asking.sentence(shown)),
        warnings=warnings,
        running=plain(" · ".join(running)),
        wanted=asking.wanted_name(shown.asked.query),
        columns=list(zip(compared.short_names(members), shown.table.columns, strict=True)),
        symbols=matrix_cells.SYMBOLS,
        legend=list(matrix_cells.names().items()),
        notes=[(name, plain(said)) for name, said in notes],
        reason=matrix_cells.sum_text,
        address=address,
        plain=plain,
        own=OWN_FILES,
        language=i18n.language(),
    )
    return Payload(
        media_type=PDF,
        headers=(sheets.as_file(_("vergleich"), "pdf"),),
        later=lambda: pictures.drawn(Job("pdf", None, html)),
        weak=True,
        packed=True,
    )
