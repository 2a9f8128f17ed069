"""The authority that a page is asked for: by key, or by what somebody typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Connection, Row, Select, select

from mapservice import listings
from mapservice.domain import ARS_LENGTH, is_region_key, pad_ars
from mapservice.layers.surroundings import authorities_by_id
from mapservice.models import Authority
from mapservice.search.find import find
from mapservice.search.folding import LONGEST
from mapservice.search.ranking import Rank
from mapservice.search_pages import place_hint
from mapservice.service import service

_CHOICES = 10
_CERTAIN = (Rank.KEY, Rank.EXACT)
_AGS_DIGITS = 8


@dataclass(frozen=True)
class Own:
    """authority: id, ars, name, designation, kinds, is_current, association_id, district_id, state_id,
    population, website, public_contact; None where none was asked for or the text is not clear.

    text: as it was asked for. choices: (ARS, name, what tells it from others of the name) to pick from.
    message: what is wrong with the text, and what to do.
    """

    text: str = ""
    authority: Row[Any] | None = None
    choices: tuple[tuple[str, str, str], ...] = field(default=())
    message: str | None = None

    @property
    def offered(self) -> list[str]:
        """The choices as an error names them."""
        return [f"{ars} ({name})" for ars, name, _hint in self.choices]

    @property
    def shown(self) -> str:
        """What stands in the field: the name once the authority is known."""
        return self.text if self.authority is None else full_name(self.authority)


def full_name(authority: Any) -> str:
    """Name and designation, as "Warendorf (Kreis)": a district and a town may share the name."""
    return with_designation(authority.name, authority.designation)


def full_names(connection: Connection, ids: Iterable[int]) -> dict[int, str]:
    """By id of an authority its full_name()."""
    known = authorities_by_id(connection, ids, service().audience)
    return {authority_id: full_name(row) for authority_id, row in known.items()}


def with_designation(name: str, designation: str | None) -> str:
    """The name, and the designation if the name does not hold it."""
    return name if not designation or designation in name else f"{name} ({designation})"


def own(connection: Connection, text: str) -> Own:
    """Find the authority. Any text is allowed; a key means that authority, current or former."""
    text = text.strip()[:LONGEST]
    if not text:
        return Own()
    ars = _by_key(connection, text)
    if ars is not None:
        return Own(text, _authority(connection, ars))
    found = find(connection, text, (), limit=_CHOICES, services=False).places
    known = {
        row.ars: row
        for row in connection.execute(select(Authority.ars).where(Authority.ars.in_([p.ars for p in found])))
    }
    certain = [place for place in found if place.rank in _CERTAIN and place.postcode is None] or list(found)
    if len(certain) == 1 and certain[0].rank is not Rank.SIMILAR and certain[0].ars in known:
        return Own(text, _authority(connection, certain[0].ars))
    choices = tuple((place.ars, place.name, place_hint(place)) for place in found if place.ars in known)
    if choices:
        return Own(text, None, choices, _("Welche Behörde ist gemeint?"))
    if found:
        unincorporated = _(
            "„%(text)s“ ist gemeindefrei und hat keine eigene Verwaltung. "
            "Zuständig ist in der Regel der Kreis:",
            text=text,
        )
        return Own(text, None, _districts_of(connection, [place.ars for place in found]), unincorporated)
    return Own(
        text,
        None,
        (),
        _("Zu „%(text)s“ ist keine Behörde bekannt. Name oder Schlüssel (ARS, AGS) prüfen.", text=text),
    )


def _districts_of(connection: Connection, keys: Sequence[str]) -> tuple[tuple[str, str, str], ...]:
    """The districts that areas lie in, by the first five digits of their keys."""
    rows = connection.execute(
        select(Authority.ars, Authority.name, Authority.designation)
        .where(Authority.is_current, Authority.ars.in_({pad_ars(key[:5]) for key in keys}))
        .order_by(Authority.ars)
    )
    return tuple((row.ars, full_name(row), row.ars) for row in rows)


def _by_key(connection: Connection, text: str) -> str | None:
    digits = text.replace(" ", "")
    is_ags = len(digits) == _AGS_DIGITS and digits.isascii() and digits.isdigit()
    if not (is_ags or is_region_key(digits)):
        return None
    # Five digits may be a postcode as well; the search then tells both.
    return listings.full_key(connection, digits)


def by_keys(connection: Connection, keys: Sequence[str]) -> dict[str, Row[Any]]:
    """The authorities that these 12-digit keys name, as Own.authority; any other text is left out."""
    ars = [key for key in keys if len(key) == ARS_LENGTH]
    rows = connection.execute(_authorities().where(Authority.ars.in_(ars))) if ars else ()
    return {row.ars: row for row in rows}


def _authority(connection: Connection, ars: str) -> Row[Any]:
    return connection.execute(_authorities().where(Authority.ars == ars)).one()


def _authorities() -> Select[Any]:
    return select(
        Authority.id,
        Authority.ars,
        Authority.name,
        Authority.designation,
        Authority.kinds,
        Authority.is_current,
        Authority.association_id,
        Authority.district_id,
        Authority.state_id,
        Authority.population,
        Authority.website,
        Authority.public_contact,
    )
