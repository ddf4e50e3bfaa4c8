/** What a tenant spends: now, this month, over time; and the budgets that hold it. */
import { Alert, SimpleGrid, Stack, Title } from "@mantine/core";
import { collectionPath, resourcePath, useCatalogue } from "~/api/catalogue";
import { useRoom } from "~/api/queries";
import type { Document } from "~/api/types";
import { Equivalent } from "~/parts/Equivalent";
import { moment } from "~/parts/formats";
import { Icon } from "~/parts/Icon";
import { PageHead } from "~/parts/PageHead";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { PageSkeleton } from "~/parts/Skeletons";
import { useScope } from "~/shell/scope";
import { amount, headline, nanoOf } from "./amounts";
import { Budgets } from "./Budgets";
import { Fact } from "./Fact";
import { Sections } from "./Sections";
import { UsageChart, useAsked } from "./UsageChart";

/** The status of a billing account, as far as it is shown. */
export interface Account {
  phase?: string;
  dataKeptUntil?: string;
  balance?: string;
  due?: string;
  held?: string;
  available?: string;
  thisMonth?: string;
  perHour?: string;
  currency?: string;
}

export default function BillingPage() {
  const scope = useScope();
  const catalogue = useCatalogue();
  const asked = useAsked();
  const path = resourcePath(catalogue.kind("billing-account"), scope, ["main"]);
  const found = useRoom<Document>(path, {}, { refresh: 30 });
  return (
    <Stack gap="lg">
      <PageHead title="Billing" about={`What ${scope.tenant} spends, and what holds it.`} />
      <Sections />
      {found.isError && !found.data ? (
        <ProblemAlert error={found.error} retry={() => void found.refetch()} />
      ) : null}
      {found.data ? <Facts account={found.data} /> : null}
      {!found.data && !found.isError ? <PageSkeleton /> : null}
      <UsageChart />
      <Stack gap="sm">
        <Title order={2}>Budgets</Title>
        <Budgets />
      </Stack>
      <Equivalent
        command={["billing-account", "get", "main"]}
        call={{ method: "GET", path }}
        also={[
          {
            command: ["usage", "--step", asked.step, "--from", asked.from],
            call: { method: "GET", path: `${asked.path}?step=${asked.step}&from=${asked.from}` },
          },
          {
            command: ["budget", "list"],
            call: { method: "GET", path: collectionPath(catalogue.kind("budget"), scope) },
          },
        ]}
      />
    </Stack>
  );
}

function Facts({ account }: { account: Document }) {
  const status = (account.status ?? {}) as Account;
  const currency = status.currency ?? "";
  const prepaid = account.spec.mode === "prepaid";
  const balance = nanoOf(status.balance);
  return (
    <>
      {status.phase === "out-of-money" ? (
        <Alert
          color="red"
          variant="outline"
          icon={<Icon name="warn" />}
          title="The money is used up"
        >
          What ran is stopped. What is stored stays at least until{" "}
          {moment(status.dataKeptUntil ?? "").slice(0, 10)}. Pay in, or ask the operator for credit.
        </Alert>
      ) : null}
      <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="sm">
        <Fact
          label="This month so far"
          value={headline(status.thisMonth, currency)}
          exact={amount(status.thisMonth, currency)}
        />
        <Fact
          label="What runs now"
          value={headline(status.perHour, currency)}
          exact={amount(status.perHour, currency)}
          note="an hour, before tax"
        />
        <Fact
          label={balance < 0n ? "Used and not paid yet" : "Credit"}
          value={amount((status.balance ?? "").replace("-", ""), currency)}
          note={
            nanoOf(status.due) > 0n
              ? `and ${amount(status.due, currency)} of tax and commitments`
              : undefined
          }
        />
        <Fact
          label="Can still be set aside"
          value={status.available ? amount(status.available, currency) : "any amount"}
          note={available(prepaid, status, currency)}
        />
      </SimpleGrid>
    </>
  );
}

function available(prepaid: boolean, status: Account, currency: string): string {
  const held =
    nanoOf(status.held) > 0n ? `${amount(status.held, currency)} held for what runs` : "";
  const mode = prepaid ? "paid before it is used" : "invoiced after it is used";
  return [mode, held].filter(Boolean).join("; ");
}
