/** One place; for the operator also its machines, what they do, and how another joins. */
import { Anchor, Button, Group, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { resourcePath, useCatalogue } from "~/api/catalogue";
import { useGlobalFeed } from "~/api/live";
import { useList } from "~/api/queries";
import { useSignedIn } from "~/api/session";
import { Equivalent } from "~/parts/Equivalent";
import { Icon } from "~/parts/Icon";
import { KeyValue } from "~/parts/KeyValue";
import { PageHead } from "~/parts/PageHead";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { PageSkeleton } from "~/parts/Skeletons";
import { NotFound } from "~/shell/NotFound";
import { useAddress, useScope } from "~/shell/scope";
import { countryName } from "./country";
import { Hosts } from "./Hosts";
import { JoinDialog } from "./JoinDialog";
import { Rooms } from "./PlaceCard";
import { gpuName, type Offer, type Place, placesOf } from "./place";
import { SiteUse } from "./SiteUse";

export default function PlacePage() {
  const { site = "" } = useParams();
  const scope = useScope();
  const { page } = useAddress();
  const { operator } = useSignedIn();
  const catalogue = useCatalogue();
  const kind = catalogue.kind("offer");
  const found = useList<Offer>(kind, scope, { limit: 1000 });
  useGlobalFeed(kind, scope);
  const [joining, setJoining] = useState(false);
  if (found.isError) return <ProblemAlert error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <PageSkeleton />;
  const place = placesOf(found.data.items).find(({ name }) => name === site);
  if (!place && !operator) return <NotFound what="place" />;
  const sites = catalogue.kind("site");
  const shown = operator ? sites : kind;
  return (
    <Stack gap="md">
      <PageHead
        title={site}
        trail={
          <Anchor component={Link} to={page("places")} size="sm">
            Places
          </Anchor>
        }
        about={place ? inWords(place) : "Nothing of it is on sale now."}
      >
        {operator ? (
          <Group gap="xs">
            <Button component={Link} variant="default" to={page(`kinds/site/${site}`)}>
              All of the site
            </Button>
            <Button leftSection={<Icon name="create" size={16} />} onClick={() => setJoining(true)}>
              Add a machine
            </Button>
          </Group>
        ) : null}
      </PageHead>
      {place ? <Facts place={place} /> : null}
      {operator ? (
        <>
          <Title order={2}>Machines</Title>
          <Hosts site={site} />
          <SiteUse site={site} />
          {joining ? <JoinDialog site={site} close={() => setJoining(false)} /> : null}
        </>
      ) : null}
      <Equivalent
        global
        command={[shown.noun, "get", site]}
        call={{ method: "GET", path: resourcePath(shown, scope, [site]) }}
      />
    </Stack>
  );
}

function inWords(place: Place): string {
  const law = place.jurisdiction
    ? `Under the law of ${countryName(place.jurisdiction)}`
    : "Under whose law it is, nobody said";
  return `${law}; run by ${place.operator || "nobody known"}.`;
}

function Facts({ place }: { place: Place }) {
  const money = (price: string): string => (price ? `${price} ${place.currency}` : "unknown");
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }}>
      <Stack gap="sm" className="surface" p="md">
        <Title order={2}>Free now</Title>
        <Rooms place={place} />
        <Text size="xs" c="dimmed">
          {place.offers === 1 ? "One offer" : `${place.offers} offers, one for each machine`}.
        </Text>
      </Stack>
      <Stack gap="sm" className="surface" p="md">
        <Title order={2}>Terms</Title>
        <KeyValue
          facts={[
            ["Trust tier", `${place.trustTier} of 4`],
            ["Isolation", place.isolations.join(", ")],
            ["A core for an hour", money(place.corePrice)],
            ["A GiB for an hour", money(place.memoryPrice)],
            ...place.gpus.map(
              ({ model, price }) => [`${gpuName(model)} for an hour`, money(price)] as const,
            ),
            ...(place.latency === undefined ? [] : [["Latency", `${place.latency} ms`] as const]),
          ]}
        />
      </Stack>
    </SimpleGrid>
  );
}
