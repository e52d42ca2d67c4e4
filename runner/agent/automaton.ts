/** Finds many strings in one pass over a text (the algorithm of Aho and Corasick), character by character. */

export interface AutomatonNode {
  /** Length of the longest string that ends here; 0: none. */
  match: number;
  /** Length of the longest beginning of a string that the text read so far ends with. */
  readonly depth: number;
  fail: AutomatonNode | undefined;
  /** Most nodes have one child: a map for each would cost far more than the strings themselves. */
  onlyCode: number;
  onlyChild: AutomatonNode | undefined;
  children: Map<number, AutomatonNode> | undefined;
}

export function buildAutomaton(strings: Iterable<string>): AutomatonNode {
  const root = emptyNode(0);
  for (const text of strings) {
    let node = root;
    for (let at = 0; at < text.length; at++) node = childFor(node, text.charCodeAt(at));
    node.match = text.length;
  }
  linkFailures(root);
  return root;
}

/** The node after one more character. */
export function follow(root: AutomatonNode, from: AutomatonNode, code: number): AutomatonNode {
  let node: AutomatonNode | undefined = from;
  while (node !== undefined) {
    const next = childOf(node, code);
    if (next !== undefined) return next;
    node = node.fail;
  }
  return root;
}

function linkFailures(root: AutomatonNode): void {
  const queue: AutomatonNode[] = [root];
  for (let at = 0; at < queue.length; at++) {
    const node = queue[at];
    if (node === undefined) break;
    for (const [code, child] of childrenOf(node)) {
      child.fail = node.fail === undefined ? root : follow(root, node.fail, code);
      // What ends here as a part of something longer is found as well.
      if (child.match === 0) child.match = child.fail.match;
      queue.push(child);
    }
  }
}

function emptyNode(depth: number): AutomatonNode {
  return { match: 0, depth, fail: undefined, onlyCode: -1, onlyChild: undefined, children: undefined };
}

function childOf(node: AutomatonNode, code: number): AutomatonNode | undefined {
  return node.onlyCode === code ? node.onlyChild : node.children?.get(code);
}

function childFor(node: AutomatonNode, code: number): AutomatonNode {
  const there = childOf(node, code);
  if (there !== undefined) return there;
  const child = emptyNode(node.depth + 1);
  if (node.onlyChild === undefined) {
    node.onlyCode = code;
    node.onlyChild = child;
  } else {
    node.children ??= new Map();
    node.children.set(code, child);
  }
  return child;
}

function* childrenOf(node: AutomatonNode): Iterable<[number, AutomatonNode]> {
  if (node.onlyChild !== undefined) yield [node.onlyCode, node.onlyChild];
  if (node.children !== undefined) yield* node.children;
}
