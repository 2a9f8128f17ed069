"""The drawing process: reads jobs from standard input, writes files to standard output; see workshop.py."""

from __future__ import annotations

import os
import pickle
import resource
import select
import sys
import tempfile
import traceback
from pathlib import Path
from typing import IO

from mapservice.drawing.picture import Job
from mapservice.drawing.workshop import DONE, FAILED, LENGTH, MISSING

_IDLE_SECONDS = 600
_MOST_MEMORY = 3 * 1024**3


def _cache_folder(wanted: Path) -> Path:
    """The folder if it is there or can be made and written to, else one that is gone after a restart."""
    try:
        wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=wanted):
            return wanted
    except OSError:
        return Path(tempfile.mkdtemp(prefix="mapservice-drawing-"))


def _answer(job: Job, cache: Path) -> bytes:
    try:
        # WeasyPrint without its libraries is an OSError at its import.
        from mapservice.drawing import chart

        if job.form == "pdf":
            from mapservice.drawing import paper
    except (ImportError, OSError) as error:
        return MISSING + f"{type(error).__name__}: {error}".encode()
    try:
        if job.form == "pdf":
            return DONE + paper.write(job, cache)
        assert job.picture is not None
        return DONE + chart.draw(job.picture, job.form, cache)
    except Exception:  # noqa: BLE001 - whatever it is, the service is told and the next job comes
        return FAILED + traceback.format_exc(limit=-4).encode()


def _next_job(stream: IO[bytes]) -> Job | None:
    if not select.select([stream], [], [], _IDLE_SECONDS)[0]:
        return None
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    job = pickle.loads(stream.read(length))  # noqa: S301 - from our parent, by a pipe that it alone has
    return job if isinstance(job, Job) else None


def main() -> None:
    jobs, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # What a library prints must not get among the answers.
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    cache = _cache_folder(Path(sys.argv[1]))
    # A service's user may have no home; the libraries then would complain, or write elsewhere.
    os.environ.update({"HOME": str(cache), "MPLCONFIGDIR": str(cache), "XDG_CACHE_HOME": str(cache)})
    while (job := _next_job(jobs)) is not None:
        answer = _answer(job, cache)
        answers.write(LENGTH.pack(len(answer)) + answer)
        answers.flush()


if __name__ == "__main__":
    main()
