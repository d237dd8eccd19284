/**
 * Our package for Sublime Text's Debugger, run by a real Python: with stand-ins for the modules `sublime` and
 * `Debugger.modules`, which register an adapter as theirs do (modules/dap/adapter.py). `.python-version` says in which
 * of its Pythons Sublime Text loads a package; Debugger is in that of 3.8.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

const folder = join(import.meta.dirname, '..', '..', 'launch-templates', 'sublime', 'KubernetesLocal');

export const pythonOfPackage = readFileSync(join(folder, '.python-version'), 'utf8').trim();

const script = `
import asyncio, json, sys, types

class Registry(type):
    def __new__(cls, name, bases, members):
        made = type.__new__(cls, name, bases, members)
        if bases:
            registered[members["type"]] = made()
        return made

class AdapterConfiguration(metaclass=Registry):
    pass

class StdioTransport:
    def __init__(self, command):
        self.command = command

registered = {}
waiting = []
sublime = types.ModuleType("sublime")
sublime.set_timeout = lambda act, milliseconds: waiting.append(act)
sys.modules["sublime"] = sublime
sys.path.insert(0, sys.argv[1])
import kubernetes_local

# Debugger is loaded later than the package.
kubernetes_local.plugin_loaded()
dap = types.ModuleType("Debugger.modules.dap")
dap.AdapterConfiguration = AdapterConfiguration
dap.StdioTransport = StdioTransport
modules = types.ModuleType("Debugger.modules")
modules.dap = dap
sys.modules.update({"Debugger": types.ModuleType("Debugger"), "Debugger.modules": modules, "Debugger.modules.dap": dap})
for act in waiting:
    act()
adapter = registered["kubernetes-local"]
configuration = json.loads(sys.argv[2])
older = asyncio.run(adapter.start(log=None, configuration=configuration)).command
newer = asyncio.run(adapter.start(None, configuration)).command
print(json.dumps([older, newer]))
`;

/** The command by which the package starts the debug adapter, as it is asked for it by older and newer versions. */
export async function commandsOfPackage(
  python: string,
  configuration: unknown,
  environment: NodeJS.ProcessEnv,
): Promise<string[][]> {
  const args = ['-B', '-c', script, folder, JSON.stringify(configuration)];
  const { stdout } = await promisify(execFile)(python, args, { env: environment });
  return z.array(z.array(z.string())).length(2).parse(JSON.parse(stdout));
}
