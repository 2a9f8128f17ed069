"""What all commands share: the database handed over, and errors as one German sentence with an exit code."""

from __future__ import annotations

import functools
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    """Turn errors for users into what click shows; everything else is a bug and keeps its traceback."""
    try:
        yield
    except MapServiceError as error:
        raise (CommandMisused if error.exit_code == 2 else CommandRefused)(error.message) from error
    except Exception as error:
        # Only if a command already loaded SQLAlchemy can the error be one of its own.
        from sqlalchemy.exc import DBAPIError

        from mapservice.database import is_unavailable

        if isinstance(error, DBAPIError) and is_unavailable(error):
            reason = str(error.orig).strip().split("\n")[0][:300]
            raise CommandRefused(
                f"Die Datenbank ist weggebrochen ({reason}). Es wurde nichts halb geschrieben; "
                "bitte den Befehl wiederholen."
            ) from error
        raise


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
