#!/usr/bin/env python3
"""The map in a browser, against the page that folium.Choropleth makes of all municipalities at 300 m.

    benchmarks/map.py --state DIR [--runs 5] [--quick] [--only NAME …] [--keep FILE]

DIR is a state folder of its own; it is filled on the first run (shared VG250, shared catalogue, 340,000
made-up rows with --mix, everything published). Needs Chromium, npm and a current node; npm installs
Lighthouse and what a folium page loads from elsewhere into benchmarks/node_modules.

Both sides in the same run, by turns, each visit with an empty cache of its own, behind granian with two
workers and compression, fonts left out. Time runs from the start of the navigation (or the click) to two
frames after the last area has its colour; then a screenshot must show a colour where the last area lies.
folium's areas are SVG, which Chromium rasters after these frames: that time is not counted against it.
Prints a Markdown table; --quick: 3 runs, without Lighthouse. What counts is the ratio within a run.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely
import values as prepared
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright
from sqlalchemy import text

from mapservice import cluster
from mapservice.config import Settings
from mapservice.database import Database
from mapservice.domain import SUBJECT_AREAS

HERE = Path(__file__).resolve().parent
OURS, PEER = "http://127.0.0.1:8775", "http://127.0.0.1:8776"
SIZE = {"width": 1440, "height": 900}
ROWS = 340_000
SETTLED = 800
"""Milliseconds after which nothing is fetched any more."""
SUBJECTS = [slug for slug, _ in SUBJECT_AREAS]
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Chromium loads the lists of its address bar anew for every window: 0.6 s of work beside the page.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup",
]
MAP_READY = "document.querySelector('#map-page[data-painted]')"
FOLIUM_READY = "document.querySelectorAll('path.leaflet-interactive[fill][d]').length >= 11000"
WATCH = """(() => {
  const ready = () => %s;
  const frame = (then) => requestAnimationFrame(then);
  window.paintedAt = new Promise((done) => {
    const look = () => (ready() ? frame(() => frame(() => done(performance.now()))) : frame(look));
    frame(look);
  });
})();"""
CLICK = """(selector) => new Promise((done) => {
  const root = document.querySelector('#map-page');
  const before = root.dataset.painted;
  const frame = (then) => requestAnimationFrame(then);
  const started = performance.now();
  const look = () => root.dataset.painted !== before && root.ariaBusy !== 'true'
    ? frame(() => frame(() => done(performance.now() - started))) : frame(look);
  document.querySelector(selector).click();
  look();
})"""
LAST_AREA = """() => {
  const map = window.map_ozg ?? Object.values(window).find((item) => window.L && item instanceof L.Map);
  const box = map.getContainer().getBoundingClientRect();
  const point = map.latLngToContainerPoint([50.985, 12.43]);
  return { x: box.x + point.x, y: box.y + point.y };
}"""
"""A point inside 160770… (Altenburger Land), the last district of all levels' lists."""


@dataclass
class Visit:
    """A page with an empty cache, and the bytes that reached it."""

    page: Page
    session: CDPSession
    received: int = 0

    def open(self, address: str, ready: str) -> float:
        """Seconds until the last area is painted."""
        self.page.add_init_script(WATCH % ready)
        self.page.goto(address, wait_until="commit")
        seconds: float = self.page.evaluate("() => window.paintedAt") / 1000
        self.page.wait_for_timeout(SETTLED)
        self.see_colour()
        return seconds

    def again(self, address: str) -> float:
        """Seconds until the page that follows is painted; the cache stays."""
        self.received = 0
        self.page.goto(address, wait_until="commit", timeout=120_000)
        seconds: float = self.page.evaluate("() => window.paintedAt") / 1000
        self.page.wait_for_timeout(SETTLED)
        return seconds

    def click(self, selector: str) -> float:
        """Seconds from a click in the filter form to areas repainted."""
        self.received = 0
        milliseconds: float = self.page.evaluate(CLICK, selector)
        self.page.wait_for_timeout(150)
        return milliseconds / 1000

    def see_colour(self) -> None:
        """The last area has a colour on the screen, not the ground's."""
        place = self.page.evaluate(LAST_AREA)
        image = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        found = image.getpixel((round(place["x"]), round(place["y"])))
        ground = {(221, 221, 221), (255, 255, 255), (233, 236, 241)}
        if found in ground:
            raise SystemExit(f"{self.page.url}: nothing painted at {place}")


