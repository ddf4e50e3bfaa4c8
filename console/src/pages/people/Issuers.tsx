/** Whose word counts about who somebody is: OpenID Connect issuers, which the operator declares. */
import { Button, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { collectionPath, useCatalogue } from "~/api/catalogue";
import { useSignedIn } from "~/api/session";
import { EmptyState } from "~/parts/EmptyState";
import { Equivalent } from "~/parts/Equivalent";
import { Icon } from "~/parts/Icon";
import { ListTable } from "~/parts/ListTable";
import { useAddress, useScope } from "~/shell/scope";

export function Issuers() {
  const { operator } = useSignedIn();
  const kind = useCatalogue().kind("issuer");
  const scope = useScope();
  const { page } = useAddress();
  if (!operator) {
    return (
      <EmptyState icon="key" title="Issuers are the operator's to declare">
        Those that your organisation signs in at are on the page where you sign in. To have another
        one, ask the operator of this cloud.
      </EmptyState>
    );
  }
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">
        People sign in at an issuer with a client id; one without is only for programs, whose tokens
        are exchanged.
      </Text>
      <ListTable
        kind={kind}
        tools={
          <Button
            component={Link}
            to={page("create/issuer")}
            leftSection={<Icon name="create" size={15} />}
          >
            Declare an issuer
          </Button>
        }
        empty={
          <Button component={Link} to={page("create/issuer")}>
            Declare an issuer
          </Button>
        }
      />
      <Equivalent
        global
        command={["issuer", "list"]}
        call={{ method: "GET", path: collectionPath(kind, scope) }}
      />
    </Stack>
  );
}
