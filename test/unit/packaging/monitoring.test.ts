import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { renderLatencies, renderMetrics, renderOriginMetrics } from '../../../src/admin/metrics.ts';
import { Latencies } from '../../../src/log/latency.ts';
import { Statistics } from '../../../src/statistics.ts';
import { projectPath } from '../../support/paths.ts';

const text =
  renderMetrics(new Statistics()) + renderLatencies(new Latencies()) + renderOriginMetrics([]);
const families = new Set(Array.from(text.matchAll(/^# TYPE (\S+)/gm), ([, name = '']) => name));

for (const file of ['alerts.yml', 'grafana.json']) {
  test(`${file} asks for metrics that there are`, () => {
    const named = readFileSync(projectPath('packaging', file), 'utf8').matchAll(
      /wormgate_[a-z0-9_]+/g,
    );
    const names = new Set(
      Array.from(named, ([name]) => name.replace(/_(?:bucket|sum|count)$/, '')),
    );
    assert.ok(names.size > 10);
    for (const name of names) assert.ok(families.has(name), name);
  });
}

test('every alert is told of in docs/operations.md', () => {
  const rules = readFileSync(projectPath('packaging', 'alerts.yml'), 'utf8');
  const guide = readFileSync(projectPath('docs', 'operations.md'), 'utf8');
  const alerts = Array.from(rules.matchAll(/alert: (\w+)/g), ([, name = '']) => name);
  assert.ok(alerts.length > 10);
  for (const alert of alerts) assert.ok(guide.includes(`\`${alert}\``), alert);
});
