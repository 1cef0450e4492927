/**
 * The table of counters. A row holds a counter's name and its prose; the metrics page and
 * docs/counters.md are generated from the rows, and the compiler refuses a counter without one.
 */

/** One row: what the counter counts, in a sentence good enough to print. */
export interface CounterRow {
  readonly help: string;
}

export const counterTable = {
  connections: { help: 'Connections accepted by the accelerators.' },
  connections_closed: { help: 'Connections of the accelerators that are over.' },
  connections_refused: {
    help: 'Connections closed at once because MaxConnections was reached, or because the client had gone again before it was known who it was.',
  },
  requests: {
    help: 'Requests whose head arrived whole, and requests that were slipped at their request line.',
  },
  virus_requests: { help: 'Requests that matched a virus pattern.' },
  non_virus_requests: { help: 'Requests that matched no virus pattern.' },
  requests_slipped: {
    help: 'Virus requests, and requests of blocked sources, whose connection was closed with no answer.',
  },
  requests_dropped: { help: 'Virus requests, and requests of blocked sources, answered 400.' },
  requests_detected: {
    help: 'Virus requests, and requests of blocked sources, let pass because Mode=detect.',
  },
  requests_never_block: {
    help: 'Virus requests, and requests of blocked sources, let pass because of NeverBlock.',
  },
  requests_malformed: {
    help: 'Requests refused with 400 because their grammar was ambiguous or broken.',
  },
  requests_unsupported: {
    help: 'Requests refused with 405, 417 or 501 because of their method or their expectation.',
  },
  request_line_too_long: { help: 'Requests refused with 414 because of MaxRequestLine.' },
  request_headers_too_large: {
    help: 'Requests refused with 431 because of MaxHeaderBytes or MaxHeaders.',
  },
  request_body_too_large: { help: 'Requests refused with 413 because of MaxRequestBody.' },
  request_header_timeouts: {
    help: 'Connections closed because a request head took longer than HeaderTimeout.',
  },
  request_body_timeouts: {
    help: 'Connections closed because a request body paused longer than BodyTimeout.',
  },
  response_send_timeouts: {
    help: 'Connections closed because a client did not read for SendTimeout.',
  },
  requests_misdirected: {
    help: 'Requests refused with 421 because no accelerator serves their host.',
  },
  requests_forwarded: {
    help: 'Humble requests that were to be sent on to an origin; some find it unreachable or busy.',
  },
  requests_retried: {
    help: 'Requests sent once more because a kept-alive origin connection had gone stale, or to another origin because the first had failed.',
  },
  requests_moved: {
    help: 'Times that a request went on to another origin because one had failed or had no room; they are counted in requests_retried, too.',
  },
  client_aborts: { help: 'Clients that closed their connection before the answer was complete.' },
  tls_handshakes: { help: 'TLS handshakes that were completed.' },
  tls_sessions_resumed: {
    help: 'Those of them that went on with an earlier session, which costs little.',
  },
  tls_handshakes_refused: {
    help: 'Connections closed before their TLS handshake because of MaxTlsHandshakes.',
  },
  tls_handshake_timeouts: {
    help: 'TLS handshakes that took longer than TlsHandshakeTimeout.',
  },
  tls_handshake_aborts: { help: 'TLS handshakes whose client went away.' },
  tls_version_failures: {
    help: 'TLS handshakes that failed because the client speaks no version that is allowed.',
  },
  tls_cipher_failures: {
    help: 'TLS handshakes that failed because client and server have no cipher suite, group, signature or protocol in common.',
  },
  tls_certificate_refusals: {
    help: 'TLS handshakes that the client broke off with an alert: most often it does not accept the certificate.',
  },
  tls_plain_requests: { help: 'Connections to ListenTls that spoke HTTP without TLS.' },
  tls_handshake_failures: { help: 'TLS handshakes that failed for any other reason.' },
  tls_certificates_reloaded: {
    help: 'Times that changed certificate files were taken over while the server ran.',
  },
  tls_certificates_refused: {
    help: 'Times that changed certificate files could not be used; the certificates before them stayed in force.',
  },
  tls_redirects: { help: 'Requests answered with a redirect to https because of RedirectToTls.' },
  proxy_headers: { help: 'PROXY protocol headers that were accepted.' },
  proxy_headers_refused: {
    help: 'Connections closed because their PROXY protocol header was missing, broken, late, or sent by a peer that is not in TrustedProxies.',
  },
  h2_connections: { help: 'Connections that chose HTTP/2.' },
  h2_requests: { help: 'Requests that came over HTTP/2.' },
  h2_requests_malformed: {
    help: 'HTTP/2 requests reset because no HTTP/1.1 request could have their header fields. Those that break the rules of HTTP/2 itself are reset uncounted.',
  },
  h2_resets: { help: 'HTTP/2 requests that their client took back before they were answered.' },
  h2_floods: {
    help: 'HTTP/2 connections closed because their client took back more requests than MaxH2Resets.',
  },
  h2_connection_errors: {
    help: 'HTTP/2 connections closed because of a fault in them, such as frames that break the grammar or a flood that Node.js refused.',
  },
  upgrades: { help: 'Connections switched to another protocol (WebSocket and others).' },
  upgrade_timeouts: {
    help: 'Upgraded connections closed because nothing moved for UpgradeTimeout.',
  },
  origin_connect_failures: { help: 'Requests answered 502 because no origin could be reached.' },
  origin_connect_timeouts: {
    help: 'Requests answered 504 because connecting to the origin took longer than ConnectTimeout.',
  },
  origin_timeouts: {
    help: 'Requests ended because the origin was silent for OriginTimeout or OriginReadTimeout.',
  },
  origin_failures: {
    help: 'Requests answered 502 because the origin broke the connection or the HTTP grammar.',
  },
  origin_aborts: { help: 'Answers cut short because the origin closed in the middle of the body.' },
  origin_queue_full: {
    help: 'Requests answered 503 because maxconn or MaxOriginConnections and MaxOriginQueue were reached, or because they waited there for OriginTimeout.',
  },
  origins_left_out: { help: 'Times that an origin was left out because of failures or checks.' },
  origins_back: { help: 'Times that an origin came back.' },
  origin_checks: { help: 'Health checks of origins.' },
  origin_checks_failed: { help: 'Health checks of origins that failed.' },
  origin_name_failures: {
    help: 'Look-ups of the host names of origins that gave no address; the last known ones stay.',
  },
  cache_hits: { help: 'Requests answered from the cache with a fresh answer.' },
  cache_stale_hits: {
    help: 'Requests answered from the cache with a stale answer: while it was revalidated, because the origin failed, or because the client allowed it.',
  },
  cache_misses: { help: 'Requests for which nothing was stored.' },
  cache_revalidations: {
    help: 'Requests and background fetches that asked the origin whether a stored answer still holds.',
  },
  cache_bypassed: {
    help: 'Requests of sites with Cache=1 that went past the cache because of their method, their credentials or their preconditions.',
  },
  cache_collapsed: { help: 'Requests that joined a fetch for another client.' },
  cache_stored: { help: 'Answers stored in the cache.' },
  cache_too_large: { help: 'Answers not stored because of MaxCacheObject.' },
  cache_evicted: {
    help: 'Answers that left the cache for others, because of MaxCacheSize, MaxCacheEntries or MaxCacheVariants.',
  },
  cache_purged: { help: 'Answers taken out of the cache by the console or by PURGE.' },
  cache_invalidated: {
    help: 'Answers taken out of the cache because a request may have changed what they show.',
  },
  keyword_requests: {
    help: 'Requests that matched no pattern and are virus requests because they hold a confirmed keyword.',
  },
  suspects: { help: 'Suspects sent to the keyword check.' },
  suspects_confirmed: { help: 'Suspects in which the check found a keyword.' },
  suspects_humble: { help: 'Suspects in which the check found no keyword.' },
  suspects_refused: {
    help: 'Suspects not sent to the keyword check because of MaxSuspectQueue. Their next request makes them suspect again.',
  },
  suspects_lost: { help: 'Suspects whose check ended with its worker.' },
  keyword_worker_crashes: { help: 'Times that the worker of the keyword check ended by itself.' },
  keyword_worker_hangs: {
    help: 'Times that the worker of the keyword check was replaced because of KeywordCheckTimeout.',
  },
  windows_displaced: {
    help: 'Windows whose count was forgotten within a refresh interval because of MaxDistributionTable.',
  },
  misses: {
    help: 'Requests for what an origin refuses and has never served, that counted for their source.',
  },
  misses_referred: {
    help: 'Such requests that did not count, because a page of the same site led to them.',
  },
  sources_blocked: { help: 'Times that a source was blocked.' },
  source_requests: {
    help: 'Requests that matched nothing and were slipped, dropped or detected because their source is blocked.',
  },
  crawlers_proven: {
    help: 'Sources that reached MissLimit and proved to be crawlers of search engines (Crawlers).',
  },
  source_lookups_refused: {
    help: 'Sources that were blocked without a look-up of their names because of MaxCrawlerLookups.',
  },
  sources_forgotten: {
    help: 'Sources whose misses and virus requests were forgotten because of MaxSources.',
  },
  patterns_learned: { help: 'Patterns added by Auto Update.' },
  patterns_proposed: { help: 'Patterns that Auto Update proposed instead of adding them.' },
  proposals_refused: { help: 'Proposals refused because of MaxProposedPatterns.' },
  patterns_expired: { help: 'Learned patterns deleted because of LearnedPatternDays.' },
  keywords_confirmed: { help: 'Keywords confirmed because they were found in a virus request.' },
  dynamic_delayed: {
    help: 'Requests to sites with Origin=dynamic that waited for a new host.',
  },
  dynamic_dropped: {
    help: 'Requests to sites with Origin=dynamic refused by the virus throttle.',
  },
  dynamic_abandoned: {
    help: 'Requests to sites with Origin=dynamic whose client left while they waited.',
  },
  dynamic_refused: {
    help: 'Requests to sites with Origin=dynamic refused because of AllowPrivate.',
  },
  dynamic_name_failures: {
    help: 'Requests to sites with Origin=dynamic whose host name could not be resolved, or not in time.',
  },
  egress_requests: { help: 'Requests to the egress gateway.' },
  egress_connections_refused: {
    help: 'Connections to the egress gateway closed because of MaxEgressConnections or MaxEgressSourceConnections, or because more than 64 requests were under way on one.',
  },
  egress_refused: {
    help: 'Requests that the egress gateway refused because of Allow, AllowPorts, AllowPrivate, credentials or a target that is none.',
  },
  egress_malformed: {
    help: 'Requests to the egress gateway whose head was malformed, too large or too late.',
  },
  egress_name_failures: {
    help: 'Requests of the egress gateway whose host name could not be resolved, or not in time.',
  },
  egress_delayed: { help: 'Connections of the egress gateway that waited for a new host.' },
  egress_dropped: { help: 'Connections of the egress gateway refused by the virus throttle.' },
  egress_abandoned: {
    help: 'Connections of the egress gateway whose client left while it waited.',
  },
  egress_connect_failures: {
    help: 'Hosts that the egress gateway could not reach, or not in time.',
  },
  egress_unlogged: {
    help: 'Refused requests of the egress gateway without a line in PROXY.LOG: beyond MaxEgressLogLines.',
  },
  egress_tunnels: { help: 'Tunnels that the egress gateway opened.' },
  snmp_traps_sent: {
    help: 'SNMP traps sent, one for each sink. Nobody says whether they arrived.',
  },
  snmp_traps_failed: {
    help: 'SNMP traps that could not be sent: the sink has no address, cannot be reached from here, or has 64 traps under way.',
  },
  events: { help: 'Events made for the EventLog and the Webhook.' },
  events_omitted: { help: 'Events not made because of EventsPerSecond.' },
  event_lines: { help: 'Events handed to the EventLog.' },
  webhook_posts: { help: 'POSTs to the Webhook, each try counted.' },
  webhook_failures: {
    help: 'POSTs to the Webhook that found nobody, took longer than WebhookTimeout, or were not answered 2xx.',
  },
  webhook_events_sent: { help: 'Events that the Webhook answered 2xx.' },
  webhook_events_lost: {
    help: 'Events that the Webhook never got: because of MaxWebhookQueue or WebhookRetries, because it refused them, or because wormgate ended or Webhook was emptied before.',
  },
  spans: { help: 'Spans made for the collector of [Tracing].' },
  spans_omitted: { help: 'Spans of sampled requests not made because of SpansPerSecond.' },
  span_posts: { help: 'POSTs to the collector, each try counted.' },
  span_post_failures: {
    help: 'POSTs to the collector that found nobody, took longer than ExportTimeout, or were not answered 2xx.',
  },
  spans_sent: { help: 'Spans that the collector took.' },
  spans_refused: {
    help: 'Spans that the collector refused: with a status that is not tried again, or as a part of what it took.',
  },
  spans_lost: {
    help: 'Spans that the collector never got: because of MaxSpanQueue or ExportRetries, or because wormgate ended or Endpoint was emptied before.',
  },
  log_lines: { help: 'Lines handed to the log files.' },
  log_lines_lost: { help: 'Log lines dropped because of MaxLogBacklog or a failed write.' },
  console_commands: { help: 'Console commands executed.' },
  console_refused: { help: 'Console commands refused.' },
  admin_connections_refused: {
    help: 'Connections to the admin server refused because 256 were open.',
  },
  admin_requests_refused: {
    help: 'Requests to the admin server refused because they came from a foreign page or for a foreign name.',
  },
  admin_tokens_refused: {
    help: 'Requests to the admin server refused because their token was missing, wrong, or one of too many.',
  },
  console_clients_refused: { help: 'Console connections refused because of MaxConsoleClients.' },
  patterns_added: { help: 'Patterns added to the set since the start.' },
  patterns_deleted: { help: 'Patterns deleted from the set since the start.' },
  patterns_refused: {
    help: 'Patterns refused because MaxVirusPatterns or MaxLearnedPatterns was reached.',
  },
  journal_failures: { help: 'Commands refused because the journal could not be written.' },
  workers_ended: {
    help: 'Worker processes that ended without being told to; others took their places.',
  },
  workers_killed: { help: 'Those of them that were killed because of WorkerTimeout.' },
  candidates_refused: {
    help: 'Windows that a worker found often enough and that were not counted over all workers: 10000 are, in a refresh interval.',
  },
  served_notes_lost: {
    help: 'Served requests that Auto Update was not told of, because the primary process took too long.',
  },
  source_notes_lost: {
    help: 'Virus requests and possible misses that did not count for their sources, because the primary process took too long.',
  },
  fleet_commands_sent: { help: "Commands of this node that the fleet's engine has taken." },
  fleet_commands_followed: {
    help: "Commands of the fleet's stream that this node has followed, its own included.",
  },
  fleet_commands_skipped: {
    help: 'Commands of the stream that were left out: they came a second time, or make no sense to this node, because of another PatternSize for example.',
  },
  fleet_commands_refused: {
    help: 'Console commands refused because MaxOutbox commands wait for the engine.',
  },
  fleet_connections: { help: "Times that the fleet's engine was reached and its stream followed." },
  fleet_failures: {
    help: 'Times that the engine was lost, could not be reached, or refused a command.',
  },
  fleet_snapshots: { help: 'Snapshots that this node has written for the fleet.' },
  fleet_windows_sent: {
    help: 'Windows whose counts were added to those of the other nodes, once for each time.',
  },
  fleet_windows_omitted: {
    help: 'Windows that came often, but were not added to those of the other nodes because of MaxTallies.',
  },
  fleet_suspects: {
    help: 'Windows that became suspect because all nodes together have seen them more often than HitThreshold.',
  },
  reloads: { help: 'Configuration reloads that took effect.' },
  reloads_refused: { help: 'Configuration reloads refused; the old settings stayed in force.' },
} as const satisfies Record<string, CounterRow>;

export type CounterName = keyof typeof counterTable;

export const counterNames = Object.keys(counterTable) as readonly CounterName[];

/** The running totals since the start, one number a row of the table. */
export class Statistics {
  /** To be added to in place where every nanosecond counts; elsewhere `add` reads better. */
  readonly totals = Object.fromEntries(counterNames.map((name) => [name, 0])) as Record<
    CounterName,
    number
  >;

  /** Adds `amount` (≥ 0) to a counter. */
  add(name: CounterName, amount = 1): void {
    this.totals[name] += amount;
  }

  get(name: CounterName): number {
    return this.totals[name];
  }
}
