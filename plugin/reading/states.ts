/** What the operator's API for states answers, as far as it is shown. */
export interface StateObject {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly status: StateFacts;
}

export interface StateFacts {
  readonly environment: string;
  readonly component: string;
  readonly ownership?: string;
  readonly serial?: number;
  readonly resources?: number;
  readonly versions?: readonly StateVersion[];
  readonly lock?: { readonly id: string; readonly run?: string; readonly pod?: string; readonly since?: string };
  readonly claim?: { readonly id: string; readonly run?: string; readonly pod?: string; readonly since?: string };
  /** What a person has stored last; unsettled while a plan has to show what follows from it. */
  readonly lastWrite?: { readonly unsettled?: boolean };
  readonly recovery?: { readonly run?: string; readonly storedAt?: string };
}

export interface StateVersion {
  readonly serial: number;
  readonly resources?: number;
  readonly storedAt?: string;
  readonly run?: string;
  readonly by?: string;
}

/** Versions that can be pulled and restored, the newest first. */
export function versionsText({ versions = [] }: StateFacts): string {
  return versions.map(({ serial }) => `${serial}`).join(", ");
}
