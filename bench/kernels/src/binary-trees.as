// Allocates and walks binary trees with AssemblyScript's own allocator and classes.
class Node {
  constructor(
    public left: Node | null,
    public right: Node | null,
  ) {}
}

function build(depth: i32): Node {
  return depth == 0 ? new Node(null, null) : new Node(build(depth - 1), build(depth - 1))
}

function count(node: Node): i32 {
  const left = node.left
  const right = node.right
  return 1 + (left ? count(left) : 0) + (right ? count(right) : 0)
}

export function starling_alloc(length: i32): usize {
  return heap.alloc(length)
}

export function starling_run(input: usize, length: i32): i64 {
  const depth = load<i32>(input)
  let total = 0
  for (let i = 0; i <= depth; i++) total = total * 31 + count(build(i))
  const out = heap.alloc(4)
  store<i32>(out, total)
  return ((<i64>out) << 32) | 4
}
