/**
 * Where a request through the gateway wants to go: the authority of a CONNECT (RFC 9110 §9.3.6) or the
 * absolute-form target of any other method (RFC 9112 §3.2.2). Pure; names are not looked up.
 */
import { isIP } from 'node:net';
import { normalizeAddress } from '../config/address-list.ts';

/** A host, an IPv6 address without its brackets, and a port. */
export interface Target {
  readonly host: string;
  readonly port: number;
}

/** A target and what is asked for there. */
export interface PlainTarget extends Target {
  /** In origin-form. */
  readonly path: string;
  /** As it stands in the request. */
  readonly authority: string;
}

const authorityForm = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253}):(\d{1,5})$/;
const absoluteForm = /^http:\/\/([^/?#@\s]+)([/?][^\s#]*)?$/i;

/** Reads `HOST:PORT`; undefined when it is none. */
export function parseAuthority(text: string): Target | undefined {
  const [, written = '', digits = ''] = authorityForm.exec(text) ?? [];
  const port = Number(digits);
  const host = written.startsWith('[') ? written.slice(1, -1) : written;
  if (host === '' || port < 1 || port > 65_535) return undefined;
  if (written.startsWith('[') && isIP(host) !== 6) return undefined;
  return { host: normalizeAddress(host.toLowerCase()), port };
}

/** Reads an `http://` URL; undefined when it is none, or names a user. */
export function parseAbsolute(url: string): PlainTarget | undefined {
  const [, authority = '', rest = ''] = absoluteForm.exec(url) ?? [];
  if (authority === '') return undefined;
  const hasPort = /:\d+$/.test(authority);
  const target = parseAuthority(hasPort ? authority : `${authority}:80`);
  if (target === undefined) return undefined;
  return { ...target, path: rest.startsWith('/') ? rest : `/${rest}`, authority };
}
