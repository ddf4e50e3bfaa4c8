/** Price and place before anything starts: what it costs, where it would run, why not elsewhere. */
import { Divider, Loader, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { useCatalogue } from "~/api/catalogue";
import { useList } from "~/api/queries";
import { type Choice, placeInWords, termsInWords, withCountries } from "~/market/decision";
import { type PolicySpec, policyInWords } from "~/market/policy";
import { MONTH_HOURS, perMonth } from "~/market/price";
import { money } from "~/parts/formats";
import { Icon } from "~/parts/Icon";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { Refusals } from "~/parts/Refusals";
import { Ago } from "~/parts/Values";
import { useScope } from "~/shell/scope";
import classes from "./QuotePanel.module.css";
import { type LiveQuote, priceOf, type Quoted } from "./useQuote";

interface Props {
  quote: LiveQuote;
  /** What stands above the price: what it costs now. */
  children?: ReactNode;
  /** Why there is none yet: what has to be filled in. */
  missing: string;
}

export function QuotePanel({ quote, missing, children }: Props) {
  const { quoted, error, current } = quote;
  return (
    <section className={`surface ${classes.panel}`} aria-label="Price and place" aria-live="polite">
      <Title order={2} size="h4" className={classes.head}>
        Price and place {quoted && !current ? <Loader size={14} aria-label="Quoting" /> : null}
      </Title>
      {children}
      {error ? (
        <ProblemAlert error={error} retry={quote.again} />
      ) : quoted ? (
        <div className={current ? undefined : classes.stale}>
          <Told quoted={quoted} price={priceOf(quote)} times={quote.times} />
        </div>
      ) : (
        <Text size="sm" c="dimmed">
          {missing || "Looking for a place …"}
        </Text>
      )}
      <Policies said={quoted?.status.policy} />
    </section>
  );
}

interface ToldProps {
  quoted: Quoted;
  price: bigint | undefined;
  times: number;
}

function Told({ quoted: { status, decision }, price, times }: ToldProps) {
  const currency = status.currency ?? "";
  return (
    <Stack gap="xs">
      {price === undefined ? (
        <div className={classes.refused} role="status">
          <Icon name="warn" />
          <div>
            <Text fw={600}>No place for it now</Text>
            <Text size="sm">{withCountries(status.message ?? "")}</Text>
            {status.hint ? (
              <Text size="sm" c="dimmed">
                {status.hint}
              </Text>
            ) : null}
          </div>
        </div>
      ) : (
        <div>
          <Text className={classes.price} data-testid="price">
            {money(price, currency)} <span className={classes.per}>an hour</span>
          </Text>
          {times === 1 ? null : (
            <Text size="sm">
              {times} replicas at {money(status.pricePerHourNano ?? 0, currency)} an hour each
            </Text>
          )}
          <Text size="sm" c="dimmed">
            {money(perMonth(price), currency)} a month, if it runs all of its {MONTH_HOURS} hours
          </Text>
          {status.mostNano !== undefined && status.mostNano !== null ? (
            <Text size="sm">At most {money(status.mostNano, currency)} by its time limit</Text>
          ) : null}
        </div>
      )}
      {(status.agreed ?? []).map((words) => (
        <Text key={words} size="sm">
          Agreed: {words}
        </Text>
      ))}
      {status.place ? (
        <div>
          <Text size="sm" fw={600}>
            {placeInWords(status.place)}
          </Text>
          <Text size="xs" c="dimmed">
            {termsInWords(status.place)}
          </Text>
        </div>
      ) : null}
      <RunnerUp choice={decision.runnerUp} />
      <Refused quoted={{ status, decision }} />
      {status.validUntil ? (
        <Text size="xs" c="dimmed">
          The price holds until it is accepted, <Ago at={status.validUntil} /> at the latest.
        </Text>
      ) : null}
    </Stack>
  );
}

function RunnerUp({ choice }: { choice: Choice | null | undefined }) {
  if (!choice) return null;
  return (
    <Text size="sm">
      Next best: {placeInWords(choice.place)}, {money(choice.price.perHour, choice.price.currency)}{" "}
      an hour
    </Text>
  );
}

/** Why others were refused: counted, then those that came near. */
function Refused({ quoted: { status, decision } }: { quoted: Quoted }) {
  if (Object.keys(status.refused ?? {}).length === 0) {
    const seen = status.considered ?? 0;
    return seen > 0 ? (
      <Text size="xs" c="dimmed">
        {seen === 1 ? "The one offer there is was looked at." : `All ${seen} offers would do.`}
      </Text>
    ) : null;
  }
  return (
    <div>
      <Text size="sm" fw={600} mb={4}>
        Refused
      </Text>
      <Refusals decision={decision} currency={status.currency} />
    </div>
  );
}

/** The rules that hold for this workspace, each as a sentence. */
function Policies({ said }: { said: string | undefined }) {
  const scope = useScope();
  const catalogue = useCatalogue();
  const kind = catalogue.find("policy") ?? catalogue.kinds[0];
  if (kind === undefined) throw new Error("a cloud without kinds");
  const found = useList(kind, scope, { limit: 100 }, [], kind.noun === "policy");
  const rules = (found.data?.items ?? [])
    .map((item) => ({ name: item.metadata.name, spec: item.spec as PolicySpec }))
    .filter(({ spec }) => !spec.workspaces?.length || spec.workspaces.includes(scope.workspace));
  const lines =
    rules.length > 0
      ? rules.map(({ name, spec }) => [name, policyInWords({ ...spec, workspaces: [] })] as const)
      : [["", said ? `${said.charAt(0).toUpperCase()}${said.slice(1)}` : ""] as const];
  if (lines.every(([, words]) => words === "")) return null;
  return (
    <div>
      <Divider my="sm" />
      <Text size="sm" fw={600}>
        {rules.length > 0 ? "Your policy" : "No policy restricts it"}
      </Text>
      {lines.map(([name, words]) => (
        <Text key={name} size="sm">
          {words}.
        </Text>
      ))}
    </div>
  );
}
