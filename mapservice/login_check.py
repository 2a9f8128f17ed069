"""Whether the login that serves the public could read, or do, more than the public may.

Looks at every role the login is or could become (SET ROLE included), at attributes, ownership, privileges
on tables and columns, and at row-level security itself. Everything comes from the catalogues, which any
role may read, so the check runs with the very login it judges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mapservice.errors import ConfigurationError
from mapservice.privileges import (
    PORTAL_SCHEMA,
    PORTAL_VIEWS,
    PROTECTED_TABLES,
    PUBLIC_COLUMNS,
    PUBLIC_POLICY,
    PUBLIC_TABLES,
    Roles,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

_ATTRIBUTES = {
    "rolsuper": "ist Superuser",
    "rolbypassrls": "umgeht die Zeilensicherheit (BYPASSRLS)",
    "rolcreaterole": "darf Rollen anlegen und sich so Rechte geben (CREATEROLE)",
    "rolreplication": "darf die ganze Datenbank abziehen (REPLICATION)",
}
# Predefined roles that read past privileges or row-level security, or see what others are asking.
_PREDEFINED = (
    "pg_read_all_data",
    "pg_write_all_data",
    "pg_read_server_files",
    "pg_write_server_files",
    "pg_execute_server_program",
    "pg_read_all_stats",
    "pg_monitor",
    "pg_maintain",
    "pg_create_subscription",
)

# Every role that the login is a member of, by whatever way; itself included.
_ROLES = """
SELECT r.oid, r.rolname, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolreplication, r.rolcreatedb
FROM pg_roles r WHERE pg_has_role(session_user, r.oid, 'MEMBER')
"""
# Tables and the like that are ours: PostGIS has its own, which belong to the extension.
_RELATIONS = """
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relowner, c.relrowsecurity, c.relforcerowsecurity,
    coalesce('security_invoker=true' = ANY(c.reloptions), false) AS as_asker
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                  AND d.deptype = 'e')
"""
_OWNED = f"""
SELECT relations.relname, r.rolname FROM ({_RELATIONS}) relations
JOIN ({_ROLES}) r ON r.oid = relations.relowner ORDER BY 1
"""  # noqa: S608 - constants of this module
_CREATES = f"""
SELECT r.rolname, what FROM ({_ROLES}) r CROSS JOIN LATERAL (
    SELECT 'schema ' || n.nspname AS what FROM pg_namespace n
    WHERE n.nspname NOT LIKE 'pg\\_%' AND has_schema_privilege(r.oid, n.oid, 'CREATE')
    UNION ALL
    SELECT 'database ' || d.datname FROM pg_database d
    WHERE d.datname = current_database()
      AND (has_database_privilege(r.oid, d.oid, 'CREATE') OR d.datdba = r.oid
           OR r.rolcreatedb AND d.datistemplate)
) created ORDER BY 1, 2
"""  # noqa: S608
_WRITES = f"""
SELECT DISTINCT relations.relname, p.privilege
FROM ({_RELATIONS}) relations CROSS JOIN ({_ROLES}) r
CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p(privilege)
WHERE relations.relkind <> 'S'
  AND (has_table_privilege(r.oid, relations.oid, p.privilege)
       OR p.privilege IN ('INSERT', 'UPDATE', 'REFERENCES')
          AND has_any_column_privilege(r.oid, relations.oid, p.privilege))
ORDER BY 1, 2
"""  # noqa: S608
_READS = f"""
SELECT DISTINCT relations.relname, a.attname
FROM ({_RELATIONS}) relations CROSS JOIN ({_ROLES}) r
JOIN pg_attribute a ON a.attrelid = relations.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE relations.relkind <> 'S' AND has_column_privilege(r.oid, relations.oid, a.attnum, 'SELECT')
  -- A view that runs as its asker shows nothing that the tables do not.
  AND NOT (relations.nspname = :schema AND relations.relname = ANY(:views) AND relations.as_asker)
