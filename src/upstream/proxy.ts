/**
 * The proxy library's one instance, and the only file that imports the library. Its package name is
 * the one everybody knows; what stands behind it is recorded in docs/decisions/0001-http-proxy.md.
 */
import { createProxyServer } from 'http-proxy';

/** Streams requests and upgrades to origins; answers are written by forward.ts and tunnel.ts. */
export const proxy = createProxyServer({ selfHandleResponse: true });
