/**
 * The counters as Prometheus text (exposition format 0.0.4), generated from the table in
 * statistics.ts; nothing here knows a counter by name.
 */
import { counterNames, counterTable, type Statistics } from '../statistics.ts';

/** The whole page, one HELP, TYPE and sample a counter. */
export function renderMetrics(statistics: Statistics): string {
  return counterNames
    .map((name) => {
      const metric = `wormgate_${name}_total`;
      const { help } = counterTable[name];
      return `# HELP ${metric} ${help}\n# TYPE ${metric} counter\n${metric} ${statistics.get(name)}\n`;
    })
    .join('');
}
