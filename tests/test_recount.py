"""Every number of every area, recounted with pandas alone from the files that the commands import.

The rules are in docs/counting.md, the recount in tests/recount/, which shares no code with the service.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import random
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy import select

from mapservice import create_app, privileges
from mapservice.cli import cli
from mapservice.config import Settings
from mapservice.database import Database
from mapservice.models import LifeSituation, SubjectArea
from mapservice.postgres import Server
from tests import grid_country, outputs
from tests.boundary_fixture import SMALL
from tests.conftest import TEMPLATE, urls_of
from tests.recount import areas, catalogue, count, entries, small
from tests.recount.compare import REASONS, Comparison
from tests.recount.count import Filter

AUDIENCES = ("public", "internal")
SCOPES = ("own", "available")
STATUSES = ("online", "in_progress", "planned", "open")


@dataclass
class World:
    """The same files once in the service's database and once as tables for the recount."""

    database: Database
    land: areas.Land
    catalogue: catalogue.Catalogue
    entries: pd.DataFrame
    published: set[str]
    population: dict[str, int]

    def run(self, *arguments: object) -> str:
        """Run a command of the service; returns what it says."""
        urls = self.database.urls
        environment = {
            "MAPSERVICE_DATABASE_URL": urls.owner,
            "MAPSERVICE_INTERNAL_DATABASE_URL": urls.internal,
            "MAPSERVICE_PUBLIC_DATABASE_URL": urls.public,
            "MAPSERVICE_STATE_DIR": str(self.database.settings.state_dir),
        }
        result = CliRunner().invoke(cli, [str(item) for item in arguments], env=environment)
        assert result.exit_code == 0, (arguments[:3], result.output, result.exception)
        return result.output

    def publish(self, keys: Iterable[str]) -> None:
        chosen = sorted(keys)
        self.run("publish", *chosen)
        self.published |= set(chosen)

    def unpublish(self, keys: Iterable[str]) -> None:
        chosen = sorted(keys)
        self.run("unpublish", *chosen)
        self.published -= set(chosen)

    def import_more(self, path: Path, *, replace: bool = False) -> None:
        """Import a further file; replace ends what the authorities in it no longer list."""
        self.run("import", "implementations", "--mode", "replace" if replace else "update", path)
        read = entries.read_entries(path, self.catalogue, self.land.authorities).table
        before = self.entries
        if replace:
            before = before[~before["authority"].isin(read["authority"])]
        self.entries = pd.concat([before, read]).drop_duplicates(
            ["authority", "service", "identifier"], keep="last"
        )

    def client(self, audience: str) -> FlaskClient:
        settings = dataclasses.replace(self.database.settings, view=audience)
        return create_app(settings, self.database).test_client()

    def situations(self) -> dict[tuple[str, str], int]:
        with self.database.owner() as connection:
            rows = connection.execute(
                select(SubjectArea.slug, LifeSituation.name, LifeSituation.id).join(
                    LifeSituation, LifeSituation.subject_area_id == SubjectArea.id
                )
            )
            return {(slug, name): number for slug, name, number in rows}

    def comparison(self, audience: str) -> Comparison:
        recount = count.Recount(
            self.land, self.catalogue, self.entries, audience, self.published, self.population
        )
        return Comparison(self.client(audience), recount, self.situations(), audience)


def by_turns(filters: Sequence[Filter], audience: str, scope: str) -> Iterator[tuple[Filter, Sequence[str]]]:
    """Each filter with all levels for the public; internally, where the same statements read other rows,
    with half of the levels in each scope.
    """
    for number, query in enumerate(filters):
        if audience == "public":
            yield query, list(areas.DIGITS)
        else:
            yield query, list(areas.DIGITS)[(number + (scope == "available")) % 2 :: 2]


def agree(comparison: Comparison) -> None:
    assert comparison.compared
    assert not comparison.differences, comparison.report()[:8000]


