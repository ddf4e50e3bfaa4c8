/** Shown once, when a second factor was confirmed by its first code. */
import { Button, Center, Code, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { Copy } from "~/parts/Copy";

export function RecoveryCodes({ codes, done }: { codes: string[]; done: () => void }) {
  return (
    <Center component="main" mih="100dvh" p="md">
      <Paper withBorder radius="md" p="xl" w="100%" maw={440} className="surface">
        <Stack>
          <Title order={1}>Your second factor is on</Title>
          <Text size="sm">
            Keep these recovery codes somewhere safe. Each works once, when your device is lost.
            They are shown now and never again.
          </Text>
          <Code block>{codes.join("\n")}</Code>
          <Group justify="space-between">
            <Copy text={codes.join("\n")} what="the codes" />
            <Button onClick={done}>I have kept them</Button>
          </Group>
        </Stack>
      </Paper>
    </Center>
  );
}
