"""Pictures of the map as the programs see them that people open them with."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient
from PIL import Image
from pyproj import Transformer

from mapservice import create_app
from mapservice.database import Database
from mapservice.drawing import workshop as workshops
from mapservice.drawing.picture import Job, Picture
from mapservice.drawing.workshop import TooSlowError, Workshop
from tests.entries import add_entry, add_service, set_publication

MUENSTER, WARENDORF, COESFELD = "055150000000", "055700000000", "055580000000"
EVIL = '<img src=x onerror=alert(1)> ${7*7} $x^2$ \u202eabc & "'
LONG = "Sehr langer Name " * 300
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def client(module_boundaries: Database) -> Iterator[FlaskClient]:
    """Münster has both services online, Warendorf one of two in progress, the others told nothing."""
    with module_boundaries.owner() as connection:
        add_service(connection, "10500", name=LONG)
        add_service(connection, "10501", subject_area_id=6, name=EVIL)
        for ars in (MUENSTER, WARENDORF):
            set_publication(connection, ars)
        add_entry(connection, MUENSTER, "10500")
        add_entry(connection, MUENSTER, "10501", demonstration=True)
        add_entry(connection, WARENDORF, "10501", status=2)
        connection.exec_driver_sql("UPDATE boundary SET name = %s WHERE ars = %s", (EVIL, WARENDORF))
    app = create_app(replace(module_boundaries.settings), module_boundaries)
    yield app.test_client()
    app.extensions["mapservice-workshop"].close()
    app.extensions["mapservice"].versions.close()


def svg(client: FlaskClient, address: str) -> ElementTree.Element:
    response = client.get(address)
    assert response.status_code == 200, response.text[:500]
    assert response.headers["Content-Type"] == "image/svg+xml; charset=utf-8"
    return ElementTree.fromstring(response.data)


def png(client: FlaskClient, address: str) -> Any:
    response = client.get(address)
    assert response.status_code == 200, response.text[:500]
    assert response.headers["Content-Type"] == "image/png"
    assert "Content-Encoding" not in response.headers
    return Image.open(io.BytesIO(response.data))


def by_id(root: ElementTree.Element) -> dict[str, ElementTree.Element]:
    return {element.get("id", ""): element for element in root.iter()}


def fill(element: ElementTree.Element) -> str:
    """The colour of a group's path."""
    path = next(element.iter(f"{SVG}path"))
    style = dict(part.strip().split(": ") for part in path.get("style", "").split(";") if ":" in part)
    return style["fill"]


def texts(root: ElementTree.Element) -> str:
    return " | ".join("".join(element.itertext()) for element in root.iter(f"{SVG}text"))


def pixel(picture: Any, lon: float, lat: float) -> tuple[int, int]:
    """Where a place lies in a PNG, by what the file says of itself."""
    west, south, east, north = (float(number) for number in picture.text["EPSG:25832"].split())
    left, top, right, bottom = (float(number) for number in picture.text["Pixels"].split())
    x, y = Transformer.from_crs("EPSG:4326", "EPSG:25832", always_xy=True).transform(lon, lat)
    return (
        round(left + (x - west) / (east - west) * (right - left)),
        round(top + (north - y) / (north - south) * (bottom - top)),
    )


def test_an_svg_has_every_area_in_the_colour_of_its_class(client: FlaskClient) -> None:
    root = svg(client, "/karte.svg")
    elements = by_id(root)
    areas = {key.removeprefix("area-") for key in elements if key.startswith("area-")}
    answer = client.get("/api/values/districts?format=keys").get_json()
    assert areas == set(answer["values"]) | set(answer["reasons"])
    colours = {item["label"]: item["colour"] for item in answer["classes"]}
    assert fill(elements["area-05515"]) == colours["2"]
    assert fill(elements["area-05570"]) == colours["0"]
    # A grey is a pattern, and the one that the legend shows.
    assert fill(elements["area-05558"]).startswith("url(#")
    assert fill(elements["area-05558"]) == fill(elements["legend-no_data"])
    assert elements["area-05515"].findtext(f"{SVG}title") == "Münster: 2 Leistungen"


def test_an_svg_tells_what_it_shows_as_text(client: FlaskClient) -> None:
    root = svg(client, "/karte.svg")
    said = texts(root)
    for expected in (
        "Zahl der Online-Leistungen – Angebote der Kreise und kreisfreien Städte selbst",
        "In 1 von 9 Kreisen und kreisfreien Städten ist mindestens eine Leistung online.",
        "keine Angaben",
        "BKG",
        "Demonstrationsdaten, frei erfunden",
        "Münster",
    ):
        assert expected in said, expected
    assert root.get("role") == "img"
    assert (root.findtext(f"{SVG}title") or "").startswith("Zahl der Online-Leistungen")
    assert "In 1 von 9" in (root.findtext(f"{SVG}desc") or "")
    assert "Number of online services" in texts(svg(client, "/karte.svg?lang=en"))


