/** The same at the command line, in the API and as a file. */
import { Button, Collapse, Group, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type Kind, resourcePath, type Scope } from "~/api/catalogue";
import { createWords, type Target } from "~/forms/cli";
import { callOf, manifestOf } from "~/forms/manifest";
import type { GroupNode } from "~/forms/node";
import type { Spec } from "~/forms/values";
import { Copy } from "~/parts/Copy";
import { Equivalent } from "~/parts/Equivalent";
import { Icon } from "~/parts/Icon";
import classes from "./Preview.module.css";

interface Props {
  kind: Kind;
  scope: Scope;
  form: GroupNode;
  spec: Spec;
  names: readonly string[];
  labels?: Record<string, string>;
  /** The command's words, where it is not creating. */
  words?: readonly string[];
}

export function targetOf(kind: Kind, scope: Scope, names: readonly string[], labels = {}): Target {
  const parents = Object.fromEntries(
    kind.parents.map(({ parameter }, index) => [parameter, names[index] ?? ""]),
  );
  const workspace = kind.scope === "workspace" ? scope.workspace : undefined;
  return { noun: kind.noun, name: names.at(-1) ?? "", workspace, parents, labels };
}

export function Preview({ kind, scope, form, spec, names, labels = {}, words }: Props) {
  const [opened, { toggle }] = useDisclosure(false);
  const target = targetOf(kind, scope, names, labels);
  const shown = names.map((name) => name || "NAME");
  const call = callOf(form, resourcePath(kind, scope, shown), spec, labels);
  const command = words ?? createWords(form, { ...target, workspace: undefined }, spec);
  const text = opened ? manifestOf(form, target, spec) : "";
  return (
    <Stack gap={6} mt="md">
      <Equivalent
        command={command.slice(1)}
        call={{ ...call, body: JSON.parse(call.body) as unknown }}
      />
      <Group>
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          leftSection={<Icon name="file" size={14} />}
          onClick={toggle}
          aria-expanded={opened}
        >
          As a file
        </Button>
      </Group>
      <Collapse expanded={opened}>
        <Group align="flex-start" wrap="nowrap" gap="xs">
          <pre className={classes.file} tabIndex={0}>
            {text}
          </pre>
          <Copy text={text} what="the file" />
        </Group>
        <Text size="xs" c="dimmed">
          For <span className="mono">skerry apply -f {shown.at(-1)}.yaml</span>
        </Text>
      </Collapse>
    </Stack>
  );
}
