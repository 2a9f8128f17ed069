"""Rates by wrk over a list of addresses, each asked for once in its turn."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

_SCRIPT = """
local paths, number = {{}}, 0
for line in io.lines("{file}") do paths[#paths + 1] = line end
function request()
  number = number % #paths + 1
  return wrk.format("GET", paths[number])
end
"""
_REVALIDATE = """
function request() return wrk.format("GET", "{path}", wrk.headers) end
function response(status, headers) wrk.headers["If-None-Match"] = headers["ETag"] or headers["etag"] end
"""
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


@dataclass(frozen=True)
class Rate:
    """Requests a second, seconds at the median and the 99th percentile, answers that were no success."""

    requests: float
    p50: float
    p99: float
    failed: int


def rate(
    server: str,
    paths: Iterable[str],
    *,
    seconds: int,
    connections: int = 4,
    most: int = 100_000,
) -> Rate:
    """Asks for these paths one after another, from the first again only if they do not last."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.write("\n".join(islice(paths, most)))
        listed.flush()
        return _run(server, _SCRIPT.format(file=listed.name), seconds, connections)


def revalidations(server: str, path: str, *, seconds: int) -> Rate:
    """Asks for the same again and again with the ETag of the last answer."""
    return _run(server, _REVALIDATE.format(path=path), seconds, 4)


def _run(server: str, script: str, seconds: int, connections: int) -> Rate:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "60s"]
        command += ["-s", file.name, "-H", "Accept-Encoding: gzip", server]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    failed = sum(int(n) for n in re.findall(r"Non-2xx or 3xx responses: (\d+)", out))
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", out)
    failed += sum(map(int, errors.groups())) if errors else 0
    found = re.search(r"Requests/sec:\s+([\d.]+)", out)
    assert found, out
    return Rate(float(found[1]), _latency(out, 50), _latency(out, 99), failed)


def _latency(out: str, percent: int) -> float:
    found = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s|m)\b", out)
    assert found, out
    return float(found[1]) * _UNITS[found[2]]


def in_turn(rounds: int, measures: dict[str, Callable[[], Rate]]) -> dict[str, Rate]:
    """The median run by requests of each, asked by turns so that all meet the same machine."""
    found: dict[str, list[Rate]] = {name: [] for name in measures}
    for _round in range(rounds):
        for name, measure in measures.items():
            found[name].append(measure())
    return {
        name: sorted(rates, key=lambda rate: rate.requests)[len(rates) // 2] for name, rates in found.items()
    }
