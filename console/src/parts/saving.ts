/** Files for the person; what went wrong with one is told in the same words everywhere. */
import { notifications } from "@mantine/notifications";
import { type Query, send } from "~/api/http";
import { asProblem } from "~/api/problem";

/** Give the person a file, as the browser does it. */
export function saved(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // Some browsers fetch it only after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Fetch what lies at a path of the API and save it. */
export function download(path: string, name: string, query: Query = {}): Promise<void> {
  return saving(name, async () => {
    const answer = await send(path, { query, headers: { accept: "*/*" } });
    return await answer.blob();
  });
}

/** Save what is still to be made. */
export async function saving(name: string, made: () => Promise<Blob>): Promise<void> {
  try {
    saved(name, await made());
  } catch (error) {
    const problem = asProblem(error);
    notifications.show({
      color: "red.8",
      title: `${name} was not downloaded`,
      message: [problem.message, problem.hint].filter(Boolean).join(" "),
    });
  }
}
