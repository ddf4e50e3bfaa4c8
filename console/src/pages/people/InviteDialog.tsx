/** Somebody is invited by a link that works once: mailed, or shown where the cloud sends no mail. */
import { Alert, Button, Code, Group, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { resourcePath, useCatalogue } from "~/api/catalogue";
import { asProblem } from "~/api/problem";
import { refOf, usePut } from "~/api/queries";
import { Copy } from "~/parts/Copy";
import { Equivalent } from "~/parts/Equivalent";
import { FormDialog } from "~/parts/FormDialog";
import { Icon } from "~/parts/Icon";
import { useScope } from "~/shell/scope";
import { nameFrom, ROLES } from "./words";

export function InviteDialog({ close }: { close: () => void }) {
  const kind = useCatalogue().kind("invitation");
  const scope = useScope();
  const put = usePut(kind);
  const [email, setEmail] = useState("");
  const [role, setRole] = useState("seca.workspace-editor");
  const [tried, setTried] = useState(false);
  const wrong = /^[^@\s]+@[^@\s]+$/.test(email.trim()) ? undefined : "An address, as ann@acme.org";
  const name = nameFrom(email) || "somebody";
  const spec = { email: email.trim(), roles: [role] };
  const path = resourcePath(kind, scope, [name]);
  if (put.data) {
    const link = put.data.status?.link;
    return <Sent email={spec.email} link={typeof link === "string" ? link : ""} close={close} />;
  }
  const problem = put.error ? asProblem(put.error) : undefined;
  return (
    <FormDialog
      title="Invite somebody"
      verb="Invite"
      close={close}
      submit={() => {
        setTried(true);
        if (!wrong) put.mutate({ ref: refOf(path), body: { spec } });
      }}
      pending={put.isPending}
      error={put.error}
      equivalent={
        <Equivalent
          command={["invitation", "create", name, "--email", spec.email, "--roles", role]}
          call={{ method: "PUT", path, body: { spec } }}
        />
      }
    >
      <TextInput
        type="email"
        label="Their address"
        description="They follow the link to choose a password, or sign in at an issuer."
        value={email}
        error={(tried && wrong) || problem?.at("/spec/email")}
        onChange={(event) => setEmail(event.currentTarget.value)}
        data-autofocus
      />
      <Select
        label="They may"
        data={ROLES.map(({ name: value, may }) => ({ value, label: capitalised(may) }))}
        value={role}
        onChange={(value) => setRole(value ?? role)}
        allowDeselect={false}
        error={problem?.at("/spec/roles")}
      />
    </FormDialog>
  );
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function Sent({ email, link, close }: { email: string; link: string; close: () => void }) {
  return (
    <Modal opened onClose={close} title={`${email} is invited`} size="lg">
      <Stack gap="md">
        {link ? (
          <>
            <Alert color="yellow" variant="outline" icon={<Icon name="warn" />}>
              <Text size="sm">
                This cloud sends no mail: hand the link over yourself, by a way that only they read.
                It works once, and is shown only here.
              </Text>
            </Alert>
            <Group gap="xs" wrap="nowrap" align="flex-start">
              <Code block flex={1} tabIndex={0} style={{ overflowWrap: "anywhere" }}>
                {link}
              </Code>
              <Copy text={link} what="the link" />
            </Group>
          </>
        ) : (
          <Text size="sm">A mail with a link that works once is on its way to {email}.</Text>
        )}
        <Group justify="flex-end">
          <Button onClick={close}>Done</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
