"""The three roles of a database: SQL that creates them, and the check that a login reads no more than it may.

Roles belong to the whole server, so their names derive from the database's: `<database>_owner` (migrations
and imports, owns the tables, no superuser), `<database>_internal`, `<database>_public`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

# What the public role may read at the newest version of the schema. The migrations grant it; a test
# compares the two, so that a grant too many is noticed here and not on the internet.
PUBLIC_TABLES = frozenset(
    {
        "boundary_release",
        "boundary",
        "boundary_shape",
        "boundary_neighbour",
        "geometry_file",
        "subject_area",
        "life_situation",
        "publication",
        "service",
        "tally",
        "data_version",
        "search_term",
        "register_entry",
        "register_user",
        "register_word",
    }
)
PORTAL_SCHEMA = "portal"
PORTAL_VIEWS = frozenset({"states", "districts", "associations", "municipalities", "implementations"})
"""Views for other engines (docs/engines.md): they run with the rights of whoever asks."""
_AUTHORITY = """id ars ags name designation kinds chain_kinds association_id district_id state_id is_current
    population postcode website service_portal public_contact"""
_IMPLEMENTATION = """id authority_id service_id identifier status url solution_kind solution_id maturity_model
    maturity reusable reuse_note public_contact online_since planned_until as_of source valid_for
    specialist_system trust_level demonstration valid_from"""
PUBLIC_COLUMNS = {
    "authority": frozenset(_AUTHORITY.split()),
    "implementation": frozenset(_IMPLEMENTATION.split()),
    "solution": frozenset({"id", "public_id", "name", "demonstration"}),
    "authority_group": frozenset({"id", "key", "name", "public_description", "demonstration"}),
    "group_member": frozenset({"group_id", "authority_id", "position"}),
    "target_list": frozenset({"id", "key", "name", "demonstration"}),
    "target": frozenset({"id", "list_id", "service_id", "position"}),
    "commitment": frozenset({"id", "target_id", "authority_id", "who", "role", "due", "note"}),
    "implementation_history": frozenset([*_IMPLEMENTATION.split(), "valid_to"]),
}
PROTECTED_TABLES = (
    "import_run",
    "import_rejection",
    "publication",
    "service",
    "solution",
    "implementation",
    "implementation_history",
    "tally",
    "data_version",
    "authority_group",
    "group_member",
    "target_list",
    "target",
    "commitment",
    "register_entry",
    "register_user",
    "register_word",
)
"""Tables with row-level security, forced on the owner too."""
PUBLIC_POLICY = "public_rows"


@dataclass(frozen=True)
class Roles:
    """Names of the three roles of one database."""

    owner: str
    internal: str
    public: str

    @classmethod
    def of(cls, database: str) -> Roles:
        return cls(f"{database}_owner", f"{database}_internal", f"{database}_public")

    def __iter__(self) -> Iterator[str]:
        return iter((self.owner, self.internal, self.public))


def quote(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """The text as an SQL string."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


# Attributes are stated one by one: a role that exists already is brought to them by ALTER ROLE.
_ATTRIBUTES = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"


def role_statement(role: str, password: str | None = None) -> str:
    """CREATE ROLE for one of the three."""
    secret = f" PASSWORD {literal(password)}" if password else ""
    return f"CREATE ROLE {quote(role)} {_ATTRIBUTES}{secret}"


def engine_login_statements(login: str, roles: Roles) -> list[str]:
    """A login of another engine: a member of the public role that can only read, and not for long."""
    name = quote(login)
    return [
        role_statement(login),
        f"GRANT {quote(roles.public)} TO {name}",
        f"ALTER ROLE {name} SET default_transaction_read_only = on",
        f"ALTER ROLE {name} SET statement_timeout = '30s'",
        f"ALTER ROLE {name} SET search_path = {PORTAL_SCHEMA}, public",
    ]


def database_statement(database: str, roles: Roles) -> str:
    """CREATE DATABASE, owned by the owner role."""
    return (
        f"CREATE DATABASE {quote(database)} OWNER {quote(roles.owner)}"
        " TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
    )


def inside_statements(database: str, roles: Roles) -> list[str]:
    """What an administrator does inside the new database: the extension, and who may connect and create."""
    owner, internal, public = (quote(role) for role in roles)
    return [
        "CREATE EXTENSION IF NOT EXISTS postgis SCHEMA public",
        # Before PostgreSQL 15 everybody could create tables here, since then only the database's owner.
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"GRANT USAGE, CREATE ON SCHEMA public TO {owner}",
        f"REVOKE ALL ON DATABASE {quote(database)} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {quote(database)} TO {internal}, {public}",
    ]


def script(database: str) -> str:
    """For psql, run by an administrator: roles, database, extension. May be run again."""
    roles = Roles.of(database)
    lines = [
        "-- OZG-Landkarte: Rollen, Datenbank und PostGIS. Als Administrator ausführen, zum Beispiel:",
        "--   mapservice database init --print-sql | psql -v ON_ERROR_STOP=1 -d postgres",
    ]
    for role in roles:
        lines += [
            f"SELECT {literal(role_statement(role))}",
            f"    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {literal(role)}) \\gexec",
        ]
    lines += [
        f"SELECT {literal(database_statement(database, roles))}",
        f"    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = {literal(database)}) \\gexec",
        f"\\connect {quote(database)}",
        *(f"{statement};" for statement in inside_statements(database, roles)),
        "-- Passwörter setzen, wo die Anmeldung eines verlangt (psql fragt danach):",
        *(f"--   \\password {quote(role)}" for role in roles),
        "-- Dann als Eigentümer die Tabellen anlegen: mapservice database migrate, mit",
        f"--   MAPSERVICE_DATABASE_URL=postgresql://{roles.owner}:PASSWORT@HOST/{database}",
        f"--   MAPSERVICE_INTERNAL_DATABASE_URL=postgresql://{roles.internal}:PASSWORT@HOST/{database}",
        f"--   MAPSERVICE_PUBLIC_DATABASE_URL=postgresql://{roles.public}:PASSWORT@HOST/{database}",
    ]
    return "\n".join(lines) + "\n"
