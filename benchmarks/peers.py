"""The servers beside ours: tipg and pygeoapi over the same database, and nginx with a file."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import make_url
from values import PEER, peer, running

from mapservice.config import DatabaseUrls

ROOT = Path(__file__).resolve().parent.parent
PYGEOAPI, NGINX = "http://127.0.0.1:8767", "http://127.0.0.1:8768"
TABLE = "municipalities"
_PYGEOAPI = """
server:
  bind: {{host: 127.0.0.1, port: 8767}}
  url: {url}
  mimetype: application/json; charset=UTF-8
  encoding: utf-8
  gzip: true
  languages: [en-US]
  limits: {{default_items: 100, max_items: 20000, on_exceed: throttle}}
  map: {{url: 'https://example.org/{{z}}/{{x}}/{{y}}', attribution: none}}
logging: {{level: ERROR}}
metadata:
  identification: {{title: Benchmark, description: Benchmark, keywords: [x], keywords_type: theme,
    terms_of_service: x, url: 'https://example.org'}}
  license: {{name: x, url: 'https://example.org'}}
  provider: {{name: x, url: 'https://example.org'}}
  contact: {{name: x}}
resources:
  {table}:
    type: collection
    title: Municipalities
    description: Municipalities
    keywords: [x]
    links: []
    extents: {{spatial: {{bbox: [5, 47, 16, 56], crs: 'http://www.opengis.net/def/crs/OGC/1.3/CRS84'}}}}
    providers:
      - type: feature
        name: PostgreSQL
        count: false
        data: {{host: '{host}', dbname: {database}, user: {user}, search_path: [peer]}}
        id_field: id
        table: {table}
        geom_field: geom
"""
_NGINX = """
daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:8768;
    root {folder};
    default_type application/geo+json;
    add_header Content-Encoding gzip;
  }}
}}
"""


def environment(folder: Path) -> Path:
    """The interpreter of an environment with the peers, made in the folder unless it is there.

    The versions are those of the extra `bench` in setup.cfg.
    """
    python = folder / "bin" / "python"
    if not python.exists():
        parser = configparser.ConfigParser()
        parser.read(ROOT / "setup.cfg", encoding="utf-8")
        wanted = parser["options.extras_require"]["bench"].split("\n")
        needed = [line.strip() for line in wanted if line.strip() and not line.startswith("#")]
        print("installing", *needed, file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *needed], check=True)
    return python


def start_all(stack: ExitStack, urls: DatabaseUrls, python: Path, folder: Path) -> None:
    """tipg, pygeoapi and nginx with two workers each, until the stack is left."""
    stack.enter_context(running(peer(urls, python), PEER + "/healthz"))
    stack.enter_context(running(_pygeoapi(urls, python, folder), PYGEOAPI + "/conformance?f=json"))
    stack.enter_context(running(_nginx(folder), NGINX + "/ready"))


def _pygeoapi(urls: DatabaseUrls, python: Path, folder: Path) -> subprocess.Popen[bytes]:
    assert urls.owner is not None
    url = make_url(urls.owner)
    config = folder / "pygeoapi.yml"
    config.write_text(
        _PYGEOAPI.format(
            url=PYGEOAPI,
            table=TABLE,
            host=url.query["host"],
            database=url.database,
            user=url.username,
        )
    )
    variables = os.environ | {
        "PYGEOAPI_CONFIG": str(config),
        "PYGEOAPI_OPENAPI": str(folder / "openapi.yml"),
    }
    pygeoapi = [str(python.parent / "pygeoapi"), "openapi", "generate", str(config)]
    made = subprocess.run(
        [*pygeoapi, "--output-file", str(folder / "openapi.yml")],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise SystemExit(made.stderr[-2000:])
    command = [str(python), "-m", "gunicorn", "--workers", "2", "--threads", "4", "--log-level", "error"]
    command += ["--bind", PYGEOAPI.removeprefix("http://"), "pygeoapi.flask_app:APP"]
    return subprocess.Popen(command, env=variables, start_new_session=True)


def _nginx(folder: Path) -> subprocess.Popen[bytes]:
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder))
    (folder / "ready").write_bytes(b"")
    # Workers of a root's nginx run as another user, who has to reach the files.
    folder.chmod(0o755)
    return subprocess.Popen(
        [nginx, "-c", str(config), "-e", str(folder / "error.log")], start_new_session=True
    )


def quoted(text: str) -> str:
    return quote(text, safe="")
