"""Show levels and implementations as views to GeoServer, QGIS Server, MapServer, pg_tileserv and the like.

Only the public role may read the schema `portal`. Its views run with the rights of whoever asks
(security_invoker), so that policies and column grants hold in them as in the tables. PostgreSQL knows that
from version 15; before, a view would read as the owner, who sees everything, and so none is made.
The numbers are those of docs/counting.md without any filter.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mapservice.domain import SUBJECT_AREAS

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

LEVELS = {"states": 1, "districts": 2, "associations": 3, "municipalities": 4}
STATUS = (
    "CASE i.status WHEN 1 THEN 'online' WHEN 2 THEN 'in_progress' WHEN 3 THEN 'planned'"
    " WHEN 4 THEN 'open' ELSE 'not_responsible' END"
)
WORDS = {
    "id": "Number of the row, unique within the view; moves with each import of boundaries",
    "key": "Key of the boundary at its level: 2, 5, 9 or 12 digits",
    "authority": "ARS of the authority, 12 digits; null: gemeindefrei",
    "services_online": "OZG services that the authority itself reports as online",
    "services_in_progress": "OZG services that are being implemented",
    "services_planned": "OZG services that are planned",
    "services_total": "OZG services that the authority is responsible for",
    "available_online": "OZG services online at the authority or one above it",
    "available_total": "OZG services that it or one above it is responsible for",
    "reason": "Why there is no number: no_data, not_responsible, unincorporated",
    "available_reason": "Why there is no available number",
    "demonstration": "True: demonstration data are among the entries, made up",
    "attribution": "To be shown wherever the geometry is shown",
    "geom": "EPSG:4326, generalised to 100 m",
}


def _masks() -> str:
    """Rule 4: the services that authorities of these kinds are responsible for, all and by subject area."""
    subjects = "".join(
        f", bit_or(s.bit) FILTER (WHERE s.subject_area_id = {n}) AS subject_{n}"
        for n in range(1, len(SUBJECT_AREAS) + 1)
    )
    return (
        f"SELECT k.kinds, bit_or(s.bit) AS mask{subjects}"
        " FROM (SELECT kinds FROM authority UNION SELECT chain_kinds FROM authority) k"
        " JOIN service s ON s.kind = 1 AND NOT s.retired AND s.responsible & k.kinds <> 0 GROUP BY k.kinds"
    )


def _of(tally: str, mask: str) -> str:
    """How many services of the mask are not not_responsible (rule 7)."""
    return f"(bit_count({mask}) - bit_count({tally}.reported & ~{tally}.open & {mask}))::integer"


def _reason(tally: str, of: str) -> str:
    """Rule 6."""
    return (
        f"CASE WHEN b.authority_id IS NULL THEN 'unincorporated' WHEN {tally}.authority_id IS NULL"
        f" THEN 'no_data' WHEN coalesce({of}, 0) = 0 THEN 'not_responsible' END"
    )


def _number(of: str, bits: str) -> str:
    return f"CASE WHEN {of} > 0 THEN bit_count({bits})::integer END"


def _level_view(name: str, level: int) -> str:
    own, available = _of("t", "m.mask"), _of("a", "c.mask")
    subjects = ", ".join(
        _number(_of("t", f"m.subject_{n}"), f"t.online & m.subject_{n}") + f" AS online_{slug}"
        for n, (slug, _name) in enumerate(SUBJECT_AREAS, 1)
    )
    return f"""
