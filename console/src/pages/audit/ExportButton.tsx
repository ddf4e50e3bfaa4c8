/** The auditor's package of a month, as a file. */
import { Button, Group, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState } from "react";
import { send } from "~/api/http";
import { Equivalent } from "~/parts/Equivalent";
import { FormDialog } from "~/parts/FormDialog";
import { Icon } from "~/parts/Icon";
import { saved } from "~/parts/saving";
import { useScope } from "~/shell/scope";

export function ExportButton() {
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button variant="default" onClick={open} leftSection={<Icon name="download" size={15} />}>
        Export for an auditor
      </Button>
      {opened ? <Export close={close} /> : null}
    </>
  );
}

const day = (then: Date): string => then.toISOString().slice(0, 10);

function Export({ close }: { close: () => void }) {
  const { tenant } = useScope();
  const now = new Date();
  const [from, setFrom] = useState(day(new Date(Date.UTC(now.getFullYear(), now.getMonth(), 1))));
  const [to, setTo] = useState(day(new Date(now.getTime() + 86_400_000)));
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<unknown>();
  const path = `/providers/skerry.proof/v1/tenants/${encodeURIComponent(tenant)}/audit`;
  const fetched = async (): Promise<void> => {
    setPending(true);
    setError(undefined);
    try {
      const answer = await send(path, { query: { from, to }, headers: { accept: "*/*" } });
      saved(`audit-${tenant}-${from}-${to}.jsonl`, await answer.blob());
      close();
    } catch (problem) {
      setError(problem);
    } finally {
      setPending(false);
    }
  };
  return (
    <FormDialog
      title="Export for an auditor"
      verb="Export"
      close={close}
      submit={() => void fetched()}
      pending={pending}
      error={error}
      equivalent={
        <Equivalent
          command={["audit", "export", "--from", from, "--to", to]}
          call={{ method: "GET", path: `${path}?from=${from}&to=${to}` }}
        />
      }
    >
      <Text size="sm">
        One file with every change of {tenant} in a period: what was asked, where it ran, what was
        refused, and who from outside looked. Anybody can check it offline with the operator's key
        (skerry verify, or the one file verify.py).
      </Text>
      <Group grow>
        <TextInput
          type="date"
          label="From"
          value={from}
          required
          onChange={(event) => setFrom(event.currentTarget.value)}
        />
        <TextInput
          type="date"
          label="Until before"
          value={to}
          required
          min={from}
          onChange={(event) => setTo(event.currentTarget.value)}
        />
      </Group>
    </FormDialog>
  );
}
