"""A running site on a real PostGIS, and a real browser that reports what it must not see."""

from __future__ import annotations

import datetime as dt
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy import Connection, insert, select, update
from werkzeug.serving import make_server

from mapservice import copies, create_app, privileges
from mapservice.config import Settings
from mapservice.database import Database
from mapservice.demo import plans
from mapservice.domain import implementation_id
from mapservice.models import (
    Authority,
    Implementation,
    ImplementationHistory,
    LifeSituation,
    Publication,
    Service,
    Solution,
)
from mapservice.postgres import Server
from mapservice.search import terms
from tests.conftest import ROOT, urls_of
from tests.entries import add_service

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def _fill(database: Database) -> None:
    """Three services; every authority but Coesfeld's reports something, by a fixed rule."""
    with database.owner() as connection:
        add_service(connection, "10500", name="Wohnsitzmeldungen", subject_area_id=13)
        add_service(connection, "10501", name="Elterngeld <img src=x onerror=alert(1)>", subject_area_id=6)
        add_service(connection, "10502", name="Kindertagesbetreuung", subject_area_id=6)
        situation = connection.execute(
            insert(LifeSituation).values(subject_area_id=6, name="Geburt").returning(LifeSituation.id)
        ).scalar_one()
        with_birth = update(Service).where(Service.key.in_(("10501", "10502")))
        connection.execute(with_birth.values(life_situation_id=situation))
        services = connection.execute(select(Service.id, Service.key).order_by(Service.key)).all()
        authorities = connection.execute(select(Authority.id, Authority.ars).order_by(Authority.ars)).all()
        connection.execute(
            insert(Publication), [{"authority_id": row.id, "visibility": 3} for row in authorities]
        )
        rows = [
            {
                "id": implementation_id(authority.ars, service.key, ""),
                "authority_id": authority.id,
                "service_id": service.id,
                "status": 1 + (number + place) % 4,
                "url": f"https://demo.example/{authority.ars}/{service.key}",
                "visibility": 3,
                "contact": "team@demo.example",
                "contact_kind": 1,
                "demonstration": True,
                "solution_kind": 1 + number % 2,
                "maturity_model": 11,
                "maturity": 2 + place,
                "as_of": dt.datetime.now(dt.UTC).date() - dt.timedelta(days=30 + 120 * place),
            }
            for number, authority in enumerate(authorities)
            for place, service in enumerate(services)
            if not authority.ars.startswith("05558")
        ]
        connection.execute(insert(Implementation), rows)
        # Three hundred days ago nothing of it was more than planned.
        then = dt.datetime.now(dt.UTC) - dt.timedelta(days=300)
        earlier = {"valid_from": then, "valid_to": dt.datetime.now(dt.UTC), "removed": False}
        connection.execute(
            insert(ImplementationHistory),
            [{**row, **earlier, "status": 3 + row["status"] % 2} for row in rows],
        )
        _add_solution(connection)
        plans.load(connection, None)
        copies.refresh(connection)
        terms.refresh_services(connection)


def _add_solution(connection: Connection) -> None:
    """What Kreis Warendorf and its towns have online for 10502 is one solution, which others may reuse."""
    made = connection.execute(
        insert(Solution)
        .values(
            name="Formularwerk Beispiel",
            platform="Plattform Muster",
            provider_id=select(Authority.id).where(Authority.ars == "055150000000").scalar_subquery(),
            conditions="Beitritt (Beispiel)",
            costs="keine",
            visibility=3,
            demonstration=True,
        )
        .returning(Solution.id)
    ).scalar_one()
    users = select(Authority.id).where(Authority.ars.startswith("05570"))
    service = select(Service.id).where(Service.key == "10502").scalar_subquery()
    connection.execute(
        update(Implementation)
        .where(
            Implementation.authority_id.in_(users),
            Implementation.service_id == service,
            Implementation.status == 1,
        )
        .values(solution_id=made, reusable=True, online_since=dt.date(2024, 3, 1))
    )


@pytest.fixture(scope="package")
def site(
    server: Server, boundaries_template: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a running site with the small release and some implementations."""
    name = f"{template}_browser"
    roles = privileges.Roles.of(template)
    with server.connect() as connection:
        connection.execute(
            f"CREATE DATABASE {name} OWNER {roles.owner} TEMPLATE {boundaries_template}".encode()
        )
    settings = Settings(state_dir=tmp_path_factory.mktemp("browser"))
    database = Database(urls_of(server, name, roles), settings)
    _fill(database)
    app = create_app(settings, database)
    running = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    thread.join()
    app.extensions["mapservice"].versions.close()
    database.dispose()
    with server.connect() as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield launched
        launched.close()


OF_AXE = ("Applying inline style", "CSP style-src")
"""How reports begin of what axe-core tries."""


@dataclass
class Visit:
    """A page with all that went wrong on it."""

    page: Page
    site: str
    wrong: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    tested: bool = False
    """Whether axe-core ran: it tries styles of its own, which the policy rightly refuses, and the browser
    reports that when it likes."""

    @property
    def faults(self) -> list[str]:
        """What went wrong by our own doing."""
        return [text for text in self.wrong if not (self.tested and text.startswith(OF_AXE))]

    def open(self, path: str, *, painted: bool = True) -> Page:
        self.page.goto(self.site + path)
        if painted:
            self.painted()
        return self.page

    def painted(self) -> None:
        self.page.wait_for_selector("#map-page[data-painted][aria-busy=false]")

    def axe(self) -> list[str]:
        """Violations that axe-core finds in the present state."""
        if not AXE.exists():
            pytest.skip("axe-core is not there: scripts/test fetches it")
        self.tested = True
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{item['id']}: {node['html'][:120]} {node['failureSummary'][:300]}"
            for item in found["violations"]
            for node in item["nodes"]
        ]


Visitor = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser, site: str) -> Iterator[Visitor]:
    """Make visits; at the end none may have asked another origin, broken the policy or thrown an error."""
    contexts: list[BrowserContext] = []
    visits: list[Visit] = []

    def make(size: dict[str, int] = DESKTOP, **options: object) -> Visit:
        context = browser.new_context(viewport=size, locale="de-DE", **options)  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()
        made = Visit(page, site)
        page.add_init_script(
            "document.addEventListener('securitypolicyviolation',"
            " (event) => console.error('CSP ' + event.violatedDirective + ' ' + event.blockedURI))"
        )
        page.on("request", lambda request: made.requests.append(request.url))
        page.on("pageerror", lambda error: made.wrong.append(str(error)))
        page.on("console", lambda said: made.wrong.append(said.text) if said.type == "error" else None)
        visits.append(made)
        return made

    yield make
    origin = urlsplit(site).netloc
    for made in visits:
        foreign = [url for url in made.requests if urlsplit(url).netloc not in (origin, "")]
        assert foreign == []
        assert made.faults == []
    for context in contexts:
        context.close()
