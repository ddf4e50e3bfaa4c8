/** A tab of one kind: what it is, the list, and one way to make another. */
import { Button, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { collectionPath, useCatalogue } from "~/api/catalogue";
import type { Document } from "~/api/types";
import type { TableColumn } from "~/parts/DataTable";
import { Equivalent } from "~/parts/Equivalent";
import { Icon } from "~/parts/Icon";
import { ListTable } from "~/parts/ListTable";
import { useAddress, useScope } from "~/shell/scope";

interface Props {
  noun: string;
  /** What the button that makes one says. */
  make: string;
  /** Columns after the kind's own. */
  more?: readonly TableColumn<Document>[];
  /** What these are, in a sentence or two. */
  children: ReactNode;
}

export function KindTab({ noun, make, more, children }: Props) {
  const kind = useCatalogue().kind(noun);
  const scope = useScope();
  const { page } = useAddress();
  const button = (
    <Button
      component={Link}
      to={page(`create/${noun}`)}
      leftSection={<Icon name="create" size={15} />}
    >
      {make}
    </Button>
  );
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed" maw="52rem">
        {children}
      </Text>
      <ListTable kind={kind} more={more} tools={button} empty={button} />
      <Equivalent
        global={kind.scope === "global"}
        command={[noun, "list"]}
        call={{ method: "GET", path: collectionPath(kind, scope) }}
      />
    </Stack>
  );
}