@pytest.fixture(scope="module")
def copy_of(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Database]]:
    """A database of the module's own, copied from a template; `settings` name it."""
    made: dict[str, Database] = {}

    def copy(source: str) -> Database:
        name = f"recount_{len(made)}"
        roles = privileges.Roles.of(TEMPLATE)
        with server.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} OWNER {roles.owner} TEMPLATE {source}".encode())
        urls = urls_of(server, name, roles)
        settings = Settings(
            state_dir=tmp_path_factory.mktemp("state"),
            database_url=urls.owner,
            internal_database_url=urls.internal,
            public_database_url=urls.public,
        )
        made[name] = Database(urls, settings)
        return made[name]

    yield copy
    for name, database in made.items():
        database.dispose()
        with server.connect() as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_the_recount_is_independent() -> None:
    """It imports pandas and the standard library, nothing else."""
    paths = sorted(Path(areas.__file__).parent.glob("*.py"))
    assert Path(count.__file__) in paths
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            else:
                continue
            for name in names:
                assert name.split(".")[0] in {*sys.stdlib_module_names, "pandas"}, (path.name, name)


# --- the small country: runs everywhere ------------------------------------------------------------


@pytest.fixture(scope="module")
def small_world(
    copy_of: Callable[[str], Database], boundaries_template: str, tmp_path_factory: pytest.TempPathFactory
) -> World:
    """Nine districts, with a catalogue that lost three rows since, half of the authorities published."""
    folder = tmp_path_factory.mktemp("small")
    land = areas.land(areas.read_topojson(SMALL))
    earlier, present = (catalogue.read_catalogue(path) for path in small.write_catalogues(folder))
    small.write_implementations(folder / "implementations.csv", land)
    read = entries.read_entries(folder / "implementations.csv", earlier, land.authorities)
    assert min(read.rejected, read.superseded) > 20
    world = World(
        copy_of(boundaries_template),
        land,
        catalogue.succeeded(earlier, present),
        read.table,
        set(),
        _write_population(folder / "population.csv", land),
    )
    world.run("import", "authorities", folder / "population.csv")
    world.run("import", "catalogue", folder / "earlier.csv")
    world.run("import", "implementations", folder / "implementations.csv")
    world.run("import", "catalogue", folder / "catalogue.csv")
    # Neither the federation nor one of the states, so that the public meets areas without any data.
    draw = random.Random(3)
    candidates = [ars for ars in land.authorities if not ars.endswith("0000000000")]
    world.publish(draw.sample(candidates, len(candidates) // 2))
    return world


def _write_population(path: Path, land: areas.Land) -> dict[str, int]:
    """Inhabitants of two thirds of the authorities."""
    draw = random.Random(5)
    chosen = [ars for ars in land.authorities if ars != areas.FEDERATION and draw.random() < 0.67]
    known = {ars: draw.randint(50, 300_000) for ars in chosen}
    rows = [f"{ars};{number}" for ars, number in known.items()]
    path.write_text("\n".join(["ars;einwohner", *rows]), encoding="utf-8")
    return known


SELECTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"subjects": ("umwelt",)},
    {"subjects": ("bauen_wohnen", "gesundheit")},
    {"subjects": ("bildung",)},
    {"situations": (("umwelt", "Sonstiges"),)},
    {"situations": (("bauen_wohnen", "Sonstiges"), ("familie_kind", "Geburt"))},
    {
        "subjects": ("querschnittsleistungen",),
        "situations": (("umwelt", "Abfall"), ("bauen_wohnen", "Bauen")),
    },
    {"services": ("10001", "10101", "99004002000000", "eigen:Hundefotos")},
    {"services": ("10004", "10202", "10203")},
)
SIXTEEN = (
    *("10001", "10104", "10201", "10901", "10950", "10951", "99001001000000", "99001001001000"),
    *("99001002001000", "99001004000000", "99002004000000", "99002004001000", "99003003000000"),
    *("99004002001000", "99005003000000", "eigen:Hundefotos"),
)
"""For which every kind is responsible: sixteenths have a 5 in the fourth decimal."""
ONE_SERVICE = (
    *("10001", "10002", "10004", "10101", "10103", "10202", "10301", "10951", "10999"),
    *("99001001000000", "99001001002000", "99002001000000", "99003003001000", "99004002001000"),
    *("99009001000000", "99009002000000", "eigen:Bürger-App"),
)
"""Bundles and LeiKa services of all shapes of `zustaendig`, retired ones, without bundle, one's own."""
REGIONS = (
    ("055",),
    ("05570", "11"),
    ("031545401", "050000000000"),
    ("055700000000", "040110000000"),
    ("073345001000", "055700044044", "110000000000", "055150000000"),
)


