/** The same form for what is there already; what can't be changed says so. */
import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { namesIn, useCatalogue } from "~/api/catalogue";
import { usePut } from "~/api/queries";
import { updateWords } from "~/forms/cli";
import { SpecForm } from "~/forms/SpecForm";
import { useForm } from "~/forms/useForm";
import { draftOf, type Spec, same, specOf } from "~/forms/values";
import { ProblemAlert } from "~/parts/ProblemAlert";
import type { TabProps } from "~/shell/areas";
import { useScope } from "~/shell/scope";
import { PolicyWords } from "./PolicyWords";
import { Preview, targetOf } from "./Preview";

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
    <Stack gap="md" maw={860}>
      <SpecForm
        form={state.form}
        draft={state.draft}
        change={state.change}
        problems={state.shown}
        touch={state.touch}
        fixed
      />
      {kind.noun === "policy" ? <PolicyWords spec={state.spec} /> : null}
      {behind ? (
        <Alert color="yellow" variant="outline" title="It was changed meanwhile">
          Take it as it is now and change that.
        </Alert>
      ) : null}
      {put.error ? <ProblemAlert error={put.error} /> : null}
      <Group>
        <Button onClick={save} loading={put.isPending} disabled={nothing || behind}>
          {nothing ? "Nothing changed yet" : "Save"}
        </Button>
        <Button variant="default" onClick={again} disabled={nothing && !behind}>
          Take it as it is now
        </Button>
      </Group>
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
