"""Tables. Terms of domain.md; which role may read what is set by the migration (see docs/data-model.md).

Codes (level, status, visibility, kinds ...) are smallints of the enums in domain.py, because comparing
smallint is leakproof and so may use an index under row-level security, which enum types may not.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Computed,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, BIT, JSONB
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

from mapservice.domain import BUNDLE_BITS
from mapservice.indexes import by_time, offers

NOW = func.now()
_PUBLIC_CONTACT = "CASE WHEN contact_kind = 1 THEN contact END"


class Base(DeclarativeBase):
    """Types by annotation, and names of constraints that a migration can rely on."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - read by SQLAlchemy as a class attribute
        str: Text(),
        dt.datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB(),
        uuid.UUID: PgUUID(as_uuid=True),
    }


class ImportRun(Base):
    """One run of something that changes data: an import, a publication, loading demonstration data.

    kind: boundaries, catalogue, implementations, authorities, solutions, publication, demonstration;
    state: running, done, refused, failed.
    """

    __tablename__ = "import_run"

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="running")
    files: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    checksum: Mapped[str | None] = mapped_column(index=True)
    options: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    started_at: Mapped[dt.datetime] = mapped_column(server_default=func.clock_timestamp())
    finished_at: Mapped[dt.datetime | None]
    report: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """Counts by name (read, inserted, updated, unchanged, superseded, rejected, removed ...)."""

    __table_args__ = (CheckConstraint("state IN ('running', 'done', 'refused', 'failed')", name="state"),)


class ImportRejection(Base):
    """One rejected row of an import run."""

    __tablename__ = "import_rejection"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    import_run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"), index=True)
    file: Mapped[str]
    line: Mapped[int]
    column_name: Mapped[str | None]
    value: Mapped[str | None]
    reason: Mapped[str]
    suggestion: Mapped[str | None]


class BoundaryRelease(Base):
    """Gebietsstand: one imported set of boundaries. Several may be stored, one is current."""

    __tablename__ = "boundary_release"

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    name: Mapped[str]
    source: Mapped[str]
    as_of: Mapped[dt.date]
    licence: Mapped[str]
    licence_url: Mapped[str | None]
    attribution: Mapped[str]
    attribution_url: Mapped[str | None]
    checksum: Mapped[str]
    """SHA-256 of the file as delivered, hexadecimal."""
    crs: Mapped[str]
    """CRS of the full geometry as `EPSG:<code>`."""
    complete: Mapped[bool] = mapped_column(server_default=text("false"))
    """False while the import runs, and for what a killed import left behind."""
    is_current: Mapped[bool] = mapped_column(server_default=text("false"))
    imported_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)
    import_run_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id"))

    __table_args__ = (
        Index("uq_boundary_release_current", "is_current", unique=True, postgresql_where=text("is_current")),
        CheckConstraint("complete OR NOT is_current", name="current_is_complete"),
    )


class Authority(Base):
    """Gebietskörperschaft, Behörde: who offers services. Key: the 12-digit ARS.

    The hierarchy is that of the current boundary release: the authorities above, null where there is none
    or where it is the authority itself (a kreisfreie Stadt has no district of its own above it).
    The federation is above all of them.
    """

    __tablename__ = "authority"

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    ars: Mapped[str] = mapped_column(unique=True)
    ags: Mapped[str | None] = mapped_column(index=True)
    name: Mapped[str]
    designation: Mapped[str | None]
    kinds: Mapped[int] = mapped_column(SmallInteger)
    """domain.Kind flags."""
    chain_kinds: Mapped[int] = mapped_column(SmallInteger)
    """domain.Kind flags of itself and of all above it, the federation included."""
    association_id: Mapped[int | None] = mapped_column(ForeignKey("authority.id"), index=True)
    district_id: Mapped[int | None] = mapped_column(ForeignKey("authority.id"), index=True)
    state_id: Mapped[int | None] = mapped_column(ForeignKey("authority.id"), index=True)
    is_current: Mapped[bool] = mapped_column(server_default=text("true"))
    """Whether the current boundary release has it; former authorities stay for their history."""
    population: Mapped[int | None]
    postcode: Mapped[str | None]
    website: Mapped[str | None]
    service_portal: Mapped[str | None]
    contact: Mapped[str | None]
    contact_kind: Mapped[int | None] = mapped_column(SmallInteger)
    public_contact: Mapped[str | None] = mapped_column(Text, Computed(_PUBLIC_CONTACT, persisted=True))

    __table_args__ = (CheckConstraint("ars ~ '^[0-9]{12}$'", name="ars"),)


