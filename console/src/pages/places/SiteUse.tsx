/** What the machines of a site used in the last hour, in parts of what they have. */
import { Stack, Text, Title } from "@mantine/core";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { TimeChart } from "~/parts/TimeChart";
import { useUse } from "./use";

export function SiteUse({ site }: { site: string }) {
  const { chart, error } = useUse("-1h", site);
  return (
    <Stack gap="sm" className="surface" p="md">
      <Title order={2}>Used in the last hour</Title>
      {error ? <ProblemAlert error={error} /> : null}
      {chart ? (
        <TimeChart label={`What ${site} used in the last hour`} {...chart} />
      ) : error ? null : (
        <Text size="sm" c="dimmed">
          Nothing was measured yet.
        </Text>
      )}
    </Stack>
  );
}
