/** A dialog with a form: its fields, what went wrong, and the two ways out. */
import { Button, Group, Modal, Stack } from "@mantine/core";
import type { ReactNode } from "react";
import { ProblemAlert } from "./ProblemAlert";

interface Props {
  title: string;
  /** What the button that does it says. */
  verb: string;
  close: () => void;
  /** Called with what was typed; not called twice while it is on its way. */
  submit: () => void;
  pending: boolean;
  error: unknown;
  /** The same at the command line and in the API. */
  equivalent?: ReactNode;
  danger?: boolean;
  children: ReactNode;
}

export function FormDialog(props: Props) {
  const { title, verb, close, submit, pending, error, equivalent, danger, children } = props;
  return (
    <Modal opened onClose={close} title={title}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!pending) submit();
        }}
      >
        <Stack gap="md">
          {children}
          {error ? <ProblemAlert error={error} /> : null}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Not now
            </Button>
            <Button type="submit" loading={pending} color={danger ? "red.8" : undefined}>
              {verb}
            </Button>
          </Group>
          {equivalent}
        </Stack>
      </form>
    </Modal>
  );
}
