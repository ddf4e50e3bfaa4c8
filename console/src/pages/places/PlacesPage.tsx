/** All places where work can run, on a map and as a list. */
import { Button, Group, SimpleGrid, Skeleton, Stack, TextInput } from "@mantine/core";
import { lazy, Suspense, useDeferredValue, useState } from "react";
import { Link } from "react-router";
import { collectionPath, useCatalogue } from "~/api/catalogue";
import { useGlobalFeed } from "~/api/live";
import { useList } from "~/api/queries";
import { useSignedIn } from "~/api/session";
import { EmptyState } from "~/parts/EmptyState";
import { Equivalent } from "~/parts/Equivalent";
import { Icon } from "~/parts/Icon";
import { PageHead } from "~/parts/PageHead";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { RowsSkeleton } from "~/parts/Skeletons";
import { useAddress, useScope } from "~/shell/scope";
import { countryName } from "./country";
import { PlaceCard } from "./PlaceCard";
import { type Offer, type Place, placesOf } from "./place";

const WorldMap = lazy(() => import("./WorldMap"));

export default function PlacesPage() {
  const scope = useScope();
  const { page } = useAddress();
  const { operator } = useSignedIn();
  const kind = useCatalogue().kind("offer");
  const found = useList<Offer>(kind, scope, { limit: 1000 });
  useGlobalFeed(kind, scope);
  const [text, setText] = useState("");
  const wanted = useDeferredValue(text.trim().toLowerCase());
  const places = found.data ? placesOf(found.data.items) : [];
  const shown = places.filter((place) => matches(place, wanted));
  return (
    <Stack gap="md">
      <PageHead
        title="Places"
        about="Where work can run: under whose law, who runs it, what is free there, and what it costs."
      >
        {operator ? (
          <Button
            component={Link}
            to={page("create/site")}
            leftSection={<Icon name="create" size={16} />}
          >
            Create site
          </Button>
        ) : null}
      </PageHead>
      {found.isError ? (
        <ProblemAlert error={found.error} retry={() => void found.refetch()} />
      ) : !found.data ? (
        <RowsSkeleton />
      ) : places.length === 0 ? (
        <EmptyState icon="places" title="Nothing is on sale yet">
          {operator
            ? "A place is offered as soon as its site has been reached and has a price."
            : "The operator of this cloud has no site yet that could run anything."}
        </EmptyState>
      ) : (
        <>
          <Suspense fallback={<Skeleton height={300} />}>
            <WorldMap places={places} />
          </Suspense>
          <Group>
            <TextInput
              type="search"
              aria-label="Search places"
              placeholder="Search by name, country, operator or GPU"
              leftSection={<Icon name="search" size={15} />}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
              w={{ base: "100%", xs: 340 }}
            />
          </Group>
          {shown.length === 0 ? (
            <EmptyState icon="search" title="No place has that" />
          ) : (
            <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
              {shown.map((place) => (
                <PlaceCard key={place.name} place={place} />
              ))}
            </SimpleGrid>
          )}
        </>
      )}
      <Equivalent
        global
        command={["offer", "list"]}
        call={{ method: "GET", path: collectionPath(kind, scope) }}
      />
    </Stack>
  );
}

function matches(place: Place, wanted: string): boolean {
  const words = [
    place.name,
    place.jurisdiction,
    countryName(place.jurisdiction),
    place.operator,
    ...place.gpus.map(({ model }) => model),
  ];
  return words.some((word) => word.toLowerCase().includes(wanted));
}
