"""What the register is asked: parameters of its address, what its form offers, and the filters as chips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict

from mapservice import forms, listings, params, tables
from mapservice.domain import SUBJECT_AREAS, Level
from mapservice.errors import ParameterError
from mapservice.layers.query import Query
from mapservice.layers.selection import resolve
from mapservice.register import find as register
from mapservice.register.find import Region, Sort, Wanted
from mapservice.search.folding import LONGEST
from mapservice.service import service
from mapservice.titles import subject_name

FILTERS = ("subject", "service", "kind", "maturity", "confirmed", "within")
"""Those that mean what they mean on the map."""
OWN = ("q", "platform", "reusable", "place", "product", "sort", "page", "limit")
PAGES = ("50", "100")
_PLACES, _PRODUCTS = ("users", "provider"), ("all", "named", "unnamed")

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Asked:
    """wanted: the question; query: its filters that the map has too; page: from 1; args: as in addresses."""

    wanted: Wanted
    query: Query
    page: int
    args: MultiDict[str, str]

    def link(self, endpoint: str, **changes: Any) -> str:
        """This question at another page, or changed; None takes a parameter away."""
        return url_for(endpoint, **{**kept(self.args), **changes})


def kept(args: MultiDict[str, str], *without: str) -> dict[str, Any]:
    """What a link takes over from these parameters; its language it knows itself."""
    return {name: values for name, values in args.lists() if name not in (*without, params.LANGUAGE)}


def arguments() -> MultiDict[str, str]:
    """The parameters of the request without empty ones; a service named by its name is named by its key."""
    shared = forms.filter_arguments(request.args)
    own = [
        (name, value.strip())
        for name, value in request.args.items(multi=True)
        if name in OWN and value.strip() and name not in shared
    ]
    return MultiDict([*shared.items(multi=True), *own])


def asked(connection: Connection) -> Asked:
    """Raises ParameterError, and NotFoundError for a service or region that there is not."""
    args = arguments()
    params.allow_only(args, (*FILTERS, *OWN, params.LANGUAGE), single=OWN)
    shared = MultiDict((name, value) for name, value in args.items(multi=True) if name in FILTERS)
    query = params.parse_query(shared, Level.DISTRICT)
    chosen = resolve(connection, query)
    service_ids = chosen.service_ids or chosen.bundle_ids if query.services or query.subjects else None
    limit = int(params.parse_choice(args, "limit", PAGES))
    page = tables.parse_page(args.get("page"))
    product = params.parse_choice(args, "product", _PRODUCTS)
    sorts = [sort.value for sort in Sort]
    wanted = Wanted(
        text=args.get("q", "")[:LONGEST],
        service_ids=service_ids,
        platform=args.get("platform"),
        kinds=query.kinds,
        maturity=(query.maturity.model, query.maturity.step) if query.maturity else None,
        reusable=params.parse_choice(args, "reusable", ("any", "yes")) == "yes",
        confirmed=query.confirmed,
        regions=regions(connection, query),
        by_provider=params.parse_choice(args, "place", _PLACES) == "provider",
        named={"all": None, "named": True, "unnamed": False}[product],
        sort=Sort(params.parse_choice(args, "sort", sorts)) if "sort" in args else None,
        limit=limit,
        offset=(page - 1) * limit,
    )
    return Asked(wanted, query, page, args)


def regions(connection: Connection, query: Query) -> tuple[Region, ...]:
    """The regions of a query, as the register wants them."""
    return tuple(Region(item.first, item.last) for item in resolve(connection, query).regions)


def require_page(page: int, total: int, limit: int) -> None:
    """Raises ParameterError behind the last page."""
    last = max(1, -(-total // limit))
    if page > last:
        raise ParameterError(
            _("So viele Seiten hat die Liste nicht."), parameter="page", allowed=[f"1 – {last}"]
        )


@dataclass(frozen=True)
class Choices:
    """What the form offers, as pairs of value and label."""

    subjects: Pairs
    platforms: tuple[str, ...]
    sorts: Pairs
    places: Pairs
    products: Pairs
    shared: forms.Choices


def choices() -> Choices:
    audience = service().audience
    return Choices(
        subjects=tuple((slug, subject_name(name) or name) for slug, name in SUBJECT_AREAS),
        platforms=tuple(
            service().kept("platforms", lambda connection: register.platforms(connection, audience))
        ),
        sorts=(
            (Sort.RELEVANCE.value, _("Treffer")),
            (Sort.USERS.value, _("Zahl der Nutzenden")),
            (Sort.NAME.value, _("Name")),
            (Sort.CONFIRMED.value, _("zuletzt bestätigt")),
        ),
        places=(("users", _("Nutzende dort")), ("provider", _("Bereitsteller dort"))),
        products=(
            ("all", _("alle")),
            ("named", _("nur mit Produktname")),
            ("unnamed", _("nur ohne Produktname")),
        ),
        shared=forms.choices(),
    )


def chips(asked_: Asked) -> list[tuple[str, str]]:
    """Label of each filter that is set, and the register without it."""
    shared = MultiDict((name, value) for name, value in asked_.args.items(multi=True) if name in FILTERS)
    own: dict[str, Any] = {
        name: asked_.args.getlist(name) for name in OWN if name in asked_.args and name != "page"
    }
    found = [(chip.label, url_for(".page", **{**own, **chip.arguments})) for chip in forms.chips(shared)]
    offered = choices()
    labels = {
        "platform": _("Plattform: %(name)s", name=asked_.args.get("platform", "")),
        "reusable": _("nachnutzbar") if asked_.wanted.reusable else None,
        "place": dict(offered.places)["provider"] if asked_.wanted.by_provider else None,
        "product": dict(offered.products).get(asked_.args.get("product", ""))
        if asked_.wanted.named is not None
        else None,
    }
    for name, label in labels.items():
        if label and name in asked_.args:
            found.append((label, asked_.link(".page", **{name: None, "page": None})))
    return found


def services() -> list[dict[str, str]]:
    """Suggestions for the field of the service."""
    return service().kept("bundles", listings.bundles)
