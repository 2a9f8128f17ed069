"""The service as operators run it: refuses what it must, starts, survives, ends."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from mapservice import create_app, server
from mapservice.config import Settings
from mapservice.database import Database
from mapservice.errors import ConfigurationError
from tests.running import Start, free_port, starting


@pytest.fixture
def start(database: Database, tmp_path: Path) -> Iterator[Start]:
    with starting(database, tmp_path) as start:
        yield start


def test_a_worker_makes_the_map_page_before_anybody_asks(database: Database) -> None:
    app = create_app(database.settings, database)
    server.warm_up(app)
    assert "map.html" in {name for _, name in app.jinja_env.cache or {}}
    # It was no request: the application may still be extended.
    app.add_url_rule("/later", view_func=lambda: "")
    app.extensions["mapservice"].versions.close()


def test_what_fails_beforehand_is_told_to_those_who_ask(database: Database) -> None:
    urls = replace(database.urls, public="postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    broken = Database(urls, database.settings)
    app = create_app(database.settings, broken)
    server.warm_up(app)
    assert app.test_client().get("/").status_code == 503
    broken.dispose()


def test_runs_says_where_and_ends_by_ctrl_c(start: Start) -> None:
    service = start()
    assert service.said[-1].startswith(f"Die Karte läuft: http://127.0.0.1:{service.port}/")
    status, headers, _ = service.get("/daten")
    assert status == 200
    assert headers["content-type"].startswith("text/html")
    # As the terminal does it: to all processes of the group.
    os.killpg(service.process.pid, signal.SIGINT)
    assert service.process.wait(20) == 0


def test_sigterm_ends_it_in_order(start: Start) -> None:
    service = start()
    assert service.end(signal.SIGTERM) == 0
    assert service.said[-1] == "Der Dienst ist beendet."


def test_second_service_on_the_address_is_refused_with_the_remedy(start: Start, tmp_path: Path) -> None:
    first = start()
    second = start(MAPSERVICE_PORT=str(first.port))
    assert second.process.wait(20) == 1
    assert f"MAPSERVICE_PORT={first.port + 1}" in "".join(second.said)
    elsewhere = start(MAPSERVICE_PORT=str(first.port), MAPSERVICE_STATE_DIR=str(tmp_path / "other"))
    assert elsewhere.process.wait(20) == 1
    assert f"MAPSERVICE_PORT={first.port + 1}" in "".join(elsewhere.said)
    assert first.get("/daten")[0] == 200


def test_killed_service_leaves_no_worker_that_answers(start: Start) -> None:
    first = start()
    first.process.kill()
    first.process.wait()
    second = start(MAPSERVICE_PORT=str(first.port))
    assert second.said[-1].startswith("Die Karte läuft")
    assert second.end() == 0


def test_unix_socket(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "karte.sock"
    service = start(MAPSERVICE_SOCKET=str(path))
    assert service.said[-1].startswith(f"Die Karte läuft: unix:{path}")
    service.process.kill()
    service.process.wait()
    # What a killed service left does not stop the next.
    assert start(MAPSERVICE_SOCKET=str(path)).end() == 0


def test_public_login_that_reads_too_much_is_refused(start: Start, database: Database) -> None:
    service = start(MAPSERVICE_PUBLIC_DATABASE_URL=str(database.urls.internal))
    assert service.process.wait(20) == 1
    assert any("könnte mehr lesen" in line for line in service.said)
    assert not any("Traceback" in line for line in service.said)


def test_old_schema_is_refused_with_the_remedy(start: Start, database: Database) -> None:
    with database.owner() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    service = start()
    assert service.process.wait(20) == 1
    assert "mapservice database migrate" in "".join(service.said)


def test_internal_view_stays_on_this_machine_unless_confirmed() -> None:
    def settings(**values: str) -> Settings:
        return Settings.from_environment(
            {f"MAPSERVICE_{name}": value for name, value in {"VIEW": "internal", **values}.items()}
        )

    for host in ("127.0.0.1", "::1", "localhost"):
        server.check_exposure(settings(HOST=host))
    server.check_exposure(settings(HOST="0.0.0.0", SOCKET="/run/karte.sock"))
    server.check_exposure(settings(HOST="0.0.0.0", INTERNAL_CONFIRMED="ja"))
    for host in ("0.0.0.0", "::", "192.0.2.1", "karte.example"):
        with pytest.raises(ConfigurationError, match="INTERNAL_CONFIRMED"):
            server.check_exposure(settings(HOST=host))


def test_address_that_is_not_ours_is_refused() -> None:
    with pytest.raises(ConfigurationError) as refused:
        server.check_address_is_free(Settings(host="192.0.2.1"))
    assert "192.0.2.1" in refused.value.message


# --- behind nginx ---------------------------------------------------------------------------------------

NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{
        listen 127.0.0.1:{port};
        location /geoportal/ozg/ {{
            proxy_pass http://127.0.0.1:{upstream}{path};
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
        }}
    }}
}}
"""


@pytest.mark.parametrize("path", ["/", "/geoportal/ozg/"], ids=["path stripped", "path passed on"])
def test_behind_nginx_under_a_path(start: Start, tmp_path: Path, path: str) -> None:
    binary = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if binary is None:
        pytest.skip("nginx is not installed")
    port = free_port()
    base = f"http://127.0.0.1:{port}/geoportal/ozg"
    service = start(MAPSERVICE_PUBLIC_URL=f"{base}/", MAPSERVICE_TRUSTED_PROXIES="1")
    folder = tmp_path / "nginx"
    folder.mkdir()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, upstream=service.port, path=path))
    proxy = subprocess.Popen([binary, "-c", str(config), "-e", str(folder / "error.log")])
    try:
        wait_for_port(port)
        status, _, page = service.get("/geoportal/ozg/daten", port)
        assert status == 200
        links = links_of(page)
        assert any(link.endswith(".css") for link in links)
        for link in links:
            if link.startswith(("#", "mailto:")) or (link.startswith("http") and not link.startswith(base)):
                continue
            target = link.removeprefix(f"http://127.0.0.1:{port}")
            assert target.startswith("/geoportal/ozg/"), link
            assert service.get(target, port)[0] in (200, 503), link  # 503: no boundaries are loaded
        # Answers name the public address, whatever the request says.
        status, _, body = service.get("/geoportal/ozg/api/health", port, Host="boese.example")
        assert status in (200, 503)
        assert "boese.example" not in body
        status, _, page = service.get("/geoportal/ozg/gibt-es-nicht", port)
        assert status == 404
        assert "/geoportal/ozg/static/" in page
    finally:
        proxy.send_signal(signal.SIGQUIT)
        proxy.wait(10)


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("nginx does not answer")


def links_of(page: str) -> list[str]:
    from html.parser import HTMLParser

    found: list[str] = []

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(value for name, value in attrs if name in ("href", "src", "action") and value)

    Links().feed(page)
    return found
