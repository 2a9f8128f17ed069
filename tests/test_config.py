"""Settings: what is wrong is named; what is documented is what there is."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from mapservice.config import SETTINGS, Settings
from mapservice.errors import ConfigurationError
from tests.conftest import ROOT


def test_defaults_of_the_table_and_of_the_class_agree() -> None:
    assert {setting.field for setting in SETTINGS} == {field.name for field in fields(Settings)}
    from_table = {setting.name: setting.default for setting in SETTINGS if setting.field != "state_dir"}
    assert Settings.from_environment(from_table) == Settings()


def test_every_setting_is_read() -> None:
    settings = Settings.from_environment(
        {
            "MAPSERVICE_DATABASE_URL": "postgres://karte_owner:ge%40heim@db.example:5433/karte",
            "MAPSERVICE_PUBLIC_DATABASE_URL": "postgresql://karte_public@db.example/karte?sslmode=require",
            "MAPSERVICE_STATE_DIR": "/var/lib/karte mit leerzeichen",
            "MAPSERVICE_PUBLIC_URL": "https://karten.example/geoportal/ozg/",
            "MAPSERVICE_VIEW": "Internal",
            "MAPSERVICE_INTERNAL_CONFIRMED": "ja",
            "MAPSERVICE_STATEMENT_TIMEOUT": "2,5",
            "MAPSERVICE_TRUSTED_PROXIES": " 1 ",
        }
    )
    assert settings.database_url == "postgresql+psycopg://karte_owner:ge%40heim@db.example:5433/karte"
    assert (
        settings.public_database_url == "postgresql+psycopg://karte_public@db.example/karte?sslmode=require"
    )
    assert settings.state_dir == Path("/var/lib/karte mit leerzeichen")
    assert settings.public_url == "https://karten.example/geoportal/ozg"
    assert settings.path_prefix == "/geoportal/ozg"
    assert settings.view == "internal"
    assert settings.internal_confirmed
    assert settings.statement_timeout == 2.5
    assert settings.trusted_proxies == 1


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PORT", "acht", "von 1 bis 65535"),
        ("PORT", "70000", "von 1 bis 65535"),
        ("PORT", "-1", "von 1 bis 65535"),
        ("PORT", "٣", "von 1 bis 65535"),
        ("WORKERS", "0", "von 1 bis 64"),
        ("VIEW", "intern", "public oder internal"),
        ("INTERNAL_CONFIRMED", "vielleicht", "ja oder nein"),
        ("STATEMENT_TIMEOUT", "nan", "zwischen 0.1 und 600"),
        ("STATEMENT_TIMEOUT", "0", "zwischen 0.1 und 600"),
        ("LOG_LEVEL", "laut", "debug oder info"),
        ("PUBLIC_URL", "karten.example/ozg", "https://HOST/PFAD/"),
        ("PUBLIC_URL", "https://karten.example/ozg?x=1", "https://HOST/PFAD/"),
        ("PUBLIC_URL", "https://karten.example/o zg", "https://HOST/PFAD/"),
        ("PUBLIC_URL", "javascript:alert(1)", "https://HOST/PFAD/"),
        ("CONTACT_MAIL", "karte", "Mailadresse"),
        ("DATABASE_URL", "mysql://a@b/c", "postgresql://"),
        ("DATABASE_URL", "postgresql://karte_owner@db.example", "DATENBANK"),
        ("HOST", "a\nb", "einzelne Zeile"),
    ],
)
def test_wrong_value_is_refused_by_name(name: str, value: str, allowed: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Settings.from_environment({f"MAPSERVICE_{name}": value})
    assert f"MAPSERVICE_{name}" in refused.value.message
    assert allowed in refused.value.message
    assert refused.value.parameter == f"MAPSERVICE_{name}"


def test_misspelt_setting_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="MAPSERVICE_PROT gibt es nicht"):
        Settings.from_environment({"MAPSERVICE_PROT": "8000"})


def test_an_internal_login_alone_is_refused() -> None:
    url = "postgresql://karte_internal:geheim@db.example/karte"
    with pytest.raises(ConfigurationError, match="steht allein") as refused:
        Settings.from_environment({"MAPSERVICE_INTERNAL_DATABASE_URL": url})
    assert refused.value.parameter == "MAPSERVICE_INTERNAL_DATABASE_URL"
    assert "geheim" not in refused.value.message


def test_passwords_are_not_shown() -> None:
    secret = "postgresql://karte_owner:geheim@db.example/karte"
    assert "geheim" not in repr(Settings.from_environment({"MAPSERVICE_DATABASE_URL": secret}))
    with pytest.raises(ConfigurationError) as refused:
        Settings.from_environment({"MAPSERVICE_DATABASE_URL": secret.replace("postgresql", "mysql")})
    assert "geheim" not in refused.value.message


def test_every_setting_is_documented() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(MAPSERVICE_[A-Z_]+)` \| ([^|]*) \|", text, re.MULTILINE))
    assert list(rows) == [setting.name for setting in SETTINGS]
    for setting in SETTINGS:
        assert rows[setting.name].strip("` ") == (setting.default or "–"), setting.name


TILES = {
    "MAPSERVICE_BASEMAP_NAME": "Grau",
    "MAPSERVICE_BASEMAP_ATTRIBUTION": "© Beispiel",
}


def test_addresses_of_tiles_are_read_as_xyz_and_as_wmts() -> None:
    def read(url: str) -> str | None:
        return Settings.from_environment({**TILES, "MAPSERVICE_BASEMAP_URL": url}).basemap_url

    assert read("https://a.example/{z}/{x}/{y}.png") == "https://a.example/{z}/{x}/{y}.png"
    rest = "https://a.example/w/{TileMatrix}/{TileRow}/{TileCol}.png"
    assert read(rest) == "https://a.example/w/{z}/{y}/{x}.png"
    kvp = "https://a.example/?SERVICE=WMTS&TILEMATRIX={tilematrix}&TILEROW={TILEROW}&TILECOL={TileCol}"
    assert read(kvp) == "https://a.example/?SERVICE=WMTS&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}"
    assert read("http://127.0.0.1:9/{z}/{x}/{y}") == "http://127.0.0.1:9/{z}/{x}/{y}"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://a.example/{z}/{x}.png", "{y}"),
        ("http://a.example/{z}/{x}/{y}.png", "https"),
        ("https://{s}.a.example/{z}/{x}/{y}.png", "HOST"),
        ("https://a.example/{z}/{x}/{y}{r}.png", "Unbekannt ist {r}"),
        ("https://u:p@a.example/{z}/{x}/{y}.png", "HOST"),
        ("https://a.example;script-src/{z}/{x}/{y}.png", "HOST"),
        ("tiles", "HOST"),
    ],
)
def test_wrong_addresses_of_tiles_stop_the_start(url: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match="MAPSERVICE_BASEMAP_URL") as caught:
        Settings.from_environment({**TILES, "MAPSERVICE_BASEMAP_URL": url})
    assert said in str(caught.value)


@pytest.mark.parametrize("missing", ["URL", "NAME", "ATTRIBUTION"])
def test_a_base_map_without_name_or_source_stops_the_start(missing: str) -> None:
    given = {**TILES, "MAPSERVICE_BASEMAP_URL": "https://a.example/{z}/{x}/{y}"}
    del given[f"MAPSERVICE_BASEMAP_{missing}"]
    with pytest.raises(ConfigurationError, match=f"fehlt MAPSERVICE_BASEMAP_{missing}"):
        Settings.from_environment(given)
