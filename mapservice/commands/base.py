"""What all commands share: the database handed over, and errors as one German sentence with an exit code."""

from __future__ import annotations

import errno
import functools
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, overload

import click

from mapservice.errors import MapServiceError

P = ParamSpec("P")
R = TypeVar("R")


class CommandRefused(click.ClickException):
    """An error of ours, shown without a traceback."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        click.echo(f"Fehler: {self.format_message()}", file=file or sys.stderr)


class CommandMisused(CommandRefused):
    """The command was called wrongly, or with what it does not know."""

    exit_code = 2


@contextmanager
def refusals() -> Iterator[None]:
    """Turn every error into one German sentence, which click shows. The traceback of one that is no user's
    fault goes to standard error where MAPSERVICE_LOG_LEVEL is debug."""
    try:
        yield
    except MapServiceError as error:
        raise (CommandMisused if error.exit_code == 2 else CommandRefused)(error.message) from error
    except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
        raise  # click's own, and a reader of the output that went away
    except Exception as error:
        if os.environ.get("MAPSERVICE_LOG_LEVEL", "").strip().lower() == "debug":
            traceback.print_exc()
        raise CommandRefused(_described(error)) from error


def _described(error: Exception) -> str:
    """What happened, for the user. Without the text of an unknown error, which may hold a password."""
    if isinstance(error, MemoryError):
        return (
            "Der Arbeitsspeicher reicht für diesen Befehl nicht. Es wurde nichts halb geschrieben; bitte "
            "andere Programme beenden oder die Datei teilen."
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" ({error.filename})" if error.filename else ""
        return (
            f"Auf dem Datenträger ist kein Platz mehr{where}. Es wurde nichts halb geschrieben; bitte Platz "
            "schaffen und den Befehl wiederholen."
        )
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}."
    from sqlalchemy.exc import DBAPIError

    from mapservice.database import is_unavailable

    if isinstance(error, DBAPIError):
        if getattr(error.orig, "sqlstate", None) == "53100":
            return (
                "Auf dem Datenträger der Datenbank ist kein Platz mehr. Es wurde nichts halb geschrieben; "
                "bitte Platz schaffen und den Befehl wiederholen."
            )
        if is_unavailable(error):
            reason = str(error.orig).strip().split("\n")[0][:300]
            return (
                f"Die Datenbank ist weggebrochen ({reason}). Es wurde nichts halb geschrieben; "
                "bitte den Befehl wiederholen."
            )
    place = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"Unerwarteter Fehler ({type(error).__name__} in {Path(place.filename).name}, Zeile {place.lineno}). "
        "Das liegt am Programm. Einzelheiten zeigt derselbe Befehl mit MAPSERVICE_LOG_LEVEL=debug."
    )


def end_on_sigterm() -> None:
    """Let SIGTERM unwind like Ctrl-C, so that transactions and the shared server are left in order."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)


def set_up_logging(level: str) -> None:
    logging.basicConfig(
        level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    # Alembic's progress is said in our own words; locks are taken every moment.
    for name in ("alembic", "filelock"):
        logging.getLogger(name).setLevel(logging.WARNING)


@overload
def with_database(function: Callable[P, R]) -> Callable[..., R]: ...
@overload
def with_database(*, migrate: bool = True) -> Callable[[Callable[P, R]], Callable[..., R]]: ...
def with_database(function: Callable[..., Any] | None = None, *, migrate: bool = True) -> Any:
    """Give a command its database, as the keyword argument `database` (mapservice.database.Database).

    Stands below click's own decorators. Our own server runs for as long as the command does.

        @click.command()
        @click.argument("files", nargs=-1)
        @with_database
        def boundaries(files, database): ...
    """
    if function is None:
        return functools.partial(with_database, migrate=migrate)
    command = function

    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with refusals():
            from mapservice.cluster import connected
            from mapservice.config import Settings

            settings = Settings.from_environment()
            set_up_logging(settings.log_level)
            context = click.get_current_context(silent=True)
            what = context.command_path if context is not None else "mapservice"
            with connected(settings, what, migrate=migrate) as urls:
                from mapservice.database import Database

                database = Database(urls, settings)
                try:
                    return command(*args, database=database, **kwargs)
                finally:
                    database.dispose()

    return wrapper