@contextmanager
def visit(browser: Browser, slowed: int = 1) -> Iterator[Visit]:
    """A new context: nothing cached. Fonts are blocked on both sides."""
    context: BrowserContext = browser.new_context(viewport=SIZE, locale="de-DE")  # type: ignore[arg-type]
    page = context.new_page()
    session = context.new_cdp_session(page)
    made = Visit(page, session)

    def received(event: dict[str, Any]) -> None:
        made.received += int(event["encodedDataLength"])

    session.on("Network.loadingFinished", received)
    session.send("Network.enable")
    session.send("Network.setBlockedURLs", {"urls": ["*.woff2*", "*.woff*", "*.ttf*"]})
    if slowed > 1:
        session.send("Emulation.setCPUThrottlingRate", {"rate": slowed})
    try:
        yield made
    finally:
        context.close()


# --- figures -----------------------------------------------------------------------------------------


@dataclass
class Figures:
    """Everything measured: name -> values of the runs."""

    found: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        self.found.setdefault(name, []).append(value)

    def __getitem__(self, name: str) -> float:
        return statistics.median(self.found[name])

    def __contains__(self, name: str) -> bool:
        return name in self.found


def first_paint(browser: Browser, figures: Figures, turn: int) -> None:
    """folium, all municipalities, and the default view, by turns."""
    if turn == 0:
        with visit(browser) as made:
            made.open(f"{PEER}/rounded", FOLIUM_READY)
            figures.add("folium bytes rounded", made.received)
    with visit(browser) as made:
        figures.add("folium time", made.open(PEER, FOLIUM_READY))
        figures.add("folium bytes", made.received)
    with visit(browser) as made:
        figures.add("municipalities time", made.open(f"{OURS}/?level=municipalities", MAP_READY))
        figures.add("municipalities bytes", made.received)
        figures.add("municipalities zoom", made.page.evaluate("window.map_ozg?.getZoom() ?? 0"))
    with visit(browser) as made:
        figures.add("default time", made.open(f"{OURS}/", MAP_READY))
        figures.add("default bytes", made.received)


