/** Tenant, user, password, and the code of a second factor where there is one. */
import { Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { asProblem } from "~/api/problem";
import { type Credentials, signInByPassword } from "~/api/signing";
import { ProblemAlert } from "~/parts/ProblemAlert";

const REMEMBERED = "skerry-tenant";

export function PasswordForm({ recovery }: { recovery: (codes: string[]) => void }) {
  // Who has just accepted an invitation comes with their name.
  const [query] = useSearchParams();
  const [given, setGiven] = useState<Credentials>({
    tenant: query.get("tenant") ?? localStorage.getItem(REMEMBERED) ?? "",
    user: query.get("user") ?? "",
    password: "",
    code: "",
  });
  const [error, setError] = useState<unknown>();
  const [pending, setPending] = useState(false);
  const [factor, setFactor] = useState(false);
  const field = (name: keyof Credentials) => ({
    value: given[name],
    onChange: (event: React.ChangeEvent<HTMLInputElement>) => {
      const { value } = event.currentTarget;
      setGiven((before) => ({ ...before, [name]: value }));
    },
  });
  const submit = async (): Promise<void> => {
    setPending(true);
    setError(undefined);
    try {
      localStorage.setItem(REMEMBERED, given.tenant);
      recovery(await signInByPassword(given));
    } catch (problem) {
      setPending(false);
      // The password was right, and the code is what lacks: ask for it, that is no fault yet.
      const wanted = /second factor|code/i.test(asProblem(problem).message);
      if (wanted && !factor) setFactor(true);
      else setError(problem);
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Stack>
        <TextInput label="Tenant" autoComplete="organization" required {...field("tenant")} />
        <TextInput label="User" autoComplete="username" required {...field("user")} />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          required
          {...field("password")}
        />
        {factor ? (
          <TextInput
            label="Code of your second factor"
            description="Six digits, or a recovery code"
            inputMode="numeric"
            autoComplete="one-time-code"
            required
            autoFocus
            {...field("code")}
          />
        ) : null}
        {error ? <ProblemAlert error={error} /> : null}
        <Button type="submit" loading={pending} fullWidth>
          Sign in
        </Button>
      </Stack>
    </form>
  );
}
