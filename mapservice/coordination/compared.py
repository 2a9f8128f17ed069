"""Who is looked at side by side: a group, authorities named one by one, or what lies around one's own.

In addresses: `group` (layers/groups.py) and `authority`, repeated or with commas between keys. Named
authorities stand before the group's, the first of them is one's own. One alone is compared with what lies
nearest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Connection, Row

from mapservice import i18n, listings, results
from mapservice.coordination.own import Own, by_keys, full_name, own, with_designation
from mapservice.domain import is_region_key
from mapservice.errors import NotFoundError, ParameterError
from mapservice.layers import groups
from mapservice.layers.groups import Group, Offered
from mapservice.plans import MOST_COMPARED
from mapservice.service import service

_AGS_DIGITS, _DISTRICT_DIGITS = 8, 5
_NAMED = 4


@dataclass(frozen=True)
class Choice:
    """A group to choose from: its key, its name and how many are in it."""

    key: str
    name: str
    size: int | None = None


@dataclass(frozen=True)
class Compared:
    """own: of the first field. named: authorities of the address; members: all columns, each once. title: who
    they are, in words. around: groups that hold one's own. notes: what is to be known of them, such as former
    members.
    """

    own: Own
    named: tuple[Row[Any], ...] = ()
    group: Group | None = None
    members: tuple[Row[Any], ...] = ()
    title: str = ""
    around: tuple[Choice, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def own_id(self) -> int | None:
        """The column that is one's own, where one was named."""
        return self.named[0].id if self.named else None

    @property
    def further(self) -> tuple[Row[Any], ...]:
        """Named ones beside one's own."""
        return self.named[1:]


class TooManyError(ParameterError):
    """More authorities than stand side by side; `choices`: smaller groups that hold the same ones."""

    def __init__(self, number: int, choices: Sequence[Choice]) -> None:
        super().__init__(
            _(
                "Das wären %(number)s Behörden. Nebeneinander stehen höchstens %(most)s.",
                number=i18n.number(number),
                most=MOST_COMPARED,
            ),
            parameter="authority",
        )
        self.choices = tuple(choices)


def find(connection: Connection, texts: Sequence[str], group_key: str) -> Compared:
    """Who is asked for. Members are empty where nobody was, or where a text is not clear (Own tells then).

    Raises NotFoundError for a group that is not there, TooManyError.
    """
    wanted = split(texts)
    if len(wanted) > MOST_COMPARED:
        raise TooManyError(len(wanted), ())
    # Sixty keys are one look-up; what is none is searched for.
    known = by_keys(connection, wanted)
    found = [Own(text, known[text]) if text in known else own(connection, text) for text in wanted]
    unclear = next((item for item in found if item.authority is None), None)
    group = groups.find(connection, group_key, service().audience) if group_key else None
    first = found[0] if found else Own()
    if unclear is not None:
        return Compared(unclear, group=group)
    rows = {item.authority.id: item.authority for item in found if item.authority is not None}
    notes = [_gone(row) for row in rows.values() if not row.is_current]
    named = tuple(row for row in rows.values() if row.is_current)
    around = groups.around(connection, named[0]) if named else []
    if group is None and len(named) == 1 and around:
        group = groups.find(connection, around[0].key, service().audience)
    if group is not None:
        notes += [_gone(row) for row in group.former]
    members = tuple({row.id: row for row in (*named, *(group.members if group else ()))}.values())
    if len(members) > MOST_COMPARED:
        raise TooManyError(len(members), _smaller(connection, group))
    return Compared(
        first,
        named,
        group,
        members,
        _title(named, group),
        tuple(Choice(item.key, group_name(item), item.size) for item in around),
        tuple(notes),
    )


def split(texts: Sequence[str]) -> list[str]:
    """The authorities that the parameters name. Keys may stand in one with commas between; names too may
    have a comma.
    """
    wanted: list[str] = []
    for text in texts:
        parts = [part.strip() for part in text.split(",")]
        wanted += parts if all(_is_key(part) for part in parts if part) else [text.strip()]
    return list(dict.fromkeys(part for part in wanted if part))


