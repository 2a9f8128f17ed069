"""Killed while importing: the service, or PostgreSQL itself. The old data are served, nothing is
half-written, and the next import succeeds. (The command itself is killed in test_import_*.py.)
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from mapservice.cluster import Cluster
from tests.boundary_fixture import SMALL
from tests.conftest import ROOT
from tests.running import free_port

MUENSTER = "055150000000"
CATALOGUE = "themenfeld;lage;ozg_id;ozg_leistung;leika_schluessel;leika_leistung;leika_typ\n" + "".join(
    f"Bildung;Schule;{10500 + n};Leistung {n};;;\n" for n in range(20)
)


@dataclass
class Site:
    """An own cluster with the small boundaries and one public entry, and a service on it."""

    folder: Path
    port: int
    environment: dict[str, str]
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mapservice", *arguments]
        return subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, text=True)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "mapservice", *arguments],
            env=self.environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def serve(self) -> subprocess.Popen[str]:
        process = self.start("serve")
        assert process.stdout is not None
        assert any(line.startswith("Die Karte läuft") for line in process.stdout)
        return process

    def online(self) -> int:
        """How many services the site says that Münster offers online."""
        address = f"http://127.0.0.1:{self.port}/api/areas/{MUENSTER}"
        with urllib.request.urlopen(address, timeout=10) as response:
            content: Any = json.load(response)
        return int(content["counts"]["own"]["online"])

    def start_import(self) -> subprocess.Popen[str]:
        """The big import, caught in the middle of writing."""
        process = self.start("import", "implementations", str(self.folder / "big.csv"))
        writing = (
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"
            " AND query LIKE 'INSERT INTO implementation%')"
        )
        cluster = Cluster(self.folder / "state", lambda line: None)
        with psycopg.connect(
            cluster.server.url("postgres", "mapservice").replace("+psycopg", "")
        ) as connection:
            connection.autocommit = True
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and process.poll() is None:
                if connection.execute(writing).fetchone() == (True,):
                    return process
                time.sleep(0.01)
        raise AssertionError(f"the import was never seen writing: {process.poll()}")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    memory = Path("/dev/shm")
    parent = memory if os.access(memory, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="mapservice-killed-", dir=parent))
    folder.chmod(0o755)
    port = free_port()
    environment = {
        **os.environ,
        "MAPSERVICE_STATE_DIR": str(folder / "state"),
        "MAPSERVICE_PORT": str(port),
        "MAPSERVICE_WORKERS": "1",
    }
    site = Site(folder, port, environment)
    header = "ars;leistung;status;kennung;sichtbarkeit\n"
    (folder / "catalogue.csv").write_text(CATALOGUE, encoding="utf-8")
    (folder / "one.csv").write_text(f"{header}{MUENSTER};10500;online;;öffentlich\n", encoding="utf-8")
    rows = (f"{MUENSTER};{10500 + n % 20};online;{n // 20};öffentlich\n" for n in range(120_000))
    (folder / "big.csv").write_text(header + "".join(rows), encoding="utf-8")
    try:
        for arguments in (
            ("import", "boundaries", str(SMALL)),
            ("import", "catalogue", str(folder / "catalogue.csv")),
            ("import", "implementations", str(folder / "one.csv")),
            ("publish", MUENSTER),
        ):
            done = site.command(*arguments)
            assert done.returncode == 0, done.stderr
        yield site
    finally:
        for process in site.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        cluster = Cluster(folder / "state", lambda line: None)
        home = cluster.server.home
        cluster.server.stop()
        shutil.rmtree(folder)
        if home.exists():
            shutil.rmtree(home)


def within(seconds: float, ask: Callable[[], int]) -> int:
    """The answer, as soon as there is one."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def test_killed_database_and_killed_service(site: Site) -> None:
    service = site.serve()
    assert site.online() == 1

    # PostgreSQL goes down with everything under it.
    running = site.start_import()
    postmaster = int((site.folder / "state" / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    output, _ = running.communicate(timeout=60)
    assert running.returncode == 1, output
    assert "Traceback" not in output
    # The service starts it again and serves the old data; the next import finds nothing half-written.
    assert within(30, site.online) == 1
    checked = site.command("import", "implementations", "--dry-run", str(site.folder / "big.csv"))
    assert checked.returncode == 0, checked.stderr
    assert site.online() == 1
    os.killpg(service.pid, signal.SIGTERM)
    service.wait(20)

    # The service dies; the import goes on undisturbed, and the next service shows what it brought.
    service = site.serve()
    assert site.online() == 1
    running = site.start_import()
    service.kill()
    service.wait()
    output, _ = running.communicate(timeout=120)
    assert running.returncode == 0, output
    site.serve()
    assert within(10, site.online) == 20
