"""Which build of the program this is: the release's number and a digest of its code."""

from __future__ import annotations

import hashlib
from importlib.metadata import version

from mapservice.paths import PACKAGE

VERSION = version("mapservice")


def _digest() -> str:
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


BUILD = f"{VERSION}-{_digest()}"
