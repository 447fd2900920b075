// @ts-check
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import ts from 'typescript'
import { gitFiles, root } from '../setup/exec.mjs'

/** @typedef {import('./sample.mjs').Mutant} Mutant */

const folders = ['model', 'config', 'abi', 'live', 'plan', 'select', 'execute']

/** What each token becomes, and the operator's name. */
const tokens = new Map([
  [ts.SyntaxKind.LessThanToken, ['<=', 'comparison']],
  [ts.SyntaxKind.LessThanEqualsToken, ['<', 'comparison']],
  [ts.SyntaxKind.GreaterThanToken, ['>=', 'comparison']],
  [ts.SyntaxKind.GreaterThanEqualsToken, ['>', 'comparison']],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, ['!==', 'equality']],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, ['===', 'equality']],
  [ts.SyntaxKind.AmpersandAmpersandToken, ['||', 'logic']],
  [ts.SyntaxKind.BarBarToken, ['&&', 'logic']],
  [ts.SyntaxKind.PlusToken, ['-', 'arithmetic']],
  [ts.SyntaxKind.MinusToken, ['+', 'arithmetic']],
  [ts.SyntaxKind.AsteriskToken, ['/', 'arithmetic']],
  [ts.SyntaxKind.SlashToken, ['*', 'arithmetic']],
])

/** Calls of methods, and what is called instead; null for the array itself. */
const methods = new Map([
  ['sort', null],
  ['toSorted', null],
  ['reverse', null],
  ['toReversed', null],
  ['filter', null],
  ['some', 'every'],
  ['every', 'some'],
  ['min', 'max'],
  ['max', 'min'],
])

/** @param {ts.Statement} statement */
function leaves(statement) {
  const only =
    ts.isBlock(statement) && statement.statements.length === 1 ? statement.statements[0] : statement
  return (
    only !== undefined &&
    (ts.isReturnStatement(only) ||
      ts.isContinueStatement(only) ||
      ts.isBreakStatement(only) ||
      ts.isThrowStatement(only))
  )
}

/** @param {ts.Node} node */
const isName = ({ parent }) =>
  ts.isImportDeclaration(parent) ||
  ts.isExportDeclaration(parent) ||
  ts.isPropertyAssignment(parent) ||
  ts.isElementAccessExpression(parent) ||
  ts.isLiteralTypeNode(parent)

/**
 * The faults of one node: [operator, start, end, text].
 * @param {ts.Node} node
 * @param {ts.SourceFile} file
 * @returns {[string, number, number, string][]}
 */
function faultsOf(node, file) {
  const start = node.getStart(file)
  const { end } = node
  const [token, name] = (ts.isBinaryExpression(node) && tokens.get(node.operatorToken.kind)) || []
  if (ts.isBinaryExpression(node) && token !== undefined && name !== undefined) {
    return [[name, node.operatorToken.getStart(file), node.operatorToken.end, token]]
  }
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken) {
    return [['fallback', node.left.end, end, '']]
  }
  if (node.kind === ts.SyntaxKind.TrueKeyword && !ts.isLiteralTypeNode(node.parent)) {
    return [['boolean', start, end, 'false']]
  }
  if (node.kind === ts.SyntaxKind.FalseKeyword && !ts.isLiteralTypeNode(node.parent)) {
    return [['boolean', start, end, 'true']]
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    return [['negation', start, node.operand.getStart(file), '']]
  }
  if (ts.isNumericLiteral(node) && !ts.isLiteralTypeNode(node.parent)) {
    return [['number', start, end, String(Number(node.text.replaceAll('_', '')) + 1)]]
  }
  if (ts.isStringLiteral(node) && node.text !== '' && !isName(node)) return [['string', start, end, "''"]]
  if (ts.isConditionalExpression(node)) {
    const [yes, no] = [node.whenTrue.getText(file), node.whenFalse.getText(file)]
    return [['branches', node.whenTrue.getStart(file), end, `${no} : ${yes}`]]
  }
  if (ts.isIfStatement(node) && node.elseStatement === undefined && leaves(node.thenStatement)) {
    return [['guard', start, end, ';']]
  }
  if (ts.isExpressionStatement(node)) return [['statement', start, end, ';']]
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
    const { expression, name: method } = node.expression
    const instead = methods.get(method.text)
    if (instead === null) return [['order', expression.end, end, '']]
    if (instead !== undefined) return [['method', method.getStart(file), method.end, instead]]
  }
  return []
}

