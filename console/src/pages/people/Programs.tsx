/** Service accounts: programs that work in a tenant, and whose tokens from elsewhere they trust. */
import { Stack, Text } from "@mantine/core";
import type { Document } from "~/api/types";
import type { TableColumn } from "~/parts/DataTable";
import { KindTab } from "./KindTab";
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
  return (
    <KindTab noun="service-account" make="Create service account" more={[TRUSTS]}>
      A program has an account of its own, with tokens and roles of its own. A CI job or a pod
      elsewhere can do without a token: what its own issuer says of it is exchanged for one of
      minutes, if the account trusts it.
    </KindTab>
  );
}
