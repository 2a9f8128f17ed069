"""Keep the register, for the owner role, in the transaction that changes what it is made of.

refresh() follows implementations, publications, the catalogue and authorities; refresh_solutions() what
solutions say of themselves. Entries are written only where they differ: triggers move an audience's data
version by what is written to its rows.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    MetaData,
    Row,
    SmallInteger,
    Table,
    Text,
    and_,
    any_,
    case,
    cast,
    column,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    table,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from mapservice.domain import BUNDLE_BITS, Audience, MaturityModel, Status, Visibility
from mapservice.models import Authority, Implementation, Publication, Service, Solution
from mapservice.register.tables import RegisterEntry, RegisterUser, RegisterWord
from mapservice.search.folding import fold

_UNNAMED = uuid.UUID("6f7a6768-6c61-5e64-8b61-727465000002")
_MANY = 2000
"""Of so many authorities all is made anew: less work than picking."""
_MOST_SYSTEMS = 200
_STATED = (
    *("platform", "provider_id", "reusable", "conditions", "costs"),
    *("specialist_systems", "trust_level"),
)
_SUMS = ("users", "coming", "sharing", "keeping", "kinds", "states")
_SPOKEN = ("name", "service_id", "platform", "provider_id", "specialist_systems", "systems", "service_ids")
"""What an entry's words are made of."""
_DERIVED = ("public_id", "bundles", "folded", "head", "words")
_VECTORS = ("head", "words")
_STAGED = Table(
    "staged_register",
    MetaData(),
    *(
        Column(item.name, ARRAY(Text) if item.name in _VECTORS else item.type)
        for item in RegisterEntry.__table__.c
    ),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)
# The owner's view of what the public may see (migration 0002).
_PUBLIC_IMPLEMENTATION = table(
    "public_implementation", *(column(name, item.type) for name, item in Implementation.__table__.c.items())
)


def unnamed_id(service_key: str) -> uuid.UUID:
    """The public id of the offers without a product's name for a service: UUID version 5 of its key."""
    return uuid.uuid5(_UNNAMED, service_key)


def refresh(connection: Connection, authority_ids: Collection[int] | None = None) -> None:
    """Bring the register up to date after entries of these authorities (None: anything) changed."""
    ids = None if authority_ids is None or len(authority_ids) >= _MANY else sorted(set(authority_ids))
    connection.execute(select(func.set_config("work_mem", "64MB", True)))
    for audience in Audience:
        changed = _refresh_users(connection, audience, ids)
        _Entries(connection, audience).refresh(*changed)
    if ids is None:
        connection.execute(text("ANALYZE register_entry, register_user, register_word"))


def refresh_solutions(connection: Connection, solution_ids: Collection[int]) -> None:
    """Bring the register up to date after these solutions said something else."""
    for audience in Audience:
        _Entries(connection, audience).refresh(set(solution_ids), set())


def _among(which: Any, ids: Collection[int] | None) -> ColumnElement[bool]:
    return true() if ids is None else which == any_(cast(sorted(ids), ARRAY(Integer)))


def _refresh_users(
    connection: Connection, audience: Audience, ids: Collection[int] | None
) -> tuple[set[int] | None, set[int] | None]:
    """Returns the entries whose users may have changed, and those of them whose users name other services or
    systems than before; None for all."""
    user = RegisterUser
    mine = and_(user.audience == int(audience), _among(user.authority_id, ids))

    def named() -> set[tuple[int, int, frozenset[int], frozenset[str]]]:
        rows = connection.execute(
            select(user.entry_id, user.authority_id, user.service_ids, user.systems).where(mine)
        )
        return {(*row[:2], frozenset(row.service_ids), frozenset(row.systems or ())) for row in rows}

    before = set() if ids is None else named()
    connection.execute(delete(user).where(mine).execution_options(synchronize_session=False))
    names = [item.name for item in user.__table__.c]
    connection.execute(insert(user).from_select(names, _users(audience, ids), include_defaults=False))
    if ids is None:
        return None, None
    after = named()
    provided = set(connection.scalars(select(Solution.id).where(_among(Solution.provider_id, ids))))
    return {row[0] for row in before | after} | provided, {row[0] for row in before ^ after}


