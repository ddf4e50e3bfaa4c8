/** Where a page fails, the rest stays; what is shown are words, never a stack trace. */
import { Anchor, Button, Container, Group, Stack, Text, Title } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { Problem } from "~/api/problem";
import { ProblemAlert } from "~/parts/ProblemAlert";

interface Props {
  children: ReactNode;
  /** What is tried again when it changes: the address. */
  at?: string;
}

interface State {
  error: unknown;
  at: string | undefined;
}

export class Boundary extends Component<Props, State> {
  override state: State = { error: undefined, at: this.props.at };

  static getDerivedStateFromError(error: unknown): Partial<State> {
    return { error: error ?? new Error("unknown") };
  }

  static getDerivedStateFromProps(props: Props, state: State): State | null {
    return props.at === state.at ? null : { error: undefined, at: props.at };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <Container size="sm" py="xl">
        <Stack>
          <Title order={1}>This page can't be shown</Title>
          {error instanceof Problem ? (
            <ProblemAlert error={error} />
          ) : isChunk(error) ? (
            <Text>
              The cloud has a newer console by now, or can't be reached. Load the page again.
            </Text>
          ) : (
            <ProblemAlert error={error} />
          )}
          <Group>
            <Button onClick={() => window.location.reload()}>Load it again</Button>
            <Anchor href="/console/">To the beginning</Anchor>
          </Group>
        </Stack>
      </Container>
    );
  }
}

/** Whether a part of the console could not be fetched. */
function isChunk(error: unknown): boolean {
  return error instanceof TypeError && /import|module|fetch/i.test(error.message);
}