def _is_key(text: str) -> bool:
    digits = text.replace(" ", "")
    return is_region_key(digits) or (len(digits) == _AGS_DIGITS and digits.isascii() and digits.isdigit())


def offered(connection: Connection) -> list[Choice]:
    """Imported groups that the asker may see."""
    return [Choice(row.key, row.name, row.size) for row in groups.imported(connection)]


def by_state() -> list[Choice]:
    """The states, and the districts of each; where these are too many, those of its Regierungsbezirke."""
    made = [Choice(groups.STATES, _("Alle Länder"))]
    for state in service().kept("regions", listings.regions):
        name = _("Kreise und kreisfreie Städte %(where)s", where=results.where((state.key,)))
        if 1 < len(state.districts) <= MOST_COMPARED:
            made.append(Choice(f"districts:{state.key}", name, len(state.districts)))
            continue
        for region in sorted({district.key[:3] for district in state.districts}):
            size = sum(district.key.startswith(region) for district in state.districts)
            if 1 < size <= MOST_COMPARED:
                said = _("%(name)s, Regierungsbezirk %(key)s", name=name, key=region)
                made.append(Choice(f"districts:{region}", said, size))
    return made


def group_name(group: Group | Offered) -> str:
    """The group in words; imported ones have their own."""
    if group.name:
        return group.name
    if group.of is None:
        return _("Alle Länder")
    name, designation = group.of
    key = group.key.partition(":")[2]
    if group.kind == "neighbours":
        return _("%(name)s und Nachbarn mit gemeinsamer Grenze", name=with_designation(name, designation))
    if group.kind == "municipalities" and len(key) > _DISTRICT_DIGITS:
        return _("Gemeinden: %(name)s", name=with_designation(name, designation))
    if designation is None:
        return _("Kreise und kreisfreie Städte im Regierungsbezirk %(key)s", key=key)
    where = results.where((key,))
    if group.kind == "municipalities":
        return _("Gemeinden %(where)s", where=where)
    if group.kind == "associations":
        return _("Verbände und Gemeinden ohne Verband %(where)s", where=where)
    return _("Kreise und kreisfreie Städte %(where)s", where=where)


def short_names(members: Sequence[Any]) -> list[str]:
    """A name for each column: with its designation only where two bear the same."""
    numbers = Counter(row.name for row in members)
    return [full_name(row) if numbers[row.name] > 1 else str(row.name) for row in members]


def _title(named: Sequence[Row[Any]], group: Group | None) -> str:
    if group is None and len(named) <= _NAMED:
        return ", ".join(full_name(row) for row in named)
    if group is None:
        return ngettext("%(num)s Behörde", "%(num)s ausgewählte Behörden", len(named))
    name = group_name(group)
    extra = [row for row in named if row.id not in {member.id for member in group.members}]
    more = ["…"] if len(extra) > _NAMED else []
    return " + ".join([*(full_name(row) for row in extra[:_NAMED]), *more, name])


def _gone(row: Row[Any]) -> str:
    return _("%(name)s gibt es im aktuellen Gebietsstand nicht mehr und fehlt hier.", name=row.name)


def _smaller(connection: Connection, group: Group | None) -> list[Choice]:
    """Parts of a group that the boundaries make, which fit."""
    if group is None or ":" not in group.key:
        return []
    kind, _colon, key = group.key.partition(":")
    if kind == "districts":
        candidates = [f"districts:{region}" for region in sorted({row.ars[:3] for row in group.members})]
    else:
        parts = sorted({row.ars[:9] for row in group.members})
        candidates = [f"associations:{key[:5]}", *(f"municipalities:{part}" for part in parts)]
    made = []
    for candidate in candidates:
        try:
            part = groups.find(connection, candidate, service().audience)
        except NotFoundError:
            continue
        if 1 < len(part.members) <= MOST_COMPARED:
            made.append(Choice(part.key, group_name(part), len(part.members)))
    return made
