/** Tokens: secrets by which people and programs prove who they are, each shown once. */
import { Button, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { collectionPath, useCatalogue } from "~/api/catalogue";
import { Equivalent } from "~/parts/Equivalent";
import { Icon } from "~/parts/Icon";
import { ListTable } from "~/parts/ListTable";
import { useAddress, useScope } from "~/shell/scope";

export function Tokens() {
  const kind = useCatalogue().kind("token");
  const scope = useScope();
  const { page } = useAddress();
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">
        A token's secret is shown once, when it is made; only its hash is kept. Deleting it ends it
        at once.
      </Text>
      <ListTable
        kind={kind}
        tools={
          <Button
            component={Link}
            to={page("create/token")}
            leftSection={<Icon name="create" size={15} />}
          >
            Make a token
          </Button>
        }
      />
      <Equivalent
        command={["token", "list"]}
        call={{ method: "GET", path: collectionPath(kind, scope) }}
      />
    </Stack>
  );
}
