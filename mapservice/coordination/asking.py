"""Whom to ask, and a mail prepared for it. Nothing is sent from here: the mail program shows it first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from mapservice import corrections
from mapservice.coordination.contacts import Contact
from mapservice.domain import Status

_MOST_NAMED = 5
_LONGEST_LINK = 1900
"""Characters: some mail programs cut addresses of more than 2,000."""


@dataclass(frozen=True)
class Inquiry:
    """Who asks whom about which services. page: the address of the page that shows it."""

    own: str
    authority: str
    services: Sequence[str]
    status: Status
    page: str


def contact(of_entry: str | None, of_authority: str | None, inquiry: Inquiry) -> Contact:
    """That of the entry, else of the authority, both as the audience may see them; the mail goes to the first
    that is a mail address.
    """
    address = corrections.recipient(of_entry, of_authority)
    mail = None if address is None else mail_link(address, inquiry)
    return Contact(of_entry or of_authority, mail)


def mail_link(address: str, inquiry: Inquiry) -> str:
    """A mailto address with subject and text; names that are too many for mail programs are left out."""
    named = list(inquiry.services[:_MOST_NAMED])
    link = _link(address, inquiry, named)
    while len(link) > _LONGEST_LINK and len(named) > 1:
        named.pop()
        link = _link(address, inquiry, named)
    return link


def _link(address: str, inquiry: Inquiry, named: Sequence[str]) -> str:
    own, authority = corrections.short(inquiry.own), corrections.short(inquiry.authority)
    services = [corrections.short(name) for name in named]
    words = {"service": services[0], "own": own, "authority": authority}
    said = {
        Status.ONLINE: _("laut OZG-Landkarte bieten Sie (%(authority)s) schon online an:", **words),
        Status.IN_PROGRESS: _("laut OZG-Landkarte arbeiten Sie (%(authority)s) gerade an:", **words),
        Status.PLANNED: _("laut OZG-Landkarte planen Sie (%(authority)s):", **words),
    }[inquiry.status]
    if inquiry.status is Status.ONLINE:
        title = _("Nachnutzung von „%(service)s“? Anfrage von %(own)s", **words)
        asks = [
            _("Können wir (%(own)s) Ihre Lösung nachnutzen, und zu welchen Bedingungen und Kosten?", **words),
            _("Welches Fachverfahren ist angebunden? Mit wem können wir sprechen?"),
        ]
    else:
        title = _("„%(service)s“ gemeinsam umsetzen? Anfrage von %(own)s", **words)
        asks = [
            _("Wir (%(own)s) möchten nicht dasselbe zweimal bauen.", **words),
            _("Wie weit sind Sie, womit, und können wir uns beteiligen? Mit wem können wir sprechen?"),
        ]
    rest = len(inquiry.services) - len(services)
    listed = [f"- {name}" for name in services]
    if rest > 0:
        listed.append(_("- und %(count)s weitere", count=rest))
    lines = [_("Guten Tag,"), "", said, *listed, "", *asks, "", inquiry.page, "", _("Freundliche Grüße"), ""]
    return corrections.mailto(address, title, lines)
