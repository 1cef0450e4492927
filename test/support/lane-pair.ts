/**
 * Two wormgates that differ in nothing but FastPath, each before an origin of its own. A scenario is
 * played to both at once, and whatever differs is reported with the bytes that were sent: what the
 * client heard, what the origin received, the lines of PROXY.LOG, the counters.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from './certificate.ts';
import type { Cleanup } from './cleanup.ts';
import { LaneOrigin } from './lane-origin.ts';
import { Meeting, pause, type Scenario } from './lane-scenario.ts';
import { describeCalls, difference, hear, readLogLine, shown } from './lane-transcript.ts';
import { RawClient } from './raw-client.ts';
import { freePort, startWormgate, until, type Wormgate } from './wormgate.ts';

interface Lane {
  readonly wormgate: Wormgate;
  readonly ports: ReadonlyMap<string, number>;
  readonly origins: ReadonlyMap<string, LaneOrigin>;
  readonly isTls: boolean;
}

export interface LanePairOptions {
  /**
   * Lines of each site's section; one site without any by default. In a line for Origin, `<origin>`
   * stands for the URL of the lane's own one, which is the only one without such a line.
   */
  readonly sites?: Readonly<Record<string, readonly string[]>>;
  readonly sections?: Readonly<Record<string, readonly string[]>>;
  /** Lines of `[Limits]` for the second alone, to see that a difference is found. */
  readonly mutation?: readonly string[];
  /** Clients speak TLS. */
  readonly isTls?: boolean;
}

/** What one playing of some scenarios found. */
interface Round {
  /** By scenario, a report with the bytes sent. */
  readonly found: ReadonlyMap<Scenario, string>;
  /** The counters that differ; undefined when none does. */
  readonly counters: string | undefined;
}

const reportsMax = 8;
/** How many in a thousand scenarios may differ once and not again, because the machine was busy. */
const onceInThousand = 30;
/** As many may anyway, where there are few scenarios. */
const onceMin = 10;
const patient = 10;
const culpritSearchMs = 20_000;
const othersKey = '(other clients)';

export class LanePair {
  readonly #lanes: readonly [Lane, Lane];
  readonly #siteNames: readonly string[];
  readonly #logRead = new Map<Lane, number>();
  #addressCount = 0;

  constructor(lanes: readonly [Lane, Lane], siteNames: readonly string[]) {
    this.#lanes = lanes;
    this.#siteNames = siteNames;
  }

  /** Where the first site listens, on the fast path and at the front. */
  get ports(): readonly number[] {
    return this.#lanes.map(({ ports }) => ports.get(this.#siteNames[0] ?? '') ?? 0);
  }

  /**
   * Plays the scenarios, `workers` at a time, and throws when anything differs. Worker n takes the
   * nth site where a scenario names none.
   */
  async compare(scenarios: readonly Scenario[], workers = 24): Promise<void> {
    const found = await this.differences(scenarios, workers);
    if (found.length === 0) return;
    const more = found.length > reportsMax ? [`... and ${found.length - reportsMax} more`] : [];
    const reports = [...found.slice(0, reportsMax), ...more].join('\n\n');
    throw new Error(`the lanes differ (- fast path, + front):\n\n${reports}`);
  }

  /**
   * As `compare`, but gives the differences, each a text with the bytes sent. What differs is played
   * once more with more patience, since waits end by the clock and the machine may be busy.
   */
  async differences(scenarios: readonly Scenario[], workers = 24): Promise<string[]> {
    const first = await this.#round(scenarios, workers, 1);
    const suspects = [...first.found.keys()];
    const onceMax = onceMin + (scenarios.length * onceInThousand) / 1000;
    if (suspects.length > onceMax) return reportsOf(first);
    if (suspects.length > 0) {
      const second = await this.#round(suspects, Math.min(workers, 4), patient);
      if (second.found.size > 0) return reportsOf(second);
      for (const report of first.found.values()) console.error(`differed once:\n${report}`);
    }
    if (first.counters === undefined) return [];
    const again = await this.#round(scenarios, workers, suspects.length > 0 ? patient : 1);
    if (again.counters === undefined) return [];
    return [...reportsOf(again), ...(await this.#counterCulprits(scenarios))];
  }

  /** Which scenarios, each played alone, make the counters differ. */
  async #counterCulprits(scenarios: readonly Scenario[]): Promise<string[]> {
    const found: string[] = [];
    const end = performance.now() + culpritSearchMs;
    for (const scenario of scenarios) {
      if (performance.now() > end) break;
      const { counters } = await this.#round([scenario], 1, 1);
      if (counters === undefined) continue;
      found.push(`alone: ${shown(scenario.sent)}\n${counters}`);
      if (found.length === reportsMax) break;
    }
    return found;
  }

  async #round(scenarios: readonly Scenario[], workers: number, patience: number): Promise<Round> {
    const found = new Map<Scenario, string>();
    const before = await this.#settled();
    // Whatever somebody else did in between is not this round's.
    this.#logDifferences(new Set());
    const played = new Map<string, Scenario>();
    let next = 0;
    const work = async (_: unknown, worker: number) => {
      for (let index = next++; index < scenarios.length; index = next++) {
        const scenario = scenarios[index] as Scenario;
        const site = scenario.site ?? this.#siteNames[worker % this.#siteNames.length] ?? '';
        const address = this.#newAddress();
        played.set(address, scenario);
        const meeting = new Meeting();
        const [first, second] = await Promise.all(
          this.#lanes.map((lane) => playOn(lane, scenario, { site, address, patience, meeting })),
        );
        const report = differenceOf(first ?? [], second ?? []);
        if (report !== undefined) found.set(scenario, `sent: ${shown(scenario.sent)}\n${report}`);
      }
    };
    await Promise.all(Array.from({ length: workers }, work));
    const after = await this.#settled();
    for (const [client, report] of this.#logDifferences(new Set(played.keys()))) {
      const scenario = played.get(client) ?? scenarios[0];
      if (scenario === undefined) continue;
      const known = found.get(scenario) ?? `sent: ${shown(scenario.sent)}`;
      found.set(scenario, `${known}\nthe log, ${client}:\n${report}`);
    }
    return { found, counters: counterDifference(before, after) };
  }

