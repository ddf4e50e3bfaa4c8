/** What went wrong, as the API says it (RFC 9457), or as we say it where no answer came. */

export interface Source {
  pointer?: string;
  parameter?: string;
}

export interface ProblemDocument {
  status: number;
  title: string;
  detail?: string;
  hint?: string;
  sources?: Source[];
  requestId?: string;
  type?: string;
}

export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly hint: string;
  readonly sources: readonly Source[];
  readonly requestId: string;

  constructor(said: ProblemDocument) {
    super(said.detail || said.title);
    this.name = "Problem";
    this.status = said.status;
    this.title = said.title;
    this.detail = said.detail ?? "";
    this.hint = said.hint ?? "";
    this.sources = said.sources ?? [];
    this.requestId = said.requestId ?? "";
  }

  /** Whether it may pass by itself: no answer, or one that says "later". */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }

  /** What it says of one field of the body, by its JSON pointer (`/spec/image`). */
  at(pointer: string): string | undefined {
    const here = this.sources.some(
      (source) => source.pointer === pointer || source.pointer?.startsWith(`${pointer}/`),
    );
    return here ? this.detail : undefined;
  }
}

/** The problem of a response that is not one of success. */
export async function problemOf(response: Response): Promise<Problem> {
  const requestId = response.headers.get("x-request-id") ?? "";
  const type = response.headers.get("content-type") ?? "";
  if (type.includes("json")) {
    try {
      const said = (await response.json()) as Partial<ProblemDocument>;
      if (typeof said.title === "string") {
        return new Problem({ requestId, ...said, title: said.title, status: response.status });
      }
    } catch {
      // Cut off, or no JSON after all: what follows says as much as is known.
    }
  }
  return new Problem({
    status: response.status,
    title: "The server can't answer",
    detail: `It said ${response.status} ${response.statusText}`.trim(),
    hint: "Try again in a while. If it stays, tell the operator.",
    requestId,
  });
}

/** Any error as a problem, without what only programmers read. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem({
    status: -1,
    title: "The console made a mistake",
    detail: "Nothing was changed by it.",
    hint: "Load the page again. If it comes back, tell the operator what you did.",
  });
}

/** The server was not reached. */
export function unreachable(): Problem {
  return new Problem({
    status: 0,
    title: "No connection",
    detail: "The cloud can't be reached just now.",
    hint: "What you see may be old. It is tried again by itself.",
  });
}