OF_ENTRIES: tuple[dict[str, Any], ...] = (
    {"kinds": ("efa",)},
    {"kinds": ("in_house", "reuse"), "maturity": "1.1:2"},
    {"maturity": "2.0:3"},
    {"confirmed": "2025-01-14"},
    {"kinds": ("efa", "specialist_system"), "maturity": "1.1:0", "confirmed": "2024-06-01"},
)


def entry_filters(scope: str) -> list[Filter]:
    """Each of OF_ENTRIES with another selection, measure and status."""
    everything, mixed, leika, one, region = (Filter(scope=scope, **chosen) for chosen in OF_ENTRIES)
    return [
        everything,
        dataclasses.replace(everything, measure="share", subjects=("umwelt", "bauen_wohnen")),
        dataclasses.replace(mixed, services=("10001", "10101", "99004002000000", "eigen:Hundefotos")),
        dataclasses.replace(mixed, statuses=("open", "not_responsible")),
        dataclasses.replace(leika, services=("99001001000000",), measure="status"),
        dataclasses.replace(leika, services=SIXTEEN, measure="share", statuses=("planned", "in_progress")),
        dataclasses.replace(one, services=("10301",), measure="spread"),
        dataclasses.replace(one, services=("99002001000000",), measure="spread", statuses=("open",)),
        dataclasses.replace(region, within=("05570", "11"), statuses=STATUSES),
        dataclasses.replace(region, services=("10101",), measure="status"),
    ]


def small_filters(audience: str, scope: str) -> list[Filter]:
    """All measures; each single service once as status and once as spread, over the audiences."""
    filters = [Filter(scope=scope, **chosen) for chosen in SELECTIONS]
    filters += [
        Filter(scope=scope, statuses=chosen)
        for chosen in (("planned", "open"), STATUSES, ("not_responsible", "in_progress"))
    ]
    filters += [
        Filter(scope=scope, measure="share", services=SIXTEEN),
        Filter(scope=scope, measure="share", statuses=("in_progress", "planned")),
        Filter(scope=scope, measure="share", subjects=("umwelt", "gesundheit"), statuses=("open",)),
    ]
    for number, key in enumerate(ONE_SERVICE):
        if (number % 2 == 0) == (audience == "public"):
            filters.append(Filter(scope=scope, services=(key,), measure="status"))
        else:
            wanted = (("online",), ("in_progress", "planned"), ("open",))[number % 3]
            filters.append(Filter(scope=scope, services=(key,), measure="spread", statuses=wanted))
    filters += [Filter(scope=scope, within=keys) for keys in REGIONS]
    filters.append(Filter(scope=scope, services=("10101",), measure="spread", within=("05",)))
    return filters + entry_filters(scope)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("audience", AUDIENCES)
def test_values_of_the_small_country(small_world: World, audience: str, scope: str) -> None:
    comparison = small_world.comparison(audience)
    filters = small_filters(audience, scope)
    assert len(filters) >= 30
    for query, levels in by_turns(filters, audience, scope):
        comparison.values(query, levels)
    agree(comparison)
    assert audience == "internal" or comparison.reasons == REASONS.keys()


@pytest.mark.parametrize("audience", AUDIENCES)
def test_layers_and_areas_of_the_small_country(small_world: World, audience: str) -> None:
    comparison = small_world.comparison(audience)
    for scope in SCOPES:
        for number, query in enumerate(small_filters(audience, scope)[::4]):
            levels = comparison.levels(query)
            comparison.layer(levels[number % len(levels)], query)
    for area in small_world.land.areas.iloc[::24].itertuples():
        comparison.area(str(area.level), str(area.key))
    agree(comparison)


