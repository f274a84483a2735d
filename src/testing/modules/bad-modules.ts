import {
  body,
  EMPTY_BLOCK,
  F64,
  FUNCREF,
  functionType,
  HEADER,
  I32,
  I64,
  i32,
  leb,
  moduleOf,
  repeat,
  runModule,
  section,
  text,
  vector,
} from './module-bytes.ts'

/** What must happen to a bad module: refused by `prepareModule`, or ended while its export `run` (or its start) runs. */
export type BadModuleExpectation =
  | { readonly refused: string }
  | { readonly ends: 'gas' | 'stack' | 'wasm' }
  /** Harmless after all: it must end normally, and quickly. */
  | { readonly ends: 'normally' }

export interface BadModule {
  readonly name: string
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly expect: BadModuleExpectation
}

const VOID = functionType([], [])
const UNREACHABLE = 0x00
const GET = 0x20
const CALL = 0x10

function refused(name: string, field: string, bytes: Uint8Array<ArrayBuffer>): BadModule {
  return { name, bytes, expect: { refused: field } }
}

function ends(name: string, how: 'gas' | 'stack' | 'wasm' | 'normally', bytes: Uint8Array<ArrayBuffer>): BadModule {
  return { name, bytes, expect: { ends: how } }
}

function raw(...bytes: readonly number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes)
}

function withHeader(...bytes: readonly number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([...HEADER, ...bytes])
}

/** Malformed, truncated, oversized and adversarial modules, each with what must become of it. Built anew at every call. */
export function badModules(): BadModule[] {
  return [
    ...malformed(),
    ...lying(),
    ...features(),
    ...oversized(),
    ...illTyped(),
    ...loops(),
    ...recursions(),
    ...bombs(),
    ...tricks(),
  ]
}

function malformed(): BadModule[] {
  const good = runModule([])
  return [
    refused('empty', 'magic number', raw()),
    refused('three bytes', 'magic number', raw(0, 0x61, 0x73)),
    refused('wrong magic', 'magic number', raw(0x7f, 0x45, 0x4c, 0x46, 1, 0, 0, 0)),
    refused('script', 'magic number', Uint8Array.from(new TextEncoder().encode('<script>alert(1)</script>'))),
    refused('header cut', 'version', raw(0, 0x61, 0x73, 0x6d, 1, 0)),
    refused('version 2', 'version', raw(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0)),
    refused('component', 'version', raw(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0)),
    refused('cut in code', 'section size', good.slice(0, good.length - 1)),
    refused('cut before code', 'function bodies', good.slice(0, good.length - 6)),
    refused('section without size', 'section size', withHeader(1)),
    refused('unknown section', 'section id', withHeader(14, 0)),
    refused('section id 255', 'section id', withHeader(255, 0)),
    refused('sections out of order', 'section order', withHeader(...section(3, [0]), ...section(1, [0]))),
    refused('two type sections', 'section order', withHeader(...section(1, [0]), ...section(1, [0]))),
    refused('two code sections', 'section order', withHeader(...section(10, [0]), ...section(10, [0]))),
    refused('data count after code', 'section order', withHeader(...section(10, [0]), ...section(12, [0]))),
    refused('bytes after the end', 'section size', Uint8Array.from([...good, 0])),
    refused('custom section without name', 'custom section name length', withHeader(0, 0)),
    refused('invalid UTF-8 in a custom name', 'custom section name', withHeader(...section(0, [2, 0xc3, 0x28]))),
    refused('invalid UTF-8 in an export', 'export name', badExport([0xff, 0xfe])),
    refused('surrogate in an export name', 'export name', badExport([0xed, 0xa0, 0x80])),
    refused(
      'duplicate export',
      'export name',
      runModule([], {
        exports: [
          ['run', 0, 0],
          ['run', 0, 0],
        ],
      }),
    ),
    refused('reserved export', 'export name', runModule([], { exports: [['starling:state', 0, 0]] })),
    refused('export of no function', 'export index', runModule([], { exports: [['run', 0, 7]] })),
    refused('export of a tag', 'export kind', runModule([], { exports: [['run', 4, 0]] })),
    refused('body without end', 'opcode', runModule([], { code: [[2, 0, 0x01]] })),
    refused('body with two ends', 'function body end', runModule([0x0b])),
    refused('else without if', 'else', runModule([0x05])),
    refused('unknown opcode', 'opcode', runModule([0x27])),
    refused('unknown vector opcode', 'opcode', runModule([0xfd, 0x9a, 0x01])),
  ]
}