  #newAddress(): string {
    const count = this.#addressCount++;
    const [high, middle, low] = [count / 62_500, (count / 250) % 250, (count % 250) + 1];
    return `127.${1 + Math.floor(high)}.${Math.floor(middle)}.${low}`;
  }

  /** Waits until every connection is over and every line is in the log; the counters then. */
  async #settled(): Promise<readonly [Counters, Counters]> {
    const [first, second] = this.#lanes;
    return [await settledCounters(first), await settledCounters(second)];
  }

  /** By client, what differs in the lines since the last call. */
  #logDifferences(clients: ReadonlySet<string>): Map<string, string> {
    const [first, second] = this.#lanes.map((lane) => {
      const lines = lane.wormgate.log().split('\n').slice(0, -1);
      const fresh = lines.slice(this.#logRead.get(lane) ?? 0).map(readLogLine);
      this.#logRead.set(lane, lines.length);
      const byClient = new Map<string, string[]>();
      for (const { client, text } of fresh) {
        const key = clients.has(client) ? client : othersKey;
        const line = key === client ? text : `${client} ${text}`;
        byClient.set(key, [...(byClient.get(key) ?? []), line]);
      }
      // Whom a trusted proxy names may be named on several connections at once.
      byClient.get(othersKey)?.sort();
      return byClient;
    });
    const found = new Map<string, string>();
    for (const client of new Set([...(first?.keys() ?? []), ...(second?.keys() ?? [])])) {
      const report = differenceOf(first?.get(client) ?? [], second?.get(client) ?? []);
      if (report !== undefined) found.set(client, report);
    }
    return found;
  }
}

function reportsOf({ found, counters }: Round): string[] {
  return [...found.values(), ...(counters === undefined ? [] : [counters])];
}

type Counters = ReadonlyMap<string, number>;

function differenceOf(first: readonly string[], second: readonly string[]): string | undefined {
  const isEqual =
    first.length === second.length && first.every((line, index) => line === second[index]);
  return isEqual ? undefined : difference(first, second);
}

interface Playing {
  readonly site: string;
  readonly address: string;
  readonly patience: number;
  readonly meeting: Meeting;
}

/** Plays a scenario to one of the two; the lines that must be equal. */
async function playOn(lane: Lane, scenario: Scenario, playing: Playing): Promise<string[]> {
  const { site, address, meeting } = playing;
  const port = lane.ports.get(site);
  const origin = lane.origins.get(site);
  if (port === undefined || origin === undefined) throw new Error(`no site ${site}`);
  if (scenario.script !== undefined) origin.script(address, scenario.script);
  const client = lane.isTls
    ? await RawClient.connectTls(port, address)
    : await RawClient.connect(port, address);
  client.socket.setNoDelay(true);
  const notes: string[] = [];
  const note = (line: string) => void notes.push(line);
  const received = async (count: number) => {
    const isThere = () => origin.callsOf(address).length >= count;
    await until(isThere, 8000, () => `the origin never received request ${count}`);
  };
  try {
    const isScripted = scenario.script !== undefined;
    const calls = () => origin.callsOf(address);
    await scenario.play({ ...playing, client, origin, port, isScripted, note, received, calls });
  } catch (error) {
    note(`failed: ${error instanceof Error ? error.message : error}`);
  }
  meeting.giveUp();
  // Who hung up first is another race.
  if (client.closed && scenario.script !== undefined) await pause(10);
  const heard = scenario.isHeard === false ? [] : hear(client.text, client.closed).lines;
  client.destroy();
  // The next scenario finds no connection in the pool of which it is unsure whether it is alive.
  if (scenario.script !== undefined) origin.hangUp();
  const withIncomplete = scenario.withIncomplete === true;
  const calls = describeCalls(origin.callsOf(address), origin.port, withIncomplete);
  return [...heard, ...notes, 'the origin received:', ...calls];
}

