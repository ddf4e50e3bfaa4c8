"""Join the bands that the demo's job painted: ``join.py FOLDER PICTURE``.

Marks the two places that are farthest from any coast, and says where they are.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "world"))

import distance
import globe
import png

MARK = (226, 40, 60)


def ring(rows: png.Rows, longitude: float, latitude: float) -> None:
    """Draw a circle around a place."""
    height, width = len(rows), len(rows[0])
    lines = [globe.Row(index, width, height) for index in range(height)]
    line = min(range(height), key=lambda index: abs(lines[index].latitude - latitude))
    columns = lines[line].columns
    column = min(columns, key=lambda x: abs(lines[line].longitude(x) - longitude))
    for y in range(max(0, line - 9), min(height, line + 10)):
        for x in range(max(0, column - 9), min(width, column + 10)):
            if 5.5 <= ((x - column) ** 2 + (y - line) ** 2) ** 0.5 <= 7.5:
                rows[y][x] = MARK


def spoken(place: dict[str, float]) -> str:
    north, east = place["latitude"], place["longitude"]
    return (
        f"{abs(north):.1f}° {'N' if north > 0 else 'S'}, {abs(east):.1f}° "
        f"{'E' if east > 0 else 'W'}, {place['km']:,.0f} km from any coast"
    )


def main() -> None:
    folder, picture = Path(sys.argv[1]), Path(sys.argv[2])
    bands = sorted(folder.glob("*/out/band-*.png"))
    rows = [row for band in bands for row in png.decode(band.read_bytes())]
    if len(rows) != distance.HEIGHT:
        sys.exit(f"{folder} holds {len(rows)} rows of the map's {distance.HEIGHT}")
    found = [json.loads(band.with_suffix(".json").read_bytes()) for band in bands]
    for what, name in (("sea", "at sea"), ("land", "on land")):
        places = [best[what] for best in found if what in best]
        place = max(places, key=lambda place: place["km"])
        print(f"  the loneliest place {name}: {spoken(place)}")
        ring(rows, place["longitude"], place["latitude"])
    picture.write_bytes(png.encode(rows))


if __name__ == "__main__":
    main()