/** The export section is made by hand: `moduleOf` would encode the name properly. */
function badExport(name: readonly number[]): Uint8Array<ArrayBuffer> {
  const tail = [...section(7, [1, ...leb(name.length), ...name, 0, 0]), ...section(10, vector([body([])]))]
  return moduleOf({ types: [VOID], functions: [0], tail })
}

function lying(): BadModule[] {
  return [
    refused('section longer than the module', 'section size', withHeader(1, 0x7f, 0)),
    refused('section of 4 GiB', 'section size', withHeader(1, 0xff, 0xff, 0xff, 0xff, 0x0f)),
    refused('section shorter than its content', 'type form', withHeader(1, 1, 1, 0x60, 0, 0)),
    refused('section longer than its content', 'type section end', withHeader(1, 3, 0, 0, 0)),
    refused('LEB of six bytes', 'section size', withHeader(1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00)),
    refused('LEB past 32 bits', 'section size', withHeader(1, 0xff, 0xff, 0xff, 0xff, 0x1f)),
    refused('constant past 32 bits', 'constant', runModule([0x41, 0xff, 0xff, 0xff, 0xff, 0x4f, 0x1a])),
    refused('constant of eleven bytes', 'constant', runModule([0x42, ...repeat(10, [0x80]), 0, 0x1a])),
    refused('types that are not there', 'type form', withHeader(...section(1, [5]))),
    refused('four billion types', 'types', withHeader(...section(1, leb(0xffff_ffff)))),
    refused('function body longer than the section', 'function body size', runModule([], { code: [[0x7f, 0, 0x0b]] })),
    refused('function body shorter than its code', 'opcode', runModule([], { code: [[1, 0]] })),
    refused('more bodies than functions', 'function bodies', runModule([], { code: [body([]), body([])] })),
    refused('fewer bodies than functions', 'function bodies', runModule([], { functions: [0, 0] })),
    refused(
      'functions without code',
      'function bodies',
      withHeader(...section(1, vector([VOID])), ...section(3, [1, 0])),
    ),
    refused('data count without data', 'data segments', runModule([], { dataCount: 3 })),
    refused(
      'data segment longer than the section',
      'data bytes',
      runModule([], { data: [[0, 0x41, 0, 0x0b, 0x7f, 1]] }),
    ),
    refused('data out of range', 'data segment end', runModule([], { data: [[0, ...i32(65_535), 0x0b, 2, 1, 1]] })),
    refused('data at minus one', 'data segment end', runModule([], { data: [[0, ...i32(-1), 0x0b, 1, 1]] })),
    refused(
      'data without memory',
      'data segment',
      runModule([], { memories: [], exports: [], data: [[0, 0x41, 0, 0x0b, 0]] }),
    ),
    refused(
      'elements out of range',
      'element segment end',
      runModule([], { tables: [[FUNCREF, 0, 1]], elements: [[0, 0x41, 1, 0x0b, 1, 0]] }),
    ),
    refused(
      'elements without table',
      'table of an element segment',
      runModule([], { elements: [[0, 0x41, 0, 0x0b, 1, 0]] }),
    ),
    refused('name longer than the section', 'export name', withHeader(...section(7, [1, 100, 0x61]))),
  ]
}

