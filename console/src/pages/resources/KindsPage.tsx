/** All that this cloud knows of, by provider. */
import { Anchor, Stack, Table, Text, TextInput, Title } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";
import { capital, type Kind, plural, useCatalogue } from "~/api/catalogue";
import { Equivalent } from "~/parts/Equivalent";
import { Icon } from "~/parts/Icon";
import { PageHead } from "~/parts/PageHead";
import { useAddress } from "~/shell/scope";

export default function KindsPage() {
  const catalogue = useCatalogue();
  const { list } = useAddress();
  const [text, setText] = useState("");
  const wanted = text.toLowerCase();
  const kinds = catalogue.kinds.filter(
    (kind) =>
      kind.parents.length === 0 && `${kind.noun} ${kind.summary}`.toLowerCase().includes(wanted),
  );
  const providers = Map.groupBy(kinds, (kind: Kind) => kind.provider);
  return (
    <Stack gap="lg">
      <PageHead
        title="All kinds"
        about="Everything this cloud can keep for you, by who provides it."
      />
      <TextInput
        type="search"
        aria-label="Search kinds"
        placeholder="Search kinds"
        leftSection={<Icon name="search" size={15} />}
        value={text}
        maw={320}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      {[...providers].map(([provider, found]) => (
        <section key={provider} aria-label={provider}>
          <Title order={2} size="sm" c="dimmed" mb={6} className="mono">
            {provider}
          </Title>
          <div className="surface">
            <Table>
              <Table.Tbody>
                {found.map((kind) => (
                  <Table.Tr key={kind.noun}>
                    <Table.Td w="34%">
                      <Anchor component={Link} to={list(kind.noun)} size="sm">
                        {capital(plural(kind))}
                      </Anchor>
                    </Table.Td>
                    <Table.Td>
                      <Text size="sm">{kind.summary}</Text>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </div>
        </section>
      ))}
      {kinds.length === 0 ? <Text c="dimmed">No kind has that in it.</Text> : null}
      <Equivalent
        command={["curl", "/catalogue.json"]}
        global
        call={{ method: "GET", path: "/catalogue.json" }}
      />
    </Stack>
  );
}
