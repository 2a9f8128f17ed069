"""The time control: which past days the forms of map and table offer, and how they are told."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from mapservice import day_fields, i18n, params
from mapservice.layers import past
from mapservice.service import service

NAME = "stand"
_MOST_CHANGES = 10

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class DayChoices:
    """As pairs of day and label: `quick` ones, and days on which something `changed`; all have entries.

    first and today bound the day of one's own; first is empty where there is no entry.
    """

    quick: Pairs
    changed: Pairs
    first: str
    today: str


@dataclass(frozen=True)
class DayForm:
    """The choice in a request, as text: the option, `day` for a day of one's own, and that day."""

    option: str
    day: str

    @classmethod
    def of(cls, args: MultiDict[str, str]) -> DayForm:
        offered = choices()
        return cls(*day_fields.option_and_day(args, NAME, dict(offered.quick + offered.changed)))


def choices() -> DayChoices:
    """What the forms of this request offer."""
    days = service().kept("days of change", past.days_of_change)
    today = params.today()
    if not days:
        return DayChoices((), (), "", today.isoformat())
    quick = {1: _("vor einem Monat"), 3: _("vor drei Monaten"), 12: _("vor einem Jahr")}
    told = {day_fields.months_ago(months): name for months, name in quick.items()}
    return DayChoices(
        tuple(
            (day.isoformat(), _("%(name)s, am %(day)s", name=name, day=i18n.date(day)))
            for day, name in told.items()
            if day >= days[-1]
        ),
        tuple(
            (day.isoformat(), i18n.date(day))
            for day in days[:_MOST_CHANGES]
            if day < today and day not in told
        ),
        days[-1].isoformat(),
        today.isoformat(),
    )


def control(endpoint: str, **more: Any) -> dict[str, Any]:
    """The past day that the request asks for, and the same page of today: variables of _time.html."""
    args = day_fields.as_in_addresses(request.args, NAME)
    # Known names alone: url_for() takes some, _scheme for one, as orders.
    known = {*params.FILTERS, "level", "area", "class", "sort"} - {NAME}
    others: dict[str, Any] = {name: values for name, values in args.lists() if name in known}
    return {"stand": args.get(NAME), "today_link": url_for(endpoint, **others, **more)}


def dated(said: str, day: dt.date | None) -> str:
    """A result, with the day of which it is; as it is for today."""
    return said if day is None or not said else _("Am %(day)s: %(said)s", day=i18n.date(day), said=said)


def titled(title: str, day: dt.date | None) -> str:
    """A title, with the day of which it tells."""
    return title if day is None else f"{title} – {_('am %(day)s', day=i18n.date(day))}"


def names(args: MultiDict[str, str]) -> dict[str, str]:
    """What the chip of a past day says, by value."""
    said: dict[str, str] = {}
    with suppress(ValueError):
        text = args.get(NAME, "")
        said[text] = _("Stand %(day)s", day=i18n.date(dt.date.fromisoformat(text)))
    return said
