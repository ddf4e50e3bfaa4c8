/** Delete several, after saying how many and which; each that can't be is told. */
import { Button, List, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { type Kind, namesIn, plural, singular } from "~/api/catalogue";
import { api } from "~/api/http";
import { asProblem, Problem } from "~/api/problem";
import { pathOf, useRefresh } from "~/api/queries";
import { Confirm } from "./Confirm";
import { counted } from "./formats";
import { Icon } from "./Icon";

const AT_ONCE = 4;

interface Props {
  kind: Kind;
  refs: ReadonlySet<string>;
  done: () => void;
}

export function DeleteMany({ kind, refs, done }: Props) {
  const [opened, { open, close }] = useDisclosure(false);
  const refresh = useRefresh();
  const removal = useMutation({
    mutationFn: () => removeAll([...refs]),
    onSettled: () => refresh(kind.noun),
    onSuccess: () => {
      close();
      done();
    },
  });
  const many = counted(refs.size, singular(kind), plural(kind));
  const names = [...refs].map((ref) => namesIn(kind, ref).join("/"));
  return (
    <>
      <Button
        variant="default"
        size="sm"
        onClick={open}
        leftSection={<Icon name="trash" size={15} />}
      >
        Delete {many}
      </Button>
      <Confirm
        opened={opened}
        close={close}
        title={`Delete ${many}?`}
        verb="Delete"
        danger
        typed={refs.size > 10 ? String(refs.size) : undefined}
        pending={removal.isPending}
        error={removal.error}
        confirm={() => removal.mutate()}
      >
        <Stack gap="xs">
          <Text size="sm">This can't be taken back.</Text>
          <List size="sm">
            {names.slice(0, 8).map((name) => (
              <List.Item key={name}>{name}</List.Item>
            ))}
          </List>
          {names.length > 8 ? <Text size="sm">and {names.length - 8} more</Text> : null}
        </Stack>
      </Confirm>
    </>
  );
}

/** Raises a `Problem` that names what was not deleted. */
async function removeAll(refs: string[]): Promise<void> {
  const failed: string[] = [];
  const queue = [...refs];
  const worker = async (): Promise<void> => {
    for (let ref = queue.shift(); ref !== undefined; ref = queue.shift()) {
      try {
        await api.delete(pathOf(ref));
      } catch (error) {
        const problem = asProblem(error);
        if (problem.status !== 404)
          failed.push(`${ref.slice(ref.lastIndexOf("/") + 1)}: ${problem.message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (failed.length > 0) {
    throw new Problem({
      status: 409,
      title: `${counted(failed.length, "one", "of them")} could not be deleted`,
      detail: failed.slice(0, 5).join("; "),
    });
  }
}
