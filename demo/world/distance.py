"""How far is every place on Earth from the nearest coast? Each copy of the job paints a part.

Copy R of N takes the R-th band of the map, from north to south. For each pixel it computes the way
to the nearest coast, and leaves a picture, ``out/band-R.png``, and the places that are farthest
from any coast, at sea and on land, in ``out/band-R.json``. It needs Python's standard library only.
"""

import json
import math
import os
import time
from pathlib import Path

import globe
import png

WIDTH = 960
HEIGHT = round(WIDTH / globe.ASPECT)
FARTHEST_KM = 2700.0
CONTOUR_KM = 500.0
PAPER = (255, 255, 255)
DEEP = ((214, 233, 233), (133, 188, 199), (58, 128, 158), (24, 72, 112), (10, 34, 66))
"""The sea, from the coast to the farthest."""
HIGH = ((246, 238, 214), (231, 200, 146), (203, 148, 92), (148, 88, 52), (96, 48, 32))
"""The land, likewise."""

Found = dict[str, dict[str, float]]


def colour(km: float, land: bool) -> png.Pixel:
    ramp = HIGH if land else DEEP
    at = min(km / FARTHEST_KM, 0.9999) * (len(ramp) - 1)
    low, share = ramp[int(at)], at % 1
    high = ramp[int(at) + 1]
    light = 0.86 if km % CONTOUR_KM > CONTOUR_KM - 26 else 1.0
    red, green, blue = (
        round(light * (a + (b - a) * share)) for a, b in zip(low, high, strict=True)
    )
    return red, green, blue


def paint(
    row: globe.Row, root: globe.Tree | None, rings: list[globe.Ring], best: Found
) -> list[png.Pixel]:
    """The pixels of a row. ``best`` keeps the farthest place at sea and on land."""
    pixels = [PAPER] * WIDTH
    straight, step = 2.0, 10 / WIDTH
    for column, land in zip(row.columns, row.on_land(rings), strict=True):
        place = globe.unit(row.longitude(column), row.latitude)
        # It can't be farther than from the pixel before, and the way from there to here.
        squared = globe.nearest(root, place, (straight + step) ** 2)
        straight, km = math.sqrt(squared), globe.kilometres(squared)
        pixels[column] = colour(km, land)
        what = "land" if land else "sea"
        if what not in best or km > best[what]["km"]:
            longitude = row.longitude(column)
            best[what] = {"km": km, "longitude": longitude, "latitude": row.latitude}
    return pixels


def main() -> None:
    rank, count = int(os.environ["SKERRY_RANK"]), int(os.environ["SKERRY_TASKS"])
    began = time.monotonic()
    rings = globe.coasts(Path("coasts.txt"))
    points = globe.shore(rings)
    root = globe.tree(points)
    print(
        f"read {len(rings):,} islands and continents, {len(points):,} points of coast", flush=True
    )
    first, last = HEIGHT * rank // count, HEIGHT * (rank + 1) // count
    rows: png.Rows = []
    best: Found = {}
    for index in range(first, last):
        rows.append(paint(globe.Row(index, WIDTH, HEIGHT), root, rings, best))
    out = Path("out")
    out.mkdir(exist_ok=True)
    (out / f"band-{rank}.png").write_bytes(png.encode(rows))
    (out / f"band-{rank}.json").write_text(json.dumps(best))
    took = time.monotonic() - began
    print(f"painted rows {first} to {last - 1} of the map in {took:.0f} s", flush=True)


if __name__ == "__main__":
    main()
