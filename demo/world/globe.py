"""The Earth as a ball: its coasts, the way to them, and its map in Equal Earth projection."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

KM = 6371.0
"""The Earth's radius."""
GRAIN_KM = 25.0
"""The most that lies between two points which stand for a coast."""

# Equal Earth (Šavrič, Patterson, Jenny 2018): areas on the map are true.
A1, A2, A3, A4 = 1.340264, -0.081106, 0.000893, 0.003796
TOP = 1.3173627591574133
ASPECT = 2.0545933

Ring = list[tuple[float, float]]
"""Corners, as longitude and latitude in degrees."""
Point = tuple[float, float, float]
"""A place on the unit sphere."""
Tree = tuple[Point, Any, Any, int]
"""A point, the tree of those before it along an axis, that of those behind it, and the axis."""


def unit(longitude: float, latitude: float) -> Point:
    a, b = math.radians(longitude), math.radians(latitude)
    return math.cos(b) * math.cos(a), math.cos(b) * math.sin(a), math.sin(b)


def kilometres(squared: float) -> float:
    """The way over the ground that belongs to the square of the straight way through it."""
    return 2 * KM * math.asin(min(1.0, math.sqrt(squared) / 2))


def coasts(file: Path) -> list[Ring]:
    """Every island and continent. A ring of one corner is an island too small for this map."""
    rings = []
    for line in file.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            corners = [corner.split(",") for corner in line.split()]
            rings.append([(float(x), float(y)) for x, y in corners])
    return rings


def shore(rings: list[Ring]) -> list[Point]:
    """Points along every coast."""
    points = []
    for ring in rings:
        for (x1, y1), (x2, y2) in sides(ring):
            if abs(x1) == abs(x2) == 180 or y1 == y2 == -90:
                continue  # There the map was cut, and is no coast.
            a, b = unit(x1, y1), unit(x2, y2)
            pieces = 1 + int(KM * math.dist(a, b) / GRAIN_KM)
            for i in range(pieces):
                x, y, z = (p + (q - p) * i / pieces for p, q in zip(a, b, strict=True))
                far = math.sqrt(x * x + y * y + z * z)
                points.append((x / far, y / far, z / far))
    return points


def sides(ring: Ring) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    return zip(ring, ring[1:] + ring[:1], strict=True)


def tree(points: list[Point], axis: int = 0) -> Tree | None:
    """A k-d tree, in which the nearest point is found without looking at all of them."""
    if not points:
        return None
    points = sorted(points, key=lambda point: point[axis])
    half, after = len(points) // 2, (axis + 1) % 3
    return points[half], tree(points[:half], after), tree(points[half + 1 :], after), axis


def nearest(root: Tree | None, place: Point, most: float) -> float:
    """The square of the straight way to the nearest point, or ``most`` if none is as near."""
    x, y, z = place
    best, waiting = most, [(0.0, root)]
    while waiting:
        least, node = waiting.pop()
        while node is not None and least < best:
            point, below, above, axis = node
            px, py, pz = point
            found = (px - x) ** 2 + (py - y) ** 2 + (pz - z) ** 2
            if found < best:
                best = found
            gap = place[axis] - point[axis]
            node, far = (above, below) if gap > 0 else (below, above)
            if far is not None and gap * gap < best:
                waiting.append((gap * gap, far))
    return best


class Row:
    """A row of pixels of the map: one latitude, and the columns that the Earth fills in it."""

    def __init__(self, index: int, width: int, height: int) -> None:
        y = TOP * (1 - 2 * (index + 0.5) / height)
        angle = y / A1
        for _ in range(20):  # Newton's method
            angle -= (_high(angle) - y) / _slope(angle)
        self.latitude = math.degrees(math.asin(2 * math.sin(angle) / math.sqrt(3)))
        reach = A1 * math.cos(angle) / _slope(angle)
        first = math.ceil((1 - reach) * width / 2)
        self.columns = range(first, width - first)
        self._degrees = 360 / (reach * width)
        self._middle = width / 2

    def longitude(self, column: int) -> float:
        return (column + 0.5 - self._middle) * self._degrees

    def on_land(self, rings: list[Ring]) -> list[bool]:
        """For each column, whether it lies within an odd number of rings."""
        crossings = []
        for ring in rings:
            for (x1, y1), (x2, y2) in sides(ring):
                if (y1 > self.latitude) != (y2 > self.latitude):
                    crossings.append(x1 + (self.latitude - y1) * (x2 - x1) / (y2 - y1))
        crossings.sort(reverse=True)
        inside, land = False, []
        for column in self.columns:
            while crossings and crossings[-1] < self.longitude(column):
                crossings.pop()
                inside = not inside
            land.append(inside)
        return land


def _high(angle: float) -> float:
    t2 = angle * angle
    return angle * (A1 + A2 * t2 + t2**3 * (A3 + A4 * t2))


def _slope(angle: float) -> float:
    t2 = angle * angle
    return A1 + 3 * A2 * t2 + t2**3 * (7 * A3 + 9 * A4 * t2)
