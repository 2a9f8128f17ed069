"""A choice among days in a form, one of them of one's own: two fields there, one parameter in addresses."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Collection
from typing import TypeVar

from werkzeug.datastructures import MultiDict

from mapservice import params

_OWN_DAY, _NO_DAY = "day", "any"
Arguments = TypeVar("Arguments", bound=MultiDict[str, str])


def field_of(name: str) -> str:
    """The form's field for a day of one's own; addresses have the day in the parameter itself."""
    return f"{name}_day"


def chosen(args: MultiDict[str, str], name: str) -> str:
    """A day in its field is meant where no other choice was made. Where the page came with a day in it, the
    option without a day has a value of its own, so that choosing it takes the day away.
    """
    option = args.get(name, "").strip()
    if option in ("", _OWN_DAY):
        return args.get(field_of(name), "").strip()
    return "" if option == _NO_DAY else option


def as_in_addresses(args: Arguments, name: str) -> Arguments:
    """The same arguments with the form's two fields made one."""
    if field_of(name) not in args and args.get(name) not in (_OWN_DAY, _NO_DAY):
        return args
    made = args.copy()
    made.poplist(field_of(name))
    made.poplist(name)
    if day := chosen(args, name):
        made[name] = day
    return made


def option_and_day(args: MultiDict[str, str], name: str, offered: Collection[str]) -> tuple[str, str]:
    """The option that the form shows as chosen, and what stands in its field for a day of one's own."""
    day = chosen(args, name)
    if day in offered:
        return day, ""
    return (_OWN_DAY, day) if day else ("", "")


def months_ago(months: int) -> dt.date:
    """The same day some months ago, or the last one of that month."""
    today = params.today()
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    return dt.date(year, month + 1, min(today.day, calendar.monthrange(year, month + 1)[1]))
