"""The map's own reader of TopoJSON, against the browser's JSON."""

from __future__ import annotations

from tests.browser.conftest import Visitor

COMPARE = """async ([module, files]) => {
  const { readTopology } = await import(module);
  const { readGeometry } = await import(module.replace("topology.js", "geometry-file.js"));
  const texts = await Promise.all(files.map(async (file) =>
    file.startsWith("{") ? file : (await fetch(file)).text()));
  return texts.map((text) => {
    const bytes = new TextEncoder().encode(text);
    const plain = JSON.parse(text);
    const { document, lists } = readTopology(bytes);
    const numbers = (list) => [...lists.values.subarray(...lists.span(list))];
    const nested = (list, ends) => {
      let from = lists.span(list)[0];
      return [...ends].map((end) => [...lists.values.subarray(from, (from = end))]);
    };
    const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
    const areas = plain.objects.areas.geometries;
    const read = document.objects.areas.geometries;
    const { features } = readGeometry(bytes);
    return {
      areas: areas.length,
      arcs: same(
        nested(document.arcs, lists.groupEnds(document.arcs).subarray(0, -1)),
        plain.arcs.map((arc) => arc.flat())),
      numbers: areas.every(({ arcs = [] }, at) =>
        !arcs.length || same(numbers(read[at].arcs), arcs.flat(Infinity))),
      rings: areas.every(({ type, arcs = [] }, at) =>
        !arcs.length || same(
          nested(read[at].arcs, lists.ringEnds(read[at].arcs)),
          type === "Polygon" ? arcs : arcs.flat())),
      names: areas.map((_, at) => features.properties(at).name),
      keys: areas.map((_, at) => features.properties(at).ars),
      found: areas.every((_, at) => features.indexOf(features.properties(at).ars) === at),
      states: [...features.grouped("state")],
      rest: same({ ...document.columns, title: document.title }, { ...plain.columns, title: plain.title }),
    };
  });
}"""
OLD = """{"type":"Topology","title":"\\"arcs\\":[7] \\\\","transform":{"scale":[0.1,0.1],"translate":[-5,47]},
 "arcs": [[[0,0],[-3,40],[5,-1]],[[2,2],[1,1]]],
 "objects":{"areas":{"type":"GeometryCollection","geometries":[
  {"type":"Polygon","id":"05","arcs":[[0,-2]],
   "properties":{"name":"A \\"arcs\\":[[1,2]]","ars":"050000000000","state":null}},
  {"type":"MultiPolygon","id":"06","arcs":[ [[0],[1]], [[ -1 ]] ],
   "properties":{"name":"B","ars":"060000000000","state":"x"}},
  {"type":"Polygon","id":"07","properties":{"name":"C","ars":"070000000000","state":null}}]}}}"""


def test_files_are_read_as_the_browser_reads_json(visit: Visitor) -> None:
    """All files of the release; one with blanks, texts like its own names, properties of older imports."""
    page = visit().open("/tabelle", painted=False)
    level_files = page.request.get(f"{page.url.rpartition('/')[0]}/").text()
    files = sorted({part.partition('"')[0] for part in level_files.split('"href": "')[1:]})
    files = [name for name in files if name.endswith(".topojson")]
    assert len(files) > 3
    version = level_files.partition("/static/")[2].partition("/")[0]
    read = page.evaluate(COMPARE, [f"/static/{version}/js/topology.js", [*files, OLD]])
    for answer in read:
        wrong = [name for name in ("arcs", "numbers", "rings", "found", "rest") if not answer[name]]
        assert wrong == []
    old = read[-1]
    assert old["names"] == ['A "arcs":[[1,2]]', "B", "C"]
    assert old["keys"] == ["050000000000", "060000000000", "070000000000"]
    assert old["states"] == [0, 1, 0]
    assert {"Warendorf", "Telgte"} <= {name for answer in read[:-1] for name in answer["names"]}
