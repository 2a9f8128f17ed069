""" "Eintrag stimmt nicht?": a prepared mail to whoever can put an entry right (RFC 6068)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from flask_babel import gettext as _

_MAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+\.[^\s@<>,;:\"()\[\]\\]+")
_LONGEST = 200
"""Characters of a name in the mail: some mail programs cut addresses of more than 2,000."""


@dataclass(frozen=True)
class Subject:
    """What the mail is about: the authority, its page; of an entry the service and its identifier."""

    authority: str
    page: str
    service: str | None = None
    service_key: str | None = None
    identifier: str | None = None


def recipient(*contacts: str | None) -> str | None:
    """The first that is a mail address, of the entry's public contact, the authority's, the operator's."""
    for contact in contacts:
        if contact and _MAIL.fullmatch(contact.strip()):
            return contact.strip()
    return None


def mail_link(address: str, about: Subject) -> str:
    """A mailto address with subject and body, percent-encoded: what comes from data can add no field."""
    authority = short(about.authority)
    if about.service is None:
        title = _("Angaben zu %(authority)s stimmen nicht", authority=authority)
        facts = []
    else:
        service = short(about.service)
        title = _("Eintrag stimmt nicht: %(service)s (%(authority)s)", service=service, authority=authority)
        facts = [_("Leistung: %(service)s (%(key)s)", service=service, key=short(about.service_key or ""))]
    facts.append(_("Behörde: %(authority)s", authority=authority))
    facts.append(_("Seite: %(address)s", address=about.page))
    if about.identifier:
        facts.append(_("Kennung: %(identifier)s", identifier=about.identifier))
    lines = [_("Guten Tag,"), "", _("in der OZG-Landkarte stimmt etwas nicht:"), "", *facts, ""]
    lines += [_("Richtig ist:"), "", ""]
    return mailto(address, title, lines)


def mailto(address: str, title: str, lines: Sequence[str]) -> str:
    """A mailto address; what comes from data should be short() by now, or mail programs cut it."""
    body = quote("\r\n".join(lines), safe="")
    return f"mailto:{quote(address, safe='@')}?subject={quote(title, safe='')}&body={body}"


def short(text: str) -> str:
    """A text from data as one line of at most 200 characters."""
    plain = " ".join(text.split())
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 1]}…"
