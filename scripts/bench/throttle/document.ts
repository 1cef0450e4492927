/** docs/throttle-evidence.md and its drawing, from the results of a run. Pure. */
import { markdown, type Table } from '../proxies/tables.ts';
import { drawSpread } from './chart.ts';
import type { Cost } from './cost.ts';
import { minutesMax, paperMinutes, perSecond, type SpreadResult } from './curves.ts';
import type { SocketRow } from './on-sockets.ts';
import type { Overhead } from './overhead.ts';
import type { StopRow } from './stopping.ts';
import {
  costTable,
  overheadTable,
  socketTable,
  spreadTable,
  stopTable,
  variantTable,
} from './tables.ts';
import type { VariantResult } from './variants.ts';

export interface Evidence {
  readonly stops: readonly StopRow[];
  readonly onSockets: readonly SocketRow[];
  readonly overheads: readonly Overhead[];
  readonly spreads: readonly SpreadResult[];
  readonly variants: readonly VariantResult[];
  readonly variantRuns: { readonly hostCount: number; readonly runCount: number };
  readonly costs: readonly Cost[];
  /** What the costs were measured on. */
  readonly machine: string;
}

/** The drawing of the spread. */
export function renderDrawing({ spreads }: Evidence): string {
  return drawSpread(
    'Infected hosts over time; a line for each share of hosts that is throttled',
    spreads,
  );
}

const begin = `# What the virus throttle does to a worm

<!-- Written by \`npm run bench -- throttle --write\`. -->

Twycross and Williamson, "Implementing and testing a virus throttle" (2003), let a worm run behind their
throttle and measured how soon it was stopped and how far it spread. Here the same is done to wormgate's
own throttle (\`src/throttle\`), on virtual time: each run gives the same figures, but for the costs at the
end. To repeat it:

\`\`\`
npm run bench -- throttle
\`\`\`

It takes about three minutes. \`--write\` writes this page and its drawing.
`;

const stopping = `- The settings are those of 2003: five known hosts, one new host a second, and the worm is stopped when a
  hundred connections wait (\`delay_queue_size\` and \`delay_queue_high_watermark\` 100).
- The worm connects at a constant rate, each time to another host. Its first connection is tried one
  interval (1 / rate) after its start, from which all times count. The owner of the host has filled the
  working set before.
- *ideal* is arithmetic: a host is let go at each whole second after the start, and the worm is stopped
  with the first connection that makes a hundred wait.
- *wormgate*: the owner's last new host was let go at the moment of the worm's start. The rate limiter is
  closed then, and opens a second later. A connection that is tried at the moment at which another one is
  let go comes after it.
- *idle before*: the owner was away for a minute, the limiter is free, and the worm's first connection
  passes at once. It costs one host more, and the seconds that follow begin with it.

The throttle does what arithmetic says, to the digit. The paper's times differ from both by up to 0.3 s. At
60 connections a second and more they are shorter than a hundred connections take at that rate (100 / 60 =
1.67 s): its worm was faster than the nominal rate, or its time began later than ours.
`;

function spreadText(spreads: readonly SpreadResult[]): string {
  const spaces = spreads.map(({ hostCount, addressCount }) => {
    return `${addressCount.toLocaleString('en')} for ${hostCount.toLocaleString('en')} hosts`;
  });
  return `![Infected hosts over time, for each share of hosts that is throttled](throttle-spread.svg)

- One host is infected at first. Each infected host connects to random addresses, ${perSecond} a second, the
  slowest of the worms above, of which the throttle lets most through. A connection that arrives at a host
  infects it at once.
- The size of the address space is the one thing that is calibrated: such that with nothing throttled the
  last host is infected after ${paperMinutes} minutes on average, as in the paper. With *i* of *n* hosts infected
  the next one follows after *a* / (rate · *i* · (*n* - *i*)) on average in a space of *a* addresses; the sum
  over all *i* has to be ${paperMinutes} minutes. So *a* is ${spaces.join(', and ')}.
  The other shares follow from it.
- Every throttled host runs the worm's connections through a \`Throttle\` of its own with the settings of
  2003; its owner is idle. What is detected is stopped: the worm on that host ends, and its waiting
  connections with it. The host counts as infected all the same.
- The first host is not throttled unless all are. Were it drawn like the others, most runs with 75 % would
  end with it.
- A run ends when all are infected, or after ${minutesMax} minutes.
`;
}

const spreadResult = `The paper reports for its 16 hosts: all infected in about ${paperMinutes} minutes with none throttled, half of
them in that time with 75 %, and with 100 % none besides the first. So it is here. With few hosts the runs
differ much; the column of 90 % of the runs says how much. With five runs it is the lowest and the highest.

The throttle protects others, not its own host. Hosts that are not throttled infect the throttled ones, too;
only their number sets the pace. Among many hosts the spread is exponential until most are infected, and
there a slower pace is worth far more: compare the two rows of 75 %.
`;

const variantText = `In 2003 the throttle ran on the infected host and could stop the worm itself. wormgate stands beside the
host and cannot: with \`OnVirusLikeActivity=block\` it refuses what waits, and all new hosts for \`BlockSeconds\`
(60). Then the worm, if nobody has ended it, is let out again until 160 of its connections wait, which takes
seconds. With \`log\` such a worm reaches one new host a second until somebody reads the log and ends it. The
rows of wormgate have HP's defaults (200 places, marks 160 and 100).
`;

const onSocketsText = `Real CONNECTs through a real gateway, to addresses of 127.0.0.0/8; the owner's five hosts were reached before,
each in its turn. 850 a second is what SQL Slammer's kind does: a hundred wait before the first second is
over, and none is reached.
`;

const overheadText = `Two wormgates side by side, on one core, with a load of 32 connections; medians of seven rounds. An origin that
keeps connections is what there is in practice: the throttle is asked only when a connection is made. One
that closes each is the worst case, and the differences are of the size of the noise. HP measured 0.37 %.
`;

function leftOut(machine: string): string {
  return `- **Worms slower than one new host a second.** The throttle does not see them at all.
- **Worms with a list of addresses** that exist. The address space above is mostly empty; a worm that
  misses nothing infects a host with each connection that is let go.
- **The owner's own connections.** They would wait in the same queue. How long honest traffic waits is
  another question, and depends on the traffic.
- **Latency, connections that fail, and hosts that are repaired.** There are none.
- **Connections past wormgate.** Where a host can reach the network without it, nothing is throttled.

## What it costs

A connection to a known host, in process, on ${machine}.
Only the throttle: not the resolving of names, nor the connection itself.
`;
}

function section(table: Table): string {
  return `### ${table.title}\n\n${markdown(table)}\n`;
}

/** The document. */
export function renderEvidence(evidence: Evidence): string {
  const { stops, spreads, variants, variantRuns, costs, machine } = evidence;
  const { onSockets, overheads } = evidence;
  const { hostCount, runCount } = variantRuns;
  return [
    begin,
    `## How soon it is stopped\n\n${markdown(stopTable(stops))}\n\n${stopping}`,
    section(socketTable(onSockets)),
    onSocketsText,
    `## How far it spreads\n\n${spreadText(spreads)}`,
    ...spreads.map((result) => section(spreadTable(result))),
    spreadResult,
    `## When nobody stops the worm\n\n${variantText}`,
    section(variantTable(variants, hostCount, runCount)),
    `## What it does not show\n\n${leftOut(machine)}`,
    `${markdown(costTable(costs))}\n`,
    section(overheadTable(overheads)),
    overheadText,
  ].join('\n');
}
