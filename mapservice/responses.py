"""ETag from the data version, 304 before anything is computed, compression, and the worker's cache.

An answer belongs to one audience, data version, address, language (part of the address) and encoding. It
is kept in the worker's memory under exactly these, so that a moved version makes it unreachable.
"""

from __future__ import annotations

import hashlib
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import wraps
from itertools import chain
from typing import Any, cast

import brotli
from cachetools import LRUCache
from flask import Response, current_app, g, request
from isal import isal_zlib
from sqlalchemy import Connection

from mapservice import busy, i18n
from mapservice.database import Version
from mapservice.errors import MapServiceError
from mapservice.features import dumps
from mapservice.held import MovedError, Reading
from mapservice.service import Service, service
from mapservice.version import BUILD

JSON = "application/json"
GEOJSON = "application/geo+json"
_BIG = 1_000_000
_SMALL = 500
_LITTLE = 20_000
_PART = 2
"""A single answer may fill so much of the memory: half of it."""
_EXTENSION = "mapservice-responses"
_PIECING = threading.Lock()
"""One large answer is put together at a time: more would take more room, and be no faster."""


@dataclass(frozen=True)
class Payload:
    """What a view answers: the uncompressed body, its media type and further headers.

    weak: the body tells when it was made, so that two with the same ETag differ in these bytes.
    later: makes the body when the connection has been given back, as that takes seconds.
    packed: the body is compressed as it is.
    pieces: makes the body piece by piece, also when the connection has been given back.
    quick: packed with little effort, as such answers are many and seldom asked for twice.
    """

    body: bytes = b""
    media_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    weak: bool = False
    later: Callable[[], bytes] | None = None
    packed: bool = False
    status: int = 200
    pieces: Callable[[], Iterable[bytes]] | None = None
    quick: bool = False


@dataclass(frozen=True)
class Stored:
    """A finished answer."""

    body: bytes
    media_type: str
    encoding: str | None
    etag: str
    headers: tuple[tuple[str, str], ...] = ()
    status: int = 200


@dataclass
class Responses:
    """Finished answers of this worker, the least recently used leave first; thread-safe."""

    most_bytes: int
    _kept: LRUCache[Any, Stored] = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _working: dict[Any, threading.Lock] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._kept = LRUCache(self.most_bytes, getsizeof=lambda stored: len(stored.body) + 500)

    def get(self, key: Any) -> Stored | None:
        with self._lock:
            return self._kept.get(key)

    def put(self, key: Any, stored: Stored) -> None:
        with self._lock:
            if len(stored.body) + 500 <= self.most_bytes // _PART:
                self._kept[key] = stored

    def working(self, key: Any) -> threading.Lock:
        """The lock under which one request computes what others of the same address then find."""
        with self._lock:
            if len(self._working) > 1000:
                self._working = {name: lock for name, lock in self._working.items() if lock.locked()}
            return self._working.setdefault(key, threading.Lock())


def init_app(app: Any, cache_mb: int) -> None:
    app.extensions[_EXTENSION] = Responses(cache_mb * 1_000_000)


View = Callable[..., Payload]


