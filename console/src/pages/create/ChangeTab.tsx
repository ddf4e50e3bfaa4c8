/** The same form for what is there already; what can't be changed says so. */
import { Alert, Button, Grid, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { namesIn, useCatalogue } from "~/api/catalogue";
import { usePut, useView } from "~/api/queries";
import { updateWords } from "~/forms/cli";
import { SpecForm } from "~/forms/SpecForm";
import { useForm } from "~/forms/useForm";
import { draftOf, type Spec, same, specOf } from "~/forms/values";
import { money, type Nano } from "~/parts/formats";
import { ProblemAlert } from "~/parts/ProblemAlert";
import type { TabProps } from "~/shell/areas";
import { useScope } from "~/shell/scope";
import classes from "./CreatePage.module.css";
import { PolicyWords } from "./PolicyWords";
import { Preview, targetOf } from "./Preview";
import { QuotePanel } from "./QuotePanel";
import { type LiveQuote, priceOf, useQuote } from "./useQuote";

export default function ChangeTab(props: TabProps) {
  const { owned } = props.resource.metadata;
  const [started, setStarted] = useState(0);
  if (owned) {
    return <Text size="sm">Another resource made it and keeps it as it is; change that one.</Text>;
  }
  return <Form key={started} {...props} again={() => setStarted(started + 1)} />;
}

function Form({ kind, resource, again }: TabProps & { again: () => void }) {
  const catalogue = useCatalogue();
  const scope = useScope();
  // What one began with: others' changes meanwhile are told, not overwritten.
  const [start] = useState({
    spec: resource.spec as Spec,
    version: resource.metadata.resourceVersion,
  });
  const put = usePut(kind);
  const state = useForm(kind, catalogue.schemas, start.spec, {}, put.error);
  const names = namesIn(kind, resource.metadata.ref);
  const target = { ...targetOf(kind, scope, names), workspace: undefined };
  const before = specOf(state.form, draftOf(state.form, start.spec));
  const nothing = same(before, state.spec);
  const behind = !same(start.spec, resource.spec);
  const quote = useQuote(kind, scope, state.form, state.spec, !nothing && state.wrong.size === 0);
  const save = (): void => {
    if (!state.ready()) return;
    const { labels, annotations, extensions, metadata } = resource;
    put.mutate(
      {
        ref: metadata.ref,
        body: { labels, annotations, extensions, spec: state.spec },
        version: metadata.resourceVersion,
      },
      {
        onSuccess: () => {
          notifications.show({ message: `${metadata.name} is changed.` });
          again();
        },
      },
    );
  };
  const words = updateWords(state.form, target, before, state.spec);
  return (
    <Stack gap="md">
      <Grid gap="md">
        <Grid.Col span={{ base: 12, md: 8 }}>
          <SpecForm
            form={state.form}
            draft={state.draft}
            change={state.change}
            problems={state.shown}
            touch={state.touch}
            fixed
          />
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 4 }}>
          <Stack gap="md" className={classes.aside}>
            {quote.priced ? (
              <QuotePanel
                quote={quote}
                missing={
                  nothing
                    ? "Change something, and its price and place stand here before you save."
                    : "The price stands here as soon as the form says enough."
                }
              >
                <Before kind={kind} resource={resource} quote={quote} />
              </QuotePanel>
            ) : null}
            {kind.noun === "policy" ? <PolicyWords spec={state.spec} /> : null}
            {behind ? (
              <Alert color="yellow" variant="outline" title="It was changed meanwhile">
                Take it as it is now and change that.
              </Alert>
            ) : null}
            {put.error ? <ProblemAlert error={put.error} /> : null}
            <Button onClick={save} loading={put.isPending} disabled={nothing || behind}>
              {nothing ? "Nothing changed yet" : "Save"}
            </Button>
            {nothing && !behind ? null : (
              <Button variant="default" onClick={again}>
                Take it as it is now
              </Button>
            )}
          </Stack>
        </Grid.Col>
      </Grid>
      <Preview
        kind={kind}
        scope={scope}
        form={state.form}
        spec={state.spec}
        names={names}
        words={words ?? ["skerry", "apply", "-f", `${target.name}.yaml`]}
      />
    </Stack>
  );
}

/** What it costs now, and by how much that changes. */
function Before({ kind, resource, quote }: TabProps & { quote: LiveQuote }) {
  const found = useView<{ currency: string; perHourNano?: Nano | null }>(
    kind,
    resource.metadata.ref,
    "cost",
  );
  if (!found.data) return null;
  const { currency, perHourNano } = found.data;
  const now = BigInt(perHourNano ?? 0);
  const then = priceOf(quote);
  const gap = then === undefined ? 0n : then - now;
  return (
    <Text size="sm" mb="xs">
      {now === 0n ? "It costs nothing now." : `Now ${money(now, currency)} an hour.`}{" "}
      {then === undefined || !quote.current
        ? ""
        : gap === 0n
          ? "That stays as it is:"
          : `Then ${money(gap < 0n ? -gap : gap, currency)} ${gap < 0n ? "less" : "more"}:`}
    </Text>
  );
}
