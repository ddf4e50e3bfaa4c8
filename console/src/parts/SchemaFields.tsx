/**
 * The fields of a small JSON Schema: texts, numbers, choices, switches, lists of words. What is
 * nested deeper is written as JSON. Errors of the server stand at their field.
 */
import {
  NumberInput,
  PasswordInput,
  Select,
  Stack,
  Switch,
  TagsInput,
  Textarea,
  TextInput,
} from "@mantine/core";
import { useState } from "react";
import { useCatalogue } from "~/api/catalogue";
import { asProblem } from "~/api/problem";
import type { Schema } from "~/api/types";
import { words } from "./formats";

type Fields = Record<string, unknown>;

interface Props {
  schema: Schema;
  value: Fields;
  change: (value: Fields) => void;
  error?: unknown;
  /** Where the body's fields are in what is sent: "/spec". */
  pointer?: string;
}

export function SchemaFields({ schema, value, change, error, pointer = "" }: Props) {
  const catalogue = useCatalogue();
  const problem = error ? asProblem(error) : undefined;
  const set = (name: string, field: unknown): void => {
    const { [name]: _, ...rest } = value;
    change(field === undefined || field === "" ? rest : { ...rest, [name]: field });
  };
  return (
    <Stack gap="sm">
      {Object.entries(schema.properties ?? {}).map(([name, inner]) => (
        <Field
          key={name}
          name={name}
          schema={catalogue.resolve(inner)}
          required={schema.required?.includes(name) ?? false}
          value={value[name]}
          set={(field) => set(name, field)}
          error={problem?.at(`${pointer}/${name}`)}
        />
      ))}
    </Stack>
  );
}

interface FieldProps {
  name: string;
  schema: Schema;
  required: boolean;
  value: unknown;
  set: (value: unknown) => void;
  error: string | undefined;
}

function Field({ name, schema, required, value, set, error }: FieldProps) {
  const common = { label: words(name), description: schema.description, error, required };
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (schema.enum) {
    const data = schema.enum.filter((one) => one !== null).map(String);
    return (
      <Select
        {...common}
        data={data}
        clearable={!required}
        value={(value as string | undefined) ?? (schema.default as string | undefined) ?? null}
        onChange={(chosen) => set(chosen ?? undefined)}
      />
    );
  }
  if (type === "boolean") {
    return (
      <Switch
        label={common.label}
        description={common.description}
        error={error}
        checked={Boolean(value ?? schema.default)}
        onChange={(event) => set(event.currentTarget.checked)}
      />
    );
  }
  if (type === "integer" || type === "number") {
    return (
      <NumberInput
        {...common}
        min={schema.minimum}
        max={schema.maximum}
        allowDecimal={type === "number"}
        value={(value as number | undefined) ?? ""}
        placeholder={schema.default === undefined ? undefined : String(schema.default)}
        onChange={(number) => set(number === "" ? undefined : Number(number))}
      />
    );
  }
  if (type === "array" && schema.items?.type === "string") {
    return (
      <TagsInput
        {...common}
        value={(value as string[] | undefined) ?? []}
        onChange={(many) => set(many.length > 0 ? many : undefined)}
      />
    );
  }
  if (type === "string" || type === undefined) {
    const text = (value as string | undefined) ?? "";
    const Input = /password|secret/i.test(name) ? PasswordInput : TextInput;
    return (
      <Input
        {...common}
        value={text}
        maxLength={schema.maxLength}
        autoComplete="off"
        onChange={(event: React.ChangeEvent<HTMLInputElement>) => set(event.currentTarget.value)}
      />
    );
  }
  return <AsJson {...common} value={value} set={set} />;
}

interface AsJsonProps {
  label: string;
  description: string | undefined;
  error: string | undefined;
  required: boolean;
  value: unknown;
  set: (value: unknown) => void;
}

/** A field that is written as JSON, kept as text until it is some. */
function AsJson({ value, set, error, ...common }: AsJsonProps) {
  const [text, setText] = useState(value === undefined ? "" : JSON.stringify(value, null, 2));
  const [wrong, setWrong] = useState(false);
  return (
    <Textarea
      {...common}
      autosize
      minRows={2}
      placeholder="As JSON"
      value={text}
      error={wrong ? "That is no JSON." : error}
      onChange={(event) => {
        const given = event.currentTarget.value;
        setText(given);
        try {
          set(given.trim() ? JSON.parse(given) : undefined);
          setWrong(false);
        } catch {
          setWrong(true);
        }
      }}
    />
  );
}