@pytest.mark.parametrize("audience", AUDIENCES)
def test_numbers_by_subject_area_of_the_small_country(small_world: World, audience: str) -> None:
    """columns=subjects, whatever services are chosen."""
    comparison = small_world.comparison(audience)
    for number, query in enumerate(
        [
            Filter(),
            Filter(scope="available", measure="share", statuses=("online", "planned"), within=("05570",)),
            Filter(services=("10301",), measure="spread"),
            Filter(subjects=("umwelt",), statuses=("open", "not_responsible")),
            *entry_filters("available")[::4],
        ]
    ):
        levels = comparison.levels(query)
        comparison.subjects(levels[-1 - number % 2], query)
    agree(comparison)


@pytest.mark.parametrize("audience", AUDIENCES)
def test_facets_of_the_small_country(small_world: World, audience: str) -> None:
    """How many services a subject area or life situation would show."""
    comparison = small_world.comparison(audience)
    for scope in SCOPES:
        for number, query in enumerate(
            [
                Filter(scope=scope),
                Filter(scope=scope, statuses=("open", "planned"), subjects=("umwelt",)),
                Filter(scope=scope, services=("10301",), measure="spread", within=("05570", "11")),
                *entry_filters(scope)[::3],
            ]
        ):
            comparison.facets(list(areas.DIGITS)[number % 3], query)
            if query.measure != "spread":
                comparison.facets("municipalities", query)
    agree(comparison)


def test_outputs_agree_for_fifty_random_filters(small_world: World) -> None:
    """Values, layer, table, CSV, XLSX, sentence, classes, area and panel, beside the recount."""
    comparison = small_world.comparison("public")
    # Each is asked for by three readers.
    comparison.recount.values = functools.cache(comparison.recount.values)  # type: ignore[method-assign]
    bundles = small_world.catalogue.bundles
    places = list(dict.fromkeys(zip(bundles["subject"], bundles["situation"], strict=True)))
    regions = [key for region in REGIONS for key in region]
    subjects = sorted(set(bundles["subject"]))
    filters = outputs.random_filters(50, 17, ONE_SERVICE, subjects, places, regions)
    draw, differences = random.Random(19), []
    for query in filters:
        level = draw.choice(comparison.levels(query))
        comparison.values(query, [level])
        comparison.layer(level, query)
        differences += outputs.Outputs(comparison, level, query).compare(draw)
    agree(comparison)
    assert not differences, "\n".join(differences[:20])


def test_values_follow_imports_and_publications(small_world: World, tmp_path: Path) -> None:
    """What is refreshed in part, after a change, is what a count from scratch gives."""
    world = small_world
    states = [ars for ars in world.land.authorities if ars.endswith("0000000000")]
    second, third = tmp_path / "second.csv", tmp_path / "third.csv"
    small.write_implementations(second, world.land, seed=2, retired=False, part=0.3)
    small.write_implementations(third, world.land, seed=3, retired=False, part=0.1)

    def check() -> None:
        for audience in AUDIENCES:
            comparison = world.comparison(audience)
            for scope in SCOPES:
                for number, query in enumerate(small_filters(audience, scope)[:28:13]):
                    comparison.values(query, list(areas.DIGITS)[number % 2 :: 2])
            agree(comparison)

    world.publish(states)
    world.unpublish(sorted(world.published - set(states))[::3])
    check()
    world.import_more(second)
    check()
    world.import_more(third, replace=True)
    check()


# --- all of Germany, with the real keys and the real catalogue -----------------------------------------


