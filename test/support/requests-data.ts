/**
 * Readers of the request data in test/data: what worms and scanners sent, and what a real site's
 * visitors asked for. Text is latin1, one character a byte.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { projectPath } from './paths.ts';

/**
 * A row of requests.tsv or known-requests.tsv. `target` may hold blanks and backslashes, as the worm
 * sends it; `line` is the row's number in the file, from 1.
 */
export interface NamedRequest {
  readonly name: string;
  readonly line: number;
  readonly method: string;
  readonly target: string;
}

/** A request of an access log. `line` is its number in the file, from 1. */
export interface LoggedRequest {
  readonly method: string;
  readonly target: string;
  /** `HTTP/1.0` or `HTTP/1.1`. */
  readonly version: string;
  readonly status: number;
  readonly line: number;
}

/** What a row of site-a-labelled.tsv.gz was taken for; test/data/README.md tells how. */
export type Label = 'attack' | 'probe' | 'normal' | 'ambiguous';

/** A row of site-a-labelled.tsv.gz. */
export interface LabelledRequest {
  readonly label: Label;
  readonly method: string;
  readonly target: string;
  /** The number of its line in site-a-combined.log, from 1. */
  readonly line: number;
}

/** A line of site-a with its label; method and target are empty where there was no request. */
export interface LabelledLine extends LabelledRequest {
  readonly client: string;
  readonly status: number;
}

/** Reads requests.tsv: requests of worms and scanners as they were seen. */
export function readWormRequests(): readonly NamedRequest[] {
  return readNamed('requests.tsv');
}

/** Reads known-requests.tsv: requests of worms and scanners as they are described. */
export function readKnownRequests(): readonly NamedRequest[] {
  return readNamed('known-requests.tsv');
}

/** Throws on a row that is not `NAME METHOD`, tab, target. */
function readNamed(file: string): readonly NamedRequest[] {
  const rows = readFileSync(projectPath('test/data', file), 'latin1').trimEnd().split('\n');
  return rows.slice(1).map((row, index) => {
    const parts = /^(.+) ([A-Z]+)\t(.+)$/.exec(row);
    if (!parts) throw new Error(`${file}: not a row: ${row}`);
    const [, name = '', method = '', target = ''] = parts;
    return { name, method, target, line: index + 2 };
  });
}

/** Reads the requests of site-a, attacks among them; connections without a request are left out. */
export function readSiteA(): readonly LoggedRequest[] {
  return readLog('site-a').filter((request) => request !== undefined);
}

/** Reads the labels of all lines of site-a, those without a request too; throws on a row that is none. */
export function readLabels(): readonly LabelledLine[] {
  const rows = readPackedLines('site-a-labelled.tsv.gz').slice(1);
  return rows.map((row, index) => {
    const parts = /^\d+\t([^\t]+)\t(attack|probe|normal|ambiguous)\t(\d+)\t([A-Z]+|-?)\t(.*)$/.exec(
      row,
    );
    if (!parts) throw new Error(`site-a-labelled.tsv: not a row: ${row}`);
    const [, client = '', label, status, method = '', target = ''] = parts;
    const line = index + 1;
    return { client, label: label as Label, status: Number(status), method, target, line };
  });
}

/** Reads the labelled requests of site-a. */
export function readLabelledSiteA(): readonly LabelledRequest[] {
  return readLabels().filter(({ target }) => target !== '');
}

/** Reads the 10,000 requests of site-b; throws on a line without a request. */
export function readSiteB(): readonly LoggedRequest[] {
  return readLog('site-b').map((request, index) => {
    if (request === undefined) throw new Error(`site-b: line ${index + 1} has no request`);
    return request;
  });
}

/** A line of an access log as it stands there. */
export interface LoggedLine {
  /** From 1. */
  readonly line: number;
  readonly client: string;
  readonly atMs: number;
  /** `-` where there was no request. */
  readonly requestLine: string;
  readonly status: number;
  /** `-` where there was none. */
  readonly referer: string;
}

/** Reads all lines of a site's log, whatever they hold; throws on one that is not in combined format. */
export function readLoggedLines(site: string): readonly LoggedLine[] {
  return readPackedLines(`${site}-combined.log.gz`).map((text, index) => {
    const parts =
      /^(\S+) \S+ \S+ \[(\d\d)\/(\w{3})\/(\d{4}):([\d:]{8}) \+0000\] "([^"]*)" (\d{3}) \S+ "([^"]*)"/.exec(
        text,
      );
    if (!parts) throw new Error(`${site}: line ${index + 1} is not in combined format`);
    const [, client = '', day, month, year, time, requestLine = '', status, referer = ''] = parts;
    const atMs = Date.parse(`${day} ${month} ${year} ${time} GMT`);
    return { line: index + 1, client, atMs, requestLine, status: Number(status), referer };
  });
}

function readPackedLines(name: string): string[] {
  const packed = readFileSync(projectPath('test/data', name));
  return gunzipSync(packed).toString('latin1').trimEnd().split('\n');
}

function readLog(site: string): readonly (LoggedRequest | undefined)[] {
  return readPackedLines(`${site}-combined.log.gz`).map((text, index) => {
    const parts = /^\S+ \S+ \S+ \[[^\]]+\] "([A-Z]+) (\S+) (HTTP\/1\.[01])" (\d{3}) /.exec(text);
    if (!parts) return undefined;
    const [, method = '', target = '', version = '', status = ''] = parts;
    return { method, target, version, status: Number(status), line: index + 1 };
  });
}

/**
 * The request string of a worm's request, over the HTTP version given. Code Red, both kinds, has two
 * blanks before the version, which makes the paper's 385 bytes.
 */
export function wormRequestString(request: NamedRequest, version: string): string {
  const blanks = request.name.startsWith('code-red') ? '  ' : ' ';
  return `${request.target}${blanks}${version}`;
}
