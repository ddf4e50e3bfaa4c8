/** A page's head: what it is, in a sentence, and what can be done with it. */
import { Group, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";

interface Props {
  title: ReactNode;
  /** The title of the browser's tab; `title` if that is text. */
  tab?: string;
  about?: ReactNode;
  /** Buttons, at the right. */
  children?: ReactNode;
  /** Above the title: where one is. */
  trail?: ReactNode;
}

export function PageHead({ title, tab, about, children, trail }: Props) {
  const name = tab ?? (typeof title === "string" ? title : "");
  useEffect(() => {
    document.title = name ? `${name} · Skerry` : "Skerry";
  }, [name]);
  return (
    <Stack gap={4} mb="md">
      {trail}
      <Group justify="space-between" align="flex-start" gap="sm">
        <Title order={1}>{title}</Title>
        {children ? <Group gap="xs">{children}</Group> : null}
      </Group>
      {about ? (
        <Text c="dimmed" size="sm" maw="46rem">
          {about}
        </Text>
      ) : null}
    </Stack>
  );
}
