/** Creating a resource of any kind: its form, and beside it what it would cost and where it goes. */
import { Button, Grid, Stack, TagsInput, Text, TextInput, Tooltip } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { useNavigate, useParams, useSearchParams } from "react-router";
import { type Kind, oneOf, singular, useCatalogue } from "~/api/catalogue";
import { asProblem } from "~/api/problem";
import { useList } from "~/api/queries";
import { useSignedIn } from "~/api/session";
import { useDraft } from "~/forms/drafts";
import { SpecForm } from "~/forms/SpecForm";
import { useForm } from "~/forms/useForm";
import { money } from "~/parts/formats";
import { PageHead } from "~/parts/PageHead";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { NotFound } from "~/shell/NotFound";
import { useAddress, useScope } from "~/shell/scope";
import { Answer } from "../resources/Answer";
import classes from "./CreatePage.module.css";
import { PolicyWords } from "./PolicyWords";
import { Preview } from "./Preview";
import { QuotePanel } from "./QuotePanel";
import { type Made, useMaking } from "./useMaking";
import { type LiveQuote, priceOf, useQuote } from "./useQuote";

export default function CreatePage() {
  const { noun = "" } = useParams();
  const [query] = useSearchParams();
  const kind = useCatalogue().find(noun);
  if (!kind?.ops.includes("put")) return <NotFound what="kind" />;
  // Another choice in the address is another form.
  return <Form key={`${noun}?${query}`} kind={kind} texts={Object.fromEntries(query)} />;
}

function Form({ kind, texts }: { kind: Kind; texts: Record<string, string> }) {
  const scope = useScope();
  const catalogue = useCatalogue();
  const [name, setName] = useDraft("name", () => texts.name ?? suggested(kind));
  const [parents, setParents] = useDraft("parents", () => kind.parents.map(() => texts.in ?? ""));
  const [labels, setLabels] = useDraft<string[]>("labels", () => []);
  const [failed, setFailed] = useState<unknown>(null);
  const [made, setMade] = useState<Made>();
  const state = useForm(kind, catalogue.schemas, undefined, texts, failed);
  const quote = useQuote(kind, scope, state.form, state.spec, state.wrong.size === 0);
  const making = useMaking(kind, scope, state.form, quote);
  const opening = useOpening(kind);
  const names = [...parents, name.trim()];
  const tags = labelsOf(labels);
  const create = (): void => {
    if (!state.ready() || names.some((each) => each === "")) {
      setTimeout(toFirstWrong);
      return;
    }
    setFailed(null);
    making.mutate(
      { names, spec: state.spec, labels: tags },
      {
        onError: setFailed,
        onSuccess: (done) => {
          notifications.show({ message: `The ${singular(kind)} ${name} is made.` });
          if (Object.keys(done.once).length > 0) setMade(done);
          else opening(done.names);
        },
      },
    );
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        create();
      }}
      noValidate
    >
      <PageHead title={`Create ${oneOf(kind)}`} about={`${kind.summary}.`} />
      <Grid gap="md">
        <Grid.Col span={{ base: 12, md: 8 }}>
          <Stack gap="md">
            <Naming
              kind={kind}
              name={name}
              setName={setName}
              parents={parents}
              setParents={setParents}
              error={nameProblem(name, failed, state.tried)}
            />
            <SpecForm
              form={state.form}
              draft={state.draft}
              change={state.change}
              problems={state.shown}
              touch={state.touch}
            />
            <section className={`surface ${classes.part}`}>
              <TagsInput
                label="Labels"
                description="To find it by, such as team=blue"
                value={labels}
                onChange={setLabels}
                acceptValueOnBlur
                splitChars={[",", " "]}
              />
            </section>
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 4 }}>
          <Stack gap="md" className={classes.aside}>
            {quote.priced ? (
              <QuotePanel quote={quote} missing={missingIn(state.wrong.size)} />
            ) : null}
            {kind.noun === "policy" ? <PolicyWords spec={state.spec} /> : null}
            {failed ? <ProblemAlert error={failed} /> : null}
            <Submit kind={kind} quote={quote} pending={making.isPending} />
            {state.shown.size > 0 ? (
              <Text size="sm" role="status">
                Something in the form is not right yet: see the fields marked red.
              </Text>
            ) : null}
          </Stack>
        </Grid.Col>
      </Grid>
      <Preview
        kind={kind}
        scope={scope}
        form={state.form}
        spec={state.spec}
        names={names}
        labels={tags}
      />
      {made ? (
        <Answer title={`${name} is made`} answer={made.once} close={() => opening(made.names)} />
      ) : null}
    </form>
  );
}

