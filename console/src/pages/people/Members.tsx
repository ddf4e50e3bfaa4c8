/** The users of a tenant, and who is invited. */
import { Button, Stack, Title } from "@mantine/core";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { collectionPath, useCatalogue } from "~/api/catalogue";
import { Equivalent } from "~/parts/Equivalent";
import { Icon } from "~/parts/Icon";
import { ListTable } from "~/parts/ListTable";
import { useScope } from "~/shell/scope";
import { InviteDialog } from "./InviteDialog";

export function Members() {
  const [query] = useSearchParams();
  const catalogue = useCatalogue();
  const scope = useScope();
  const [inviting, setInviting] = useState(query.get("do") === "invite");
  const user = catalogue.kind("user");
  return (
    <Stack gap="lg">
      <ListTable
        kind={user}
        tools={
          <Button onClick={() => setInviting(true)} leftSection={<Icon name="create" size={15} />}>
            Invite somebody
          </Button>
        }
        empty={<Button onClick={() => setInviting(true)}>Invite somebody</Button>}
      />
      <Invited />
      <Equivalent
        command={["user", "list"]}
        call={{ method: "GET", path: collectionPath(user, scope) }}
      />
      {inviting ? <InviteDialog close={() => setInviting(false)} /> : null}
    </Stack>
  );
}

function Invited() {
  const catalogue = useCatalogue();
  const kind = catalogue.kind("invitation");
  return (
    <Stack gap="sm">
      <Title order={2}>Invited</Title>
      <ListTable kind={kind} empty={false} />
    </Stack>
  );
}
