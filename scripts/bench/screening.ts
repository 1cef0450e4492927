/**
 * `npm run bench -- screening [--quick]`: what screening adds to a humble request, in ns, with no
 * patterns and up to a million. The requests are those of a real site's log, ten million for each
 * figure. Each number of patterns has a process of its own, so that nothing is carried over.
 */
import { fullEffort, measureHere, measureScreening, quickEffort } from './screening/cost.ts';

function report(): void {
  const effort = process.argv.includes('--quick') ? quickEffort : fullEffort;
  const { requestCount, roundCount } = effort;
  console.log(
    `Node.js ${process.version}, medians of ${roundCount} rounds of ${requestCount.toLocaleString('en')} requests: ns a request\n`,
  );
  const cells = (texts: readonly string[]) => texts.map((text) => text.padStart(12)).join('');
  console.log(cells(['patterns', 'off', 'on', 'added']));
  for (const { patternCount, offNs, onNs, addedNs } of measureScreening(effort)) {
    const times = [offNs, onNs, addedNs].map((ns) => ns.toFixed(1));
    console.log(cells([patternCount.toLocaleString('en'), ...times]));
  }
}

const [first, ...numbers] = process.argv.slice(2);
if (first === '--measure') {
  const [patternCount = 0, requestCount = 0, roundCount = 0] = numbers.map(Number);
  process.stdout.write(JSON.stringify(measureHere(patternCount, { requestCount, roundCount })));
} else {
  report();
}
