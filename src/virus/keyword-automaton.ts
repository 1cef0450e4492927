/**
 * Finds any of many keywords in one pass over the bytes: the automaton of Aho and Corasick ("Efficient
 * string matching", 1975). A node stands for the beginning of a keyword, and its fallback for the
 * longest beginning of a keyword that the node's text ends with, so that no byte of the input is read
 * twice and the time is linear in it, whatever the keywords and the input are. Nodes are numbered
 * level by level, the children of one node by their bytes: children then need no links, and to be near
 * the root is to have a small number. 17 bytes a node, at most one node for each byte of a keyword.
 * Matches folded bytes (A-Z as a-z); decodes nothing.
 */

/** Each byte as it is compared: A-Z as a-z, all others as they are. */
export const foldedBytes = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte,
);
const folded = foldedBytes;

/** Above so many children they are searched by halving. */
const scannedChildrenMax = 4;

/** The keywords as bytes: the one of rank r is bytes[starts[r], starts[r + 1]). */
export interface KeywordBytes {
  /** Folded, in ascending order, no two equal. */
  readonly bytes: Uint8Array;
  readonly starts: Int32Array;
}

/** The automaton of a fixed set of keywords. It knows a keyword by its rank. */
export class KeywordAutomaton {
  /** The first child of each node; the children end where those of the next node begin. */
  readonly #children: Int32Array;
  /** The byte that leads from a node's parent to it. */
  readonly #labels: Uint8Array;
  readonly #fallbacks: Int32Array;
  /** The keyword that a node completes; -1: none. */
  readonly #ranks: Int32Array;
  /** The longest keyword's node that a node's text ends with; 0: none. */
  readonly #endings: Int32Array;
  /** The root's children by byte; 0: none. */
  readonly #rootChildren = new Int32Array(256);
  /** Nodes below this number stand for fewer than `shallowDepth` bytes. */
  readonly #shallowEnd: number;

  constructor(keywords: KeywordBytes, shallowDepth: number) {
    const plan = new NodePlan(keywords);
    this.#labels = plan.labels;
    this.#ranks = plan.ranks;
    this.#children = plan.children;
    this.#shallowEnd = plan.levelStart(shallowDepth);
    this.#fallbacks = new Int32Array(this.#labels.length);
    this.#endings = new Int32Array(this.#labels.length);
    for (let child = 1; child < (this.#children[1] as number); child += 1) {
      this.#rootChildren[this.#labels[child] as number] = child;
    }
    this.#link();
  }

  /** Memory that the automaton takes. */
  get bytes(): number {
    const arrays = [this.#children, this.#labels, this.#fallbacks, this.#ranks, this.#endings];
    return arrays.reduce((sum, array) => sum + array.byteLength, this.#rootChildren.byteLength);
  }

  /** Sets fallbacks and endings, parents first, as those of a child follow from its parent's. */
  #link(): void {
    const nodeCount = this.#labels.length;
    for (let node = 0; node < nodeCount; node += 1) {
      const end = this.#children[node + 1] as number;
      for (let child = this.#children[node] as number; child < end; child += 1) {
        const label = this.#labels[child] as number;
        const fallback = node === 0 ? 0 : this.#step(this.#fallbacks[node] as number, label);
        this.#fallbacks[child] = fallback;
        const isKeyword = (this.#ranks[child] as number) !== -1;
        this.#endings[child] = isKeyword ? child : (this.#endings[fallback] as number);
      }
    }
  }

  #childOf(node: number, byte: number): number {
    const labels = this.#labels;
    let low = this.#children[node] as number;
    let high = this.#children[node + 1] as number;
    while (high - low > scannedChildrenMax) {
      const middle = (low + high) >>> 1;
      if ((labels[middle] as number) <= byte) low = middle;
      else high = middle;
    }
    for (; low < high; low += 1) {
      if (labels[low] === byte) return low;
    }
    return 0;
  }

  /** The node after one more byte, which is folded. */
  #step(node: number, byte: number): number {
    let from = node;
    while (from !== 0) {
      const child = this.#childOf(from, byte);
      if (child !== 0) return child;
      from = this.#fallbacks[from] as number;
    }
    return this.#rootChildren[byte] as number;
  }

  /**
   * Reads bytes[start, end) until a keyword ends, and gives its rank, of several that end there the
   * longest one's. From `settledFrom` on it also stops where fewer than `shallowDepth` bytes may be
   * the beginning of a keyword, and gives `-1 - position`; at the end it gives `-1 - end`.
   */
  find(bytes: Uint8Array, start: number, end: number, settledFrom: number): number {
    const endings = this.#endings;
    const shallowEnd = this.#shallowEnd;
    let node = 0;
    let at = start;
    while (at < end) {
      node = this.#step(node, folded[bytes[at] as number] as number);
      at += 1;
      const ending = endings[node] as number;
      if (ending !== 0) return this.#ranks[ending] as number;
      if (node < shallowEnd && at >= settledFrom) break;
    }
    return -1 - at;
  }

  /** Adds to `ranks` each keyword that stands in bytes[start, end). */
  findAll(bytes: Uint8Array, start: number, end: number, ranks: Set<number>): void {
    let node = 0;
    for (let at = start; at < end; at += 1) {
      node = this.#step(node, folded[bytes[at] as number] as number);
      let ending = this.#endings[node] as number;
      // What ends with a keyword that was found before has been followed to its end then.
      while (ending !== 0 && !ranks.has(this.#ranks[ending] as number)) {
        ranks.add(this.#ranks[ending] as number);
        ending = this.#endings[this.#fallbacks[ending] as number] as number;
      }
    }
  }
}

/** The nodes of the keywords' tree, level by level. */
class NodePlan {
  readonly labels: Uint8Array;
  readonly ranks: Int32Array;
  readonly children: Int32Array;
  readonly #levelStarts: number[] = [];

  constructor({ bytes, starts }: KeywordBytes) {
    const nodesMax = bytes.length + 1;
    const labels = new Uint8Array(nodesMax);
    const ranks = new Int32Array(nodesMax).fill(-1);
    const children = new Int32Array(nodesMax + 1);
    // The keywords that begin with a node's text are those of one range of ranks.
    const firsts = new Int32Array(nodesMax);
    const ends = new Int32Array(nodesMax);
    ends[0] = starts.length - 1;
    let count = 1;
    let node = 0;
    for (let depth = 0; node < count; depth += 1) {
      this.#levelStarts.push(node);
      for (const levelEnd = count; node < levelEnd; node += 1) {
        children[node] = count;
        let rank = firsts[node] as number;
        const end = ends[node] as number;
        if ((starts[rank] as number) + depth === starts[rank + 1] && rank < end) {
          ranks[node] = rank;
          rank += 1;
        }
        while (rank < end) {
          const label = bytes[(starts[rank] as number) + depth] as number;
          labels[count] = label;
          firsts[count] = rank;
          while (rank < end && bytes[(starts[rank] as number) + depth] === label) rank += 1;
          ends[count] = rank;
          count += 1;
        }
      }
    }
    children[count] = count;
    this.labels = labels.slice(0, count);
    this.ranks = ranks.slice(0, count);
    this.children = children.slice(0, count + 1);
  }

  /** The first node that stands for `depth` bytes or more; the number of nodes when there is none. */
  levelStart(depth: number): number {
    return this.#levelStarts[depth] ?? this.labels.length;
  }
}
