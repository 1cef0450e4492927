/** The web console: logs in if that is needed, listens to the server, and hands figures to the views. */
import { byId, make } from './dom.ts';
import { drawFigures, redrawCharts } from './figures-view.ts';
import { startInspector } from './inspector-view.ts';
import { startLists, updateLists } from './lists-view.ts';
import { startPatterns, updatePatterns } from './patterns-view.ts';
import { showReply } from './reply-view.ts';
import { type Figures, LoginNeeded, listen, logIn, logOut, readLists } from './server.ts';
import { startSettings } from './settings-view.ts';
import { followSources, startSources } from './sources-view.ts';
import { fillTuning, startTuning } from './tuning-view.ts';

const login = byId('login', HTMLFormElement);
const content = byId('content', HTMLElement);
const state = byId('state', HTMLElement);

/** Set in this browser by a log-in: the cookie itself is not for scripts. */
const loggedIn = 'logged-in';

/** What was listed last depends on these: lists are read again when one changes. */
let seen = '';
/** The virus requests of which the listed patterns show the hits. */
let seenHits = 0;

function onFigures(figures: Figures): void {
  drawFigures(figures);
  fillTuning(figures);
  followSources(figures);
  const { screen } = figures;
  const now = [screen?.noOfPatterns, screen?.learnedPatterns, screen?.proposedPatterns].join();
  const hits = screen?.virusRequests ?? 0;
  // Rows do not move while somebody aims at one.
  const isHitsDue = hits !== seenHits && !byId('pattern-rows', HTMLElement).matches(':hover');
  if (now === seen && !isHitsDue) return;
  seenHits = hits;
  void updatePatterns();
  if (now === seen) return;
  seen = now;
  void updateLists();
}

function onState(isConnected: boolean): void {
  state.textContent = isConnected ? 'connected' : 'the server does not answer; trying again';
  state.className = isConnected ? 'good' : 'bad';
}

async function open(): Promise<void> {
  try {
    await readLists();
  } catch (error) {
    if (!(error instanceof LoginNeeded)) throw error;
    login.hidden = false;
    state.textContent = 'not logged in';
    byId('token', HTMLInputElement).focus();
    return;
  }
  login.hidden = true;
  content.hidden = false;
  byId('sections', HTMLElement).hidden = false;
  byId('log-out', HTMLButtonElement).hidden = localStorage.getItem(loggedIn) === null;
  startPatterns();
  startLists();
  startSources();
  startTuning();
  startInspector();
  void startSettings();
  listen({ onFigures, onState, onLoginNeeded: () => location.reload() });
}

login.addEventListener('submit', async (event) => {
  event.preventDefault();
  const token = byId('token', HTMLInputElement);
  const reply = byId('login-reply', HTMLElement);
  try {
    await logIn(token.value);
    token.value = '';
    localStorage.setItem(loggedIn, '1');
    await open();
  } catch (error) {
    reply.replaceChildren(make('span', { class: 'bad' }, describe(error)));
    token.select();
  }
});

byId('log-out', HTMLButtonElement).addEventListener('click', async () => {
  await logOut();
  localStorage.removeItem(loggedIn);
  location.reload();
});

const theme = byId('theme', HTMLSelectElement);
theme.addEventListener('change', () => {
  document.documentElement.dataset.theme = theme.value;
  localStorage.setItem('theme', theme.value);
  redrawCharts();
});
theme.value = localStorage.getItem('theme') ?? '';
document.documentElement.dataset.theme = theme.value;

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redrawCharts);

window.addEventListener('unhandledrejection', (event) => {
  if (event.reason instanceof LoginNeeded) return location.reload();
  showReply({ ok: false, text: describe(event.reason) });
});

void open();
