"""The whole public data set as a file to take along: made once per data version, kept in the state folder.

It is always the public's, in the internal view too, and made over the public role's connection.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock
from flask import Blueprint, Flask, Response, current_app, request, send_file
from flask_babel import gettext as _

from mapservice import about, dataset_archive
from mapservice.database import Database, DataVersions, Version
from mapservice.domain import Audience
from mapservice.errors import UnavailableError
from mapservice.service import Service, service
from mapservice.version import BUILD

log = logging.getLogger(__name__)
blueprint = Blueprint("dataset", __name__)
NAME = "ozg-landkarte.zip"
FOLDER = "datensatz"
_WAIT = 20.0
"""Seconds that a request waits for the file before it is told to come back."""
_EXTENSION = "mapservice-dataset"


class InTheMakingError(UnavailableError):
    """The file of this data version is not ready yet."""

    retry_after = 30


@dataclass
class Files:
    """The files of one state folder. Several processes share it; one at a time makes a file."""

    folder: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _making: dict[str, threading.Thread] = field(default_factory=dict)

    def path(self, key: str) -> Path:
        return self.folder / f"{key}.zip"

    def ready(self, key: str, held: Service, wait: float = _WAIT) -> Path | None:
        """The file of this version; None while it is still being made after `wait` seconds."""
        path = self.path(key)
        if path.exists():
            return path
        with self._lock:
            thread = self._making.get(key)
            if thread is None or not thread.is_alive():
                thread = threading.Thread(target=self._make, args=(key, held), name="dataset", daemon=True)
                self._making = {key: thread}
                thread.start()
        thread.join(wait)
        return path if path.exists() else None

    def _make(self, key: str, held: Service) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / "lock"):
                if self.path(key).exists():
                    return
                # Under the lock nobody else writes here: what lies around is of a process that was killed.
                for left in self.folder.glob("*.part*"):
                    left.unlink(missing_ok=True)
                made = self._write(held)
                for other in self.folder.glob("*.zip"):
                    if other != made:
                        other.unlink(missing_ok=True)
        except Exception:
            log.exception("the public data set could not be made")

    def _write(self, held: Service) -> Path:
        """Write the file of the version that the connection sees, and give it its name when it is whole."""
        part = self.folder / "new.part"
        try:
            with held.database.reader(Audience.PUBLIC) as connection:
                version = _public_versions(held.database).read(connection)
                settings = held.settings
                subject = dataset_archive.Subject(
                    about.current_release(connection), version, settings.data_licence, settings.public_url
                )
                dataset_archive.write(connection, part, subject)
            path = self.path(key_of(version, held))
            part.replace(path)
            return path
        finally:
            part.unlink(missing_ok=True)


def _public_versions(database: Database) -> DataVersions:
    return DataVersions(database, Audience.PUBLIC)


def _public_version(held: Service) -> Version:
    if not held.internal:
        return held.version()
    with held.database.reader(Audience.PUBLIC) as connection:
        return _public_versions(held.database).read(connection)


def key_of(version: Version, held: Service) -> str:
    """Names the content: data version, build, and the settings that stand in the file."""
    stated = (held.settings.data_licence, held.settings.public_url)
    seed = (version.number, version.changed_at.timestamp(), stated, BUILD)
    return hashlib.blake2b(repr(seed).encode(), digest_size=12).hexdigest()


@blueprint.get(f"/daten/{NAME}")
def archive() -> Response:
    """The ZIP. Weak ETag: made anew it may differ in bytes, such as the time in the GeoPackage."""
    held = service()
    key = key_of(_public_version(held), held)
    response = Response()
    response.set_etag(key, weak=True)
    response.make_conditional(request)
    if response.status_code != 304:
        files: Files = current_app.extensions[_EXTENSION]
        path = files.ready(key, held)
        try:
            if path is None:
                raise FileNotFoundError
            response = send_file(
                path, mimetype="application/zip", as_attachment=True, download_name=NAME, etag=False
            )
        except FileNotFoundError:
            raise InTheMakingError(
                _("Der Datensatz wird gerade zusammengestellt; das kann eine Minute dauern.")
            ) from None
        response.set_etag(key, weak=True)
    response.headers["Cache-Control"] = "public, no-cache"
    return response


def init_app(app: Flask) -> None:
    with app.app_context():
        app.extensions[_EXTENSION] = Files(service().settings.state_dir / FOLDER)
    app.register_blueprint(blueprint)