@pytest.fixture(scope="module")
def germany(
    copy_of: Callable[[str], Database],
    template: str,
    shared: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> World:
    """16,394 areas, 557 bundles, 40,000 made-up entries of all levels, with broken and superseded rows."""
    folder = tmp_path_factory.mktemp("germany")
    table = shared("data/verwaltungseinheiten_2016.csv")
    services = shared("data/ozg_katalog.csv")
    made_up = folder / "implementations.csv"
    with made_up.open("w", encoding="utf-8") as file:
        command = [sys.executable, str(shared("tools/make_implementations.py")), "--mix", "--rows", "40000"]
        subprocess.run([*command, "--seed", "11"], stdout=file, check=True)
    grid_country.write(table, folder / "germany.zip")

    land = areas.land(areas.read_table(table))
    known = catalogue.read_catalogue(services)
    read = entries.read_entries(made_up, known, land.authorities)
    assert min(read.rejected, read.superseded) > 300
    world = World(copy_of(template), land, known, read.table, set(), {})
    world.run("import", "boundaries", folder / "germany.zip")
    world.run("import", "catalogue", services)
    said = world.run("import", "implementations", made_up)
    for count_ in (read.read, read.rejected, read.superseded, len(read.table)):
        assert f"{count_:,}".replace(",", ".") in said
    draw = random.Random(13)
    candidates = sorted(set(read.table["authority"]) - {areas.FEDERATION})
    world.publish(draw.sample(candidates, len(candidates) * 3 // 5))
    return world


def german_filters(world: World, scope: str) -> list[Filter]:
    """Thirty: every measure; popular, rare, federal and never reported services."""
    bundles = world.catalogue.bundles
    federal = bundles.index[bundles["kinds"] == areas.KINDS["Bund"]][0]
    bundle_of = world.catalogue.bundle_of()
    popular = world.entries["service"].map(bundle_of).value_counts()
    leika = world.entries.loc[world.entries["service"].str.len() == 14, "service"].value_counts()
    alone = world.catalogue.leika.index[world.catalogue.leika["bundle"].isna()][0]
    single = [popular.index[0], popular.index[3], popular.index[-1], federal, leika.index[0], alone]
    slugs = sorted(set(bundles["subject"]))
    places = list(dict.fromkeys(zip(bundles["subject"], bundles["situation"], strict=True)))
    filters = [Filter(scope=scope)]
    filters += [Filter(scope=scope, subjects=(slug,)) for slug in slugs[::3]]
    filters += [
        Filter(scope=scope, subjects=(slugs[1], slugs[4]), statuses=("online", "in_progress")),
        Filter(scope=scope, situations=(places[2], places[-1])),
        Filter(scope=scope, subjects=(slugs[2],), situations=(places[5], places[9]), measure="share"),
        Filter(scope=scope, services=tuple(single)),
        Filter(scope=scope, statuses=("open",)),
        Filter(scope=scope, statuses=("planned", "not_responsible")),
        Filter(scope=scope, measure="share"),
        Filter(scope=scope, measure="share", subjects=(slugs[7],), statuses=STATUSES[1:]),
        Filter(scope=scope, measure="share", services=tuple(single[:3])),
        Filter(scope=scope, within=("05", "091")),
        Filter(scope=scope, within=("010",), measure="share"),
        Filter(scope=scope, within=("055700000000", "020000000000", "073345001000"), statuses=STATUSES),
    ]
    filters += [
        Filter(scope=scope, kinds=("efa",)),
        Filter(scope=scope, maturity="1.1:3", confirmed="2025-06-01", measure="share", subjects=(slugs[1],)),
        Filter(scope=scope, kinds=("reuse", "in_house"), services=(single[0],), measure="spread"),
    ]
    filters += [Filter(scope=scope, services=(key,), measure="status") for key in single]
    filters += [Filter(scope=scope, services=(key,), measure="spread") for key in single]
    filters.append(
        Filter(scope=scope, services=(single[0],), measure="spread", statuses=("in_progress", "planned"))
    )
    return filters


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("audience", AUDIENCES)
def test_values_of_germany(germany: World, audience: str, scope: str) -> None:
    comparison = germany.comparison(audience)
    filters = german_filters(germany, scope)
    assert len(filters) >= 30
    for query, levels in by_turns(filters, audience, scope):
        comparison.values(query, levels)
    comparison.layer("districts" if audience == "public" else "associations", filters[0])
    comparison.facets("municipalities", Filter(scope=scope, kinds=("efa",)))
    agree(comparison)
