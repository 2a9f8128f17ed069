"""Whom to ask about reuse, and a mail prepared for it; nothing is sent from here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Row

from mapservice import corrections


@dataclass(frozen=True)
class Contact:
    """shown: as it stands in the data; mail: a mailto address, None where none is known."""

    shown: str | None
    mail: str | None


@dataclass(frozen=True)
class Subject:
    """what: the solution or service; authority: who is asked; page: the address of the page that shows it."""

    what: str
    authority: str
    page: str


def contact(entries: Sequence[Row[Any]], of_authority: str | None, about: Subject | None) -> Contact:
    """That of the entry that may be reused, else of any of them, else the authority's.

    entries: with public_contact and reusable, as the audience may see them.
    about: None where no mail is prepared.
    """
    entries = sorted(entries, key=lambda item: item.reusable is not True)
    known = [*(item.public_contact for item in entries if item.public_contact), of_authority]
    return Contact(known[0], None if about is None else mail(known, about))


def mail(addresses: Sequence[str | None], about: Subject) -> str | None:
    """A mailto address to the first of these that is a mail address."""
    recipient = corrections.recipient(*addresses)
    if recipient is None:
        return None
    what, authority = corrections.short(about.what), corrections.short(about.authority)
    lines = [
        _("Guten Tag,"),
        "",
        _("laut OZG-Landkarte haben, planen oder bieten Sie (%(authority)s):", authority=authority),
        f"- {what}",
        "",
        _("Können wir das nachnutzen, und zu welchen Bedingungen und Kosten?"),
        _("Welches Fachverfahren ist angebunden? Mit wem können wir sprechen?"),
        "",
        about.page,
        "",
        _("Freundliche Grüße"),
        "",
    ]
    return corrections.mailto(recipient, _("Nachnutzung von „%(service)s“?", service=what), lines)
