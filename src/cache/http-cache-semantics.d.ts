/** What src/cache/policy.ts uses of http-cache-semantics, which has no types of its own. */
declare module 'http-cache-semantics' {
  export interface PolicyRequest {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
  }

  export interface PolicyResponse {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
  }

  export interface PolicyOptions {
    readonly shared: boolean;
    /** The part of the time since the last modification that an answer is fresh for. */
    readonly cacheHeuristic: number;
  }

  export default class CachePolicy {
    constructor(request: PolicyRequest, response: PolicyResponse, options: PolicyOptions);
    /** Milliseconds since the epoch. */
    now(): number;
    storable(): boolean;
    /** The freshness lifetime in seconds. */
    maxAge(): number;
  }
}
