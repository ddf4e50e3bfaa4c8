/** On what terms a tenant spends: who it is, what is agreed, what it paid in and was given. */
import { Button, Group, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { collectionPath, type Kind, resourcePath, useCatalogue } from "~/api/catalogue";
import { asProblem } from "~/api/problem";
import { useResource } from "~/api/queries";
import { useSignedIn } from "~/api/session";
import type { Document } from "~/api/types";
import { Equivalent } from "~/parts/Equivalent";
import { KeyValue } from "~/parts/KeyValue";
import { PageHead } from "~/parts/PageHead";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { RowsSkeleton } from "~/parts/Skeletons";
import { useAddress, useScope } from "~/shell/scope";
import { CreateButton } from "../resources/ListPage";
import { amount } from "./amounts";
import { address, type CustomerRecord, type SellerRecord } from "./documents";
import { KindRows } from "./KindRows";
import { Sections } from "./Sections";

const LISTS = [
  { noun: "agreement", title: "Agreements", about: "What this tenant pays differently." },
  { noun: "credit", title: "Payments and gifts", about: "What it can spend." },
  { noun: "redemption", title: "Redeemed vouchers", about: "A code is worth its amount, once." },
  {
    noun: "voucher",
    title: "Vouchers",
    about: "Codes of this cloud; each is shown once.",
    operator: true,
  },
];

export default function TermsPage() {
  const catalogue = useCatalogue();
  const { operator } = useSignedIn();
  const scope = useScope();
  const payer = catalogue.kind("billing-account");
  const seller = catalogue.kind("seller");
  const account = useResource(payer, scope, ["main"]);
  const lists = LISTS.filter((one) => operator || !one.operator).flatMap((one) => {
    const kind = catalogue.find(one.noun);
    return kind ? [{ ...one, kind }] : [];
  });
  const currency = String(account.data?.status?.currency ?? "");
  return (
    <Stack gap="lg">
      <PageHead
        title="Terms and credit"
        about="Who pays and who is paid, what is agreed, what was paid in."
      />
      <Sections />
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <Customer />
        <Seller />
      </SimpleGrid>
      {lists.map(({ noun, kind, title, about }) => (
        <Listed key={noun} {...{ kind, title, about, currency }} />
      ))}
      <Equivalent
        command={[payer.noun, "get", "main"]}
        call={{ method: "GET", path: resourcePath(payer, scope, ["main"]) }}
        also={[
          ...(operator
            ? [
                {
                  command: [seller.noun, "get", "main"],
                  global: true,
                  call: { method: "GET" as const, path: resourcePath(seller, scope, ["main"]) },
                },
              ]
            : []),
          ...lists.map(({ kind }) => ({
            command: [kind.noun, "list"],
            global: kind.scope === "global",
            call: { method: "GET" as const, path: collectionPath(kind, scope) },
          })),
        ]}
      />
    </Stack>
  );
}

interface ListedProps {
  kind: Kind;
  title: string;
  about: string;
  currency: string;
}

function Listed({ kind, title, about, currency }: ListedProps) {
  const { page } = useAddress();
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <div>
          <Title order={2}>{title}</Title>
          <Text size="sm" c="dimmed">
            {about}
          </Text>
        </div>
        {kind.noun === "redemption" ? (
          <Button component={Link} to={page("create/redemption")}>
            Redeem a voucher
          </Button>
        ) : (
          <CreateButton kind={kind} />
        )}
      </Group>
      <KindRows kind={kind} currency={currency} />
    </Stack>
  );
}

function Customer() {
  const scope = useScope();
  const kind = useCatalogue().kind("billing-account");
  const found = useResource(kind, scope, ["main"]);
  const customer = found.data?.spec.customer as CustomerRecord | undefined;
  const spec = found.data?.spec as { mode?: string; creditLimit?: string } | undefined;
  const currency = String(found.data?.status?.currency ?? "");
  return (
    <Card title="Who pays" kind={kind} found={found} change={customer ? "Change" : "Say who pays"}>
      {customer ? <Address party={customer} /> : null}
      {found.data && !customer ? (
        <Text size="sm">
          The legal name and address are not known yet; no invoice can be issued before.
        </Text>
      ) : null}
      {spec ? (
        <KeyValue
          facts={[
            ["Pays", spec.mode === "prepaid" ? "before it uses" : "after it used"],
            [
              "May owe",
              spec.mode === "prepaid"
                ? "nothing"
                : spec.creditLimit
                  ? amount(spec.creditLimit, currency)
                  : "any amount",
            ],
          ]}
        />
      ) : null}
    </Card>
  );
}

function Seller() {
  const { operator } = useSignedIn();
  const { page } = useAddress();
  const kind = useCatalogue().kind("seller");
  const found = useResource(kind, useScope(), ["main"]);
  const gone = found.isError && [403, 404].includes(asProblem(found.error).status);
  const seller = found.data?.spec as SellerRecord | undefined;
  if (gone) {
    return (
      <Stack gap="sm" p="md" className="surface" align="flex-start">
        <Title order={2}>Who is paid</Title>
        <Text size="sm">
          {operator
            ? "Who sells is not known yet; no invoice can be issued before."
            : "The operator of this cloud keeps it; it stands on each invoice."}
        </Text>
        {operator ? (
          <Button component={Link} to={page("create/seller")}>
            Say who sells
          </Button>
        ) : null}
      </Stack>
    );
  }
  return (
    <Card title="Who is paid" kind={kind} found={found} change="Change">
      {seller ? (
        <>
          <Address party={seller} />
          <KeyValue
            facts={[
              ["IBAN", seller.iban || "–"],
              ["Bank", [seller.bank, seller.bic].filter(Boolean).join(", ") || "–"],
              ["Register", seller.registration || "–"],
              ["Telephone", seller.phone || "–"],
            ]}
          />
        </>
      ) : null}
    </Card>
  );
}

interface CardProps {
  title: string;
  kind: Kind;
  found: ReturnType<typeof useResource<Document>>;
  change: string;
  children: ReactNode;
}

function Card({ title, kind, found, change, children }: CardProps) {
  const { operator } = useSignedIn();
  const { page } = useAddress();
  return (
    <Stack gap="sm" p="md" className="surface">
      <Group justify="space-between">
        <Title order={2}>{title}</Title>
        <Button
          component={Link}
          to={page(`kinds/${kind.noun}/main?tab=change`)}
          variant="default"
          size="xs"
          data-disabled={operator ? undefined : true}
          aria-disabled={!operator}
          title={operator ? undefined : "Only the operator of this cloud writes this."}
          onClick={(event) => operator || event.preventDefault()}
        >
          {change}
        </Button>
      </Group>
      {found.isError && !found.data ? <ProblemAlert error={found.error} /> : null}
      {!found.data && !found.isError ? <RowsSkeleton rows={3} /> : null}
      {children}
    </Stack>
  );
}

function Address({ party }: { party: CustomerRecord }) {
  return (
    <address style={{ fontStyle: "normal" }}>
      {address(party).map((line) => (
        <Text key={line} size="sm">
          {line}
        </Text>
      ))}
      {party.vatNumber ? <Text size="sm">VAT number {party.vatNumber}</Text> : null}
      {party.email ? <Text size="sm">{party.email}</Text> : null}
      {party.buyerReference ? <Text size="sm">Reference {party.buyerReference}</Text> : null}
    </address>
  );
}
