/**
 * Orders nodes so that each comes after those that it depends on. Nodes that depend on each other in a circle form one
 * group.
 */
export function dependencyGroups<T>(nodes: readonly T[], dependenciesOf: (node: T) => readonly T[]): T[][] {
  const reaches = (from: T, to: T, seen = new Set<T>()): boolean => {
    if (seen.has(from)) return false;
    seen.add(from);
    return dependenciesOf(from).some((each) => each === to || reaches(each, to, seen));
  };
  const groups: T[][] = [];
  const done = new Set<T>();
  const add = (node: T) => {
    if (done.has(node)) return;
    const group = nodes.filter((each) => each === node || (reaches(node, each) && reaches(each, node)));
    for (const each of group) done.add(each);
    for (const each of group) for (const dependency of dependenciesOf(each)) add(dependency);
    groups.push(group);
  };
  for (const node of nodes) add(node);
  return groups;
}
