/** Bars of money over time, each a stack; beside them the same as a table. */
import { Button, Group, Table, Text } from "@mantine/core";
import { useState } from "react";
import { money, type Nano } from "~/parts/formats";
import { type Bar, roundTop, type Stack, type Step } from "./grouping";
import classes from "./StackedBars.module.css";

interface Props {
  /** What it shows, for those who can't see it. */
  label: string;
  stack: Stack;
  step: Step;
  currency: string;
  /** Where each of the names leads or what it is called. */
  title?: (name: string) => string;
}

export function StackedBars({ label, stack, step, currency, title = (name) => name }: Props) {
  const [asTable, setAsTable] = useState(false);
  const { names, bars } = stack;
  const top = roundTop(bars.reduce((most, bar) => (bar.nano > most ? bar.nano : most), 0n));
  const colours = new Map(names.map((one, index) => [one.name, index]));
  return (
    <div>
      {asTable ? (
        <AsTable {...{ label, stack, step, currency, title }} />
      ) : (
        <div className={classes.chart} role="img" aria-label={`${label}: ${said(stack, currency)}`}>
          <div className={classes.scale} aria-hidden="true">
            {[top, top / 2n, 0n].map((value) => (
              <span key={String(value)}>{money(value)}</span>
            ))}
          </div>
          <div className={classes.bars}>
            {bars.map((bar) => (
              <div
                key={bar.at.getTime()}
                className={classes.bar}
                title={`${when(bar.at, step)}: ${money(bar.nano, currency)}${bar.parts
                  .map((part) => `\n${title(part.name)} ${money(part.nano, currency)}`)
                  .join("")}`}
              >
                {bar.parts.toReversed().map((part) => (
                  <div
                    key={part.name}
                    data-colour={colours.get(part.name)}
                    style={{ height: `${share(part.nano, top)}%` }}
                  />
                ))}
              </div>
            ))}
          </div>
          <Days bars={bars} step={step} />
        </div>
      )}
      <Group gap="md" mt="xs" justify="space-between">
        <Group gap="md" component="ul" className={classes.legend}>
          {names.map((one, index) => (
            <li key={one.name}>
              <span className={classes.key} data-colour={index} aria-hidden="true" />
              <Text size="sm" span>
                {title(one.name)}
              </Text>{" "}
              <Text size="sm" c="dimmed" span className="tabular">
                {money(one.nano, currency)}
              </Text>
            </li>
          ))}
        </Group>
        <Button
          size="compact-xs"
          variant="subtle"
          className="no-print"
          onClick={() => setAsTable(!asTable)}
        >
          {asTable ? "As bars" : "As a table"}
        </Button>
      </Group>
    </div>
  );
}

function share(nano: bigint, top: bigint): number {
  return Number((nano * 10_000n) / top) / 100;
}

function said({ names }: Stack, currency: string): string {
  if (names.length === 0) return "nothing";
  return names.map((one) => `${one.name} ${money(one.nano as Nano, currency)}`).join(", ");
}

/** A day or an hour, in UTC. */
export function when(at: Date, step: Step): string {
  const text = at.toISOString();
  return step === "day" ? text.slice(0, 10) : `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`;
}

/** Some of the days below the bars, so many that they can be read. */
function Days({ bars, step }: { bars: readonly Bar[]; step: Step }) {
  const every = Math.max(1, Math.ceil(bars.length / (step === "day" ? 6 : 4)));
  const shown = bars.filter((_, index) => index % every === 0);
  return (
    <div className={classes.days} aria-hidden="true">
      {shown.map((bar, index) => {
        const room = Math.min(every, bars.length - index * every);
        const text = when(bar.at, step).slice(5, 16);
        return (
          <span key={bar.at.getTime()} style={{ flexGrow: room }}>
            {room === every ? text : ""}
          </span>
        );
      })}
    </div>
  );
}

function AsTable({ label, stack, step, currency, title = (name) => name }: Props) {
  const used = stack.bars.filter((bar) => bar.nano !== 0n).toReversed();
  return (
    <Table.ScrollContainer minWidth={360} mah={280} type="native" tabIndex={0}>
      <Table aria-label={label} stickyHeader>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{step === "day" ? "Day" : "Hour"}</Table.Th>
            {stack.names.map((one) => (
              <Table.Th key={one.name} ta="right">
                {title(one.name)}
              </Table.Th>
            ))}
            <Table.Th ta="right">Sum</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {used.map((bar) => (
            <Table.Tr key={bar.at.getTime()}>
              <Table.Td>{when(bar.at, step)}</Table.Td>
              {stack.names.map((one) => (
                <Table.Td key={one.name} ta="right" className="tabular">
                  {money(bar.parts.find((part) => part.name === one.name)?.nano ?? 0n)}
                </Table.Td>
              ))}
              <Table.Td ta="right" className="tabular">
                {money(bar.nano, currency)}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
