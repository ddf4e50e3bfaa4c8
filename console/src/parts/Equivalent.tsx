/** What this page or action is at the command line and in the API. The console can no more. */
import { Collapse, Group, Stack, Text, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Fragment } from "react";
import type { Scope } from "~/api/catalogue";
import { useScope } from "~/shell/scope";
import { Copy } from "./Copy";
import classes from "./Equivalent.module.css";
import { quoted } from "./formats";
import { Icon } from "./Icon";

export interface Call {
  method: "GET" | "PUT" | "POST" | "DELETE";
  path: string;
  body?: unknown;
}

interface Way {
  /** Words of the command after `skerry`: `["job", "list"]`. Tenant and workspace are put in. */
  command?: readonly string[];
  /** Whether the command is of the whole cloud: no tenant, no workspace. */
  global?: boolean;
  call?: Call;
}

interface Props extends Way {
  /** Of the page's other parts. */
  also?: readonly Way[];
}

/** A command for a terminal, with tenant and workspace as flags. */
export function useCommand(words: readonly string[], global = false): string {
  return commandOf(useScope(), words, global);
}

function commandOf({ tenant, workspace }: Scope, words: readonly string[], global = false): string {
  const where = [
    ...(tenant ? ["--tenant", tenant] : []),
    ...(workspace ? ["--workspace", workspace] : []),
  ];
  return ["skerry", ...(global ? [] : where), ...words].map(quoted).join(" ");
}

/** The same request with curl; the token is in SKERRY_TOKEN, and so in no argument. */
export function asCurl({ method, path, body }: Call): string {
  const url = quoted(`${window.location.origin}${path}`);
  const how = method === "GET" ? "" : ` -X ${method}`;
  const json = body === undefined ? "" : ` --json ${quoted(JSON.stringify(body))}`;
  return `curl${how}${json} --oauth2-bearer "$SKERRY_TOKEN" ${url}`;
}

export function Equivalent({ also = [], ...first }: Props) {
  const [opened, { toggle }] = useDisclosure(false);
  const scope = useScope();
  return (
    <div className="no-print">
      <UnstyledButton className={classes.toggle} onClick={toggle} aria-expanded={opened}>
        <Icon name="terminal" size={16} />
        <span>Command line and API</span>
        <Icon name={opened ? "up" : "down"} size={14} />
      </UnstyledButton>
      <Collapse expanded={opened}>
        <Stack gap="xs" mt="xs">
          {[first, ...also].map(({ command, call, global }) => (
            <Fragment key={`${command?.join(" ")} ${call?.path}`}>
              {command ? <Line label="CLI" text={commandOf(scope, command, global)} /> : null}
              {call ? <Line label="API" text={asCurl(call)} /> : null}
            </Fragment>
          ))}
        </Stack>
      </Collapse>
    </div>
  );
}

function Line({ label, text }: { label: string; text: string }) {
  return (
    <Group gap="xs" wrap="nowrap" className={classes.line}>
      <Text size="xs" c="dimmed" w={28} style={{ flexShrink: 0 }}>
        {label}
      </Text>
      <code className={classes.code} tabIndex={0}>
        {text}
      </code>
      <Copy text={text} what={label === "CLI" ? "the command" : "the call"} />
    </Group>
  );
}