/** To the first field that is wrong: on a small screen it may be far from the button. */
function toFirstWrong(): void {
  document.querySelector<HTMLElement>('main [aria-invalid="true"]')?.focus();
}

function missingIn(count: number): string {
  if (count === 0) return "";
  return "The price stands here as soon as the form says enough.";
}

function useOpening(kind: Kind): (names: readonly string[]) => void {
  const go = useNavigate();
  const { page } = useAddress();
  return (names) => {
    void go(page(`kinds/${kind.noun}/${names.map(encodeURIComponent).join("/")}`));
  };
}

function suggested(kind: Kind): string {
  if (kind.scope !== "workspace") return "";
  return `${kind.noun}-${crypto.randomUUID().slice(0, 4)}`;
}

function labelsOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const [key = "", ...rest] = text.split("=");
      return [key, rest.join("=")];
    }),
  );
}

function nameProblem(name: string, failed: unknown, tried: boolean): string | undefined {
  if (failed) {
    const problem = asProblem(failed);
    const said = problem.at("/metadata/name") ?? problem.at("/name");
    if (said !== undefined) return said;
  }
  if (name === "" && tried) return "Needs to be filled in";
  if (name === "" || /^[A-Za-z0-9][A-Za-z0-9._@-]*$/.test(name)) return undefined;
  return "Letters, digits, '-', '.' and '_'; it begins with a letter or a digit";
}

interface NamingProps {
  kind: Kind;
  name: string;
  setName: (name: string) => void;
  parents: readonly string[];
  setParents: (names: string[]) => void;
  error: string | undefined;
}

function Naming({ kind, name, setName, parents, setParents, error }: NamingProps) {
  const catalogue = useCatalogue();
  const above = catalogue.above(kind);
  return (
    <section className={`surface ${classes.part}`}>
      <Stack gap="sm">
        {kind.parents.map(({ parameter }, index) =>
          above ? (
            <Parent
              key={parameter}
              kind={above}
              label={`Of which ${parameter.replaceAll("_", " ")}`}
              value={parents[index] ?? ""}
              change={(next) => setParents(parents.map((old, at) => (at === index ? next : old)))}
            />
          ) : null,
        )}
        <TextInput
          label="Name"
          withAsterisk
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={error}
          autoComplete="off"
          spellCheck={false}
          maw={420}
        />
      </Stack>
    </section>
  );
}

interface ParentProps {
  kind: Kind;
  label: string;
  value: string;
  change: (name: string) => void;
}

function Parent({ kind, label, value, change }: ParentProps) {
  const found = useList(kind, useScope(), { limit: 1000 });
  const names = found.data?.items.map((item) => item.metadata.name) ?? [];
  return (
    <TextInput
      label={label}
      withAsterisk
      value={value}
      onChange={(event) => change(event.currentTarget.value)}
      list="parents"
      maw={420}
      rightSection={
        <datalist id="parents">
          {names.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      }
    />
  );
}

/** The button says what it costs, and why it can't be used where it can't. */
function Submit({ kind, quote, pending }: { kind: Kind; quote: LiveQuote; pending: boolean }) {
  const session = useSignedIn();
  const { workspace } = useScope();
  const reason =
    kind.operatorOnly && !session.operator
      ? "Only the operator of this cloud makes these."
      : kind.scope === "workspace" && workspace === ""
        ? "Choose a workspace first, or create one."
        : "";
  const status = quote.quoted?.status;
  const price = priceOf(quote);
  const words =
    price !== undefined
      ? `Create at ${money(price, status?.currency)} an hour`
      : status?.phase === "refused"
        ? "Create it anyway: it waits for a place"
        : `Create ${singular(kind)}`;
  const button = (
    <Button
      type="submit"
      size="md"
      fullWidth
      loading={pending || quote.coming}
      disabled={reason !== ""}
    >
      {words}
    </Button>
  );
  return reason ? (
    <Tooltip label={reason}>
      <div>{button}</div>
    </Tooltip>
  ) : (
    button
  );
}
