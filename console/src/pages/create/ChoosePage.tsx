/** What to create: a GPU by its price, or any kind of thing. */
import {
  Button,
  Group,
  SimpleGrid,
  Skeleton,
  Stack,
  Text,
  Title,
  UnstyledButton,
} from "@mantine/core";
import { Link } from "react-router";
import { capital, type Kind, singular, useCatalogue } from "~/api/catalogue";
import { useList } from "~/api/queries";
import { useSignedIn } from "~/api/session";
import { countryName } from "~/market/decision";
import { type GpuCard, gpuCards, type Offer } from "~/market/gpus";
import { Equivalent } from "~/parts/Equivalent";
import { counted, size } from "~/parts/formats";
import { PageHead } from "~/parts/PageHead";
import { Late } from "~/parts/Skeletons";
import { useAddress, useScope } from "~/shell/scope";
import classes from "./ChoosePage.module.css";

export default function ChoosePage() {
  return (
    <Stack gap="lg">
      <PageHead
        title="Create"
        about="Choose what you need. Price and place are shown before anything starts."
      />
      <Gpus />
      <Kinds />
      <Equivalent command={["offer", "list"]} call={{ method: "GET", path: OFFERS }} />
    </Stack>
  );
}

const OFFERS = "/providers/skerry.market/v1/offers";

function Gpus() {
  const catalogue = useCatalogue();
  const kind = catalogue.find("offer") ?? catalogue.kinds[0];
  if (kind === undefined) throw new Error("a cloud without kinds");
  const found = useList<Offer>(kind, useScope(), { limit: 1000 }, [], kind.noun === "offer");
  if (found.isPending) {
    return (
      <Late>
        <Skeleton height={150} aria-busy="true" />
      </Late>
    );
  }
  const cards = gpuCards(found.data?.items ?? []);
  if (cards.length === 0) return null;
  return (
    <section aria-label="GPUs">
      <Title order={2} mb="sm">
        A GPU
      </Title>
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} spacing="md">
        {cards.map((card) => (
          <Gpu key={card.model} card={card} />
        ))}
      </SimpleGrid>
    </section>
  );
}

const USES = [
  ["notebook", "Notebook"],
  ["job", "Job"],
  ["service", "Service"],
] as const;

function Gpu({ card }: { card: GpuCard }) {
  const catalogue = useCatalogue();
  const { page } = useAddress();
  const query = new URLSearchParams({
    gpus: "1",
    gpuModel: card.model,
    millicores: String(card.millicores / 1000),
    memory: `${card.bytes / 1024 ** 2} MiB`,
  });
  const where = [
    card.countries.map(countryName).join(", "),
    counted(card.places.length, "place"),
  ].filter(Boolean);
  return (
    <article className={`surface ${classes.gpu}`} aria-label={card.model}>
      <Text fw={650} size="lg">
        {card.model}
      </Text>
      <Text size="sm" c="dimmed">
        {card.memory > 0 ? `${size(card.memory)} · ` : ""}up to {card.most} together ·{" "}
        {where.join(", ")}
      </Text>
      <Text mt={6} className="tabular">
        {card.from ? (
          <>
            from <b>{card.from}</b> {card.currency} an hour
          </>
        ) : (
          "Price as quoted"
        )}
      </Text>
      <Group gap="xs" mt="sm">
        {USES.filter(([noun]) => catalogue.find(noun)).map(([noun, label], index) => (
          <Button
            key={noun}
            component={Link}
            to={`${page(`create/${noun}`)}?${query}`}
            size="xs"
            variant={index === 0 ? "filled" : "default"}
            aria-label={`${label} on ${card.model}`}
          >
            {label}
          </Button>
        ))}
      </Group>
    </article>
  );
}

/** Those that run or hold data first; what belongs to people, money and the cloud has pages. */
const FIRST = ["notebook", "job", "service", "pod", "volume", "secret", "schedule"];

function Kinds() {
  const catalogue = useCatalogue();
  const session = useSignedIn();
  const makeable = catalogue.kinds.filter(
    (kind) => kind.ops.includes("put") && kind.noun !== "quote" && kind.noun !== "route",
  );
  const first = FIRST.flatMap((noun) => makeable.filter((kind) => kind.noun === noun));
  const work = makeable.filter((kind) => kind.scope === "workspace" && !first.includes(kind));
  const other = makeable.filter(
    (kind) => kind.scope !== "workspace" && (session.operator || !kind.operatorOnly),
  );
  return (
    <>
      <Cards title="Run and keep" kinds={[...first, ...work]} />
      <Cards title="People, rules and money" kinds={other} />
    </>
  );
}

function Cards({ title, kinds }: { title: string; kinds: readonly Kind[] }) {
  const { page } = useAddress();
  if (kinds.length === 0) return null;
  return (
    <section aria-label={title}>
      <Title order={2} mb="sm">
        {title}
      </Title>
      <SimpleGrid cols={{ base: 1, xs: 2, lg: 4 }} spacing="sm">
        {kinds.map((kind) => (
          <UnstyledButton
            key={kind.noun}
            component={Link}
            to={page(`create/${kind.noun}`)}
            className={`surface ${classes.kind}`}
          >
            <Text fw={600}>{capital(singular(kind))}</Text>
            <Text size="sm" c="dimmed">
              {kind.summary}
            </Text>
          </UnstyledButton>
        ))}
      </SimpleGrid>
    </section>
  );
}
