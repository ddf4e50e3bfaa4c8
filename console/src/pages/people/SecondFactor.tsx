/** A second factor is set up by its first code, or dropped by one. Passwords stay in this form. */
import { Button, Code, Group, Modal, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { send } from "~/api/http";
import { useSignedIn } from "~/api/session";
import { Copy } from "~/parts/Copy";
import { Equivalent } from "~/parts/Equivalent";
import { ProblemAlert } from "~/parts/ProblemAlert";

const IDENTITY = "/providers/skerry.identity/v1";

interface Begun {
  uri: string;
  secret: string;
  svg: string;
}

interface Props {
  user: string;
  drop: boolean;
  close: () => void;
}

export default function SecondFactor({ user, drop, close }: Props) {
  const { tenant } = useSignedIn();
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const said = { tenant, user, password };
  const begin = useMutation({
    mutationFn: async (): Promise<Begun> => {
      const answer = await post("POST", `${IDENTITY}/second-factors`, said);
      return (await answer.json()) as Begun;
    },
  });
  const confirm = useMutation({
    mutationFn: async (): Promise<string[]> => {
      const given = { ...said, code: code.trim() };
      if (drop) {
        await post("DELETE", `${IDENTITY}/second-factors`, given);
        return [];
      }
      const answer = await post("POST", `${IDENTITY}/sessions`, given);
      const session = (await answer.json()) as { token: string; recoveryCodes?: string[] };
      // It was opened only to confirm the code: the one that is here goes on.
      await send(`${IDENTITY}/sessions`, { method: "DELETE", token: session.token });
      return session.recoveryCodes ?? [];
    },
    onSuccess: () => {
      if (drop) close();
    },
  });
  if (confirm.data && !drop) return <Kept codes={confirm.data} close={close} />;
  const asks = drop || begin.data !== undefined;
  return (
    <Modal
      opened
      onClose={close}
      title={drop ? "Drop your second factor" : "Set up a second factor"}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (asks) confirm.mutate();
          else begin.mutate();
        }}
      >
        <Stack gap="md">
          <PasswordInput
            label="Your password"
            autoComplete="current-password"
            value={password}
            disabled={begin.data !== undefined}
            onChange={(event) => setPassword(event.currentTarget.value)}
            required
            data-autofocus
          />
          {begin.data ? <Picture begun={begin.data} /> : null}
          {asks ? (
            <TextInput
              label="The code it shows now"
              inputMode="numeric"
              autoComplete="one-time-code"
              value={code}
              onChange={(event) => setCode(event.currentTarget.value)}
              required
            />
          ) : null}
          {begin.error || confirm.error ? (
            <ProblemAlert error={confirm.error ?? begin.error} />
          ) : null}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Not now
            </Button>
            <Button
              type="submit"
              loading={begin.isPending || confirm.isPending}
              color={drop ? "red.8" : undefined}
            >
              {drop ? "Drop it" : asks ? "Turn it on" : "Go on"}
            </Button>
          </Group>
          <Equivalent
            global
            command={[
              ...["login", "--tenant", tenant, "--user", user],
              drop ? "--drop-second-factor" : "--second-factor",
            ]}
          />
        </Stack>
      </form>
    </Modal>
  );
}

const post = (method: string, path: string, body: unknown): Promise<Response> =>
  send(path, { method, body, token: "" });

/** An SVG made to stand within HTML, as a picture of its own. */
function pictured(svg: string): string {
  const whole = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ');
  return `data:image/svg+xml;utf8,${encodeURIComponent(whole)}`;
}

function Picture({ begun }: { begun: Begun }) {
  return (
    <Stack gap="xs">
      <Text size="sm">Scan this with an authenticator app, or type its key in there.</Text>
      <img
        src={pictured(begun.svg)}
        alt="QR code with the key of your second factor"
        style={{ background: "white", padding: 8, borderRadius: 8, width: "fit-content" }}
      />
      <Group gap="xs" wrap="nowrap">
        <Code style={{ overflowWrap: "anywhere" }}>{begun.secret}</Code>
        <Copy text={begun.secret} what="the key" />
      </Group>
    </Stack>
  );
}

function Kept({ codes, close }: { codes: string[]; close: () => void }) {
  return (
    <Modal opened onClose={close} title="Your second factor is on" closeOnClickOutside={false}>
      <Stack gap="md">
        <Text size="sm">
          Keep these recovery codes somewhere safe. Each works once, when your device is lost. They
          are shown now and never again.
        </Text>
        <Code block tabIndex={0}>
          {codes.join("\n")}
        </Code>
        <Group justify="space-between">
          <Copy text={codes.join("\n")} what="the codes" />
          <Button onClick={close}>I have kept them</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
