// `node scripts/import-graph.mjs`: prints the imports in src by file and folder. Exits with 1 for
// circles, and for imports from a lower layer to a higher one.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { layers } from './layers.mjs';

const root = path.resolve(import.meta.dirname, '..', 'src');
const imports = /^(?:import|export)\b[^;]*?\bfrom '(\.[^']+)'|\bimport\('(\.[^']+)'\)/gms;

const files = new Map(
  findFiles().map((file) => [
    file,
    new Set(
      [...readFileSync(path.join(root, file), 'utf8').matchAll(imports)]
        .map(([, one, other]) => path.join(path.dirname(file), one ?? other))
        .map((name) => name.replace(/\.js$/, '.ts')),
    ),
  ]),
);
const folders = new Map();
for (const [file, targets] of files) {
  const from = placeOf(file);
  if (!folders.has(from)) folders.set(from, new Set());
  for (const target of targets)
    if (placeOf(target) !== from) folders.get(from).add(placeOf(target));
}

const arrows = [...files].flatMap(([file, targets]) =>
  [...targets]
    .filter((target) => layerOf(target) < layerOf(file))
    .map((target) => `${file} -> ${target}`),
);
const found = {
  'circles of files': circlesIn(files),
  'circles of folders': circlesIn(folders),
  'arrows upwards': arrows,
};
console.log(`${files.size} files in ${folders.size} folders and single files`);
for (const [what, list] of Object.entries(found)) {
  console.log(`${what}: ${list.length}`);
  for (const line of list) console.log(`  ${line}`);
}
process.exitCode = Object.values(found).some((list) => list.length > 0) ? 1 : 0;

function findFiles() {
  return readdirSync(root, { recursive: true })
    .filter((file) => file.endsWith('.ts'))
    .sort();
}

/** Returns the folder in src, or the file. The page is its own project. */
function placeOf(file) {
  if (file.startsWith('http/page/')) return 'http/page';
  return file.split('/')[0];
}

function layerOf(file) {
  const place = placeOf(file).split('/')[0];
  const layer = layers.findIndex((names) => names.includes(place));
  if (layer < 0) throw new Error(`src/${place} has no layer in scripts/layers.mjs`);
  return layer;
}

/** Returns groups of files that import each other, by Tarjan's algorithm. */
function circlesIn(graph) {
  const order = new Map();
  const low = new Map();
  const stack = [];
  const circles = [];
  const visit = (node) => {
    order.set(node, order.size);
    low.set(node, order.get(node));
    stack.push(node);
    for (const target of graph.get(node) ?? []) {
      if (!graph.has(target)) continue;
      if (!order.has(target)) visit(target);
      if (stack.includes(target)) low.set(node, Math.min(low.get(node), low.get(target)));
    }
    if (low.get(node) !== order.get(node)) return;
    const circle = stack.splice(stack.indexOf(node));
    if (circle.length > 1) circles.push(circle.sort().join(', '));
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return circles;
}
