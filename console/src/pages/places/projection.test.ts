import { describe, expect, it } from "vitest";
import { boxOf, pathOf, project, viewOf } from "./projection";

const SWEDEN = { west: 11, south: 55, east: 24, north: 69 };

describe("viewOf", () => {
  it("is the world where nothing is to be seen, or things far apart", () => {
    const world = viewOf([], 2);
    expect(world.east - world.west).toBe(360);
    expect(
      viewOf(
        [
          { ...SWEDEN, west: -150 },
          { west: 110, south: -44, east: 178, north: -10 },
        ],
        2,
      ),
    ).toEqual(world);
  });

  it("holds what is to be seen, in the proportions of the picture", () => {
    const view = viewOf([SWEDEN], 2);
    expect(view.west).toBeLessThan(11);
    expect(view.east).toBeGreaterThan(24);
    expect(view.north).toBeGreaterThan(69);
    expect(view.south).toBeLessThan(55);
    const { width, height } = project(view, 800);
    expect(width / height).toBeGreaterThan(1.5);
    expect(width / height).toBeLessThan(2.6);
  });
});

describe("project", () => {
  it("puts the corners at the corners", () => {
    const projection = project(SWEDEN, 100);
    expect(projection.point(11, 69)).toEqual([0, 0]);
    const [x, y] = projection.point(24, 55);
    expect([x, y]).toEqual([100, projection.height]);
  });
});

describe("pathOf", () => {
  it("does not draw over the edge of the map", () => {
    const ring = [
      [179, 60],
      [-179, 60],
      [-179, 61],
    ];
    const path = pathOf([ring], project({ west: -180, south: 0, east: 170, north: 80 }, 100));
    expect(path.match(/M/g)).toHaveLength(2);
  });
});

describe("boxOf", () => {
  it("holds every point", () => {
    expect(
      boxOf([
        [
          [1, 2],
          [-3, 4],
        ],
        [[0, -5]],
      ]),
    ).toEqual({
      west: -3,
      south: -5,
      east: 1,
      north: 4,
    });
  });
});