function features(): BadModule[] {
  const type = [VOID, functionType([I32, I32], [I32])]
  const imported = (module: string, name: string, description: readonly number[]) =>
    runModule([], { types: type, imports: [[module, name, description]] })
  return [
    refused('import of an unknown module', 'import', imported('env', 'emscripten_run_script', [0, 0])),
    refused('import of an unknown function', 'import', imported('wasi_snapshot_preview1', 'fd_steal', [0, 0])),
    refused('import of preview 0', 'import', imported('wasi_unstable', 'fd_write', [0, 0])),
    refused(
      'import with another signature',
      'signature of import sched_yield',
      imported('wasi_snapshot_preview1', 'sched_yield', [0, 1]),
    ),
    refused('imported memory', 'import', imported('env', 'memory', [2, 0, 1])),
    refused('imported table', 'import', imported('env', 'table', [1, FUNCREF, 0, 1])),
    refused('imported global', 'import', imported('env', 'stack', [3, I32, 1])),
    refused('imported tag', 'import', imported('env', 'tag', [4, 0, 0])),
    refused('shared memory', 'feature', runModule([], { memories: [[3, 1, 2]] })),
    refused('64-bit memory', 'feature', runModule([], { memories: [[4, 1]] })),
    refused(
      'two memories',
      'feature',
      runModule([], {
        memories: [
          [0, 1],
          [0, 1],
        ],
      }),
    ),
    refused('atomic instruction', 'feature', runModule([0xfe, 0x03, 0x00])),
    refused('relaxed vector instruction', 'feature', runModule([0xfd, 0x80, 0x02])),
    refused('exception instruction', 'feature', runModule([0x06, EMPTY_BLOCK, 0x0b])),
    refused('try_table', 'feature', runModule([0x1f, EMPTY_BLOCK, 0, 0x0b])),
    refused('tag section', 'feature', withHeader(...section(13, [0]))),
    refused('struct type', 'feature', runModule([], { types: [[0x5f, 0]] })),
    refused('gc instruction', 'feature', runModule([0xfb, 0x00, 0x00])),
    refused('memory access with memory index', 'feature', runModule([...i32(0), 0x28, 0x42, 0, 0, 0x1a])),
  ]
}

function oversized(): BadModule[] {
  const nested = (depth: number) => runModule([...repeat(depth, [0x02, EMPTY_BLOCK]), ...repeat(depth, [0x0b])])
  return [
    refused('33 MiB', 'module bytes', new Uint8Array(33 << 20)),
    refused('giant function', 'function body size', runModule(repeat(1_100_000, [0x01]))),
    refused('blocks nested 5,000 deep', 'block nesting', nested(5_000)),
    ends('blocks nested 4,000 deep', 'normally', nested(4_000)),
    refused('four billion locals', 'locals', runModule([], { locals: [[0xffff_ffff, I64]] })),
    refused(
      'locals in many groups',
      'locals',
      runModule([], { locals: Array.from({ length: 30 }, () => [1_000, I64] as const) }),
    ),
    refused(
      'locals in every function',
      'locals of all functions',
      runModule([], {
        functions: repeat(300, [0]),
        code: Array.from({ length: 300 }, () => body([], [[19_000, I64]])),
      }),
    ),
    refused('memory of 4 GiB at start', 'memory pages', runModule([], { memories: [[0, ...leb(65_536)]] })),
    refused('memory past 4 GiB', 'memory minimum', runModule([], { memories: [[0, ...leb(65_537)]] })),
    refused('memory maximum below minimum', 'memory maximum', runModule([], { memories: [[1, 2, 1]] })),
    refused('table of four billion', 'table elements', runModule([], { tables: [[FUNCREF, 0, ...leb(0xffff_ffff)]] })),
    refused(
      'many large tables',
      'table elements',
      runModule([], { tables: Array.from({ length: 8 }, () => [FUNCREF, 0, ...leb(90_000)]) }),
    ),
    refused('seventeen tables', 'tables', runModule([], { tables: Array.from({ length: 17 }, () => [FUNCREF, 0, 0]) })),
    refused(
      'a thousand parameters',
      'parameters',
      runModule([], { types: [VOID, functionType(repeat(1_000, [I32]), [])] }),
    ),
    refused('a hundred results', 'results', runModule([], { types: [VOID, functionType([], repeat(100, [I32]))] })),
    refused('branch table of a million', 'branch table targets', runModule([...i32(0), 0x0e, ...leb(1_000_000)])),
    refused('operand stack of 30,000', 'operand stack height', runModule(repeat(30_000, [0x41, 0]))),
    refused('long name', 'export name length', runModule([], { exports: [['x'.repeat(5_000), 0, 0]] })),
    refused(
      'many exports',
      'exports',
      runModule([], { exports: Array.from({ length: 10_001 }, (_, i) => [`e${i}`, 0, 0] as const) }),
    ),
    ends(
      'branch table of 60,000',
      'normally',
      runModule([0x02, EMPTY_BLOCK, ...i32(7), 0x0e, ...leb(60_000), ...repeat(60_001, [0]), 0x0b]),
    ),
  ]
}