def _users(audience: Audience, ids: Collection[int] | None) -> Any:
    """One row per entry of the register and authority (columns of RegisterUser)."""
    source: FromClause = _PUBLIC_IMPLEMENTATION if audience is Audience.PUBLIC else Implementation.__table__
    said = source.c
    # docs/counting.md: named, and at least planned; or without a name, online and open to others.
    unnamed = and_(said.solution_id.is_(None), said.status == int(Status.ONLINE), said.reusable)
    entry_id = case(
        (said.solution_id.is_not(None), said.solution_id), else_=-func.coalesce(Service.parent_id, Service.id)
    )
    steps = [
        func.max(said.maturity).filter(said.maturity_model == int(model)).label(f"maturity_{int(model)}")
        for model in (MaturityModel.V1_1, MaturityModel.V2_0)
    ]
    kind = cast(literal(1).op("<<")(cast(said.solution_kind, Integer)), SmallInteger)
    # Without DISTINCT in aggregates, which would sort millions of rows instead of hashing them.
    pair = (
        select(
            entry_id.label("entry_id"),
            said.authority_id,
            func.min(said.status).label("status"),
            func.bool_or(said.reusable).label("sharing"),
            func.coalesce(func.bit_or(kind), 0).label("kinds"),
            *steps,
            func.array_agg(said.service_id).label("service_ids"),
            func.array_agg(said.specialist_system)
            .filter(said.specialist_system.is_not(None))
            .label("systems"),
            func.min(said.online_since).filter(said.status == int(Status.ONLINE)).label("since"),
            func.max(said.as_of).label("confirmed_on"),
        )
        .select_from(source)
        .join(Service, Service.id == said.service_id)
        .where(
            said.status <= int(Status.PLANNED),
            or_(said.solution_id.is_not(None), unnamed),
            _among(said.authority_id, ids),
        )
        .group_by(entry_id, said.authority_id)
        .subquery("pair")
    )
    once = select(func.unnest(pair.c.systems)).distinct().scalar_subquery().correlate(pair)
    systems = case((pair.c.systems.is_not(None), func.array(once)))
    columns = [systems if item.name == "systems" else item for item in pair.c]
    # In the order of the key: a million rows go into its index one after the other.
    in_order = (pair.c.entry_id, pair.c.authority_id)
    return select(literal(int(audience), SmallInteger), *columns).order_by(*in_order)


@dataclass(frozen=True)
class _Known:
    """A service as the register needs it: its words, and the bundle that it counts for."""

    key: str
    name: str
    words: frozenset[str]
    bit: str | None


