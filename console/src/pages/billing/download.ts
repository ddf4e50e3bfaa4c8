/** Files that a view answers with, saved by the browser; what went wrong is told. */
import { notifications } from "@mantine/notifications";
import { type Query, send } from "~/api/http";
import { asProblem } from "~/api/problem";
import { pathOf } from "~/api/queries";
import { saved } from "~/parts/saving";

export async function download(
  ref: string,
  view: string,
  file: string,
  query: Query = {},
): Promise<void> {
  try {
    const response = await send(`${pathOf(ref)}/${view}`, { query, headers: { accept: "*/*" } });
    saved(file, await response.blob());
  } catch (error) {
    const problem = asProblem(error);
    notifications.show({
      color: "red.8",
      title: problem.title,
      message: [problem.detail, problem.hint].filter(Boolean).join(" "),
    });
  }
}
