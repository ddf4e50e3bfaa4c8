/** From the globe to a rectangle: as much of it as holds what is to be seen. */

export type Ring = readonly (readonly number[])[];

export interface Box {
  west: number;
  south: number;
  east: number;
  north: number;
}

export interface Projection {
  width: number;
  height: number;
  point: (longitude: number, latitude: number) => [x: number, y: number];
}

const WORLD: Box = { west: -170, south: -56, east: 190, north: 78 };
/** Degrees around what is to be seen, and the least that is shown. */
const AROUND = 9;
const LEAST = 46;

export function boxOf(rings: readonly Ring[]): Box {
  const box = { west: 180, south: 90, east: -180, north: -90 };
  for (const [longitude = 0, latitude = 0] of rings.flat()) {
    box.west = Math.min(box.west, longitude);
    box.east = Math.max(box.east, longitude);
    box.south = Math.min(box.south, latitude);
    box.north = Math.max(box.north, latitude);
  }
  return box;
}

export function middle({ west, south, east, north }: Box): [number, number] {
  return [(west + east) / 2, (south + north) / 2];
}

/** The part of the world around some boxes, in the proportions of the picture. */
export function viewOf(boxes: readonly Box[], proportion: number): Box {
  if (boxes.length === 0) return WORLD;
  const all = boxOf(
    boxes.map(({ west, south, east, north }) => [
      [west, south],
      [east, north],
    ]),
  );
  const [longitude, latitude] = middle(all);
  const stretch = stretchAt(latitude);
  const height = Math.max(all.north - all.south + 2 * AROUND, LEAST / 2);
  const width = Math.max(all.east - all.west + 2 * AROUND, LEAST, (height * proportion) / stretch);
  const tall = Math.max(height, (width * stretch) / proportion);
  if (width > 300 || tall > 150) return WORLD;
  const north = Math.min(latitude + tall / 2, 84);
  return { west: longitude - width / 2, east: longitude + width / 2, north, south: north - tall };
}

/** How much shorter a degree of longitude is there than one of latitude. */
function stretchAt(latitude: number): number {
  return Math.cos((Math.min(Math.abs(latitude), 75) * Math.PI) / 180);
}

/** Equirectangular, true to the middle of the view. */
export function project(view: Box, width: number): Projection {
  const scale = width / (view.east - view.west);
  const upright = scale / stretchAt((view.north + view.south) / 2);
  return {
    width,
    height: (view.north - view.south) * upright,
    point: (longitude, latitude) => [
      (longitude - view.west) * scale,
      (view.north - latitude) * upright,
    ],
  };
}

/** Rings as the `d` of an SVG path; a jump over the edge of the map is not drawn. */
export function pathOf(rings: readonly Ring[], { point, width }: Projection): string {
  const parts: string[] = [];
  for (const ring of rings) {
    let before: number | undefined;
    for (const [longitude = 0, latitude = 0] of ring) {
      const [x, y] = point(longitude, latitude);
      const jumps = before === undefined || Math.abs(x - before) > width;
      parts.push(`${jumps ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`);
      before = x;
    }
  }
  return parts.join("");
}