class Publication(Base):
    """How far an authority agreed to be seen. No row: internal."""

    __tablename__ = "publication"

    authority_id: Mapped[int] = mapped_column(ForeignKey("authority.id"), primary_key=True)
    visibility: Mapped[int] = mapped_column(SmallInteger)
    changed_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)
    import_run_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id"))

    __table_args__ = (CheckConstraint("visibility BETWEEN 1 AND 3", name="visibility"),)


class Boundary(Base):
    """One area at one level of one release, with its full geometry in the release's own CRS."""

    __tablename__ = "boundary"

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    release_id: Mapped[int] = mapped_column(ForeignKey("boundary_release.id", ondelete="CASCADE"))
    level: Mapped[int] = mapped_column(SmallInteger)
    ordinal: Mapped[int]
    """Position within (release, level), from 0, in the order of the key: the order of the geometry files."""
    key: Mapped[str]
    """Its own key at its level: 2, 5, 9 or 12 digits."""
    ars: Mapped[str] = mapped_column(index=True)
    """The key padded to 12 digits."""
    authority_id: Mapped[int | None] = mapped_column(ForeignKey("authority.id"), index=True)
    """Null: gemeindefrei."""
    kinds: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    """domain.Kind flags of its authority in this release, 0 without."""
    name: Mapped[str]
    designation: Mapped[str | None]
    state_id: Mapped[int | None] = mapped_column(ForeignKey("boundary.id", ondelete="CASCADE"), index=True)
    district_id: Mapped[int | None] = mapped_column(ForeignKey("boundary.id", ondelete="CASCADE"), index=True)
    association_id: Mapped[int | None] = mapped_column(
        ForeignKey("boundary.id", ondelete="CASCADE"), index=True
    )
    population: Mapped[int | None]
    area_m2: Mapped[float] = mapped_column(Double)
    label_point: Mapped[WKBElement] = mapped_column(
        Geometry("POINT", srid=4326, spatial_index=False, nullable=False)
    )
    west: Mapped[float] = mapped_column(Double)
    south: Mapped[float] = mapped_column(Double)
    east: Mapped[float] = mapped_column(Double)
    north: Mapped[float] = mapped_column(Double)
    geom: Mapped[WKBElement] = mapped_column(
        Geometry("MULTIPOLYGON", srid=-1, spatial_index=False, nullable=False)
    )
    """Each row carries the SRID of its release; the column admits any."""

    __table_args__ = (
        UniqueConstraint("release_id", "level", "key"),
        UniqueConstraint("release_id", "level", "ordinal"),
    )


class BoundaryShape(Base):
    """Generalised geometry of a boundary, EPSG:4326, coordinates rounded to 1e-5 degrees.

    detail: 100, 300 or 1000 m. Shapes of one (release, level, detail) share their borders exactly.
    """

    __tablename__ = "boundary_shape"

    boundary_id: Mapped[int] = mapped_column(ForeignKey("boundary.id", ondelete="CASCADE"), primary_key=True)
    detail: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    geom: Mapped[WKBElement] = mapped_column(
        Geometry("MULTIPOLYGON", srid=4326, spatial_index=False, nullable=False)
    )
    geojson: Mapped[str]
    """The geometry as GeoJSON text, spliced into answers as it is."""

    __table_args__ = (
        Index("ix_boundary_shape_geom", "geom", postgresql_using="gist"),
        CheckConstraint("detail IN (100, 300, 1000)", name="detail"),
    )


