"""What a running application holds beside Flask: settings, database, and the audience that it serves."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from flask import current_app
from sqlalchemy import Connection

from mapservice.config import Settings
from mapservice.database import Database, DataVersions, Version
from mapservice.domain import Audience

_EXTENSION = "mapservice"
T = TypeVar("T")


@dataclass
class Service:
    """One per application. `audience` follows from the setting `view`; no request can change it."""

    settings: Settings
    database: Database
    audience: Audience
    versions: DataVersions
    _kept: dict[Hashable, tuple[int, Any]] = field(default_factory=dict)

    @property
    def internal(self) -> bool:
        return self.audience is Audience.INTERNAL

    def version(self) -> Version:
        """The data version of the audience served; raises UnavailableError."""
        return self.versions.current()

    @contextmanager
    def reader(self) -> Iterator[Connection]:
        """A read-only connection that sees what the audience may see; raises UnavailableError."""
        with self.database.reader(self.audience) as connection:
            yield connection

    def kept(self, name: Hashable, read: Callable[[Connection], T]) -> T:
        """The result of `read`, kept in this process while the data version stays; for a few small lists."""
        version = self.version().number
        held = self._kept.get(name)
        if held is None or held[0] != version:
            with self.reader() as connection:
                held = (version, read(connection))
            self._kept[name] = held
        return cast(T, held[1])


def attach(app: Any, service: Service) -> None:
    app.extensions[_EXTENSION] = service


def service() -> Service:
    """That of the application which answers the present request."""
    return cast(Service, current_app.extensions[_EXTENSION])