ORDER BY 1, 2
"""  # noqa: S608
_UNPROTECTED = f"""
SELECT relname FROM ({_RELATIONS}) relations
WHERE relname = ANY(:tables) AND NOT (relrowsecurity AND relforcerowsecurity) ORDER BY 1
"""  # noqa: S608
_POLICIES = f"""
SELECT c.relname, p.polname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
WHERE c.relname = ANY(:tables) AND p.polpermissive AND p.polname <> :policy
  AND (0 = ANY(p.polroles) OR EXISTS (SELECT FROM ({_ROLES}) r WHERE r.oid = ANY(p.polroles)))
ORDER BY 1, 2
"""  # noqa: S608


def roles_of(connection: Connection) -> Roles:
    """The three roles of the connected database: named after its owner role, else after the database."""
    from sqlalchemy import text

    owner, database = connection.execute(
        text("SELECT pg_get_userbyid(datdba), datname FROM pg_database WHERE datname = current_database()")
    ).one()
    return Roles.of(owner.removesuffix("_owner") if owner.endswith("_owner") else database)


def problems(connection: Connection) -> list[str]:
    """German sentences, one for each reason against this login; none: it may serve the public."""
    from sqlalchemy import text

    def rows(statement: str, **values: object) -> list[tuple[str, ...]]:
        return [tuple(row) for row in connection.execute(text(statement), values)]

    login = connection.execute(text("SELECT session_user")).scalar_one()
    expected = roles_of(connection)
    found: list[str] = []

    def of(role: str) -> str:
        return (
            f"Der Zugang {login}" if role == login else f"Der Zugang {login} ist Mitglied von {role}; {role}"
        )

    member_names = set()
    for row in connection.execute(text(_ROLES)).mappings():
        member_names.add(row["rolname"])
        found += [f"{of(row['rolname'])} {meaning}." for name, meaning in _ATTRIBUTES.items() if row[name]]
    if any("Superuser" in reason for reason in found):
        # A superuser is a member of everything; the rest of the list would only hide that.
        return [reason for reason in found if reason.startswith(f"Der Zugang {login} ist Superuser")] or found
    for role in (expected.owner, expected.internal, *_PREDEFINED):
        if role in member_names:
            found.append(
                f"Der Zugang ist die Rolle {role}, nicht {expected.public}."
                if role == login
                else f"Der Zugang {login} ist Mitglied der Rolle {role}."
            )
    if expected.public not in member_names:
        found.append(f"Der Zugang {login} ist weder {expected.public} noch Mitglied dieser Rolle.")
    for relation, role in rows(_OWNED):
        found.append(f"{of(role)} besitzt die Tabelle {relation}.")
    for role, what in rows(_CREATES):
        found.append(f"{of(role)} darf etwas anlegen: {what}.")
    for relation, privilege in rows(_WRITES):
        found.append(f"Der Zugang {login} hat auf {relation} das Recht {privilege}.")
    columns: dict[str, list[str]] = {}
    for relation, column in rows(_READS, schema=PORTAL_SCHEMA, views=sorted(PORTAL_VIEWS)):
        if relation not in PUBLIC_TABLES and column not in PUBLIC_COLUMNS.get(relation, ()):
            columns.setdefault(relation, []).append(column)
    for relation, names in columns.items():
        found.append(f"Der Zugang {login} darf aus {relation} lesen: {', '.join(names)}.")
    tables = list(PROTECTED_TABLES)
    for (relation,) in rows(_UNPROTECTED, tables=tables):
        found.append(f"Die Zeilensicherheit der Tabelle {relation} ist abgeschaltet.")
    for relation, policy in rows(_POLICIES, tables=tables, policy=PUBLIC_POLICY):
        found.append(f"Die Regel {policy} öffnet die Tabelle {relation} über das Öffentliche hinaus.")
    return found


def check_public_login(connection: Connection) -> None:
    """Raise ConfigurationError with the reasons if the connected login must not serve the public."""
    reasons = problems(connection)
    if reasons:
        shown = "\n".join(f"  - {reason}" for reason in reasons[:20])
        more = f"\n  … und {len(reasons) - 20} weitere" if len(reasons) > 20 else ""
        raise ConfigurationError(
            "Der öffentliche Zugang zur Datenbank könnte mehr lesen, als die Öffentlichkeit darf:\n"
            f"{shown}{more}\n"
            "Passende Rollen legt an: mapservice database init --print-sql",
            parameter="MAPSERVICE_PUBLIC_DATABASE_URL",
        )
