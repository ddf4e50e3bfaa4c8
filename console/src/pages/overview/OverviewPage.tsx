/** Where a person starts: what runs, what it costs, what needs them. */
import { SimpleGrid, Stack } from "@mantine/core";
import { useSignedIn } from "~/api/session";
import { Equivalent } from "~/parts/Equivalent";
import { PageHead } from "~/parts/PageHead";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { useScope } from "~/shell/scope";
import { Attention } from "./Attention";
import { Cloud } from "./Cloud";
import { Costs } from "./Costs";
import { Figures } from "./Figures";
import { PlacesRoom } from "./PlacesRoom";
import { Running } from "./Running";
import { SERIES, useAlerts, useTop } from "./rooms";

export default function OverviewPage() {
  const { tenant } = useScope();
  const session = useSignedIn();
  const whole = session.operator && tenant === session.tenant;
  const { path, found } = useTop();
  const alerts = useAlerts(whole ? "" : tenant);
  const items = found.data?.items ?? [];
  // An operator may have nothing of their own in the cloud that they run.
  const own = !whole || items.length > 0;
  return (
    <Stack gap="md">
      <PageHead
        title="Overview"
        about={
          whole && own
            ? "The whole cloud, then what is your own."
            : whole
              ? "The whole cloud."
              : undefined
        }
      />
      {alerts.isError ? <ProblemAlert error={alerts.error} /> : null}
      {whole ? <Cloud alerts={alerts.data?.items ?? []} /> : null}
      {found.isError ? (
        <ProblemAlert error={found.error} retry={() => void found.refetch()} />
      ) : null}
      {own ? (
        <>
          <Figures top={found.data?.items} />
          <SimpleGrid cols={{ base: 1, md: whole ? 1 : 2 }}>
            <Costs tenant={tenant} />
            {whole ? null : <Attention alerts={alerts.data?.items ?? []} />}
          </SimpleGrid>
          <Running items={items} />
        </>
      ) : null}
      {whole ? null : <PlacesRoom columns={3} />}
      {whole ? (
        <Equivalent
          global
          command={["status"]}
          call={{ method: "GET", path: `${SERIES}/status` }}
        />
      ) : (
        <Equivalent command={["top"]} call={{ method: "GET", path }} />
      )}
    </Stack>
  );
}