CREATE VIEW portal.{name} WITH (security_invoker = true) AS
WITH mask AS MATERIALIZED ({_masks()})
SELECT b.id, b.key, b.ars, h.ars AS authority, b.name, b.designation,
    district.name AS district, state.name AS state,
    {_number(own, "t.online & m.mask")} AS services_online,
    {_number(own, "t.in_progress & ~t.online & m.mask")} AS services_in_progress,
    {_number(own, "t.planned & ~t.in_progress & m.mask")} AS services_planned,
    CASE WHEN {own} > 0 THEN {own} END AS services_total,
    {_reason("t", own)} AS reason,
    {_number(available, "a.online & c.mask")} AS available_online,
    CASE WHEN {available} > 0 THEN {available} END AS available_total,
    {_reason("a", available)} AS available_reason,
    {subjects},
    (SELECT v.demonstration FROM data_version v WHERE v.audience = 3) AS demonstration,
    r.attribution, r.as_of AS boundaries_as_of, shape.geom
FROM boundary_release r
JOIN boundary b ON b.release_id = r.id AND b.level = {level}
JOIN boundary_shape shape ON shape.boundary_id = b.id AND shape.detail = 100
LEFT JOIN boundary district ON district.id = b.district_id
LEFT JOIN boundary state ON state.id = b.state_id
LEFT JOIN authority h ON h.id = b.authority_id
LEFT JOIN tally t ON t.authority_id = h.id AND t.scope = 1 AND t.audience = 3
LEFT JOIN tally a ON a.authority_id = h.id AND a.scope = 2 AND a.audience = 3
LEFT JOIN mask m ON m.kinds = h.kinds
LEFT JOIN mask c ON c.kinds = h.chain_kinds
WHERE r.is_current
"""


IMPLEMENTATIONS = f"""
CREATE VIEW portal.implementations WITH (security_invoker = true) AS
SELECT i.id, h.ars AS authority, h.name AS authority_name, h.designation,
    s.key AS service, s.name AS service_name, coalesce(subject.slug, above.slug) AS subject,
    {STATUS} AS status, i.url, i.public_contact AS contact,
    i.online_since, i.planned_until, i.as_of, i.source, i.demonstration, b.label_point AS geom
FROM implementation i
JOIN authority h ON h.id = i.authority_id
JOIN service s ON s.id = i.service_id
LEFT JOIN service bundle ON bundle.id = s.parent_id
LEFT JOIN subject_area subject ON subject.id = s.subject_area_id
LEFT JOIN subject_area above ON above.id = bundle.subject_area_id
LEFT JOIN boundary b ON b.id = (
    SELECT area.id FROM boundary area JOIN boundary_release r ON r.id = area.release_id
    WHERE r.is_current AND area.authority_id = i.authority_id ORDER BY area.level LIMIT 1
)
"""


def upgrade() -> None:
    bind = op.get_bind()
    if bind.execute(sa.text("SELECT current_setting('server_version_num')::integer")).scalar_one() < 150000:
        return
    database = bind.execute(sa.text("SELECT current_database()")).scalar_one()
    public = bind.dialect.identifier_preparer.quote(f"{database}_public")
    op.execute("CREATE SCHEMA portal")
    for name, level in LEVELS.items():
        op.execute(_level_view(name, level))
        for column, words in WORDS.items():
            op.execute(f"COMMENT ON COLUMN portal.{name}.{column} IS '{words}'")
        for slug, title in SUBJECT_AREAS:
            op.execute(f"COMMENT ON COLUMN portal.{name}.online_{slug} IS 'OZG services online: {title}'")
        op.execute(
            f"COMMENT ON VIEW portal.{name} IS 'OZG services by area. Show the attribution of the column of"
            " that name; say so where demonstration is true.'"
        )
    op.execute(IMPLEMENTATIONS)
    op.execute(
        "COMMENT ON VIEW portal.implementations IS 'Which authority offers which service; geom is the label"
        " point of its area, EPSG:4326, null for the federation. Boundaries: attribution as in portal.states.'"
    )
    op.execute(f"GRANT USAGE ON SCHEMA portal TO {public}")
    op.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA portal TO {public}")


def downgrade() -> None:
    for name in (*LEVELS, "implementations"):
        op.execute(f"DROP VIEW IF EXISTS portal.{name}")
    op.execute("DROP SCHEMA IF EXISTS portal")