async function countersOf(wormgate: Wormgate): Promise<Map<string, number>> {
  const answer = await fetch(`http://127.0.0.1:${wormgate.adminPort}/metrics`);
  const samples = (await answer.text()).matchAll(/^wormgate_(\w+)_total (\d+)$/gm);
  return new Map(Array.from(samples, ([, name = '', value]) => [name, Number(value)]));
}

async function settledCounters({ wormgate }: Lane): Promise<Counters> {
  let counters = new Map<string, number>();
  const openCount = () =>
    (counters.get('connections') ?? 0) - (counters.get('connections_closed') ?? 0);
  await until(
    async () => {
      counters = await countersOf(wormgate);
      const lineCount = `${wormgate.log()}${wormgate.throttleLog()}`.split('\n').length - 1;
      return openCount() === 0 && lineCount === counters.get('log_lines');
    },
    15_000,
    () => `${openCount()} connections never ended, or the log misses lines`,
  );
  return counters;
}

const hasWorkers = (process.env.WORKERS ?? '1') !== '1';
/** With several workers it is chance which of them sees an origin fail, and how often in a row. */
const byChance: ReadonlySet<string> = new Set(['origins_left_out', 'origins_back']);

function counterDifference(
  before: readonly [Counters, Counters],
  after: readonly [Counters, Counters],
): string | undefined {
  const added = (lane: 0 | 1, name: string) =>
    (after[lane].get(name) ?? 0) - (before[lane].get(name) ?? 0);
  const unequal = [...after[0].keys()].filter(
    (name) => added(0, name) !== added(1, name) && !(hasWorkers && byChance.has(name)),
  );
  if (unequal.length === 0) return undefined;
  const rows = unequal.map((name) => `${name}: - ${added(0, name)} + ${added(1, name)}`);
  return `counters:\n${rows.join('\n')}`;
}

/** A folder with a certificate; the test's end clears it away. */
function makeCertificates(test: Cleanup): string {
  const folder = mkdtempSync(join(tmpdir(), 'wormgate-lanes-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  makeCertificate(folder, ['site.test']);
  return folder;
}

function listenLines(port: number, folder: string | undefined): string[] {
  if (folder === undefined) return [`Listen=127.0.0.1:${port}`];
  const file = join(folder, 'site.test');
  return [`ListenTls=127.0.0.1:${port}`, `Certificate=${file}.crt`, `CertificateKey=${file}.key`];
}

/** Starts both; the test's end stops them. */
export async function startLanePair(
  test: Cleanup,
  options: LanePairOptions = {},
): Promise<LanePair> {
  const sites = options.sites ?? { only: [] };
  const folder = options.isTls === true ? makeCertificates(test) : undefined;
  const [first, second] = await Promise.all([
    startLane(test, sites, '1', options.sections ?? {}, folder, []),
    startLane(test, sites, '0', options.sections ?? {}, folder, options.mutation ?? []),
  ]);
  return new LanePair([first, second], Object.keys(sites));
}

async function startLane(
  test: Cleanup,
  sites: Readonly<Record<string, readonly string[]>>,
  fastPath: '0' | '1',
  sections: Readonly<Record<string, readonly string[]>>,
  folder: string | undefined,
  mutation: readonly string[],
): Promise<Lane> {
  const ports = new Map<string, number>();
  const origins = new Map<string, LaneOrigin>();
  const accelerators: Record<string, readonly string[]> = {};
  for (const [name, lines] of Object.entries(sites)) {
    const origin = new LaneOrigin();
    await origin.listen();
    test.after(() => origin.close());
    const port = await freePort();
    origins.set(name, origin);
    ports.set(name, port);
    const url = `http://127.0.0.1:${origin.port}`;
    const hasOrigin = lines.some((line) => line.startsWith('Origin='));
    accelerators[`Accelerator ${name}`] = [
      ...listenLines(port, folder),
      ...(hasOrigin ? [] : [`Origin=${url}`]),
      ...lines.map((line) => line.replace('<origin>', url)),
    ];
  }
  const wormgate = await startWormgate(test, {
    sections: {
      'Extra Configuration': ['ScanVirusPatterns=1', `FastPath=${fastPath}`],
      ...accelerators,
      ...sections,
      Limits: [...(sections.Limits ?? []), ...mutation],
    },
  });
  return { wormgate, ports, origins, isTls: folder !== undefined };
}