class BoundaryNeighbour(Base):
    """Two boundaries of one level that share a border line; both directions are stored."""

    __tablename__ = "boundary_neighbour"

    boundary_id: Mapped[int] = mapped_column(ForeignKey("boundary.id", ondelete="CASCADE"), primary_key=True)
    neighbour_id: Mapped[int] = mapped_column(
        ForeignKey("boundary.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    shared_m: Mapped[float] = mapped_column(REAL)
    """Length of the shared border in metres, from the full geometry."""


class GeometryFile(Base):
    """A level as one TopoJSON file for the map, stored compressed; its address holds its hash."""

    __tablename__ = "geometry_file"

    hash: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of the uncompressed bytes, hexadecimal."""
    release_id: Mapped[int] = mapped_column(
        ForeignKey("boundary_release.id", ondelete="CASCADE"), primary_key=True
    )
    level: Mapped[int] = mapped_column(SmallInteger)
    detail: Mapped[int] = mapped_column(SmallInteger)
    size: Mapped[int]
    """Bytes uncompressed."""
    brotli: Mapped[bytes] = mapped_column(LargeBinary)
    gzip: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (UniqueConstraint("release_id", "level", "detail"),)


class SubjectArea(Base):
    """Themenfeld; the 14 rows come with the migration."""

    __tablename__ = "subject_area"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(unique=True)


class LifeSituation(Base):
    """Lage: a group inside a subject area."""

    __tablename__ = "life_situation"

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    subject_area_id: Mapped[int] = mapped_column(ForeignKey("subject_area.id"))
    name: Mapped[str]

    __table_args__ = (UniqueConstraint("subject_area_id", "name"),)


class Service(Base):
    """OZG-Leistung (bundle), LeiKa-Leistung (child of a bundle, or of none), or a service of one's own.

    key: OZG-ID, LeiKa key, `ohne-leika:<hash>` for catalogue rows without a LeiKa key, or `eigen:…`.
    """

    __tablename__ = "service"

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[int] = mapped_column(SmallInteger)
    name: Mapped[str]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("service.id"), index=True)
    subject_area_id: Mapped[int | None] = mapped_column(ForeignKey("subject_area.id"))
    life_situation_id: Mapped[int | None] = mapped_column(ForeignKey("life_situation.id"))
    leika_type: Mapped[str | None]
    declared_kinds: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    """domain.Kind flags as the catalogue's `zustaendig` says, 0 if empty."""
    responsible: Mapped[int] = mapped_column(SmallInteger, server_default="63")
    """domain.Kind flags by counting rule 4, never 0."""
    bit: Mapped[str | None] = mapped_column(BIT(BUNDLE_BITS))
    """For bundles: the bit string with this bundle's bit set alone."""
    retired: Mapped[bool] = mapped_column(server_default=text("false"))
    """No longer in the catalogue, kept because entries refer to it; not counted in any selection of all."""
    demonstration: Mapped[bool] = mapped_column(server_default=text("false"))

    __table_args__ = (
        CheckConstraint("kind BETWEEN 1 AND 3", name="kind"),
        CheckConstraint("(kind = 1) = (bit IS NOT NULL)", name="bit_of_bundles"),
        CheckConstraint("responsible BETWEEN 1 AND 63", name="responsible"),
    )


class Solution(Base):
    """Lösung: the assistant, EfA service or product behind implementations."""

    __tablename__ = "solution"

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(unique=True, server_default=func.gen_random_uuid())
    name: Mapped[str]
    platform: Mapped[str | None]
    provider_id: Mapped[int | None] = mapped_column(ForeignKey("authority.id"))
    reusable: Mapped[bool | None]
    conditions: Mapped[str | None]
    costs: Mapped[str | None]
    specialist_systems: Mapped[str | None]
    trust_level: Mapped[int | None] = mapped_column(SmallInteger)
    confirmed_on: Mapped[dt.date | None]
    visibility: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    """Of what stands in this row besides the name, which whoever sees an entry that names it sees."""
    demonstration: Mapped[bool] = mapped_column(server_default=text("false"))

    __table_args__ = (Index("uq_solution_name", func.lower(text("name")), "demonstration", unique=True),)


class ImplementationColumns:
    """What an implementation says; shared by the current table and its history."""

    @declared_attr
    def authority_id(cls) -> Mapped[int]:
        return mapped_column(ForeignKey("authority.id"))

    @declared_attr
    def service_id(cls) -> Mapped[int]:
        return mapped_column(ForeignKey("service.id"))

    identifier: Mapped[str] = mapped_column(server_default="")
    """Own key of the entry (`kennung`), empty without."""
    status: Mapped[int] = mapped_column(SmallInteger)
    url: Mapped[str | None]
    solution_kind: Mapped[int | None] = mapped_column(SmallInteger)

    @declared_attr
    def solution_id(cls) -> Mapped[int | None]:
        return mapped_column(ForeignKey("solution.id"), index=True)

    maturity_model: Mapped[int | None] = mapped_column(SmallInteger)
    maturity: Mapped[int | None] = mapped_column(SmallInteger)
    reusable: Mapped[bool | None]
    reuse_note: Mapped[str | None]
    contact: Mapped[str | None]
    contact_kind: Mapped[int | None] = mapped_column(SmallInteger)
    online_since: Mapped[dt.date | None]
    planned_until: Mapped[dt.date | None]
    as_of: Mapped[dt.date | None]
    source: Mapped[str | None]
    valid_for: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    """Authorities whose areas it is valid for (`gilt_fuer`), null: its whole area."""
    specialist_system: Mapped[str | None]
    trust_level: Mapped[int | None] = mapped_column(SmallInteger)
    visibility: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    demonstration: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))

    @declared_attr
    def import_run_id(cls) -> Mapped[int | None]:
        """The run that wrote this version."""
        return mapped_column(ForeignKey("import_run.id"))

    valid_from: Mapped[dt.datetime] = mapped_column(server_default=NOW)
    """When this version was written; set anew by every update."""

    @declared_attr
    def public_contact(cls) -> Mapped[str | None]:
        return mapped_column(Text, Computed(_PUBLIC_CONTACT, persisted=True))


