/** What it wrote, as it comes: search, follow, download; of one copy or replica at a time. */
import { Button, Group, Select, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useEffect, useMemo, useRef, useState } from "react";
import { namesIn } from "~/api/catalogue";
import { send, withQuery } from "~/api/http";
import { pathOf } from "~/api/queries";
import { Equivalent } from "~/parts/Equivalent";
import { counted } from "~/parts/formats";
import { Icon } from "~/parts/Icon";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { saving } from "~/parts/saving";
import type { TabProps } from "~/shell/areas";
import { flagsOf } from "../resources/ResourcePage";
import classes from "./LogsTab.module.css";
import { bytesOf, type Chunk, type Line } from "./lines";
import { useLog } from "./useLog";

export default function LogsTab({ kind, resource }: TabProps) {
  const members = membersOf(resource);
  const [member, setMember] = useState(members?.names[0] ?? "");
  const [search, setSearch] = useState("");
  const [follow, setFollow] = useState(true);
  const [times, setTimes] = useState(false);
  const path = `${pathOf(resource.metadata.ref)}/logs`;
  const which: Record<string, string> = members && member ? { [members.query]: member } : {};
  const log = useLog(path, which, true);
  const found = useMemo(() => matching(log.lines, search), [log.lines, search]);
  const names = namesIn(kind, resource.metadata.ref);
  return (
    <Stack gap="sm">
      <Group gap="sm">
        {members && members.names.length > 1 ? (
          <Select
            aria-label={members.label}
            size="xs"
            w={150}
            data={[...members.names]}
            value={member}
            onChange={(value) => value && setMember(value)}
            allowDeselect={false}
          />
        ) : null}
        <TextInput
          type="search"
          aria-label="Search the log"
          placeholder="Search the log"
          size="xs"
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
          leftSection={<Icon name="search" size={14} />}
          style={{ flex: "1 1 140px" }}
        />
        <Switch
          label="Follow"
          checked={follow}
          onChange={(event) => setFollow(event.currentTarget.checked)}
        />
        <Switch
          label="Times"
          checked={times}
          onChange={(event) => setTimes(event.currentTarget.checked)}
        />
        <Button
          size="xs"
          variant="default"
          leftSection={<Icon name="download" size={14} />}
          onClick={() => void saving(`${names.join("-")}.log`, () => whole(path, which))}
        >
          Download
        </Button>
      </Group>
      {log.problem && log.state === "over" ? <ProblemAlert error={log.problem} /> : null}
      <Shown lines={found} follow={follow} setFollow={setFollow} times={times} />
      <Text size="xs" c="dimmed" role="status">
        {standing(log.state, found.length, search)}
        {log.dropped > 0
          ? ` ${counted(log.dropped, "earlier line")} not shown; download has all.`
          : ""}
      </Text>
      <Equivalent
        command={commandOf(kind.noun, names, flagsOf(kind, names), members?.query, member)}
        call={{ method: "GET", path: withQuery(path, { ...which, follow: true }) }}
      />
    </Stack>
  );
}

function commandOf(
  noun: string,
  names: readonly string[],
  flags: readonly string[],
  query: string | undefined,
  member: string,
): string[] {
  const one = query && member ? [`--${query}`, member] : [];
  return noun === "job" || noun === "service"
    ? [noun, "logs", ...flags, ...one, "--follow"]
    : ["logs", `${noun}/${names.at(-1) ?? ""}`, ...one, "--follow"];
}

interface Members {
  label: string;
  query: "rank" | "replica";
  names: readonly string[];
}

/** Whose logs there are, where there are several: a job's copies, a service's replicas. */
function membersOf({ spec, status }: TabProps["resource"]): Members | undefined {
  const pods = status?.pods;
  if (Array.isArray(pods)) {
    const names = (pods as { name: string }[]).map(({ name }) => name);
    return { label: "Replica", query: "replica", names };
  }
  const count = typeof spec.count === "number" ? spec.count : 1;
  if (count < 2) return undefined;
  return {
    label: "Copy",
    query: "rank",
    names: Array.from({ length: Math.min(count, 4096) }, (_, rank) => String(rank)),
  };
}

function matching(lines: readonly Line[], search: string): readonly Line[] {
  const wanted = search.toLowerCase();
  return wanted === "" ? lines : lines.filter(({ text }) => text.toLowerCase().includes(wanted));
}

function standing(state: string, count: number, search: string): string {
  const what = search
    ? `${counted(count, "line")} with “${search}”.`
    : `${counted(count, "line")}.`;
  if (state === "waiting") return `${what} Cut off; it is tried again.`;
  if (state === "over") return count === 0 && !search ? "It wrote nothing." : what;
  return count === 0 ? "Waiting for it to write." : `${what} Live.`;
}

interface ShownProps {
  lines: readonly Line[];
  follow: boolean;
  setFollow: (follow: boolean) => void;
  times: boolean;
}

function Shown({ lines, follow, setFollow, times }: ShownProps) {
  const box = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines are what it follows
  useEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines, follow]);
  const scrolled = (): void => {
    const { current } = box;
    if (!current) return;
    // Who scrolls up wants to read; who comes back to the end wants to go on.
    const end = current.scrollHeight - current.scrollTop - current.clientHeight < 24;
    if (end !== follow) setFollow(end);
  };
  return (
    <div
      className={classes.box}
      ref={box}
      onScroll={scrolled}
      tabIndex={0}
      role="log"
      aria-label="Log"
    >
      {lines.map((line) => (
        <div key={line.id} className={classes.line} data-stream={line.stream}>
          {times ? <span className={classes.at}>{clock(line.at)}</span> : null}
          {line.text || "\u00a0"}
        </div>
      ))}
    </div>
  );
}

function clock(at: string): string {
  const then = new Date(at);
  return Number.isNaN(then.getTime()) ? "" : then.toLocaleTimeString("en-GB");
}

/** All of it, from the first byte that is kept, in the order in which it was written. */
async function whole(path: string, which: Record<string, string>): Promise<Blob> {
  const text = await (await send(withQuery(path, which))).text();
  const parts = text.split("\n").filter((each) => each.trim() !== "");
  const bytes = parts.map((part) => bytesOf((JSON.parse(part) as Chunk).data));
  return new Blob(bytes, { type: "text/plain" });
}
