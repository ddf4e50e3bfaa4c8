/** Somebody may read everything, and nothing else, until a day. */
import { Group, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { resourcePath, useCatalogue } from "~/api/catalogue";
import { asProblem } from "~/api/problem";
import { refOf, usePut } from "~/api/queries";
import { Equivalent } from "~/parts/Equivalent";
import { FormDialog } from "~/parts/FormDialog";
import { useScope } from "~/shell/scope";
import { nameFrom } from "./words";

const DAY = 86_400_000;
const day = (time: number): string => new Date(time).toISOString().slice(0, 10);

export function AuditorDialog({ close }: { close: () => void }) {
  const kind = useCatalogue().kind("role-assignment");
  const scope = useScope();
  const put = usePut(kind);
  const [who, setWho] = useState("");
  const [from, setFrom] = useState(day(Date.now()));
  const [to, setTo] = useState(day(Date.now() + 7 * DAY));
  const [tried, setTried] = useState(false);
  const missing = who.trim() ? undefined : "A user's name, or an address";
  const backwards = from < to ? undefined : "It must be after the first day";
  const name = `audit-${nameFrom(who) || "somebody"}-${to}`;
  const [begin, end] = [`${from}T00:00:00Z`, `${to}T00:00:00Z`];
  const spec = {
    roles: ["skerry.auditor"],
    subs: [who.trim()],
    scopes: [{}],
    notBefore: begin,
    notAfter: end,
  };
  const path = resourcePath(kind, scope, [name]);
  const problem = put.error ? asProblem(put.error) : undefined;
  return (
    <FormDialog
      title="Let an auditor in for a time"
      verb="Let them in"
      close={close}
      submit={() => {
        setTried(true);
        if (missing || backwards) return;
        put.mutate({ ref: refOf(path), body: { spec } }, { onSuccess: close });
      }}
      pending={put.isPending}
      error={put.error}
      equivalent={
        <Equivalent
          command={[
            ...["role-assignment", "create", name, "--roles", "skerry.auditor"],
            ...["--subs", who.trim() || "WHO", "--scopes", "[{}]"],
            ...["--not-before", begin, "--not-after", end],
          ]}
          call={{ method: "PUT", path, body: { spec } }}
        />
      }
    >
      <Text size="sm">
        They read everything of {scope.tenant}, its history included, and change nothing. Sealed
        values are shown to nobody. It ends by itself.
      </Text>
      <TextInput
        label="Who"
        description="A user's name or their address. Invite them first if they are not here yet."
        value={who}
        error={(tried && missing) || problem?.at("/spec/subs")}
        onChange={(event) => setWho(event.currentTarget.value)}
        data-autofocus
      />
      <Group grow align="flex-start">
        <TextInput
          type="date"
          label="From"
          value={from}
          onChange={(event) => setFrom(event.currentTarget.value)}
        />
        <TextInput
          type="date"
          label="Until before"
          value={to}
          error={backwards ?? problem?.at("/spec/notAfter")}
          onChange={(event) => setTo(event.currentTarget.value)}
        />
      </Group>
    </FormDialog>
  );
}