class Implementation(ImplementationColumns, Base):
    """Umsetzung: one authority, one service (and identifier). Its id is domain.implementation_id()."""

    __tablename__ = "implementation"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)

    __table_args__ = (
        UniqueConstraint("authority_id", "service_id", "identifier"),
        Index("ix_implementation_service_id", "service_id"),
        Index(
            "ix_implementation_online_since",
            *(text("online_since DESC"), text("id DESC")),
            postgresql_where=text("status = 1 AND online_since IS NOT NULL"),
        ),
        *by_time("implementation", "valid_from"),
        Index("ix_implementation_demonstration", "id", postgresql_where=text("demonstration")),
        offers(),
        CheckConstraint("status BETWEEN 1 AND 5", name="status"),
        CheckConstraint("visibility BETWEEN 1 AND 3", name="visibility"),
        CheckConstraint("url ~* '^https?://'", name="url"),
        CheckConstraint("(maturity IS NULL) = (maturity_model IS NULL)", name="maturity_has_model"),
        CheckConstraint(
            "maturity BETWEEN 0 AND CASE maturity_model WHEN 11 THEN 4 WHEN 20 THEN 7 END", name="maturity"
        ),
        CheckConstraint("contact IS NULL OR contact_kind IN (1, 2)", name="contact_kind"),
    )


class ImplementationHistory(ImplementationColumns, Base):
    """A version of an implementation that no longer holds. Written by triggers alone.

    Its visibility follows the entry's present one, so that a withdrawal works backwards.
    """

    __tablename__ = "implementation_history"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    valid_from: Mapped[dt.datetime] = mapped_column(primary_key=True)
    valid_to: Mapped[dt.datetime]
    ended_by_run_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id"), index=True)
    removed: Mapped[bool]
    """True: the entry was removed; false: a newer version followed."""

    __table_args__ = (
        Index("ix_implementation_history_authority_id_service_id", "authority_id", "service_id"),
        Index("ix_implementation_history_service_id", "service_id"),
        *by_time("implementation_history", "valid_to", "valid_from"),
    )


class Tally(Base):
    """Per audience: which bundles an authority reports, as bit strings over OZG-IDs (bit n is 10000 + n).

    Cumulative, best first, so that the best status over several authorities is a bitwise OR: `planned`
    holds the bundles whose status is planned or better; `reported` all that have a row at all. A row exists
    if the authority has at least one implementation that the audience may see.
    scope: OWN, its own implementations; AVAILABLE, those of its whole chain; tallies.CONTRIBUTED, what it
    gives to its area and those below: its own without those valid for other areas only, and those of
    authorities above that are valid for it alone.
    """

    __tablename__ = "tally"

    audience: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    scope: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    authority_id: Mapped[int] = mapped_column(ForeignKey("authority.id"), primary_key=True)
    online: Mapped[str] = mapped_column(BIT(BUNDLE_BITS))
    in_progress: Mapped[str] = mapped_column(BIT(BUNDLE_BITS))
    planned: Mapped[str] = mapped_column(BIT(BUNDLE_BITS))
    open: Mapped[str] = mapped_column(BIT(BUNDLE_BITS))
    reported: Mapped[str] = mapped_column(BIT(BUNDLE_BITS))
    restricted: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether implementations with `gilt_fuer` took part (in CONTRIBUTED)."""


class DataVersion(Base):
    """One number per audience, moved by triggers whenever something changes that the audience can see."""

    __tablename__ = "data_version"

    audience: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, server_default="1")
    changed_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)
    demonstration: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether demonstration data are among what the audience sees."""
