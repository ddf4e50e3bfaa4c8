/** Who is in a tenant, what each may do, and how they come in. */
import { Stack, Tabs } from "@mantine/core";
import { type ReactNode, Suspense } from "react";
import { useSearchParams } from "react-router";
import { toChosen } from "~/parts/chosen";
import { PageHead } from "~/parts/PageHead";
import { RowsSkeleton } from "~/parts/Skeletons";
import { Access } from "./Access";
import { Issuers } from "./Issuers";
import { Members } from "./Members";
import { Mine } from "./Mine";
import { Programs } from "./Programs";
import { Tokens } from "./Tokens";

const TABS: readonly [id: string, label: string, content: ReactNode][] = [
  ["members", "Members", <Members key="members" />],
  ["access", "Access", <Access key="access" />],
  ["tokens", "Tokens", <Tokens key="tokens" />],
  ["programs", "Programs", <Programs key="programs" />],
  ["issuers", "Issuers", <Issuers key="issuers" />],
  ["mine", "My sign-in", <Mine key="mine" />],
];

export default function PeoplePage() {
  const [query, setQuery] = useSearchParams();
  const tab = TABS.some(([id]) => id === query.get("tab")) ? query.get("tab") : "members";
  return (
    <Stack gap="md">
      <PageHead
        title="People and access"
        about="Who works here, what each may do, and how people and programs prove who they are."
      />
      <Tabs
        value={tab}
        onChange={(next) => setQuery({ tab: next ?? "members" }, { replace: true })}
        keepMounted={false}
      >
        <Tabs.List mb="md" className="scrolls" ref={toChosen}>
          {TABS.map(([id, label]) => (
            <Tabs.Tab key={id} value={id}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {TABS.map(([id, , content]) => (
          <Tabs.Panel key={id} value={id}>
            <Suspense fallback={<RowsSkeleton />}>{content}</Suspense>
          </Tabs.Panel>
        ))}
      </Tabs>
    </Stack>
  );
}