/**
 * Whether what comes out is still a program. Its types are looked at where no test fails: that takes long.
 * @param {string} source
 */
export function isProgram(source) {
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }
  const { diagnostics = [] } = ts.transpileModule(source, {
    compilerOptions: options,
    reportDiagnostics: true,
  })
  return diagnostics.length === 0
}

/**
 * Whether the compiler notices what is wrong with a file of a copy.
 * @param {string} folder
 * @param {string} file
 * @returns {Promise<boolean>}
 */
export function isRefused(folder, file) {
  const tsc = join(folder, 'node_modules/typescript/bin/tsc')
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, '--noEmit', '--pretty', 'false'], { cwd: folder }, (_error, stdout) =>
      resolve(stdout.split('\n').some((line) => line.startsWith(`${file}(`))),
    )
  })
}

/** @returns {Mutant[]} every fault that the operators make of the pure core */
export function typescriptMutants() {
  const paths = folders.map((folder) => `src/engine/${folder}`)
  return gitFiles(paths, /^(?!.*[.](generated|d)[.]).*[.]ts$/).flatMap((path) => {
    const file = ts.createSourceFile(
      path,
      readFileSync(join(root, path), 'utf8'),
      ts.ScriptTarget.ES2022,
      true,
    )
    /** @type {Mutant[]} */
    const mutants = []
    /** @param {ts.Node} node */
    const visit = (node) => {
      for (const [operator, start, end, text] of faultsOf(node, file)) {
        mutants.push({ file: path, operator, start, end, text })
      }
      ts.forEachChild(node, visit)
    }
    visit(file)
    return mutants
  })
}

/** Tests of many random cases, which take as long as all others together. */
const slow = [
  ...['execute/converge', 'execute/history', 'config/hostile', 'config/resolve-properties'],
  ...['select/shares', 'live/decode'],
].map((name) => `test/unit/${name}.test.ts`)

/** @returns {Promise<Map<string, Set<string>>>} the files that each unit test loads */
async function loadedByTests() {
  const tests = gitFiles(['test/unit'], /[.]test[.]ts$/)
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: tests,
    outdir: 'build',
    bundle: true,
    write: false,
    metafile: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  })
  /** @param {string} test */
  const loadedBy = (test) => {
    const loaded = new Set([test])
    // What is added while it is gone through is gone through too.
    for (const file of loaded) {
      for (const { path } of metafile.inputs[file]?.imports ?? []) loaded.add(path)
    }
    return loaded
  }
  return new Map(tests.map((test) => [test, loadedBy(test)]))
}

/**
 * The runs of tests that may notice a fault in a file, until something fails: those of the file's own
 * folder, then others that load the file, then those that take long.
 * @returns {Promise<(file: string) => string[][]>}
 */
export async function unitTests() {
  const loaded = await loadedByTests()
  return (file) => {
    const own = `test/unit/${file.split('/')[2]}/`
    const related = [...loaded].flatMap(([test, files]) => (files.has(file) ? [test] : []))
    // One process, and what is compiled is kept: a run is short, and most of it would be starting.
    const options = ['--project', 'unit', '--no-isolate', '--experimental.fsModuleCache']
    const quick = related.filter((test) => !slow.includes(test))
    return [
      quick.filter((test) => test.startsWith(own)),
      quick.filter((test) => !test.startsWith(own)),
      related.filter((test) => slow.includes(test)),
    ]
      .filter((tests) => tests.length > 0)
      .map((tests) => ['run', ...tests, ...options])
  }
}
