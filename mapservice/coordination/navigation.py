"""The pages for coordinators: their names, what each answers, and what their addresses may hold."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from mapservice import i18n

PARAMETERS = frozenset(
    {"authority", "q", "sort", "page", "limit", "status", "subject", "situation", "service", "within"}
    | {"kind", "maturity", "confirmed", "platform", "reusable", "place", "product"}
    | {"group", "list", "column", "scope", "stand"}
    | {"around", "level", "direction"}
)
"""What the link to the other language keeps of an address."""


@dataclass(frozen=True)
class Page:
    """endpoint: of the page. question: what it answers, as a coordinator asks it."""

    endpoint: str
    name: str
    question: str


def pages() -> list[Page]:
    """In the order of the navigation, in the language of the request."""
    return [
        Page("coordination.home.page", _("Überblick"), _("Was gibt es hier?")),
        Page(
            "coordination.neighbours.page",
            _("Nachbarn"),
            _("Wer in der Nähe hat eine Leistung online, ist dabei oder plant sie – und wen fragen wir?"),
        ),
        Page(
            "coordination.gaps.page",
            _("Lücken"),
            _("Was haben Nachbarn und ähnlich große Behörden online und wir nicht, und wem helfen wir?"),
        ),
        Page("coordination.matrix.page", _("Vergleich"), _("Wer hat was, nebeneinander?")),
        Page(
            "coordination.register.page",
            _("Register"),
            _("Welche Lösungen gibt es, wer nutzt sie seit wann, und wen fragt man?"),
        ),
        Page(
            "coordination.progress.page",
            _("Fortschritt"),
            _("Was ist online, was in Arbeit, und wie kam es dahin?"),
        ),
        Page(
            "coordination.newest.page",
            _("Neu online"),
            _("Was ist zuletzt dazugekommen? Auch als Abonnement."),
        ),
    ]


def script_texts() -> dict[str, str]:
    """Texts of the module that all of these pages load."""
    wanted = ("failed", "failed_hint", "no_match", "no_match_hint", "matches", "quoted")
    texts = i18n.script_texts()
    return {name: texts[name] for name in wanted}
