/** Service accounts: programs that work in a tenant, and whose tokens from elsewhere they trust. */
import { Button, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { collectionPath, useCatalogue } from "~/api/catalogue";
import type { Document } from "~/api/types";
import type { TableColumn } from "~/parts/DataTable";
import { Equivalent } from "~/parts/Equivalent";
import { Icon } from "~/parts/Icon";
import { ListTable } from "~/parts/ListTable";
import { useAddress, useScope } from "~/shell/scope";
import { type Trust, trusted } from "./words";

const TRUSTS: TableColumn<Document> = {
  id: "trusts",
  title: "Trusts tokens of",
  cell: ({ spec }) => {
    const trusts = (spec.trusts ?? []) as Trust[];
    if (trusts.length === 0) return <Text size="sm">nobody elsewhere</Text>;
    return (
      <Stack gap={2}>
        {trusts.map((trust) => (
          <Text key={trusted(trust)} size="sm">
            {trusted(trust)}
          </Text>
        ))}
      </Stack>
    );
  },
};

export function Programs() {
  const kind = useCatalogue().kind("service-account");
  const scope = useScope();
  const { page } = useAddress();
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">
        A program has an account of its own, with tokens and roles of its own. A CI job or a pod
        elsewhere can do without a token: what its own issuer says of it is exchanged for one of
        minutes, if the account trusts it.
      </Text>
      <ListTable
        kind={kind}
        more={[TRUSTS]}
        tools={
          <Button
            component={Link}
            to={page("create/service-account")}
            leftSection={<Icon name="create" size={15} />}
          >
            Make an account
          </Button>
        }
      />
      <Equivalent
        command={["service-account", "list"]}
        call={{ method: "GET", path: collectionPath(kind, scope) }}
      />
    </Stack>
  );
}
