"""Why an authority stands where it stands in a list, and what is known of its entries, in words."""

from __future__ import annotations

from flask_babel import gettext as _

from mapservice.conditions import kind_name
from mapservice.domain import Level, MaturityModel, SolutionKind, Status
from mapservice.i18n import date, number
from mapservice.layers.nearby import Entry
from mapservice.layers.surroundings import Near


def of_place(near: Near) -> list[str]:
    """In the order of the criteria: shared border, same district, distance."""
    if near.above is not None:
        return [_("Ihr Kreis") if near.above is Level.DISTRICT else _("Ihr Gemeindeverband")]
    said = []
    if near.border_tenths is not None:
        said.append(_("grenzt an (%(km)s km gemeinsame Grenze)", km=number(near.border_tenths / 10)))
    if near.same_district:
        said.append(_("im selben Kreis"))
    said.append(_("%(km)s km entfernt", km=number(near.whole_km)))
    return said


def short_place(near: Near) -> str:
    """The first of the criteria that it meets, in a word or two."""
    if near.above is not None:
        return of_place(near)[0]
    if near.border_tenths is not None:
        return _("grenzt an")
    return _("im selben Kreis") if near.same_district else _("%(km)s km", km=number(near.whole_km))


def of_entry(entry: Entry) -> list[str]:
    """In the order of the criteria: reuse, solution, maturity, day of the statement."""
    row, said = entry.row, []
    if entry.reuse:
        said.append(_("Nachnutzung angeboten"))
    if entry.same_solution:
        said.append(_("gleiche Lösung wie bei Ihnen"))
    if row.maturity is not None:
        model = MaturityModel(row.maturity_model).code
        said.append(_("Reifegrad %(level)s (Modell %(model)s)", level=row.maturity, model=model))
    if row.as_of is not None:
        said.append(_("Stand %(date)s", date=date(row.as_of)))
    return said


def facts(entry: Entry) -> list[str]:
    """What else is known of an entry and plays no part in the order."""
    row, solution, said = entry.row, entry.solution, []
    if row.status == Status.ONLINE and row.online_since:
        said.append(_("online seit %(date)s", date=date(row.online_since)))
    if row.status != Status.ONLINE and row.planned_until:
        said.append(_("geplant bis %(date)s", date=date(row.planned_until)))
    if solution:
        said.append(_("Lösung: %(name)s", name=solution.name))
    elif row.solution_kind:
        said.append(kind_name(SolutionKind(row.solution_kind)))
    if solution and solution.provider:
        said.append(_("bereitgestellt von %(name)s", name=solution.provider))
    if row.specialist_system:
        said.append(_("Fachverfahren: %(name)s", name=row.specialist_system))
    if row.reuse_note:
        said.append(_("zur Nachnutzung: %(text)s", text=row.reuse_note))
    if solution and solution.conditions:
        said.append(_("Bedingungen: %(text)s", text=solution.conditions))
    if solution and solution.costs:
        said.append(_("Kosten: %(text)s", text=solution.costs))
    return said