def test_text_from_files_is_text_in_a_picture(client: FlaskClient) -> None:
    root = svg(client, "/karte.svg?service=10501")
    assert "onerror=alert(1)> ${7*7} $x^2$" in texts(root)
    title = by_id(root)["area-05570"].findtext(f"{SVG}title")
    assert title == '<img src=x onerror=alert(1)> ${7*7} $x^2$ abc & ": 0 Leistungen'
    assert {element.tag for element in root.iter()} & {
        f"{SVG}img",
        f"{SVG}script",
        f"{SVG}foreignObject",
    } == set()
    long = svg(client, "/karte.svg?service=10500&width=400")
    assert "…" in texts(long)
    # A title that fills the page would leave nothing to the map.
    assert float(long.get("height", "").removesuffix("pt")) < 900
    png(client, "/karte.png?service=10501&width=400")


def test_a_png_shows_the_colour_where_the_area_lies(client: FlaskClient) -> None:
    picture = png(client, "/karte.png?within=05515&within=05570&within=05558&width=900")
    assert picture.width == 900
    assert picture.text["Title"].startswith("Zahl der Online-Leistungen")
    answer = client.get("/api/values/districts?format=keys&within=05515").get_json()
    colour = next(item["colour"] for item in answer["classes"] if item["label"] == "2")
    for key, lon, lat, expected in (
        ("Münster", 7.61, 51.92, colour),
        ("Warendorf", 8.05, 51.87, "#f7fbff"),
        ("Hamm, beyond the region", 7.85, 51.66, "#e9ecf1"),
    ):
        x, y = pixel(picture, lon, lat)
        around = picture.convert("RGB").crop((x - 10, y - 10, x + 10, y + 10))
        (most, _), *_rest = Counter(around.get_flattened_data()).most_common()
        assert "#{:02x}{:02x}{:02x}".format(*most) == expected, key


def test_an_area_is_ringed_and_a_class_picked_out(client: FlaskClient) -> None:
    plain = client.get("/karte.png?width=500").data
    assert client.get(f"/karte.png?width=500&area={MUENSTER}").data != plain
    assert client.get("/karte.png?width=500&area=999999999999").data == plain
    areas = [key for key in by_id(svg(client, "/karte.svg?class=c2")) if key.startswith("area-")]
    assert areas == ["area-05515"]


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/karte.png?width=99999", 400, "400 bis 3000 Pixel"),
        ("/karte.png?width=5e3", 400, "400 bis 3000 Pixel"),
        ("/karte.svg?width=500&width=600", 400, "width"),
        ("/karte.svg?area=<b>", 400, "12 Ziffern"),
        ("/karte.png?colour=red", 400, "colour"),
        ("/karte.png?within=99", 404, "99"),
        ("/karte.png?measure=status", 400, "Leistung"),
        ("/karte.svg?level=planets", 404, "districts"),
        ("/karte.pdf?paper=a5", 400, "a3"),
        ("/karte.pdf?orientation=up", 400, "landscape"),
    ],
)
def test_wrong_requests_are_told_what_is_allowed(
    client: FlaskClient, address: str, status: int, said: str
) -> None:
    response = client.get(address)
    assert response.status_code == status
    assert said in response.text


def test_a_picture_is_kept_and_asked_again_with_its_etag(client: FlaskClient) -> None:
    first = client.get("/karte.svg?width=450")
    etag = first.headers["ETag"]
    assert client.get("/karte.svg?width=450", headers={"If-None-Match": etag}).status_code == 304
    drawing = client.application.extensions["mapservice-workshop"]
    child = drawing._child
    assert child is not None
    child.kill()
    child.wait()
    assert client.get("/karte.svg?width=450").data == first.data  # from the cache
    # The next one has a new process, which draws the same bytes.
    again = client.get("/karte.svg?width=450&lang=de")
    assert again.status_code == 200
    assert again.data == first.data


def test_a_crowd_is_asked_to_come_back(client: FlaskClient) -> None:
    drawing = client.application.extensions["mapservice-workshop"]
    drawing._waiting += 2
    try:
        response = client.get("/karte.png?width=401")
    finally:
        drawing._waiting -= 2
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 5
    assert "Gerade werden schon andere Karten gezeichnet" in response.text
    assert client.get("/karte.png?width=401").status_code == 200


def test_what_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(workshops.SECONDS, "png", 0.05)
    drawing = Workshop(tmp_path)
    job = Job("png", Picture("de", "", "", "", (), ()))
    with pytest.raises(TooSlowError):
        drawing.draw(job)
    assert drawing._child is None


def test_a_server_without_the_libraries_says_so(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weasyprint.py").write_text("raise OSError('cannot load library libpango-1.0-0')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    drawing = client.application.extensions["mapservice-workshop"]
    drawing.close()
    try:
        response = client.get("/karte.pdf?within=05515")
        assert response.status_code == 501
        assert "für PDF nicht eingerichtet" in response.text
        assert "pango" not in response.text
        assert client.get("/karte.png?width=402").status_code == 200
    finally:
        drawing.close()