def versioned(view: View) -> Callable[..., Response]:
    """Make a view of (connection, version, **arguments) -> Payload an endpoint with ETag, 304 and cache."""

    @wraps(view)
    def endpoint(**arguments: Any) -> Response:
        held = service()
        kept: Responses = current_app.extensions[_EXTENSION]
        environ = request.environ
        encoding = accepted_encoding(environ.get("HTTP_ACCEPT_ENCODING", ""))
        form = g.get("representation")
        address = (*root(environ), environ.get("PATH_INFO"), environ.get("QUERY_STRING"), form, encoding)

        version = held.version()
        wanted = environ.get("HTTP_IF_NONE_MATCH")
        if wanted is not None and (etag := make_etag(version, address)) in wanted:
            return _not_modified(f"W/{etag}" if f"W/{etag}" in wanted else etag)
        stored = kept.get((version, address))
        if stored is None:
            with kept.working(address):
                stored = kept.get((version, address))
                if stored is None:
                    with busy.working():
                        version, payload = _asked(held, view, version, arguments)
                        if payload.later is not None:
                            payload = replace(payload, body=payload.later(), later=None)
                        etag = make_etag(version, address)
                        if payload.pieces is not None:
                            stored, rest = _pieced(payload, encoding, etag, kept.most_bytes // _PART)
                            if rest is not None:
                                return _answer(stored, rest)
                        else:
                            stored = _finish(payload, encoding, etag)
                    kept.put((version, address), stored)
        return _answer(stored)

    counted: Callable[..., Response] = busy.counts_itself(endpoint)
    return counted


def root(environ: Mapping[str, Any]) -> tuple[str | None, ...]:
    """What absolute links begin with: part of the answer, and so of whatever it is kept by."""
    return environ.get("wsgi.url_scheme"), environ.get("HTTP_HOST"), environ.get("SCRIPT_NAME")


def _asked(held: Service, view: View, version: Version, arguments: Any) -> tuple[Version, Payload]:
    """What the view says, and the version that it is of: of the snapshot that the view read, if it asked the
    database anything, else the one that this worker knows.
    """
    with ExitStack() as stack:
        reading = Reading(held, stack, version)
        connection = cast(Connection, reading)
        try:
            return version, view(connection, version, **arguments)
        except MovedError as moved:
            reading.version = moved.version
            return moved.version, view(connection, moved.version, **arguments)


def make_etag(version: Version, address: tuple[Any, ...]) -> str:
    """A strong ETag. The time beside the number tells two databases apart after a restore, the build two
    programs that answer the same question differently.
    """
    seed = repr((int(version.audience), version.number, version.changed_at.timestamp(), address, BUILD))
    return f'"{hashlib.blake2b(seed.encode(), digest_size=12).hexdigest()}"'


def accepted_encoding(header: str) -> str | None:
    """br or gzip, whichever the client accepts, br first."""
    refused = header.replace(" ", "")
    for name in ("br", "gzip"):
        if name in header and f"{name};q=0," not in f"{refused}," and f"{name};q=0.0" not in refused:
            return name
    return None


def compressed(body: bytes, encoding: str | None, *, quick: bool = False) -> bytes:
    """The body in this encoding; large ones with less effort, as they are made at request time."""
    quick = quick or len(body) > _BIG
    if encoding == "br":
        return brotli.compress(body, quality=1 if quick else 5)
    if encoding == "gzip":
        if not quick:
            return _gzip(body)
        # A packer that takes pieces fills half a megabyte first: most of the time of a small answer.
        small = len(body) <= _LITTLE
        return isal_zlib.compress(body, 1, zlib.MAX_WBITS | 16) if small else b"".join(_gzipped([body]))
    return body


def _gzip(body: bytes) -> bytes:
    # Z_FILTERED suits texts of short numbers. Level 7 takes 14 ms for an array of all municipalities; level 9
    # would take 50 ms for 2 % less.
    packer = zlib.compressobj(7, zlib.DEFLATED, zlib.MAX_WBITS | 16, zlib.DEF_MEM_LEVEL + 1, zlib.Z_FILTERED)
    return packer.compress(body) + packer.flush()


def _gzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    # Intel's library packs whole levels four times as fast as zlib's level 1, and smaller.
    packer = isal_zlib.compressobj(2, isal_zlib.DEFLATED, isal_zlib.MAX_WBITS | 16)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def _brotlied(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = brotli.Compressor(quality=1)
    for piece in pieces:
        yield packer.process(piece)
    yield packer.finish()


_PACKERS = {"gzip": _gzipped, "br": _brotlied}


def immutable(body: bytes, media_type: str, encoding: str | None, etag: str) -> Response:
    """A file whose address holds its hash: may be kept for ever."""
    if etag in request.headers.get("If-None-Match", ""):
        response = _not_modified(etag)
    else:
        response = Response(body, mimetype=media_type)
        response.headers["ETag"] = etag
        response.headers["Vary"] = "Accept-Encoding"
        if encoding:
            response.headers["Content-Encoding"] = encoding
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def error_response(error: MapServiceError) -> Response:
    """The one JSON shape of errors: code, description (the names of OGC API), parameter, allowed."""
    content: dict[str, Any] = {"code": error.code, "description": i18n.error_message(error)}
    if error.parameter:
        content["parameter"] = error.parameter
    if error.allowed:
        content["allowed"] = list(error.allowed)
    response = Response(dumps(content), status=error.status, mimetype=JSON)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _finish(payload: Payload, encoding: str | None, etag: str) -> Stored:
    if payload.packed or len(payload.body) < _SMALL:
        encoding = None
    if payload.weak:
        etag = f"W/{etag}"
    body = compressed(payload.body, encoding, quick=payload.quick)
    return Stored(body, payload.media_type, encoding, etag, payload.headers, payload.status)


def _pieced(
    payload: Payload, encoding: str | None, etag: str, most: int
) -> tuple[Stored, Iterator[bytes] | None]:
    """The answer as it is to be kept; or, if it is larger, its beginning and the rest, which is sent while it
    is made, so that no more than a piece of it is in memory at a time.
    """
    assert payload.pieces is not None
    pieces = iter(payload.pieces())
    packed = iter(_PACKERS[encoding](pieces)) if encoding else pieces
    ready: list[bytes] = []
    size = 0
    with _PIECING:
        for piece in packed:
            ready.append(piece)
            size += len(piece)
            if size > most:
                return Stored(b"", payload.media_type, encoding, etag, payload.headers), chain(ready, packed)
    return Stored(b"".join(ready), payload.media_type, encoding, etag, payload.headers), None


def _answer(stored: Stored, rest: Iterable[bytes] | None = None) -> Response:
    body = stored.body if rest is None else rest
    headers = [
        ("ETag", stored.etag),
        ("Vary", _vary()),
        ("Cache-Control", "public, no-cache"),
        *stored.headers,
    ]
    if stored.encoding:
        headers.append(("Content-Encoding", stored.encoding))
    return Response(body, status=stored.status, mimetype=stored.media_type, headers=headers)


def _not_modified(etag: str) -> Response:
    response = Response(status=304)
    response.headers["ETag"] = etag
    response.headers["Vary"] = _vary()
    response.headers["Cache-Control"] = "public, no-cache"
    del response.headers["Content-Type"]
    return response


def _vary() -> str:
    return "Accept, Accept-Encoding" if "representation" in g else "Accept-Encoding"