@dataclass
class _Entries:
    """Makes the entries of one audience out of their users and of what solutions say."""

    connection: Connection
    audience: Audience
    _demonstration: bool | None = None

    def refresh(self, ids: Collection[int] | None, named: Collection[int] | None) -> None:
        """ids: the entries that may differ; named: of these those whose users may name other services or
        systems. None for all."""
        if ids is not None and not ids:
            return
        present = {row.entry_id: row for row in self._present(ids)}
        # Where anything may have changed, names of services and authorities may have too.
        wanted = self._wanted(ids, named, {} if ids is None else present)
        changed = [
            values
            for entry_id, values in wanted.items()
            if entry_id not in present or _differs(present[entry_id], values)
        ]
        gone = present.keys() - wanted.keys()
        entry = RegisterEntry
        if gone:
            of = and_(entry.audience == int(self.audience), _among(entry.entry_id, gone))
            self.connection.execute(delete(entry).where(of).execution_options(synchronize_session=False))
        if changed:
            self._write(changed)
        if gone or any(self._says_other_words(present.get(values["entry_id"]), values) for values in changed):
            self._refresh_words()

    def _says_other_words(self, row: Row[Any] | None, values: dict[str, Any]) -> bool:
        return row is None or set(row.words) != set(values["words"])

    def _present(self, ids: Collection[int] | None) -> Iterable[Row[Any]]:
        entry = RegisterEntry
        columns = [
            func.tsvector_to_array(item).label(item.name) if item.name in _VECTORS else item
            for item in entry.__table__.c
        ]
        return self.connection.execute(
            select(*columns).where(entry.audience == int(self.audience), _among(entry.entry_id, ids))
        )

    def _wanted(
        self, ids: Collection[int] | None, named: Collection[int] | None, present: Mapping[int, Row[Any]]
    ) -> dict[int, dict[str, Any]]:
        """present: entries whose words hold as long as what they are made of is the same."""
        used = {row.entry_id: row for row in self._used(ids)}
        lists = self._lists(named)
        solutions = {
            row.id: row
            for row in self.connection.execute(self._solutions(ids))
            if row.stated or row.id in used
        }
        entries = {
            entry_id: self._entry(
                entry_id,
                used.get(entry_id),
                solutions.get(entry_id),
                lists.get(entry_id) or present.get(entry_id),
            )
            for entry_id in {*used, *solutions}
        }
        anew = []
        for entry_id, values in entries.items():
            row = present.get(entry_id)
            if row is None or any(
                _comparable(getattr(row, name)) != _comparable(values[name]) for name in _SPOKEN
            ):
                anew.append(values)
            else:
                values.update({name: getattr(row, name) for name in _DERIVED})
        self._speak(anew)
        return entries

    def _used(self, ids: Collection[int] | None) -> Iterable[Row[Any]]:
        """What users add up to, by entry."""
        user = RegisterUser
        of = and_(user.audience == int(self.audience), _among(user.entry_id, ids))
        state = literal(1).op("<<")(cast(func.left(Authority.ars, 2), Integer))
        online = user.status == int(Status.ONLINE)
        summed = (
            select(
                user.entry_id,
                func.count().filter(online).label("users"),
                func.count().filter(~online).label("coming"),
                func.count().filter(user.sharing.is_(True)).label("sharing"),
                func.count().filter(user.sharing.is_(False)).label("keeping"),
                func.bit_or(user.kinds).label("kinds"),
                func.max(user.maturity_11).label("maturity_11"),
                func.max(user.maturity_20).label("maturity_20"),
                func.bit_or(state).label("states"),
                func.min(user.since).label("since"),
                func.max(user.confirmed_on).label("confirmed_on"),
            )
            .join(Authority, Authority.id == user.authority_id)
            .where(of)
            .group_by(user.entry_id)
        )
        return self.connection.execute(summed)

    def _lists(self, ids: Collection[int] | None) -> dict[int, Row[Any]]:
        """The services and systems that users name, by entry."""
        if ids is not None and not ids:
            return {}
        user = RegisterUser
        of = and_(user.audience == int(self.audience), _among(user.entry_id, ids))
        services, systems = self._listed(user.service_ids, of), self._listed(user.systems, of)
        rows = self.connection.execute(
            select(
                services.c.entry_id,
                services.c.listed.label("service_ids"),
                func.coalesce(systems.c.listed, cast([], ARRAY(Text))).label("systems"),
            ).outerjoin(systems, systems.c.entry_id == services.c.entry_id)
        )
        return {row.entry_id: row for row in rows}

    def _listed(self, column_: Any, of: ColumnElement[bool]) -> Any:
        """What the arrays of an entry's users hold, each once: entry_id, listed."""
        item = func.unnest(column_).label("item")
        once = select(RegisterUser.entry_id, item).where(of).distinct().subquery()
        listed = select(once.c.entry_id, func.array_agg(once.c.item).label("listed"))
        return listed.group_by(once.c.entry_id).subquery()

    def _solutions(self, ids: Collection[int] | None) -> Any:
        """stated: whether the audience may see what the solution says of itself."""
        stated: ColumnElement[bool] = true()
        if self.audience is Audience.PUBLIC:
            released = select(Publication.authority_id).where(
                Publication.visibility == int(Visibility.PUBLIC)
            )
            stated = and_(
                Solution.visibility == int(Visibility.PUBLIC),
                or_(
                    Solution.demonstration, Solution.provider_id.is_(None), Solution.provider_id.in_(released)
                ),
            )
        return select(*Solution.__table__.c, func.coalesce(stated, False).label("stated")).where(
            _among(Solution.id, ids)
        )

    def _speak(self, entries: Sequence[dict[str, Any]]) -> None:
        """Add what is derived from names of services and authorities."""
        services = self._known({id_ for values in entries for id_ in _service_ids(values)})
        providers = {values["provider_id"] for values in entries} - {None}
        names = select(Authority.id, Authority.name).where(_among(Authority.id, providers))
        provided = dict(self.connection.execute(names).tuples().all())
        for values in entries:
            service = services[values["service_id"]] if values["service_id"] else None
            said = (values["name"], values["platform"], values["specialist_systems"], *values["systems"])
            texts = [*said, provided.get(values["provider_id"])]
            head = {word for text_ in texts if text_ for word in fold(text_).split()}
            served = [services[id_] for id_ in values["service_ids"]]
            values["public_id"] = values["public_id"] or unnamed_id(service.key if service else "")
            values["bundles"] = _bits(known.bit for known in served)
            values["folded"] = fold(values["name"] or (service.name if service else ""))
            values["head"] = sorted(head)
            values["words"] = sorted(head.union(*(known.words for known in served)))

    def _known(self, ids: Collection[int]) -> dict[int, _Known]:
        bundle = Service.__table__.alias("bundle")
        rows = self.connection.execute(
            select(
                Service.id,
                Service.key,
                Service.name,
                func.coalesce(Service.bit, bundle.c.bit).label("bit"),
                bundle.c.name.label("bundle_name"),
                bundle.c.key.label("bundle_key"),
            )
            .outerjoin(bundle, bundle.c.id == Service.parent_id)
            .where(_among(Service.id, ids))
        )
        found = {}
        for row in rows:
            texts = (row.name, row.key, row.bundle_name or "", row.bundle_key or "")
            words = frozenset(word for said in texts for word in fold(said).split())
            found[row.id] = _Known(row.key, row.name, words, row.bit)
        return found

    def _entry(
        self, entry_id: int, used: Row[Any] | None, solution: Row[Any] | None, lists: Row[Any] | None
    ) -> dict[str, Any]:
        """The columns of an entry without those of _DERIVED. lists: what its users name."""
        said = {name: getattr(solution, name) if solution and solution.stated else None for name in _STATED}
        stated_on = solution.confirmed_on if solution and solution.stated else None
        days = [day for day in (stated_on, used.confirmed_on if used else None) if day]
        return {
            "audience": int(self.audience),
            "entry_id": entry_id,
            "public_id": solution.public_id if solution else None,
            "name": solution.name if solution else None,
            "service_id": -entry_id if entry_id < 0 else None,
            **said,
            "stated_on": stated_on,
            "demonstration": solution.demonstration if solution else self._made_up(),
            **{name: getattr(used, name) if used else 0 for name in _SUMS},
            "maturity_11": used.maturity_11 if used else None,
            "maturity_20": used.maturity_20 if used else None,
            "service_ids": sorted(lists.service_ids) if used and lists else [],
            "systems": sorted(lists.systems)[:_MOST_SYSTEMS] if used and lists else [],
            "since": used.since if used else None,
            "confirmed_on": max(days, default=None),
        }

    def _made_up(self) -> bool:
        """Demonstration data never mix with others, so that one entry tells of all."""
        if self._demonstration is None:
            found = select(Implementation.id).where(Implementation.demonstration).limit(1)
            self._demonstration = self.connection.scalar(found) is not None
        return self._demonstration

    def _write(self, rows: list[dict[str, Any]]) -> None:
        """By one statement, so that a trigger moves the data version once."""
        staged = _STAGED
        staged.create(self.connection)
        self.connection.execute(insert(staged), rows)
        names = [item.name for item in staged.c]
        columns = [func.array_to_tsvector(item) if item.name in _VECTORS else item for item in staged.c]
        statement = upsert(RegisterEntry).from_select(names, select(*columns))
        self.connection.execute(
            statement.on_conflict_do_update(
                index_elements=["audience", "entry_id"],
                set_={name: statement.excluded[name] for name in names},
            )
        )
        staged.drop(self.connection)

    def _refresh_words(self) -> None:
        """The vocabulary: all words of the entries that are there, and no other."""
        word = func.unnest(func.tsvector_to_array(RegisterEntry.words))
        present = select(word).where(RegisterEntry.audience == int(self.audience)).distinct()
        mine = RegisterWord.audience == int(self.audience)
        self.connection.execute(
            delete(RegisterWord)
            .where(mine, RegisterWord.word.not_in(present))
            .execution_options(synchronize_session=False)
        )
        rows = select(literal(int(self.audience)), present.subquery().c[0])
        self.connection.execute(
            upsert(RegisterWord).from_select(["audience", "word"], rows).on_conflict_do_nothing()
        )


def _service_ids(values: dict[str, Any]) -> list[int]:
    return [*values["service_ids"], *([values["service_id"]] if values["service_id"] else [])]


def _differs(row: Row[Any], values: dict[str, Any]) -> bool:
    return any(_comparable(getattr(row, name)) != _comparable(value) for name, value in values.items())


def _comparable(value: Any) -> Any:
    return set(value) if isinstance(value, list) else value


def _bits(bits: Iterable[str | None]) -> str:
    """Bitwise OR of bit strings that have one bit set each."""
    places = {bit.index("1") for bit in bits if bit}
    return "".join("1" if place in places else "0" for place in range(BUNDLE_BITS))