function illTyped(): BadModule[] {
  return [
    refused('missing operand', 'operand', runModule([0x6a])),
    refused('wrong operand', 'operand type', runModule([...i32(1), 0x42, 1, 0x6a, 0x1a])),
    refused('operand left over', 'operands left at end of block', runModule(i32(1))),
    refused('result missing', 'operand', runModule([], { types: [functionType([], [I32])] })),
    refused('unknown local', 'local', runModule([GET, 0, 0x1a])),
    refused('unknown global', 'global', runModule([0x23, 0, 0x1a])),
    refused(
      'set of a constant global',
      'global to set',
      runModule([...i32(1), 0x24, 0], { globals: [[I32, 0, ...i32(0), 0x0b]] }),
    ),
    refused('unknown function', 'function', runModule([CALL, 9])),
    refused('unknown label', 'branch label', runModule([0x0c, 1])),
    refused('unknown type', 'block type', runModule([0x02, 0x05, 0x0b])),
    refused('alignment too large', 'alignment', runModule([...i32(0), 0x28, 3, 0, 0x1a])),
    refused(
      'access without memory',
      'memory instruction',
      runModule([...i32(0), 0x28, 2, 0, 0x1a], { memories: [], exports: [['run', 0, 0]] }),
    ),
    refused('lane out of range', 'lane', runModule([0xfd, 0x0c, ...repeat(16, [0]), 0xfd, 0x1b, 4, 0x1a])),
    refused(
      'shuffle out of range',
      'shuffle lane',
      runModule([...repeat(2, [0xfd, 0x0c, ...repeat(16, [0])]), 0xfd, 0x0d, ...repeat(16, [32]), 0x1a]),
    ),
    refused(
      'start with parameters',
      'start function type',
      runModule([], { types: [functionType([I32], [])], exports: [], start: 0 }),
    ),
    refused('no such start', 'start function', runModule([], { start: 3 })),
    refused(
      'undeclared function reference',
      'undeclared function reference',
      runModule([0xd2, 0, 0x1a], { exports: [] }),
    ),
    refused(
      'data index without data count',
      'data count section',
      runModule([...i32(0), ...i32(0), ...i32(0), 0xfc, 8, 0, 0]),
    ),
    refused(
      'global of another type',
      'constant expression type',
      runModule([], { globals: [[I64, 0, ...i32(0), 0x0b]] }),
    ),
    refused(
      'constant expression with a call',
      'constant expression',
      runModule([], { globals: [[I32, 0, CALL, 0, 0x0b]] }),
    ),
    refused('indirect call without table', 'table', runModule([...i32(0), 0x11, 0, 0])),
    refused(
      'if without else but with result',
      'if without else',
      runModule([...i32(1), 0x04, I32, ...i32(1), 0x0b, 0x1a]),
    ),
    refused('ill-typed code after a branch', 'operand type', runModule([0x0f, 0x42, 1, 0x45, 0x1a])),
    refused('unknown function after unreachable', 'function', runModule([UNREACHABLE, CALL, 99])),
  ]
}

function loops(): BadModule[] {
  const counted = [0x03, EMPTY_BLOCK, GET, 0, ...i32(1), 0x6a, 0x22, 0, 0x0d, 0, 0x0b]
  return [
    ends('endless loop', 'gas', runModule([0x03, EMPTY_BLOCK, 0x0c, 0, 0x0b])),
    ends('endless conditional loop', 'gas', runModule([0x03, EMPTY_BLOCK, ...i32(1), 0x0d, 0, 0x0b])),
    ends('endless loop by table', 'gas', runModule([0x03, EMPTY_BLOCK, ...i32(0), 0x0e, 1, 0, 0, 0x0b])),
    ends(
      'endless loop of nothing but blocks',
      'gas',
      runModule([0x03, EMPTY_BLOCK, 0x02, EMPTY_BLOCK, 0x0c, 1, 0x0b, 0x0b]),
    ),
    ends(
      'endless nested loops',
      'gas',
      runModule([...repeat(50, [0x03, EMPTY_BLOCK]), 0x0c, 0, ...repeat(50, [0x0b])]),
    ),
    ends('four billion turns', 'gas', runModule(counted, { locals: [[1, I32]] })),
    ends('endless loop in start', 'gas', runModule([0x03, EMPTY_BLOCK, 0x0c, 0, 0x0b], { start: 0 })),
    ends(
      'endless loop after a hundred thousand nops',
      'gas',
      runModule([0x03, EMPTY_BLOCK, ...repeat(100_000, [0x01]), 0x0c, 0, 0x0b]),
    ),
    ends('endless tail call', 'gas', runModule([0x12, 0])),
    ends(
      'endless indirect tail call',
      'gas',
      runModule([...i32(0), 0x13, 0, 0], { tables: [[FUNCREF, 0, 1]], elements: [[0, 0x41, 0, 0x0b, 1, 0]] }),
    ),
    ends('exponential calls', 'gas', runModule([], exponential(64))),
  ]
}

