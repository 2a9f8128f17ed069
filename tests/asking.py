"""An application on a test's database, and reading what it answers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mapservice import create_app
from mapservice.database import Database


@contextmanager
def client_of(database: Database, **changed: Any) -> Iterator[FlaskClient]:
    """A client of an application on the database. changed: settings other than those of the database."""
    app = create_app(replace(database.settings, **changed), database)
    try:
        yield app.test_client()
    finally:
        app.extensions["mapservice"].versions.close()


def csv_lines(response: TestResponse) -> list[list[str]]:
    """All lines of a file for spreadsheets."""
    return list(csv.reader(io.StringIO(response.data.decode("utf-8-sig")), delimiter=";"))


def csv_table(response: TestResponse) -> list[list[str]]:
    """The lines above the empty one, behind which stands where the table is from."""
    lines = csv_lines(response)
    return lines[: lines.index([])]


def csv_records(response: TestResponse) -> list[dict[str, str]]:
    """The lines below the head of the table, by its columns."""
    head, *lines = csv_table(response)
    return [dict(zip(head, line, strict=True)) for line in lines]
