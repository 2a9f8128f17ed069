"""Implementations: which authority offers which service, from files (columns: docs/formats.md).

The rows stream through checks into a temporary table by COPY; the database then removes what later rows
supersede, compares with what is there and writes only what differs, in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from mapservice import copies, demo, publication
from mapservice.database import Database
from mapservice.domain import Visibility, implementation_hex
from mapservice.errors import ImportRefusedError
from mapservice.imports import incoming, values
from mapservice.imports.importing import File, Importing, described, importing, refuse_made_up
from mapservice.imports.keys import AuthorityIndex, ServiceIndex
from mapservice.imports.read import Column, Table, open_table
from mapservice.imports.report import Counts, Rejections, copy_text, counted, driver, progress
from mapservice.imports.runs import Run
from mapservice.imports.values import Cache, CellError
from mapservice.models import Solution

KEYS = (
    Column(
        "ars",
        ("ags", "regionalschluessel", "gemeindeschluessel", "schluessel", "kennziffer"),
        required=True,
    ),
    Column(
        "leistung",
        ("ozg_id", "ozgid", "leika", "leika_id", "leika_key", "leika_schluessel", "leistungsschluessel"),
        required=True,
    ),
    Column("kennung"),
    Column("url", ("link", "adresse")),
)
# Columns of few values, next to each other: what is said of one combination of them is checked once.
STATE = (
    Column("status", required=True),
    Column("loesungsart"),
    Column("reifegradmodell"),
    Column("reifegrad"),
    Column("nachnutzbar", ("nachnutzung",)),
    Column("stand"),
    Column("sichtbarkeit"),
    Column("vertrauensniveau"),
)
DATES = (Column("online_seit"), Column("geplant_bis"))
ABOUT = (
    Column("loesung"),
    Column("quelle"),
    Column("fachverfahren"),
    Column("nachnutzung_hinweis"),
    Column("gilt_fuer"),
)
CONTACT = (Column("kontakt"), Column("kontakt_art"))
COLUMNS = (*KEYS, *STATE, *DATES, *ABOUT, *CONTACT)
TEMPLATE = (
    "ars;leistung;status;url;loesungsart;loesung;reifegradmodell;reifegrad;nachnutzbar;kontakt;online_seit;stand;"
    "quelle;sichtbarkeit"
)
"""Heading of the file to download and fill in."""

_STATE = slice(len(KEYS), len(KEYS) + len(STATE))
_DATES = _STATE.stop
_ABOUT = slice(_DATES + len(DATES), _DATES + len(DATES) + len(ABOUT))
_CONTACT = slice(_ABOUT.stop, _ABOUT.stop + len(CONTACT))
_NULL = r"\N"
_BATCH = 2000


@dataclass
class Result:
    """What an import did. lines: what the user is told at the end."""

    counts: Counts
    lines: list[str]
    public_before: int = 0
    public_after: int = 0


def import_implementations(
    database: Database,
    paths: Sequence[Path],
    *,
    mode: str = "update",
    dry_run: bool = False,
    rejected: Path | None = None,
    remove_demo: bool = False,
) -> Result:
    """Import files one after the other as if they were one.

    mode: "update" removes nothing; "replace" ends what the files no longer list, among the authorities in
    them and entries of the same source. rejected: where the CSV of rejected rows goes. Raises
    ImportRefusedError before anything is written if a file cannot be read, misses a column, has no acceptable
    row, or if demonstration data are loaded and remove_demo is false.
    """
    tables = [open_table(path, COLUMNS) for path in paths]
    for table in tables:
        refuse_made_up(table)
    with importing(
        database,
        "implementations",
        [File(table.name, table.sha256) for table in tables],
        dry_run=dry_run,
        rejected=rejected,
        options={"mode": mode, "remove_demo": remove_demo},
        analysed=("implementation", "implementation_history", "solution", "tally"),
    ) as work:
        return _import(work, tables, mode=mode, remove_demo=remove_demo)


def _import(work: Importing, tables: Sequence[Table], *, mode: str, remove_demo: bool) -> Result:
    connection, rejections = work.connection, work.rejections
    work.lines += [line for table in tables for line in described(table)]
    demonstration = 0
    if demo.is_loaded(connection):
        if not remove_demo:
            raise ImportRefusedError(
                "Es sind Demonstrationsdaten geladen; echte Daten kommen nicht dazu. Mit --remove-demo "
                "werden sie vorher entfernt."
            )
        demonstration = demo.remove_rows(connection).implementations
        removed = counted(demonstration, "Demonstrationseintrag", "Demonstrationseinträge")
        work.lines.append(f"{removed} entfernt.")
    counts = Counts()
    public_before = publication.count_public(connection)
    stage = Stage(connection, work.run, tables, rejections)
    incoming.create(connection)
    for number, table in enumerate(tables):
        stage.load(number, table)
    counts.read, counts.rejected = stage.read, rejections.rows
    work.store_rejections()
    if counts.read and counts.rejected == counts.read:
        raise rejections.nothing_usable()
    names = [table.name for table in tables]
    counts.superseded = incoming.drop_superseded(connection, names, rejections)
    stage.create_missing()
    touched = incoming.authorities(connection)
    counts.updated = incoming.update_changed(connection, work.run.id)
    counts.inserted = incoming.insert_new(connection, work.run.id)
    counts.unchanged = counts.read - counts.rejected - counts.superseded - counts.inserted - counts.updated
    if mode == "replace":
        counts.removed = incoming.delete_unlisted(connection)
    if counts.inserted or counts.updated or counts.removed:
        copies.refresh(connection, touched)
    public_after = publication.count_public(connection)
    work.lines += [*counts.lines(), *rejections.lines()]
    work.lines += publication.outlook(connection, touched, public_before, public_after)
    work.run.finish(
        connection,
        {
            **counts.as_dict(),
            "removed_demonstration": demonstration,
            "public_before": public_before,
            "public_after": public_after,
            "unknown_columns": sorted({name for table in tables for name in table.unknown}),
        },
    )
    return Result(counts, work.lines, public_before, public_after)


class Stage:
    """Checks rows and writes them to the temporary table.

    Each check answers with the text that COPY takes, and is remembered by the cell's text, so that a row
    costs a handful of look-ups. New solutions and services of one's own get their ids from the sequences
    as they turn up, over the run's second connection, because the first is busy with COPY.
    """

    def __init__(
        self, connection: Connection, current: Run, tables: Sequence[Table], rejections: Rejections
    ) -> None:
        self._connection = connection
        self._guard = current.guard
        self._rejections = rejections
        self._authority_index = AuthorityIndex(connection)
        self._authority_index.require()
        self._service_index = ServiceIndex(connection)
        self._service_index.require()
        self._solutions: dict[str, int] = {
            row.name: row.id
            for row in connection.execute(
                select(func.lower(Solution.name).label("name"), Solution.id).where(~Solution.demonstration)
            )
        }
        self._new_solutions: dict[int, str] = {}
        self._own_services: dict[str, int] = {}
        self._authorities: Cache[str, tuple[str, str]] = Cache(self._authority)
        self._services: Cache[str, tuple[str, str]] = Cache(self._service)
        self._urls = _optional(values.url)
        self._states = Cache(self._state)
        self._dates = Cache(_optional_date)
        self._abouts = Cache(self._about)
        self._contacts = Cache(_contact)
        self._identifiers: Cache[str, str] = Cache(_identifier)
        self.read = 0

    # what a row needs, each as the text for COPY

    def _authority(self, cell: str) -> tuple[str, str]:
        place = self._authority_index.find(cell)
        return str(place.id), place.ars

    def _service(self, cell: str) -> tuple[str, str]:
        id_, key = self._service_index.find(cell)
        if id_ is None:
            id_ = self._own_services.get(key)
            if id_ is None:
                id_ = self._own_services[key] = self._draw("service_id_seq")
        return str(id_), key

    def _state(self, cells: tuple[str, ...]) -> str:
        status, kind, model, level, reusable, as_of, visibility, trust = cells
        if not status:
            raise CellError("fehlt")
        day = values.date(as_of) if as_of else None
        maturity_model, maturity = values.maturity(
            values.maturity_model(model) if model else None,
            values.maturity_level(level) if level else None,
            day,
        )
        return "\t".join(
            (
                _code(values.status(status)),
                _code(values.solution_kind(kind) if kind else None),
                _code(maturity_model),
                _code(maturity),
                _flag(values.boolean(reusable) if reusable else None),
                day.isoformat() if day else _NULL,
                _code(values.visibility(visibility) if visibility else Visibility.INTERNAL),
                _code(values.trust_level(trust) if trust else None),
            )
        )

    def _about(self, cells: tuple[str, ...]) -> str:
        solution, source, specialist, hint, valid_for = cells
        texts = [values.line_of_text(source), values.line_of_text(specialist), values.note(hint)]
        area = self._valid_for(valid_for) if valid_for else _NULL
        solution_id = self._solution(solution) if solution else _NULL
        return "\t".join((solution_id, *(copy_text(item) if item else _NULL for item in texts), area))

    def _valid_for(self, cell: str) -> str:
        ids = {self._authority_index.find(key.strip()).id for key in cell.split("|") if key.strip()}
        if not ids:
            raise CellError("kein Schlüssel")
        return "{" + ",".join(map(str, sorted(ids))) + "}"

    def _solution(self, cell: str) -> str:
        name = values.line_of_text(cell)
        known = self._solutions.get(name.lower())
        if known is None:
            known = self._solutions[name.lower()] = self._draw("solution_id_seq")
            self._new_solutions[known] = name
        return str(known)

    def _draw(self, sequence: str) -> int:
        return int(self._guard.execute(select(func.nextval(sequence))).scalar_one())

    # rows

    def load(self, number: int, table: Table) -> None:
        """Check all rows of one file and copy the good ones; `number` is its place among the files."""
        rejections, name = self._rejections, table.name
        by_reader = 0

        def reject(line: int, column: str, value: str, reason: str) -> None:
            nonlocal by_reader
            by_reader += 1
            rejections.add(name, line, column, value, reason)

        authorities, services, urls = self._authorities, self._services, self._urls
        identifiers, states, dates = self._identifiers, self._states, self._dates
        abouts, contacts = self._abouts, self._contacts
        from_key = _STATE.start
        read = 0
        batch: list[str] = []
        with (
            driver(self._connection).cursor() as cursor,
            cursor.copy(incoming.COPY) as copy,
            progress(f"Prüfe {name}", table.size) as show,
        ):
            for line, cells in table.rows(reject):
                read += 1
                try:
                    authority_id, ars = authorities[cells[0]]
                    service_id, key = services[cells[1]]
                    identifier = identifiers[cells[2]] if cells[2] else ""
                    batch.append(
                        f"{number}\t{line}\t{implementation_hex(ars, key, identifier)}\t{authority_id}"
                        f"\t{service_id}\t{copy_text(identifier) if identifier else ''}\t{urls(cells[3])}"
                        f"\t{states[cells[from_key : _STATE.stop]]}\t{dates[cells[_DATES]]}"
                        f"\t{dates[cells[_DATES + 1]]}\t{abouts[cells[_ABOUT]]}"
                        f"\t{contacts[cells[_CONTACT]]}\n"
                    )
                except CellError:
                    identity = self._explain(name, line, cells)
                    if identity:
                        batch.append(incoming.rejected_line(number, line, *identity))
                if len(batch) >= _BATCH:
                    copy.write("".join(batch))
                    batch.clear()
                    show(table.position)
            copy.write("".join(batch))
            show(table.size)
        self.read += read + by_reader

    def _explain(self, name: str, line: int, cells: tuple[str, ...]) -> tuple[str, str, str] | None:
        """Report every cell of a rejected row that is wrong.

        Returns (id, authority id, service id) if the row's identity is known, so that replacing does not
        end an entry whose row has a slip in another column.
        """
        known: dict[str, Any] = {}

        def check(position: int, function: Callable[[str], Any]) -> Any:
            cell, column = cells[position], COLUMNS[position].name
            try:
                known[column] = function(cell)
            except CellError as error:
                self._rejections.add(name, line, column, cell, error.reason, error.suggestion)

        keys: tuple[Callable[[str], Any], ...] = (
            self._authorities.__getitem__,
            self._services.__getitem__,
            _identifier,
            self._urls,
        )
        for position, function in enumerate(keys):
            check(position, function)
        state: tuple[Callable[[str], Any], ...] = (
            values.status,
            values.solution_kind,
            values.maturity_model,
            values.maturity_level,
            values.boolean,
            values.date,
            values.visibility,
            values.trust_level,
        )
        for position, function in enumerate(state, start=_STATE.start):
            if cells[position]:
                check(position, function)
            elif COLUMNS[position].required:
                self._rejections.add(name, line, COLUMNS[position].name, "", "fehlt")
        stated = [cells[_STATE.start + n] for n in (2, 3, 5)]
        if all(not cell or column in known for cell, column in zip(stated, _MATURITY, strict=True)):
            try:
                values.maturity(*(known.get(column) for column in _MATURITY))
            except CellError as error:
                self._rejections.add(name, line, "reifegrad", stated[1], error.reason, error.suggestion)
        for position in (_DATES, _DATES + 1):
            check(position, _optional_date)
        about: tuple[Callable[[str], Any], ...] = (
            values.line_of_text,
            values.line_of_text,
            values.line_of_text,
            values.note,
            self._valid_for,
        )
        for position, function in enumerate(about, start=_ABOUT.start):
            if cells[position]:
                check(position, function)
        if cells[_CONTACT.start]:
            check(_CONTACT.start, values.mail)
        if cells[_CONTACT.start + 1]:
            check(_CONTACT.start + 1, values.contact_kind)
        if not {"ars", "leistung", "kennung"} <= known.keys():
            return None
        (authority_id, ars), (service_id, key) = known["ars"], known["leistung"]
        return implementation_hex(ars, key, known["kennung"]), authority_id, service_id

    def create_missing(self) -> None:
        """Create the solutions and services of one's own that accepted rows name."""
        incoming.create_solutions(self._connection, self._new_solutions)
        incoming.create_own_services(self._connection, {n: key for key, n in self._own_services.items()})


_MATURITY = ("reifegradmodell", "reifegrad", "stand")


def _identifier(cell: str) -> str:
    return values.line_of_text(cell, 200)


def _code(value: int | None) -> str:
    return _NULL if value is None else str(int(value))


def _flag(value: bool | None) -> str:
    return _NULL if value is None else "t" if value else "f"


def _optional(check: Callable[[str], str]) -> Callable[[str], str]:
    """The check for a cell that may be empty, answering with text for COPY; not cached: each is different."""

    def optional(cell: str) -> str:
        return check(cell) if cell else _NULL

    return optional


def _optional_date(cell: str) -> str:
    return values.date(cell).isoformat() if cell else _NULL


def _contact(cells: tuple[str, ...]) -> str:
    contact, kind = cells
    if not contact:
        if kind:
            values.contact_kind(kind)
        return f"{_NULL}\t{_NULL}"
    mail = values.mail(contact)
    return f"{copy_text(mail)}\t{values.contact_kind(kind) if kind else 2}"
