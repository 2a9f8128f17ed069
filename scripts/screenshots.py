#!/usr/bin/env python3
"""Take the pictures in docs/screenshots from a running site with demonstration data.

    scripts/screenshots.py [http://127.0.0.1:8000]

Needs Chromium and the environment of scripts/test (Playwright).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
]
DESKTOP, PHONE = (1280, 800), (390, 844)
WARENDORF = "055700000000"


@dataclass(frozen=True)
class State:
    """A page in a state: address, size of the window, and what a visitor does there."""

    path: str
    size: tuple[int, int] = DESKTOP
    dark: bool = False
    scripts: bool = True
    act: Callable[[Page], object] = lambda page: None


def _search(page: Page) -> None:
    page.get_by_role("combobox", name="Ort oder Leistung suchen").fill("kindergarden")
    page.get_by_role("option").first.wait_for()


STATES = {
    "map-desktop": State("/"),
    "map-phone": State("/", PHONE),
    "map-region": State("/?level=municipalities&measure=share&scope=available&within=05"),
    "map-service": State("/?level=municipalities&within=05570&service=10019&measure=status"),
    "map-classes": State(
        "/?level=municipalities&within=05&method=natural&classes=5",
        act=lambda page: page.locator("#legend-list button").nth(4).click(),
    ),
    "map-search": State("/", act=_search),
    "map-area-phone": State(f"/?area={WARENDORF}", PHONE),
    "map-dark": State(f"/?area={WARENDORF}", dark=True),
    "map-without-scripts": State("/?picture=1&level=municipalities&within=05", scripts=False),
    "area": State("/gebiete/055150000000"),
    "table": State("/tabelle?level=municipalities&within=05570"),
    "embedding": State("/einbinden?level=municipalities&within=05"),
}


def take(page: Page, address: str, name: str, act: Callable[[Page], object]) -> None:
    page.goto(address, wait_until="networkidle")
    act(page)
    page.wait_for_timeout(1500)  # the canvas is painted after the last answer
    target = FOLDER / f"{name}.png"
    page.screenshot(path=target)
    print(f"{target.name}: {target.stat().st_size // 1000} kB")


def main() -> None:
    site = (sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000").rstrip("/")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name, state in STATES.items():
            width, height = state.size
            context = browser.new_context(
                viewport={"width": width, "height": height},
                locale="de-DE",
                color_scheme="dark" if state.dark else "light",
                java_script_enabled=state.scripts,
            )
            take(context.new_page(), site + state.path, name, state.act)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
