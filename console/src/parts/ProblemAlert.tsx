/** What went wrong, in words, with what to do and the id to tell the operator. */
import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { asProblem } from "~/api/problem";
import { Copy } from "./Copy";
import { Icon } from "./Icon";

interface Props {
  error: unknown;
  /** Try again. */
  retry?: () => void;
}

export function ProblemAlert({ error, retry }: Props) {
  const problem = asProblem(error);
  return (
    <Alert
      role="alert"
      color={problem.passing ? "yellow" : "red"}
      variant="outline"
      icon={<Icon name="warn" />}
      title={problem.title}
      styles={{ title: { color: "var(--mantine-color-text)" } }}
    >
      <Stack gap={6}>
        {problem.detail ? <Text size="sm">{sentence(problem.detail)}</Text> : null}
        {problem.hint ? <Text size="sm">{problem.hint}</Text> : null}
        {problem.requestId ? (
          <Group gap={4}>
            <Text size="xs" c="dimmed">
              Request <span className="mono">{problem.requestId}</span>
            </Text>
            <Copy text={problem.requestId} what="the request id" />
          </Group>
        ) : null}
        {retry ? (
          <Group>
            <Button size="xs" variant="default" onClick={retry}>
              Try again
            </Button>
          </Group>
        ) : null}
      </Stack>
    </Alert>
  );
}

function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}
