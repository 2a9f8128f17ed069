#!/usr/bin/env python3
"""Take the pictures in docs/screenshots from a running site with demonstration data.

    scripts/screenshots.py [http://127.0.0.1:8000]

Needs Chromium and the environment of scripts/test (Playwright).
"""

from __future__ import annotations

import sys
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
STATES: dict[str, tuple[str, tuple[int, int]]] = {
    "map-desktop": ("/", DESKTOP),
    "map-phone": ("/", PHONE),
    "map-region": ("/?level=municipalities&measure=share&scope=available&within=05", DESKTOP),
    "area": ("/gebiete/055150000000", DESKTOP),
    "table": ("/tabelle", DESKTOP),
}


def take(page: Page, address: str, name: str) -> None:
    page.goto(address, wait_until="networkidle")
    page.wait_for_timeout(1500)  # the canvas is painted after the last answer
    target = FOLDER / f"{name}.png"
    page.screenshot(path=target)
    print(f"{target.name}: {target.stat().st_size // 1000} kB")


def main() -> None:
    site = (sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000").rstrip("/")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name, (path, (width, height)) in STATES.items():
            context = browser.new_context(viewport={"width": width, "height": height}, locale="de-DE")
            take(context.new_page(), site + path, name)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
