/** What stands around every page: head, navigation, connection, palette. */
import {
  ActionIcon,
  AppShell,
  Burger,
  Button,
  Group,
  Kbd,
  Text,
  Tooltip,
  UnstyledButton,
} from "@mantine/core";
import { useDisclosure, useHotkeys, useMediaQuery } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useEffect } from "react";
import { Link, Outlet, useLocation } from "react-router";
import { Catalogue, CatalogueContext, type CatalogueDocument } from "~/api/catalogue";
import { api } from "~/api/http";
import { Live } from "~/api/live";
import { asProblem } from "~/api/problem";
import { useSignedIn } from "~/api/session";
import { Icon } from "~/parts/Icon";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { PageSkeleton } from "~/parts/Skeletons";
import { Account } from "./Account";
import { Banner } from "./Banner";
import { Boundary } from "./Boundary";
import classes from "./Frame.module.css";
import { useWorkspaces } from "./Home";
import { Logo } from "./Logo";
import { Missing } from "./Missing";
import { Navigation } from "./Navigation";
import { rememberWorkspace } from "./remembered";
import { Switcher } from "./Switcher";
import { at, useScope } from "./scope";

const Palette = lazy(() => import("./Palette"));

/** The catalogue, once for the page's life. */
function useCatalogueQuery() {
  return useQuery({
    queryKey: ["catalogue"],
    queryFn: async ({ signal }) =>
      new Catalogue(await api.get<CatalogueDocument>("/catalogue.json", {}, signal)),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
  });
}

export function Frame() {
  const { tenant, workspace } = useScope();
  const catalogue = useCatalogueQuery();
  const workspaces = useWorkspaces(tenant);
  const missing = missingOf(workspace, workspaces);
  useEffect(() => {
    if (!missing) rememberWorkspace(tenant, workspace);
  }, [tenant, workspace, missing]);
  if (missing) return <Missing what={missing} names={namesOf(workspaces.data)} />;
  if (catalogue.isError) {
    return <ProblemAlert error={catalogue.error} retry={() => void catalogue.refetch()} />;
  }
  if (!catalogue.data) return <PageSkeleton />;
  return (
    <CatalogueContext value={catalogue.data}>
      <Live tenant={tenant}>
        <Framed />
      </Live>
    </CatalogueContext>
  );
}

type Workspaces = ReturnType<typeof useWorkspaces>;

function namesOf(page: Workspaces["data"]): string[] {
  return page?.items.map((item) => item.metadata.name) ?? [];
}

/** Which part of the address leads nowhere; empty if none does, as far as is known. */
function missingOf(workspace: string, { data, error }: Workspaces): "" | "tenant" | "workspace" {
  if (error && asProblem(error).status === 404) return "tenant";
  if (!data || workspace === "" || namesOf(data).includes(workspace)) return "";
  return "workspace";
}

function Framed() {
  const { pathname } = useLocation();
  const [opened, { toggle, close }] = useDisclosure(false);
  const [seeking, { open: seek, close: found }] = useDisclosure(false);
  useHotkeys([["mod+K", seek]], []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new page closes what covered the old
  useEffect(() => close(), [pathname]);
  return (
    <AppShell
      header={{ height: 54 }}
      navbar={{ width: 232, breakpoint: "sm", collapsed: { mobile: !opened } }}
      padding={{ base: "md", md: "lg" }}
    >
      <a className="skip" href="#main">
        To the page
      </a>
      <AppShell.Header className={classes.header}>
        <Head opened={opened} toggle={toggle} seek={seek} />
      </AppShell.Header>
      <AppShell.Navbar className={classes.navbar} aria-label="Pages">
        <Navigation onLeave={close} />
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1} className={classes.main}>
        <Banner />
        <Boundary at={pathname}>
          <Suspense fallback={<PageSkeleton />}>
            <Outlet />
          </Suspense>
        </Boundary>
      </AppShell.Main>
      {seeking ? (
        <Suspense fallback={null}>
          <Palette close={found} />
        </Suspense>
      ) : null}
    </AppShell>
  );
}

function Head({ opened, toggle, seek }: { opened: boolean; toggle: () => void; seek: () => void }) {
  const scope = useScope();
  const { operator } = useSignedIn();
  const narrow = useMediaQuery("(max-width: 48em)");
  return (
    <Group h="100%" px="md" gap="sm" wrap="nowrap" justify="space-between">
      <Group gap="xs" wrap="nowrap" style={{ minWidth: 0 }}>
        <Burger
          opened={opened}
          onClick={toggle}
          hiddenFrom="sm"
          size="sm"
          aria-label={opened ? "Close the navigation" : "Open the navigation"}
        />
        <UnstyledButton
          component={Link}
          to={at(scope)}
          aria-label="Skerry, to the first page"
          // Who chooses among tenants needs its room on a telephone.
          visibleFrom={operator ? "xs" : undefined}
        >
          <Group gap={8} wrap="nowrap">
            <Logo size={26} />
            <Text fw={650} size="lg" visibleFrom="sm">
              Skerry
            </Text>
          </Group>
        </UnstyledButton>
        <Switcher />
      </Group>
      <Group gap={6} wrap="nowrap">
        {narrow ? (
          <Tooltip label="Search">
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Search" onClick={seek}>
              <Icon name="search" />
            </ActionIcon>
          </Tooltip>
        ) : (
          <Button
            variant="default"
            size="xs"
            onClick={seek}
            leftSection={<Icon name="search" size={15} />}
            rightSection={<Kbd size="xs">Ctrl K</Kbd>}
            aria-keyshortcuts="Control+K"
          >
            Search
          </Button>
        )}
        <Account />
      </Group>
    </Group>
  );
}
