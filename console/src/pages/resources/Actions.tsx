/** What can be done with a resource: the actions of its kind, and deleting it. */
import { Button, Menu, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { lazy, Suspense, useState } from "react";
import { useNavigate } from "react-router";
import { type Action, capital, type Kind, namesIn, singular, useCatalogue } from "~/api/catalogue";
import { pathOf, useDelete } from "~/api/queries";
import { useSignedIn } from "~/api/session";
import type { Document } from "~/api/types";
import { Confirm } from "~/parts/Confirm";
import { Equivalent } from "~/parts/Equivalent";
import { Icon } from "~/parts/Icon";
import { useAddress } from "~/shell/scope";
import { flagsOf } from "./ResourcePage";

const ActionDialog = lazy(() => import("./ActionDialog"));

interface Props {
  kind: Kind;
  resource: Document;
}

export function Actions({ kind, resource }: Props) {
  const [chosen, setChosen] = useState<Action>();
  const [removing, { open, close }] = useDisclosure(false);
  const session = useSignedIn();
  const removable = kind.ops.includes("delete");
  if (kind.actions.length === 0 && !removable) return null;
  const reason = removalReason(kind, resource, session.operator);
  return (
    <>
      <Menu shadow="md" position="bottom-end" width={260}>
        <Menu.Target>
          <Button variant="default" rightSection={<Icon name="down" size={14} />}>
            Actions
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {kind.actions.map((action) => (
            <Menu.Item key={action.name} onClick={() => setChosen(action)}>
              {label(action)}
              <Text size="xs" c="dimmed">
                {action.summary}
              </Text>
            </Menu.Item>
          ))}
          {removable ? (
            <>
              {kind.actions.length > 0 ? <Menu.Divider /> : null}
              <Menu.Item
                onClick={open}
                disabled={reason !== ""}
                leftSection={<Icon name="trash" size={16} />}
              >
                Delete
                {reason ? (
                  <Text size="xs" c="dimmed">
                    {reason}
                  </Text>
                ) : null}
              </Menu.Item>
            </>
          ) : null}
        </Menu.Dropdown>
      </Menu>
      {chosen ? (
        <Suspense fallback={null}>
          <ActionDialog
            kind={kind}
            resource={resource}
            action={chosen}
            close={() => setChosen(undefined)}
          />
        </Suspense>
      ) : null}
      <Removal kind={kind} resource={resource} opened={removing} close={close} />
    </>
  );
}

/** An action's name as a word: "Set password". */
export function label(action: Action): string {
  return capital(action.name.replaceAll("-", " "));
}

function removalReason(kind: Kind, resource: Document, operator: boolean): string {
  if (resource.metadata.owned) return "Another resource made it, and it goes with that one.";
  if (kind.operatorOnly && !operator) return "Only the operator of this cloud does this.";
  return resource.status?.state === "deleting" ? "It is being deleted." : "";
}

function Removal({
  kind,
  resource,
  opened,
  close,
}: Props & { opened: boolean; close: () => void }) {
  const removal = useDelete(kind);
  const go = useNavigate();
  const { list } = useAddress();
  const catalogue = useCatalogue();
  const { name, ref } = resource.metadata;
  const below = catalogue.below(kind);
  return (
    <Confirm
      opened={opened}
      close={close}
      title={`Delete the ${singular(kind)} ${name}?`}
      verb={`Delete ${singular(kind)}`}
      danger
      typed={HOLDS.has(kind.noun) ? name : undefined}
      pending={removal.isPending}
      error={removal.error}
      confirm={() =>
        removal.mutate(ref, {
          onSuccess: () => {
            notifications.show({ message: `${name} is being deleted.` });
            close();
            void go(list(kind.noun));
          },
        })
      }
    >
      <Stack gap="xs">
        <Text size="sm">
          This can't be taken back.
          {below.length > 0 ? " What lives below it goes with it." : ""} What it cost and what
          happened with it stays on record.
        </Text>
        <Equivalent
          command={[kind.noun, "delete", ...flagsOf(kind, namesIn(kind, ref)), "--yes"]}
          call={{ method: "DELETE", path: pathOf(ref) }}
        />
      </Stack>
    </Confirm>
  );
}

/** What holds data or other things is deleted only after its name was typed. */
const HOLDS = new Set(["volume", "workspace", "tenant", "site"]);
