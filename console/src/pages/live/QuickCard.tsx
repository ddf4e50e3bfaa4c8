/** What one does with it most, in one click each, with what that costs beside it. */
import { Button, Group, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { collectionPath, namesIn, useCatalogue } from "~/api/catalogue";
import { api } from "~/api/http";
import { asProblem } from "~/api/problem";
import { useAct, useRefresh, useView } from "~/api/queries";
import type { Document } from "~/api/types";
import { money, type Nano } from "~/parts/formats";
import { Icon, type IconName } from "~/parts/Icon";
import type { TabProps } from "~/shell/areas";
import { useAddress, useScope } from "~/shell/scope";
import { runsNow } from "./running";

export default function QuickCard(props: TabProps) {
  const { kind } = props;
  const deeds = useDeeds(props);
  const [busy, setBusy] = useState("");
  if (deeds.length === 0) return null;
  const run = async (deed: Deed): Promise<void> => {
    setBusy(deed.label);
    try {
      await deed.run();
    } catch (error) {
      const { title, message, hint } = asProblem(error);
      notifications.show({ color: "red", title, message: `${message}. ${hint}`.trim() });
    } finally {
      setBusy("");
    }
  };
  return (
    <section className="surface" style={{ padding: "var(--mantine-spacing-md)" }}>
      <Title order={2} mb="xs">
        {kind.noun === "volume" ? "Keep a copy" : "Use it"}
      </Title>
      <Stack gap="sm">
        {deeds.map((deed) => (
          <Group key={deed.label} gap="sm" wrap="nowrap">
            <Button
              size="xs"
              miw={110}
              variant={deed.main ? "filled" : "default"}
              leftSection={<Icon name={deed.icon} size={15} />}
              loading={busy === deed.label}
              disabled={deed.reason !== ""}
              onClick={() => void run(deed)}
            >
              {deed.label}
            </Button>
            <Text size="sm" c="dimmed">
              {deed.reason || deed.about}
            </Text>
          </Group>
        ))}
      </Stack>
    </section>
  );
}

interface Deed {
  label: string;
  icon: IconName;
  main?: boolean;
  /** What it does, and what that costs. */
  about: string;
  /** Why it can't be done now. */
  reason: string;
  run: () => Promise<void> | void;
}

function useDeeds({ kind, resource }: TabProps): Deed[] {
  const act = useAct(kind, resource.metadata.ref);
  const [, setQuery] = useSearchParams();
  const snapshot = useSnapshot({ kind, resource });
  const phase = String(resource.status?.phase ?? "");
  const runs = runsNow(resource);
  const done = (what: string) =>
    notifications.show({ message: `${resource.metadata.name}: ${what}` });
  const deed = (name: string, label: string, icon: IconName, about: string, reason = ""): Deed[] =>
    kind.actions.some((action) => action.name === name)
      ? [
          {
            label,
            icon,
            about,
            reason,
            run: async () => {
              await act.mutateAsync({ name });
              done(`${label.toLowerCase()} is on its way.`);
            },
          },
        ]
      : [];
  const found: Deed[] = [
    ...opening(kind.noun, resource, (body) => act.mutateAsync({ name: "open", body })),
  ];
  if (kind.channels.some(({ name }) => name === "exec")) {
    found.push({
      label: "Terminal",
      icon: "terminal",
      about: "A shell within it, at no cost of its own.",
      reason: runs ? "" : "It does not run now.",
      run: () => setQuery({ tab: "terminal" }),
    });
  }
  const price = usePrice({ kind, resource });
  const stopped = ["stopped", "failed"].includes(phase);
  if (stopped) found.push(...deed("start", "Start", "play", `Runs it again${price}.`));
  else {
    const roll = kind.noun === "service" ? "Roll" : "Restart";
    found.push(...deed("restart", roll, "refresh", rollAbout(kind.noun, price)));
    found.push(
      ...deed(
        "rollback",
        "Roll back",
        "left",
        `Back to the last revision that was ready${price}.`,
        rollbackReason(resource),
      ),
    );
    found.push(...deed("stop", "Stop", "stop", "Ends it, and with it what it costs."));
  }
  if (kind.noun === "volume") found.push(snapshot);
  return found;
}

function rollAbout(noun: string, price: string): string {
  return noun === "service"
    ? `Replaces its replicas one by one, no request is lost${price}; one more runs meanwhile.`
    : `Ends it and starts it anew${price}.`;
}

function rollbackReason({ status }: Document): string {
  const revisions = Array.isArray(status?.revisions) ? status.revisions : [];
  return revisions.length < 2 ? "There is no earlier revision." : "";
}

/** What it costs while it runs, as far as that is known: `, 0.05 EUR an hour`. */
function usePrice({ kind, resource }: TabProps): string {
  const viewed = kind.views.some(({ name }) => name === "cost");
  const found = useView<{ currency: string; perHourNano?: Nano | null }>(
    kind,
    resource.metadata.ref,
    "cost",
    {},
    { enabled: viewed },
  );
  const own = resource.status?.pricePerHourNano as Nano | null | undefined;
  const cost = resource.status?.cost as { currency?: string } | null | undefined;
  const nano = found.data?.perHourNano || own;
  const currency = found.data?.currency ?? cost?.currency ?? "";
  return nano ? `, ${money(nano, currency)} an hour` : "";
}

/** A notebook's link works once and is made when asked; a service's address is always there. */
function opening(
  noun: string,
  { status }: Document,
  link: (body: unknown) => Promise<unknown>,
): Deed[] {
  const url = typeof status?.url === "string" ? status.url : "";
  if (noun === "notebook") {
    return [
      {
        label: "Open",
        icon: "external",
        main: true,
        about: "JupyterLab, by a link that lets you in once.",
        reason: "",
        run: async () => {
          // The window is opened at the click: later, the browser would keep it from opening.
          const tab = window.open("", "_blank");
          try {
            const made = (await link({})) as { url?: string; link?: string } | undefined;
            const to = made?.url ?? made?.link;
            if (tab && to) tab.location.href = to;
          } catch (error) {
            tab?.close();
            throw error;
          }
        },
      },
    ];
  }
  if (url === "" || !/^https?:/.test(url)) return [];
  return [
    {
      label: "Open",
      icon: "external",
      main: true,
      about: "Its address, in another tab.",
      reason: "",
      run: () => void window.open(url, "_blank", "noopener,noreferrer"),
    },
  ];
}

function useSnapshot({ kind, resource }: TabProps): Deed {
  const catalogue = useCatalogue();
  const scope = useScope();
  const refresh = useRefresh();
  const go = useNavigate();
  const { page } = useAddress();
  const below = catalogue.find("snapshot");
  const { status } = resource;
  const nano = status?.pricePerGibHourNano as Nano | null | undefined;
  const cost = status?.cost as { currency?: string } | null | undefined;
  const price =
    nano === undefined || nano === null
      ? ""
      : `; what it holds costs ${money(nano, cost?.currency ?? "")} for each GiB an hour`;
  return {
    label: "Snapshot",
    icon: "copy",
    main: true,
    about: `Keeps what is in it now${price}.`,
    reason: below && status?.phase === "ready" ? "" : "Only one that is ready can be copied.",
    run: async () => {
      if (!below) return;
      const names = namesIn(kind, resource.metadata.ref);
      const name = new Date().toISOString().slice(0, 19).replace(/\D/g, "-");
      await api.put(`${collectionPath(below, scope, names)}/s-${name}`, { spec: {} });
      refresh("snapshot");
      notifications.show({ message: `Snapshot s-${name} is being made.` });
      void go(page(`kinds/snapshot/${names.join("/")}/s-${name}`));
    },
  };
}
