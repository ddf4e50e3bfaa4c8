/** How a machine joins: one command for it, good once. */
import { Button, Code, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { resourcePath, useCatalogue } from "~/api/catalogue";
import { useAct } from "~/api/queries";
import { Copy } from "~/parts/Copy";
import { Equivalent } from "~/parts/Equivalent";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { Ago } from "~/parts/Values";
import { useScope } from "~/shell/scope";

interface Invitation {
  command: string;
  expiresAt: string;
}

export function JoinDialog({ site, close }: { site: string; close: () => void }) {
  const kind = useCatalogue().kind("site");
  const path = resourcePath(kind, useScope(), [site]);
  const act = useAct(kind, path.replace("/providers/", ""));
  const [name, setName] = useState("");
  const body = name.trim() ? { host: name.trim() } : {};
  const flags = name.trim() ? ["--set", `host=${name.trim()}`] : [];
  const made = act.data as Invitation | undefined;
  return (
    <Modal opened onClose={close} title={`Add a machine to ${site}`} size="lg">
      <Stack gap="md">
        <Text size="sm">
          Any Linux machine with Skerry installed. It calls this cloud; nothing on it listens.
        </Text>
        <TextInput
          label="Its name"
          description="Only where it was here before under that name; otherwise it brings its own."
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          disabled={made !== undefined}
        />
        {act.error ? <ProblemAlert error={act.error} /> : null}
        {made ? (
          <>
            <Text size="sm">
              Run this there, as root. It works once, and ends <Ago at={made.expiresAt} />. It is
              shown only here.
            </Text>
            <Group gap="xs" wrap="nowrap" align="flex-start">
              <Code
                block
                flex={1}
                tabIndex={0}
                style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}
              >
                {made.command}
              </Code>
              <Copy text={made.command} what="the command" />
            </Group>
          </>
        ) : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {made ? "Done" : "Not now"}
          </Button>
          {made ? null : (
            <Button
              loading={act.isPending}
              onClick={() => act.mutate({ name: "invite", body })}
              data-autofocus
            >
              Show its command
            </Button>
          )}
        </Group>
        <Equivalent
          global
          command={["site", "invite", site, ...flags]}
          call={{ method: "POST", path: `${path}/invite`, body }}
        />
      </Stack>
    </Modal>
  );
}
