/**
 * What can happen to the pattern database, as values: the messages that the control plane sends to
 * the data plane, the records of the journal, and what a console command turns into.
 */

import type { Provenance } from './provenance.ts';

export type { Provenance };

/** The settings that the console changes while the server runs, by their PROXY.CFG names. */
export type TunableName =
  | 'HitThreshold'
  | 'RefreshInterval'
  | 'EnablePatternAutoUpdate'
  | 'MaxVirusPatterns';

/** The request that made Auto Update notice a pattern. */
export interface Sample {
  /** The request line, latin1, at most `sampleBytesMax` of it. */
  readonly requestLine: string;
  /** The client's address. */
  readonly source: string;
}

/** So much of a sample's request line is kept, in bytes. */
export const sampleBytesMax = 256;

/**
 * Why a pattern was proposed and not added: its window, or its path, was lately served to somebody; no
 * origin has lately said that it does not have it; or AutoUpdateAction=propose.
 */
export type ProposalReason = 'window-served' | 'path-served' | 'not-missing' | 'action';

/** A pattern that waits for `virus accept` or `virus reject`. */
export interface Proposal {
  readonly pattern: Uint8Array;
  readonly origLength: number;
  /** The keyword that the sample holds. */
  readonly keyword: string;
  readonly reason: ProposalReason;
  /** Whether the keyword counts as confirmed once the proposal is accepted, unless it is served before. */
  readonly confirms: boolean;
  readonly sample: Sample;
  /** When it first and last became suspect, in milliseconds since the epoch, and how often. */
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly times: number;
}

/**
 * `pattern` is always PatternSize bytes, zero-padded; `keyword` is latin1 text, one character a byte.
 * An add with a `sample` was learned.
 */
export type Change =
  | {
      readonly kind: 'add';
      readonly pattern: Uint8Array;
      readonly origLength: number;
      readonly from: Provenance;
      readonly atMs: number;
      readonly sample?: Sample;
      /** With a sample: the keyword in `from` counts as confirmed from now on. */
      readonly confirms?: boolean;
    }
  | { readonly kind: 'del'; readonly pattern: Uint8Array; readonly origLength: number }
  | { readonly kind: 'clear' }
  | {
      readonly kind: 'add-keyword';
      readonly keyword: string;
      readonly from: Provenance;
      readonly atMs: number;
    }
  | { readonly kind: 'del-keyword'; readonly keyword: string }
  | { readonly kind: 'set'; readonly name: TunableName; readonly value: number }
  | LearningChange;

/** What Auto Update does, and what the operator makes of its proposals. */
export type LearningChange =
  | { readonly kind: 'propose'; readonly proposal: Proposal }
  /**
   * The proposed pattern becomes one of the database; `origLength` was typed to name it, if at all.
   * `confirms`, whether its keyword counts as confirmed, is found out when it is carried out.
   */
  | {
      readonly kind: 'accept';
      readonly pattern: Uint8Array;
      readonly origLength?: number;
      readonly atMs: number;
      readonly confirms?: boolean;
    }
  /** The pattern is never learned; nor is the keyword confirmed that found it. */
  | {
      readonly kind: 'reject';
      readonly pattern: Uint8Array;
      readonly origLength?: number;
      readonly keyword?: string;
    }
  /** A learned pattern was not seen for LearnedPatternDays. */
  | { readonly kind: 'expire'; readonly pattern: Uint8Array; readonly origLength: number }
  /** A proposal was not seen for LearnedPatternDays. */
  | { readonly kind: 'lapse'; readonly pattern: Uint8Array }
  /** How often a learned pattern has matched so far, and when it last did. */
  | {
      readonly kind: 'seen';
      readonly pattern: Uint8Array;
      readonly origLength: number;
      readonly hits: number;
      readonly atMs: number;
    }
  /** Requests that hold the keyword are virus requests since `atMs`; `seenMs` is when one last came. */
  | {
      readonly kind: 'confirm-keyword';
      readonly keyword: string;
      readonly atMs: number;
      readonly seenMs?: number;
    }
  | { readonly kind: 'unconfirm-keyword'; readonly keyword: string };

/**
 * What became of a change. `refused` carries a sentence for the operator; `unchanged` means that the
 * database already was as asked, such as an `add` of what is there.
 */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'unchanged'; readonly message: string }
  | {
      readonly kind: 'refused';
      readonly message: string;
      /** The counter of the bound that was reached, if that is why. */
      readonly bound?: 'patterns_refused' | 'proposals_refused';
    };
