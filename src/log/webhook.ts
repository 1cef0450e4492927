/** The webhook: sends events as JSON arrays, the same id on each try of one. */
import { randomUUID } from 'node:crypto';
import type { WebhookSettings } from '../config/shape.ts';
import { passesAtWebhook } from './post-retry.ts';
import { type Cargo, Sender, type SenderOptions, type SenderSettings } from './sender.ts';

export interface WebhookOptions extends Omit<SenderOptions, 'settings'> {
  readonly settings: () => WebhookSettings;
}

/** Events as JSON texts. */
const cargo: Cargo<string> = {
  receiver: 'the webhook',
  things: 'events',
  counters: {
    posts: 'webhook_posts',
    failures: 'webhook_failures',
    sent: 'webhook_events_sent',
    refused: 'webhook_events_lost',
    lost: 'webhook_events_lost',
  },
  gatherMs: 100,
  mayPass: passesAtWebhook,
  pack: (texts) => ({
    headers: { 'Content-Type': 'application/json', 'Webhook-Id': randomUUID() },
    body: `[${texts.join(',')}]`,
  }),
};

/** Takes events, each as JSON, printable ASCII. */
export class Webhook extends Sender<string> {
  constructor(options: WebhookOptions) {
    super({ ...options, settings: () => senderSettings(options.settings()) }, cargo);
  }
}

function senderSettings({ token, ...settings }: WebhookSettings): SenderSettings {
  const headers: Record<string, string> = {};
  if (token !== '') headers.Authorization = `Bearer ${token}`;
  return { ...settings, headers };
}
