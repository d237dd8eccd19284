/** Finds one of our configurations in the text of a launch.json, comments and all. */
import { findNodeAtLocation, getNodeValue, parseTree } from 'jsonc-parser';

/** Offset and length of the configuration with this name; undefined if there is none, or the text cannot be read. */
export function placeOfConfiguration(text: string, name: string): { offset: number; length: number } | undefined {
  const root = parseTree(text, [], { allowTrailingComma: true });
  const list = root && findNodeAtLocation(root, ['configurations']);
  const found = list?.children?.find((node) => {
    const own = findNodeAtLocation(node, ['name']);
    return own !== undefined && getNodeValue(own) === name;
  });
  return found && { offset: found.offset, length: found.length };
}