/** Function i calls function i + 1 twice. */
function exponential(depth: number) {
  const code = Array.from({ length: depth }, (_, i) =>
    body(i < depth - 1 ? [CALL, ...leb(i + 1), CALL, ...leb(i + 1)] : []),
  )
  return { functions: repeat(depth, [0]), code }
}

function recursions(): BadModule[] {
  const table = { tables: [[FUNCREF, 0, 2]], elements: [[0, 0x41, 0, 0x0b, 2, 0, 1]] }
  return [
    ends('recursion', 'stack', runModule([CALL, 0])),
    ends('mutual recursion', 'stack', runModule([], { functions: [0, 0], code: [body([CALL, 1]), body([CALL, 0])] })),
    ends(
      'indirect recursion',
      'stack',
      runModule([...i32(0), 0x11, 0, 0], { ...table, elements: [[0, 0x41, 0, 0x0b, 1, 0]] }),
    ),
    ends(
      'indirect mutual recursion',
      'stack',
      runModule([], {
        ...table,
        functions: [0, 0],
        code: [body([...i32(1), 0x11, 0, 0]), body([...i32(0), 0x11, 0, 0])],
      }),
    ),
    ends('recursion in start', 'stack', runModule([CALL, 0], { start: 0 })),
    ends('recursion with large frames', 'stack', runModule([CALL, 0], { locals: [[10_000, I64]] })),
    ends('frame larger than the stack', 'stack', runModule([CALL, 0], { locals: [[19_000, I64]] })),
    ends(
      'recursion with many results',
      'stack',
      runModule([CALL, 1, ...repeat(32, [0x1a])], {
        types: [VOID, functionType([], repeat(32, [F64]))],
        functions: [0, 1],
        code: [body([CALL, 1, ...repeat(32, [0x1a])]), body([CALL, 1])],
      }),
    ),
    ends(
      'recursion with many parameters',
      'stack',
      runModule([], {
        types: [VOID, functionType(repeat(255, [I64]), [])],
        functions: [0, 1],
        code: [
          body([...repeat(255, [0x42, 1]), CALL, 1]),
          body([...Array.from({ length: 255 }, (_, i) => [GET, ...leb(i)]).flat(), CALL, 1]),
        ],
      }),
    ),
  ]
}

