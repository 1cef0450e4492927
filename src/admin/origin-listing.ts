/** What `virus origins` prints: each site's origins, and whether they work. Pure. */
import type { OriginRow } from '../upstream/origins.ts';
import { renderTable, tableOf } from './listing.ts';

const header = [
  'SITE',
  'ORIGIN',
  'STATE',
  'WEIGHT',
  'IN USE',
  'WAITING',
  'FAILURES',
  'LAST FAILURE',
];

/** The reply to `virus origins`. */
export function renderOrigins(rows: readonly OriginRow[]): string {
  if (rows.length === 0) return 'No site has origins of its own.';
  const table = tableOf(header, rows, rows.length, (row) => [
    row.site,
    row.origin,
    row.isBackup ? `${row.state}, backup` : row.state,
    String(row.weight),
    String(row.running),
    String(row.waiting),
    String(row.failures),
    row.why === '' ? '-' : row.why,
  ]);
  return renderTable(table, '');
}
