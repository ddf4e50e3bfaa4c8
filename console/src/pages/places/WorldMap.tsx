/** Where the places are: shapes of countries that come with the console, from no other server. */
import { Anchor, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useMemo } from "react";
import { Link } from "react-router";
import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import world from "world-atlas/countries-110m.json";
import { useAddress } from "~/shell/scope";
import { countryName, onMap } from "./country";
import type { Place } from "./place";
import { boxOf, middle, pathOf, project, type Ring, viewOf } from "./projection";
import classes from "./WorldMap.module.css";

/** In units of the drawing, and how much wider than high. */
const SHEETS = { wide: [900, 2.4], narrow: [400, 1.15] } as const;
type Sheet = keyof typeof SHEETS;

interface Country {
  name: string;
  /** Outer edges and holes of each of its pieces. */
  pieces: Ring[][];
}

const COUNTRIES: Country[] = read();

function read(): Country[] {
  const topology = world as unknown as Topology<{
    countries: GeometryCollection<{ name: string }>;
  }>;
  return feature(topology, topology.objects.countries).features.flatMap(
    ({ geometry, properties }) => {
      if (geometry.type === "Polygon") {
        return [{ name: properties.name, pieces: [geometry.coordinates] }];
      }
      if (geometry.type !== "MultiPolygon") return [];
      return [{ name: properties.name, pieces: geometry.coordinates }];
    },
  );
}

/** The largest piece: France is not where its islands are. */
function mainland({ pieces }: Country): Ring[] {
  const area = (rings: Ring[]): number => {
    const { west, south, east, north } = boxOf(rings.slice(0, 1));
    return (east - west) * (north - south);
  };
  return pieces.reduce((one, other) => (area(other) > area(one) ? other : one));
}

export default function WorldMap({ places }: { places: readonly Place[] }) {
  const codes = [...new Set(places.map(({ jurisdiction }) => jurisdiction))].sort().join();
  const sheet: Sheet = useMediaQuery("(max-width: 36em)") ? "narrow" : "wide";
  const drawn = useMemo(() => draw(codes.split(","), sheet), [codes, sheet]);
  const missing = places.filter(({ jurisdiction }) => !drawn.dots.has(jurisdiction));
  return (
    <section className="surface" aria-label="Map of the places">
      <svg viewBox={`0 0 ${SHEETS[sheet][0]} ${drawn.height.toFixed(0)}`} className={classes.map}>
        <title>Places on a map of the world</title>
        {drawn.shapes.map(({ name, d, lit }) => (
          <path key={name} d={d} className={lit ? classes.lit : classes.land} />
        ))}
        {[...drawn.dots].map(([code, at]) => (
          <Dots key={code} at={at} places={places.filter((one) => one.jurisdiction === code)} />
        ))}
      </svg>
      {missing.length > 0 ? (
        <Text size="xs" c="dimmed" px="sm" pb="xs">
          Not on the map:{" "}
          {missing
            .map(({ name, jurisdiction }) => `${name} (${countryName(jurisdiction)})`)
            .join(", ")}
          .
        </Text>
      ) : null}
    </section>
  );
}

function draw(codes: readonly string[], sheet: Sheet) {
  const [width, proportion] = SHEETS[sheet];
  const byName = new Map(COUNTRIES.map((country) => [country.name, country]));
  const lit = new Map<string, Country>();
  for (const code of codes) {
    const country = byName.get(onMap(code));
    if (country) lit.set(code, country);
  }
  const boxes = [...lit.values()].map((country) => boxOf(mainland(country)));
  const projection = project(viewOf(boxes, proportion), width);
  const names = new Set([...lit.values()].map(({ name }) => name));
  return {
    height: projection.height,
    shapes: COUNTRIES.map(({ name, pieces }) => ({
      name,
      d: pathOf(pieces.flat(), projection),
      lit: names.has(name),
    })),
    dots: new Map(
      [...lit].map(([code, country]) => [
        code,
        projection.point(...middle(boxOf(mainland(country)))),
      ]),
    ),
  };
}

/** The places of one country, one below the other. */
function Dots({ at: [x, y], places }: { at: [number, number]; places: readonly Place[] }) {
  const { page } = useAddress();
  return places.map(({ name, suspended, jurisdiction }, index) => {
    const top = y + (index - (places.length - 1) / 2) * 22;
    return (
      <Anchor key={name} component={Link} to={page(`places/${name}`)} aria-label={name}>
        <title>{`${name}, ${countryName(jurisdiction)}`}</title>
        <circle cx={x} cy={top} r={8} className={suspended ? classes.off : classes.dot} />
        <text x={x + 14} y={top + 5} className={classes.name}>
          {name}
        </text>
      </Anchor>
    );
  });
}