function bombs(): BadModule[] {
  const bulk = (opcode: readonly number[], length: number) =>
    runModule([0x03, EMPTY_BLOCK, ...i32(0), ...i32(0), ...i32(length), 0xfc, ...opcode, 0x0c, 0, 0x0b])
  return [
    ends('memory grown for ever', 'gas', runModule([0x03, EMPTY_BLOCK, ...i32(1), 0x40, 0, 0x1a, 0x0c, 0, 0x0b])),
    ends('memory grown past 4 GiB', 'normally', runModule([...i32(-1), 0x40, 0, 0x1a])),
    ends('endless fills', 'gas', bulk([11, 0], 65_536)),
    ends('endless copies', 'gas', bulk([10, 0, 0], 65_536)),
    ends('fill of 4 GiB', 'gas', runModule([...i32(0), ...i32(0), ...i32(-1), 0xfc, 11, 0])),
    ends(
      'table grown for ever',
      'gas',
      runModule([0x03, EMPTY_BLOCK, 0xd0, FUNCREF, ...i32(1_000), 0xfc, 15, 0, 0x1a, 0x0c, 0, 0x0b], {
        tables: [[FUNCREF, 0, 0]],
      }),
    ),
    ends(
      'table grown by four billion',
      'gas',
      runModule([0xd0, FUNCREF, ...i32(-1), 0xfc, 15, 0, 0x1a], { tables: [[FUNCREF, 0, 0]] }),
    ),
    ends('fill out of bounds', 'wasm', runModule([...i32(65_000), ...i32(0), ...i32(1_000), 0xfc, 11, 0])),
    ends('load out of bounds', 'wasm', runModule([...i32(-1), 0x28, 2, 0, 0x1a])),
    ends('load past 4 GiB', 'wasm', runModule([...i32(-1), 0x28, 2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x1a])),
    ends('division by zero', 'wasm', runModule([...i32(1), ...i32(0), 0x6d, 0x1a])),
    ends('division overflow', 'wasm', runModule([...i32(-0x8000_0000), ...i32(-1), 0x6d, 0x1a])),
    ends('conversion of a NaN', 'wasm', runModule([0x43, 0, 0, 0xc0, 0x7f, 0xa8, 0x1a])),
    ends('call of a null', 'wasm', runModule([...i32(0), 0x11, 0, 0], { tables: [[FUNCREF, 0, 1]] })),
    ends('call past the table', 'wasm', runModule([...i32(-1), 0x11, 0, 0], { tables: [[FUNCREF, 0, 1]] })),
    ends(
      'call with another type',
      'wasm',
      runModule([...i32(1), ...i32(0), 0x11, 1, 0], {
        types: [VOID, functionType([I32], [])],
        tables: [[FUNCREF, 0, 1]],
        elements: [[0, 0x41, 0, 0x0b, 1, 0]],
      }),
    ),
    ends('unreachable', 'wasm', runModule([UNREACHABLE])),
  ]
}

function tricks(): BadModule[] {
  return [
    ends('junk after a return', 'normally', runModule([0x0f, 0x6a, 0x6a, 0x1a, 0x02, I32, UNREACHABLE, 0x0b, 0x1a])),
    ends('loop that is never reached', 'normally', runModule([0x0f, 0x03, EMPTY_BLOCK, 0x0c, 0, 0x0b])),
    ends('typed block after unreachable', 'wasm', runModule([UNREACHABLE, 0x02, I32, UNREACHABLE, 0x0b, 0x6a, 0x1a])),
    ends(
      'branch out of everything',
      'normally',
      runModule([...repeat(100, [0x02, EMPTY_BLOCK]), 0x0c, ...leb(100), ...repeat(100, [0x0b])]),
    ),
    ends(
      'call of a function that does not return',
      'wasm',
      runModule([], {
        functions: [0, 0],
        code: [body([CALL, 1, 0x03, EMPTY_BLOCK, 0x0c, 0, 0x0b]), body([UNREACHABLE])],
      }),
    ),
    ends(
      'name section full of lies',
      'normally',
      runModule([], { tail: section(0, [...text('name'), 1, 0xff, 0xff, 0xff, 0xff, 0x0f]) }),
    ),
    refused(
      'index past the guest’s own globals',
      'global',
      runModule([...i32(0), 0x24, 1], { globals: [[I32, 1, ...i32(0), 0x0b]] }),
    ),
    refused('index past the guest’s own functions', 'function', runModule([...i32(0), CALL, 1, 0x1a])),
    refused('index past the guest’s own locals', 'local', runModule([...i32(0), 0x21, 1], { locals: [[1, I32]] })),
    refused(
      'index past the guest’s own types',
      'call type',
      runModule([...i32(0), ...i32(0), 0x11, 1, 0], { tables: [[FUNCREF, 0, 1]] }),
    ),
  ]
}

/** Bytes that no longer name what they say: used where a property needs a module known to be good. */
export function goodModule(): Uint8Array<ArrayBuffer> {
  return moduleOf({
    types: [functionType([I32], [I32]), VOID],
    functions: [0, 1],
    tables: [[FUNCREF, 0, 2]],
    memories: [[1, 1, 4]],
    globals: [[I32, 1, ...i32(3), 0x0b]],
    exports: [
      ['memory', 2, 0],
      ['run', 0, 1],
      ['twice', 0, 0],
    ],
    elements: [[0, 0x41, 0, 0x0b, 2, 0, 1]],
    code: [body([GET, 0, ...i32(2), 0x6c]), body([...i32(4), CALL, 0, 0x24, 0])],
    data: [[0, 0x41, 8, 0x0b, 3, 1, 2, 3]],
  })
}
