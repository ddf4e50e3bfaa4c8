/** One place: whose it is, what is free there, and what it costs. */
import { Anchor, Badge, Group, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { size } from "~/parts/formats";
import { useAddress } from "~/shell/scope";
import { countryName } from "./country";
import { gpuName, type Place } from "./place";
import { cores, RoomBar } from "./RoomBar";

export function PlaceCard({ place }: { place: Place }) {
  const { page } = useAddress();
  return (
    <Stack gap="xs" className="surface" p="md" component="article">
      <Group justify="space-between" gap="xs" wrap="nowrap">
        <Anchor component={Link} to={page(`places/${place.name}`)} fw={600}>
          {place.name}
        </Anchor>
        {place.suspended ? (
          <Badge variant="outline" color="gray" c="dimmed">
            not on sale
          </Badge>
        ) : null}
      </Group>
      <Text size="sm">
        {countryName(place.jurisdiction)} · {place.operator || "operator unknown"} · tier{" "}
        {place.trustTier}
        {place.latency === undefined ? "" : ` · ${place.latency} ms`}
      </Text>
      <Rooms place={place} />
      <Prices place={place} />
    </Stack>
  );
}

export function Rooms({ place }: { place: Place }) {
  return (
    <Stack gap={6}>
      {place.gpus.map(({ model, free, total }) => (
        <RoomBar key={model} label={gpuName(model)} free={free} total={total} format={String} />
      ))}
      <RoomBar label="Cores" {...place.cores} format={cores} />
      <RoomBar label="Memory" {...place.memory} format={size} />
    </Stack>
  );
}

function Prices({ place }: { place: Place }) {
  const told = [
    ...place.gpus
      .filter(({ price }) => price)
      .map(({ price, model }) => `${gpuName(model)} ${price}`),
    ...(place.corePrice ? [`core ${place.corePrice}`] : []),
    ...(place.memoryPrice ? [`GiB of memory ${place.memoryPrice}`] : []),
  ];
  return (
    <Text size="xs" c="dimmed">
      {told.length > 0
        ? `${place.currency} an hour: ${told.join(", ")}`
        : "No price is known, so nothing is placed here."}
    </Text>
  );
}
