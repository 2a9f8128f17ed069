"""The service as a process of its own, as operators run it: granian and its workers."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mapservice.database import Database
from tests.conftest import ROOT


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Service:
    process: subprocess.Popen[str]
    port: int
    said: list[str]

    def get(self, path: str, port: int | None = None, **headers: str) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=10)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        # Fonts and pictures among the links are no text; what they say is not looked at.
        body = answer.read().decode(errors="replace")
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body

    def end(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        assert self.process.stdout is not None
        self.said += self.process.stdout.read().splitlines()
        return self.process.wait(20)


Start = Callable[..., Service]


@contextmanager
def starting(database: Database, folder: Path) -> Iterator[Start]:
    """Start services on a database, with their state below the folder; all of them are ended."""
    started: list[Service] = []

    def go(**environment: str) -> Service:
        port = free_port()
        urls = database.urls
        process = subprocess.Popen(
            [sys.executable, "-m", "mapservice", "serve"],
            env={
                **os.environ,
                "MAPSERVICE_DATABASE_URL": str(urls.owner),
                "MAPSERVICE_INTERNAL_DATABASE_URL": str(urls.internal),
                "MAPSERVICE_PUBLIC_DATABASE_URL": urls.public,
                "MAPSERVICE_STATE_DIR": str(folder / "state"),
                "MAPSERVICE_PORT": str(port),
                "MAPSERVICE_WORKERS": "1",
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            start_new_session=True,
        )
        service = Service(process, port, [])
        started.append(service)
        assert process.stdout is not None
        for line in process.stdout:
            service.said.append(line.rstrip())
            if line.startswith("Die Karte läuft"):
                break
        return service

    try:
        yield go
    finally:
        for service in started:
            if service.process.poll() is None:
                os.killpg(service.process.pid, signal.SIGKILL)
                service.process.wait()
