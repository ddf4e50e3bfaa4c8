/** How much room the places have, the fullest first. */
import { Anchor, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { Link } from "react-router";
import { useCatalogue } from "~/api/catalogue";
import { useGlobalFeed } from "~/api/live";
import { useList } from "~/api/queries";
import { gpuName, type Offer, type Place, placesOf } from "~/pages/places/place";
import { cores, RoomBar } from "~/pages/places/RoomBar";
import { useAddress, useScope } from "~/shell/scope";

const MOST = 6;

/** `columns`: beside each other where there is the width for it. */
export function PlacesRoom({ columns = 1 }: { columns?: number }) {
  const kind = useCatalogue().kind("offer");
  const scope = useScope();
  const { page } = useAddress();
  const found = useList<Offer>(kind, scope, { limit: 1000 });
  useGlobalFeed(kind, scope);
  const full = ({ cores: { free, total } }: Place): number => (total ? free / total : 1);
  const places = placesOf(found.data?.items ?? []).toSorted((a, b) => full(a) - full(b));
  return (
    <Stack gap="sm" className="surface" p="md">
      <Title order={2}>Room</Title>
      <SimpleGrid cols={{ base: 1, sm: Math.min(columns, 2), lg: columns }}>
        {places.slice(0, MOST).map((place) => (
          <Stack key={place.name} gap={2}>
            <Anchor component={Link} to={page(`places/${place.name}`)} size="sm">
              {place.name}
            </Anchor>
            {place.gpus.map(({ model, free, total }) => (
              <RoomBar
                key={model}
                label={gpuName(model)}
                free={free}
                total={total}
                format={String}
              />
            ))}
            <RoomBar label="Cores" {...place.cores} format={cores} />
          </Stack>
        ))}
      </SimpleGrid>
      {found.data && places.length === 0 ? <Text size="sm">No place is on sale.</Text> : null}
      {places.length > MOST ? (
        <Anchor component={Link} to={page("places")} size="sm">
          All {places.length} places
        </Anchor>
      ) : null}
    </Stack>
  );
}
