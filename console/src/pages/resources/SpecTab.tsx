/** What is wanted of it, to be read and changed as YAML. */
import { Alert, Button, Group, Stack, Text, Textarea } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { parse, stringify, YAMLParseError } from "yaml";
import { namesIn } from "~/api/catalogue";
import { asProblem } from "~/api/problem";
import { pathOf, usePut } from "~/api/queries";
import { Equivalent } from "~/parts/Equivalent";
import { Icon } from "~/parts/Icon";
import { ProblemAlert } from "~/parts/ProblemAlert";
import type { TabProps } from "~/shell/areas";
import { flagsOf } from "./ResourcePage";
import classes from "./Text.module.css";

export default function SpecTab({ kind, resource }: TabProps) {
  const text = stringify(resource.spec);
  const [edited, setEdited] = useState<{ text: string; version: number }>();
  const put = usePut(kind);
  const { resourceVersion, ref, owned } = resource.metadata;
  const changeable = kind.ops.includes("put") && !owned;
  const wrong = edited ? faultOf(edited.text) : "";
  const behind = edited !== undefined && edited.version !== resourceVersion;
  const save = (): void => {
    if (!edited || wrong) return;
    const { labels, annotations, extensions } = resource;
    const body = { labels, annotations, extensions, spec: parse(edited.text) as unknown };
    put.mutate(
      { ref, body, version: edited.version },
      {
        onSuccess: () => {
          setEdited(undefined);
          notifications.show({ message: `${resource.metadata.name} is changed.` });
        },
      },
    );
  };
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">
        {reasonOf(changeable, owned, kind.immutable)}
      </Text>
      {edited ? (
        <Textarea
          aria-label="Spec, as YAML"
          className={classes.editor}
          autosize
          minRows={8}
          maxRows={40}
          value={edited.text}
          onChange={(event) => setEdited({ ...edited, text: event.currentTarget.value })}
          error={wrong || fieldsOf(put.error)}
          spellCheck={false}
        />
      ) : (
        <pre className={classes.text} tabIndex={0}>
          {text}
        </pre>
      )}
      {behind ? (
        <Alert color="yellow" variant="outline" icon={<Icon name="warn" />}>
          It was changed meanwhile by somebody else. Take it as it is now and change that.
        </Alert>
      ) : null}
      {put.error ? <ProblemAlert error={put.error} /> : null}
      <Group>
        {edited ? (
          <>
            <Button onClick={save} loading={put.isPending} disabled={wrong !== "" || behind}>
              Save
            </Button>
            <Button
              variant="default"
              onClick={() => {
                setEdited(undefined);
                put.reset();
              }}
            >
              Leave it as it is
            </Button>
          </>
        ) : (
          <Button
            variant="default"
            disabled={!changeable}
            onClick={() => setEdited({ text, version: resourceVersion })}
          >
            Change
          </Button>
        )}
      </Group>
      <Equivalent
        command={[
          kind.noun,
          "update",
          ...flagsOf(kind, namesIn(kind, ref)),
          "--set",
          "FIELD=VALUE",
        ]}
        call={{ method: "PUT", path: pathOf(ref), body: { spec: resource.spec } }}
      />
    </Stack>
  );
}

function reasonOf(changeable: boolean, owned: boolean | undefined, immutable: string[]): string {
  if (owned) return "Another resource made it and keeps it as it is; change that one.";
  if (!changeable) return "It is kept by the cloud and can't be changed by hand.";
  if (immutable.length === 0) return "";
  return `Fixed once it is made: ${immutable.join(", ")}.`;
}

/** What keeps a text from being a spec; empty if nothing does. */
function faultOf(text: string): string {
  try {
    const value: unknown = parse(text);
    if (value === null || typeof value === "object") return "";
    return "A spec is fields with values.";
  } catch (error) {
    return error instanceof YAMLParseError
      ? (error.message.split("\n")[0] ?? "")
      : "That is no YAML.";
  }
}

function fieldsOf(error: unknown): string {
  if (!error) return "";
  return asProblem(error)
    .sources.map((source) => source.pointer ?? "")
    .filter(Boolean)
    .join(", ");
}
