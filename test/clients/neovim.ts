/**
 * A configuration file for nvim-dap, read by a real Neovim (Debian's 0.7, for which there is no nvim-dap of today): what
 * it leaves in the tables of `require("dap")`.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

const configuration = z.record(z.string(), z.unknown());
const made = z.object({
  configurations: z.record(z.string(), z.array(configuration)),
  /** For each configuration, in order: what the function of its type makes of it. */
  adapters: z.array(
    z.object({
      type: z.literal('executable'),
      command: z.string(),
      args: z.array(z.string()),
      options: z.object({ disconnect_timeout_sec: z.number() }),
    }),
  ),
});

/** The path of the file comes with Lua's own quotes. */
const script = (file: string) => `
local dap = { adapters = {}, configurations = {} }
package.loaded["dap"] = dap
dofile(${file})
local adapters = {}
for _, all in pairs(dap.configurations) do
  for _, one in ipairs(all) do
    dap.adapters[one.type](function(adapter) table.insert(adapters, adapter) end, one)
  end
end
io.stdout:write(vim.json.encode({ configurations = dap.configurations, adapters = adapters }))
`;

export async function readByNeovim(lua: string): Promise<z.infer<typeof made>> {
  const folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-test-'));
  try {
    const file = join(folder, 'kubernetes-local.lua');
    writeFileSync(file, lua);
    const reader = join(folder, 'reader.lua');
    writeFileSync(reader, script(JSON.stringify(file)));
    const args = ['--headless', '-u', 'NONE', '-i', 'NONE', '-c', `luafile ${reader}`, '-c', 'quitall!'];
    // What goes wrong in Lua is a message, on standard error.
    const { stdout, stderr } = await promisify(execFile)('nvim', args);
    if (stdout === '') throw new Error(stderr);
    return made.parse(JSON.parse(stdout));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
