/** What an action answered: a link to follow, a token shown once, or facts. */
import { Anchor, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { Copy } from "~/parts/Copy";
import { scalar, words } from "~/parts/formats";

/** Names of what is told only this once. */
const SECRET = /token|secret|password|link|url|^code|codes$|command/i;

export function Answer(props: { title: string; answer: unknown; close: () => void }) {
  const { title, answer, close } = props;
  const fields =
    typeof answer === "object" && answer !== null ? Object.entries(answer) : [["answer", answer]];
  return (
    <Modal opened onClose={close} title={title}>
      <Stack>
        {fields.some(([name]) => SECRET.test(String(name))) ? (
          <Text size="sm">It is shown only this once: copy what you need.</Text>
        ) : null}
        {fields.map(([name, value]) => {
          const text = scalar(String(name), value);
          return (
            <Stack key={String(name)} gap={2}>
              <Text size="xs" c="dimmed">
                {words(String(name))}
              </Text>
              <Group gap={4} wrap="nowrap">
                {/^https?:\/\//.test(text) ? (
                  <Anchor
                    href={text}
                    target="_blank"
                    rel="noreferrer noopener"
                    size="sm"
                    style={{ wordBreak: "break-all" }}
                  >
                    {text}
                  </Anchor>
                ) : (
                  <Text size="sm" className="mono" style={{ wordBreak: "break-all" }}>
                    {text}
                  </Text>
                )}
                <Copy text={text} what={words(String(name)).toLowerCase()} />
              </Group>
            </Stack>
          );
        })}
        <Group justify="flex-end">
          <Button onClick={close}>Done</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
