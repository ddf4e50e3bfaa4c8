/** There is nothing here yet, and what to do about it. */
import { Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Icon, type IconName } from "./Icon";

interface Props {
  icon?: IconName;
  title: string;
  children?: ReactNode;
  /** A button. */
  action?: ReactNode;
}

export function EmptyState({ icon = "workloads", title, children, action }: Props) {
  return (
    <Stack align="center" gap="xs" py={48} px="md" className="surface" ta="center">
      <Icon name={icon} size={34} style={{ color: "var(--mantine-color-dimmed)" }} />
      <Text fw={600}>{title}</Text>
      {children ? (
        <Text size="sm" c="dimmed" maw="34rem" component="div">
          {children}
        </Text>
      ) : null}
      {action}
    </Stack>
  );
}
