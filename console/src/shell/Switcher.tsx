/** Which tenant, which workspace. Operators see every tenant. */
import { Button, Menu, ScrollArea, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation, useNavigate } from "react-router";
import { api } from "~/api/http";
import { useSignedIn } from "~/api/session";
import type { Page } from "~/api/types";
import { Icon } from "~/parts/Icon";
import { useWorkspaces } from "./Home";
import classes from "./Switcher.module.css";
import { at, useScope } from "./scope";

export function Switcher() {
  const session = useSignedIn();
  const scope = useScope();
  const go = useNavigate();
  const { pathname } = useLocation();
  const workspaces = useWorkspaces(scope.tenant);
  const tenants = useTenants(session.operator);
  const names = workspaces.data?.items.map((item) => item.metadata.name) ?? [];
  // The same page of another workspace, unless it is one resource's: that is not there.
  const page = pathname.split("/").slice(3).slice(0, 2).join("/");
  return (
    <>
      {session.operator ? (
        <Choice
          what="Tenant"
          value={scope.tenant}
          choices={tenants.data ?? []}
          choose={(tenant) => void go(`/${encodeURIComponent(tenant)}`)}
        />
      ) : (
        <Text size="sm" c="dimmed" visibleFrom="sm" className={classes.name}>
          {scope.tenant}
        </Text>
      )}
      <Text c="dimmed" aria-hidden="true" visibleFrom="xs">
        /
      </Text>
      <Choice
        what="Workspace"
        value={scope.workspace}
        choices={names}
        choose={(workspace) => void go(at({ ...scope, workspace }, page))}
        add={() => void go(at(scope, "create/workspace"))}
      />
    </>
  );
}

function useTenants(enabled: boolean) {
  const path = "/providers/skerry.identity/v1/tenants";
  return useQuery({
    queryKey: ["list", "tenant", path, { limit: 1000 }],
    queryFn: ({ signal }) => api.get<Page>(path, { limit: 1000 }, signal),
    select: (page) => page.items.map((item) => item.metadata.name),
    enabled,
  });
}

interface ChoiceProps {
  what: string;
  value: string;
  choices: readonly string[];
  choose: (name: string) => void;
  add?: () => void;
}

function Choice({ what, value, choices, choose, add }: ChoiceProps) {
  const [search, setSearch] = useState("");
  const found = choices.filter((name) => name.includes(search.trim().toLowerCase()));
  return (
    <Menu shadow="md" width={240} position="bottom-start" onClose={() => setSearch("")}>
      <Menu.Target>
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          className={classes.choice}
          aria-label={`${what}: ${value || "none"}. Choose another`}
          rightSection={<Icon name="down" size={13} />}
        >
          <span className={classes.name}>{value || "no workspace"}</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{what}</Menu.Label>
        {choices.length > 8 ? (
          <TextInput
            aria-label={`Search ${what.toLowerCase()}s`}
            placeholder="Search"
            size="xs"
            mb={4}
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
          />
        ) : null}
        <ScrollArea.Autosize mah={320}>
          {found.slice(0, 200).map((name) => (
            <Menu.Item
              key={name}
              onClick={() => choose(name)}
              leftSection={
                <Icon name="check" size={14} style={{ opacity: name === value ? 1 : 0 }} />
              }
            >
              {name}
            </Menu.Item>
          ))}
        </ScrollArea.Autosize>
        {found.length === 0 ? (
          <Text size="sm" c="dimmed" px="sm" py={6}>
            {choices.length === 0 ? "There is none yet." : "None has that in its name."}
          </Text>
        ) : null}
        {add ? (
          <>
            <Menu.Divider />
            <Menu.Item onClick={add} leftSection={<Icon name="create" size={14} />}>
              New {what.toLowerCase()}
            </Menu.Item>
          </>
        ) : null}
      </Menu.Dropdown>
    </Menu>
  );
}