def new_filter(browser: Browser, figures: Figures, turn: int) -> None:
    """A filter that nobody asked for yet, against a page rendered anew and loaded; its scripts are cached."""
    with visit(browser) as made:
        made.open(PEER, FOLIUM_READY)
        figures.add("folium filter time", made.again(f"{PEER}/new?n={turn}"))
        figures.add("folium filter bytes", made.received)
    with visit(browser) as made:
        # A pair of subject areas of its own in each turn.
        first, second = SUBJECTS[turn % 14], SUBJECTS[(turn + 1 + turn // 14) % 14]
        made.open(f"{OURS}/?level=municipalities&subject={first}", MAP_READY)
        figures.add("filter time", made.click(f'input[name="subject"][value="{second}"]'))
        figures.add("filter bytes", made.received)


MOVE = """() => new Promise((done) => {
  window.frames_ = []; let last = performance.now();
  window.counting = true;
  const tick = (now) => {
    window.frames_.push(now - last); last = now;
    if (window.counting) requestAnimationFrame(tick);
  };
  requestAnimationFrame((now) => { last = now; requestAnimationFrame(tick); done(); });
})"""


def moving(browser: Browser, figures: Figures, turn: int) -> None:
    """Frames while the map is dragged and zoomed by the wheel at z9, municipalities at 300 m."""
    with visit(browser) as made:
        page = made.page
        made.open(f"{OURS}/?level=municipalities", MAP_READY)
        page.evaluate("map_ozg.setView([51.0, 9.9], 9, { animate: false })")
        page.wait_for_timeout(3 * SETTLED)
        box = page.locator(".leaflet-container").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.evaluate(MOVE)
        for direction in (-1, 1):
            page.mouse.down()
            page.mouse.move(x + 260 * direction, y + 120 * direction, steps=40)
            page.mouse.up()
            page.mouse.move(x, y)
        for notch in (-120, -120, 120, 120):
            page.mouse.wheel(0, notch)
            page.wait_for_timeout(300)
        frames = page.evaluate("() => { window.counting = false; return window.frames_; }")
        figures.add("frame median", statistics.median(frames))
        figures.add("frame p95", statistics.quantiles(frames, n=20)[-1])
        figures.add("frame longest", max(frames))


def memory(browser: Browser, figures: Figures, turn: int) -> None:
    """The heap after 50 changes of the filter, all municipalities."""
    with visit(browser) as made:
        made.open(f"{OURS}/?level=municipalities", MAP_READY)
        for change in range(50):
            made.click(f'input[name="subject"][value="{SUBJECTS[change % 14]}"]')
        made.session.send("Performance.enable")
        figures.add("heap before collection", heap(made))
        made.session.send("HeapProfiler.collectGarbage")
        figures.add("heap", heap(made))


def heap(made: Visit) -> float:
    metrics = made.session.send("Performance.getMetrics")["metrics"]
    return float(next(item["value"] for item in metrics if item["name"] == "JSHeapUsedSize"))


def slowed(browser: Browser, figures: Figures, turn: int) -> None:
    """CPU at a quarter: the default view, and a filter in it and among all municipalities."""
    subject = SUBJECTS[turn % 14]
    with visit(browser, slowed=4) as made:
        figures.add("slow default time", made.open(f"{OURS}/", MAP_READY))
        figures.add("slow filter time", made.click(f'input[name="subject"][value="{subject}"]'))
    with visit(browser, slowed=4) as made:
        made.open(f"{OURS}/?level=municipalities", MAP_READY)
        figures.add(
            "slow filter municipalities time", made.click(f'input[name="subject"][value="{subject}"]')
        )


CASES: dict[str, Callable[[Browser, Figures, int], None]] = {
    "paint": first_paint,
    "filter": new_filter,
    "moving": moving,
    "memory": memory,
    "slowed": slowed,
}
ONCE = ("memory",)


def lighthouse(figures: Figures, runs: int) -> None:
    """Lighthouse's scores, desktop preset and mobile, of the default view."""
    executable = HERE / "node_modules" / "lighthouse" / "cli" / "index.js"
    for form, preset in (("desktop", ["--preset=desktop"]), ("mobile", [])):
        for _ in range(runs):
            with tempfile.NamedTemporaryFile(suffix=".json") as out:
                command = ["node", str(executable), f"{OURS}/", "--quiet", "--output=json", *preset]
                command += [f"--output-path={out.name}", f"--chrome-flags={' '.join(ARGUMENTS)}"]
                command += ["--only-categories=performance,accessibility,best-practices"]
                environment = os.environ | {"CHROME_PATH": str(chromium())}
                subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
                report = json.loads(Path(out.name).read_text(encoding="utf-8"))
            for name, category in report["categories"].items():
                figures.add(f"lighthouse {form} {name}", category["score"] * 100)
            for name, audit in report["audits"].items():
                if name in ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time"):
                    figures.add(f"lighthouse {form} {name}", audit["numericValue"])
                if name == "cumulative-layout-shift":
                    figures.add(f"lighthouse {form} {name}", audit["numericValue"])
                wrong = audit["score"] is not None and audit["score"] < 0.9
                if wrong and audit["scoreDisplayMode"] == "binary":
                    print(f"{form}: {name}", file=sys.stderr)


# --- table -------------------------------------------------------------------------------------------


def table(figures: Figures) -> str:
    """Every figure of the issue with its limit, and whether it is met."""
    lines = ["| what | ours | folium | ratio | limit | |", "| --- | --- | --- | --- | --- | --- |"]

    def line(what: str, ours: str, peer: str, ratio: str, limit: str, met: bool) -> None:
        lines.append(f"| {what} | {ours} | {peer} | {ratio} | {limit} | {'met' if met else 'MISSED'} |")

    def against(what: str, name: str, peer: str, unit: str, part: int) -> None:
        if name not in figures or peer not in figures:
            return
        ours, theirs = figures[name], figures[peer]
        ratio = theirs / ours
        line(what, shown(ours, unit), shown(theirs, unit), f"1/{ratio:.1f}", f"1/{part}", ratio >= part)

    def below(what: str, name: str, limit: float, unit: str) -> None:
        if name in figures:
            line(what, shown(figures[name], unit), "", "", f"< {shown(limit, unit)}", figures[name] < limit)

    def above(what: str, name: str, limit: float) -> None:
        if name in figures:
            line(what, f"{figures[name]:.0f}", "", "", f"≥ {limit:.0f}", figures[name] >= limit)

    against("all municipalities, painted", "municipalities time", "folium time", "s", 2)
    against("all municipalities, bytes", "municipalities bytes", "folium bytes", "B", 4)
    if "folium bytes rounded" in figures:
        ours, theirs = figures["municipalities bytes"], figures["folium bytes rounded"]
        lines.append(
            f"| the same, folium given our own rounded vertices | {shown(ours, 'B')} | {shown(theirs, 'B')} |"
            f" 1/{theirs / ours:.1f} | | |"
        )
    against("default view, painted", "default time", "folium time", "s", 4)
    against("default view, bytes", "default bytes", "folium bytes", "B", 8)
    below("default view, bytes", "default bytes", 500e3, "B")
    against("new filter, municipalities repainted", "filter time", "folium filter time", "s", 20)
    against("new filter, bytes", "filter bytes", "folium filter bytes", "B", 100)
    below("frame at z9, median", "frame median", 50, "ms")
    below("heap after 50 filters", "heap", 100e6, "B")
    below("default view, CPU slowed 4×", "slow default time", 2.5, "s")
    below("new filter in it, CPU slowed 4×", "slow filter time", 0.6, "s")
    below("new filter, municipalities, CPU slowed 4×", "slow filter municipalities time", 0.6, "s")
    for form, performance in (("desktop", 95), ("mobile", 85)):
        above(f"Lighthouse {form}, performance", f"lighthouse {form} performance", performance)
        above(f"Lighthouse {form}, accessibility", f"lighthouse {form} accessibility", 95)
        above(f"Lighthouse {form}, best practice", f"lighthouse {form} best-practices", 95)
    return "\n".join(lines)


def shown(value: float, unit: str) -> str:
    """A figure in the unit that suits it."""
    if unit == "B":
        return f"{value / 1e6:.2f} MB" if value >= 1e6 else f"{value / 1e3:.0f} kB"
    return f"{value:.0f} ms" if unit == "ms" else f"{value:.2f} s"


# --- servers -----------------------------------------------------------------------------------------


def chromium() -> Path:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return Path(found)
    raise SystemExit("No Chromium on this machine.")


def install() -> None:
    """npm's packages of this folder; kept while the lock stays."""
    if not (HERE / "node_modules" / "lighthouse").is_dir():
        subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=HERE, check=True, stdout=sys.stderr)


def folium_data(database: Database, folder: Path) -> None:
    """All municipalities at 300 m as GeoJSON: municipalities.geojson generalised from the full geometry and
    written as PostGIS does by default (9 digits), rounded.geojson with our own vertices (4 digits)."""
    with database.owner() as connection:
        rows = connection.execute(
            text(
                "SELECT b.key, b.name, ST_AsBinary(b.geom) AS full, ST_SRID(b.geom) AS crs, s.geojson"
                " FROM boundary b JOIN boundary_release r ON r.id = b.release_id AND r.is_current"
                " JOIN boundary_shape s ON s.boundary_id = b.id AND s.detail = 300"
                " WHERE b.level = 4 ORDER BY b.ordinal"
            )
        ).all()
    shapes = shapely.coverage_simplify(shapely.from_wkb([bytes(row.full) for row in rows]), 300)
    degrees = pyproj.Transformer.from_crs(rows[0].crs, 4326, always_xy=True)
    shapes = shapely.transform(
        shapes, lambda points: np.round(np.column_stack(degrees.transform(points[:, 0], points[:, 1])), 9)
    )
    for name, geometries in (
        ("municipalities", shapely.to_geojson(shapes)),
        ("rounded", [row.geojson for row in rows]),
    ):
        features = ",".join(
            f'{{"type":"Feature","id":"{row.key}","properties":{{"name":{json.dumps(row.name)}}},'
            f'"geometry":{geometry}}}'
            for row, geometry in zip(rows, geometries, strict=True)
        )
        document = f'{{"type":"FeatureCollection","features":[{features}]}}'
        (folder / f"{name}.geojson").write_text(document, encoding="utf-8")
    numbers = "".join(f"{row.key},{(at * 7) % 50}\n" for at, row in enumerate(rows))
    (folder / "values.csv").write_text("key,n\n" + numbers, encoding="utf-8")


def folium_server(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--workers", "2"]
    command += ["--blocking-threads", "4", "--port", PEER.rsplit(":", 1)[1], "--log-level", "warning"]
    command.append("benchmarks.folium_page:application")
    environment = os.environ | {"FOLIUM_DATA": str(folder)}
    return subprocess.Popen(command, cwd=HERE.parent, env=environment, start_new_session=True)


def our_server() -> subprocess.Popen[bytes]:
    environment = os.environ | {"MAPSERVICE_PORT": OURS.rsplit(":", 1)[1]}
    command = [str(Path(sys.executable).parent / "mapservice"), "serve"]
    return subprocess.Popen(command, env=environment, start_new_session=True, stdout=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="*", choices=[*CASES, "lighthouse"])
    parser.add_argument("--keep", type=Path, help="all values as JSON")
    arguments = parser.parse_args()
    runs = 3 if arguments.quick else arguments.runs
    chosen = arguments.only or [*CASES, *([] if arguments.quick else ["lighthouse"])]
    os.environ["MAPSERVICE_STATE_DIR"] = str(arguments.state.absolute())
    install()
    settings = Settings.from_environment()
    figures = Figures()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        # Left before the service starts: at its end it waits for whoever uses its database.
        with cluster.connected(settings) as urls:
            database = Database(urls, settings)
            prepared.fill(database, ROWS)
            folium_data(database, folder)
            database.dispose()
        stack.enter_context(prepared.running(folium_server(folder), PEER + "/files/leaflet"))
        stack.enter_context(prepared.running(our_server(), OURS + "/api/health"))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
            for name, case in CASES.items():
                if name in chosen:
                    for turn in range(1 if name in ONCE else runs):
                        case(browser, figures, turn)
                        print(name, turn + 1, file=sys.stderr, flush=True)
            browser.close()
        if "lighthouse" in chosen:
            lighthouse(figures, 3 if runs >= 3 else 1)
    if arguments.keep:
        arguments.keep.write_text(json.dumps(figures.found, indent=1), encoding="utf-8")
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"\n{runs} runs, medians; load average at the end {load}\n\n{table(figures)}\n")
    for name, found in sorted(figures.found.items()):
        print(f"{name}: {', '.join(f'{value:.4g}' for value in found)}", file=sys.stderr)


if __name__ == "__main__":
    main()
