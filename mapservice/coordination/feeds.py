"""Entries as an Atom feed (RFC 4287), written by feedgenerator."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from feedgenerator import Atom1Feed
from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import Row

from mapservice import i18n, titles
from mapservice.snippets.xml import clean

ATOM = "application/atom+xml"
_LONGEST = 300


@dataclass(frozen=True)
class Feed:
    """One page of a feed. own, first, next, previous: addresses of its pages; page: what people read.
    changed_at: when the data changed last, for a feed without entries.
    """

    title: str
    own: str
    first: str
    page: str
    next: str | None
    previous: str | None
    changed_at: dt.datetime
    demonstration: bool


class _Atom(Atom1Feed):  # type: ignore[misc] # the library brings no types
    """With the links of RFC 5005, and a date of its own without entries, where the library would say now."""

    def add_root_elements(self, handler: Any) -> None:
        super().add_root_elements(handler)
        for rel in ("first", "previous", "next"):
            if self.feed[rel]:
                handler.addQuickElement("link", "", {"rel": rel, "href": self.feed[rel]})

    def latest_post_date(self) -> dt.datetime:
        days: list[dt.datetime] = [item["updateddate"] for item in self.items]
        return max(days, default=self.feed["changed_at"])


def atom(feed: Feed, rows: Sequence[Row[Any]]) -> bytes:
    """rows: of layers.newest. Entries keep their id for ever; `published` is the day since when they are
    online, `updated` that of the last confirmation, if it is later."""
    title = _text(feed.title)
    notice = _("Demonstrationsdaten: frei erfunden, keine Aussage über wirkliche Angebote.")
    made = _Atom(
        title=f"{_('Demonstrationsdaten')} · {title}" if feed.demonstration else title,
        link=feed.page,
        description=notice
        if feed.demonstration
        else _("Was Behörden neu online anbieten, nach eigener Angabe."),
        language=i18n.language(),
        author_name=_("OZG-Landkarte"),
        feed_url=feed.own,
        feed_guid=feed.first,
        changed_at=feed.changed_at,
        first=feed.first,
        next=feed.next,
        previous=feed.previous,
    )
    for row in rows:
        published = _moment(row.online_since)
        said = [notice] if row.demonstration else []
        made.add_item(
            title=_entry_title(row),
            link=url_for("pages.area", key=row.ars, service=row.service, _external=True),
            description="<br>".join(html.escape(_text(line)) for line in (*said, *_lines(row))),
            author_name=_text(row.name),
            pubdate=published,
            updateddate=max(published, _moment(row.as_of)) if row.as_of else published,
            unique_id=f"urn:uuid:{row.id}",
            categories=[_text(titles.subject_name(row.subject_name))] if row.subject_name else (),
        )
    return str(made.writeString("utf-8")).encode()


def _entry_title(row: Row[Any]) -> str:
    place = (
        row.name if not row.designation or row.designation in row.name else f"{row.name} ({row.designation})"
    )
    return _text(_("%(service)s: jetzt online in %(place)s", service=row.service_name, place=place))


def _lines(row: Row[Any]) -> list[str]:
    lines = [_("Online seit %(day)s", day=i18n.date(row.online_since))]
    if row.bundle_name:
        lines.append(_("gehört zu %(bundle)s", bundle=row.bundle_name))
    if row.solution:
        lines.append(_("Lösung: %(name)s", name=row.solution))
    if row.reusable is not None:
        lines.append(_("nachnutzbar: %(answer)s", answer=_("ja") if row.reusable else _("nein")))
    if row.url:
        lines.append(_("Adresse: %(address)s", address=row.url))
    if row.contact:
        lines.append(_("Kontakt: %(contact)s", contact=row.contact))
    return lines


def _moment(day: dt.date) -> dt.datetime:
    """Noon: the same day in every time zone of Europe."""
    return dt.datetime.combine(day, dt.time(12), dt.UTC)


def _text(text: str | None) -> str:
    """One line without what XML cannot hold."""
    plain = " ".join(clean(text or "").split())
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 1]}…"
