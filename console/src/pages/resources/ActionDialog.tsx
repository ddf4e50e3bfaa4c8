/** An action, said in words before it is done; with a form where it takes something. */
import { Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { type Action, type Kind, namesIn, useCatalogue } from "~/api/catalogue";
import { pathOf, useAct } from "~/api/queries";
import type { Document } from "~/api/types";
import { Confirm } from "~/parts/Confirm";
import { Equivalent } from "~/parts/Equivalent";
import { SchemaFields } from "~/parts/SchemaFields";
import { label } from "./Actions";
import { Answer } from "./Answer";
import { bodyFlags } from "./bodyFlags";
import { flagsOf } from "./ResourcePage";

interface Props {
  kind: Kind;
  resource: Document;
  action: Action;
  close: () => void;
}

export default function ActionDialog({ kind, resource, action, close }: Props) {
  const catalogue = useCatalogue();
  const [body, setBody] = useState<Record<string, unknown>>({});
  const [answer, setAnswer] = useState<unknown>();
  const { name, ref } = resource.metadata;
  const act = useAct(kind, ref);
  const schema = action.spec ? catalogue.resolve(action.spec) : null;
  if (answer !== undefined) return <Answer title={label(action)} answer={answer} close={close} />;
  const done = (said: unknown): void => {
    // Most actions answer with the resource itself, which the page shows anyway.
    const plain = said === undefined || said === null || isResource(said);
    if (!plain) setAnswer(said);
    else {
      notifications.show({ message: `${label(action)}: ${name}.` });
      close();
    }
  };
  return (
    <Confirm
      opened
      close={close}
      title={`${label(action)}: ${name}`}
      verb={label(action)}
      pending={act.isPending}
      error={act.error}
      confirm={() =>
        act.mutate({ name: action.name, body: schema ? body : undefined }, { onSuccess: done })
      }
    >
      <Stack gap="sm">
        <Text size="sm">{action.summary}.</Text>
        {schema ? (
          <SchemaFields schema={schema} value={body} change={setBody} error={act.error} />
        ) : null}
        <Equivalent
          command={[
            kind.noun,
            action.name,
            ...flagsOf(kind, namesIn(kind, ref)),
            ...(schema && !hasSecret(schema) ? bodyFlags(body) : []),
          ]}
          call={{
            method: "POST",
            path: `${pathOf(ref)}/${action.name}`,
            body: schema && !hasSecret(schema) ? body : undefined,
          }}
        />
      </Stack>
    </Confirm>
  );
}

function isResource(said: unknown): boolean {
  return typeof said === "object" && said !== null && "metadata" in said && "spec" in said;
}

/** A secret stands in no command that somebody may copy. */
function hasSecret(schema: { properties?: Record<string, unknown> }): boolean {
  return Object.keys(schema.properties ?? {}).some((name) => /password|secret|token/i.test(name));
}
