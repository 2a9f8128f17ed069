"""The process that draws: one for each worker, started with its first job, bounded in time and memory.

Drawing takes seconds of Python and up to a gigabyte. In a process of its own it neither slows the answers
of the service nor stays in its memory, and what takes too long can be ended. The process knows no
database, gets none of our settings, and ends with the worker or when nothing was asked for a while.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import select
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from mapservice.drawing.picture import Job

log = logging.getLogger(__name__)

SECONDS = {"png": 30.0, "svg": 30.0, "pdf": 55.0}
"""How long a job may take; a proxy in front usually waits for 60 s."""
MOST_WAITING = 1
"""Jobs that wait for the one in work. Each holds a thread of the worker, which has other things to do."""
LENGTH = struct.Struct(">Q")
DONE, MISSING, FAILED = b"D", b"M", b"F"
"""How an answer of the process begins."""
_PASSED_ON = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "TMPDIR", "SYSTEMROOT")


class WorkshopError(Exception):
    """The drawing failed; why is in the log."""


class CrowdedError(WorkshopError):
    """Too much is being drawn already."""


class TooSlowError(WorkshopError):
    """The drawing took too long and was ended."""


class MissingError(WorkshopError):
    """What this form needs is not installed on the server."""


@dataclass
class Workshop:
    """Draws one job at a time. folder: for caches of the libraries, made if it can be, else one in /tmp."""

    folder: Path
    _child: subprocess.Popen[bytes] | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _counting: threading.Lock = field(default_factory=threading.Lock)
    _waiting: int = 0

    def draw(self, job: Job) -> bytes:
        """The finished file. Raises WorkshopError."""
        until = time.monotonic() + SECONDS[job.form]
        with self._counting:
            if self._waiting > MOST_WAITING:
                raise CrowdedError
            self._waiting += 1
        try:
            if not self._turn.acquire(timeout=SECONDS[job.form] / 2):
                raise CrowdedError
            try:
                return self._drawn(job, until)
            finally:
                self._turn.release()
        finally:
            with self._counting:
                self._waiting -= 1

    def close(self) -> None:
        """End the process."""
        with self._turn:
            self._end()

    def _drawn(self, job: Job, until: float) -> bytes:
        sent = pickle.dumps(job)
        answer = None
        # The process may have ended since the last job, by itself or killed: then a new one does it.
        for _ in range(2):
            child = self._running()
            try:
                answer = _ask(child, sent, until)
                break
            except EOFError:
                self._end()
            except TimeoutError:
                log.warning("drawing a %s took too long", job.form)
                self._end()
                raise TooSlowError from None
        if answer is None:
            log.error("the drawing process ended twice while drawing a %s", job.form)
            raise WorkshopError
        kind, body = answer[:1], answer[1:]
        if kind == DONE:
            return body
        log.error("drawing a %s failed: %s", job.form, body.decode(errors="replace"))
        if kind == MISSING:
            raise MissingError
        raise WorkshopError

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self._end()
            environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
            environment |= {"LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
            self._child = subprocess.Popen(  # noqa: S603 - our own program, a folder of the settings
                # -P: what lies in the working folder is no module of ours.
                [sys.executable, "-P", "-m", "mapservice.drawing", str(self.folder.absolute())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
            )
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def _ask(child: subprocess.Popen[bytes], sent: bytes, until: float) -> bytes:
    """One question and its answer. Raises EOFError if the process ended, TimeoutError."""
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(LENGTH.pack(len(sent)) + sent)
        child.stdin.flush()
    except OSError:
        raise EOFError from None
    (length,) = LENGTH.unpack(_read(child.stdout, LENGTH.size, until))
    return _read(child.stdout, length, until)


def _read(stream: IO[bytes], length: int, until: float) -> bytes:
    parts: list[bytes] = []
    while length:
        ready, _, _ = select.select([stream], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            raise TimeoutError
        part = os.read(stream.fileno(), min(length, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
