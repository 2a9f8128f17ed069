"""A handful of authorities with their areas, without geometry that matters: for tests of rows."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, insert, select

from mapservice.domain import FEDERATION, Level, ags_of, pad_ars
from mapservice.layers import atlas
from mapservice.layers.positions import Positions, positions
from mapservice.models import Authority, Boundary, BoundaryRelease

NRW, SH = "050000000000", "010000000000"
WARENDORF_DISTRICT, MUENSTER, DITHMARSCHEN = "055700000000", "055150000000", "010510000000"
OELDE, WARENDORF = "055700028028", "055700052052"
BURG = "010515163000"
AVERLAK, BRICKELN = "010515163003", "010515163012"
BRUNSBUETTEL = "010510011011"
FORMER = "055700099099"
FOREST = "010539105105"

_PLACES = (
    (NRW, "Nordrhein-Westfalen", "Land", 2),
    (SH, "Schleswig-Holstein", "Land", 2),
    (WARENDORF_DISTRICT, "Warendorf", "Kreis", 4),
    (DITHMARSCHEN, "Dithmarschen", "Kreis", 4),
    (MUENSTER, "Münster", "Kreisfreie Stadt", 4 | 8 | 32),
    (BURG, "Burg-St. Michaelisdonn", "Amt", 16),
    (OELDE, "Oelde", "Stadt", 32),
    (WARENDORF, "Warendorf", "Stadt", 32),
    (BRUNSBUETTEL, "Brunsbüttel", "Stadt", 32),
    (AVERLAK, "Averlak", "Gemeinde", 32),
    (BRICKELN, "Brickeln", "Gemeinde", 32),
)


def add_places(connection: Connection) -> dict[str, int]:
    """Insert a current release with states, districts, an Amt, municipalities, a forest without authority and
    a former municipality. Returns ids of authorities by ARS."""
    release = connection.execute(
        insert(BoundaryRelease)
        .values(
            name="VG250 (Test)",
            source="Test",
            as_of=dt.date(2016, 1, 1),
            licence="Test",
            attribution="Test",
            checksum="0" * 64,
            crs="EPSG:25832",
            complete=True,
            is_current=True,
        )
        .returning(BoundaryRelease.id)
    ).scalar_one()
    federation = select(Authority.id).where(Authority.ars == FEDERATION)
    ids = {FEDERATION: connection.execute(federation).scalar_one()}
    for ars, name, designation, kinds in _PLACES:
        above = {
            "state_id": ids.get(pad_ars(ars[:2])),
            "district_id": ids.get(pad_ars(ars[:5])),
            "association_id": ids.get(pad_ars(ars[:9])),
        }
        ids[ars] = connection.execute(
            insert(Authority)
            .values(
                ars=ars,
                ags=ags_of(ars),
                name=name,
                designation=designation,
                kinds=kinds,
                chain_kinds=63,
                **above,
            )
            .returning(Authority.id)
        ).scalar_one()
    connection.execute(
        insert(Authority).values(
            ars=FORMER, ags=ags_of(FORMER), name="Altdorf", kinds=32, chain_kinds=63, is_current=False
        )
    )
    areas = [
        # the area of the Amt's level that holds Brunsbüttel alone has a key of its own
        (Level.ASSOCIATION, "010510011", "Brunsbüttel", ids[BRUNSBUETTEL]),
        (Level.MUNICIPALITY, FOREST, "Sachsenwald (Forstgutsbezirk)", None),
    ]
    connection.execute(
        insert(Boundary),
        [
            {
                "release_id": release,
                "level": int(level),
                "ordinal": number,
                "key": key,
                "ars": pad_ars(key),
                "authority_id": authority_id,
                "name": name,
                "area_m2": 1.0,
                "label_point": "SRID=4326;POINT(9 54)",
                "west": 9.0,
                "south": 54.0,
                "east": 9.1,
                "north": 54.1,
                "geom": "SRID=25832;MULTIPOLYGON(((0 0,1 0,1 1,0 0)))",
            }
            for number, (level, key, name, authority_id) in enumerate(areas)
        ],
    )
    return ids


CATALOGUE = """\
themenfeld;lage;ozg_id;ozg_leistung;leika_schluessel;leika_leistung;leika_typ;zustaendig
Familie & Kind;Geburt;10000;Elterngeld;99041009000000;Elterngeld;2/3;Kreis|kreisfreie Stadt
Familie & Kind;Geburt;10000;Elterngeld;99041009017000;Elterngeld Bewilligung;2/3;Kreis|kreisfreie Stadt
Bauen & Wohnen;Wohnen & Umzug;10117;Grundsteuer;;;;
Querschnitt;Querschnitt Bürger;10119;Personalausweis;nicht im LeiKa;Ausweis verloren;1, 2/3;Gemeinde
Steuern & Zoll;Steuern;10360;Biersteuer;99102002000000;Biersteuer;1;
;;;;99089022000000;Angriffe durch Tiere;2/3;
"""


def current_positions(connection: Connection) -> Positions:
    """Those of the current release, as a worker keeps them."""
    release = atlas.release(connection)
    assert release is not None
    return positions(connection, release.id)
