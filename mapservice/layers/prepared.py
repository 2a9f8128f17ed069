"""Statements that are put together once: of a page with many small questions the most time went into that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select


class Prepared:
    """A statement whose values are named parameters (bindparam); no lists but arrays."""

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        self._compiled: tuple[str, dict[str, Any]] | None = None

    def rows(self, connection: Connection, **values: Any) -> Sequence[Row[Any]]:
        """Run it with these values; every parameter without a value of its own must be given."""
        if self._compiled is None:
            compiled = self._statement.compile(dialect=connection.dialect)
            self._compiled = str(compiled), dict(compiled.params)
        sql, given = self._compiled
        return connection.exec_driver_sql(sql, {**given, **values}).all()
